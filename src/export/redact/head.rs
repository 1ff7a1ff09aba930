//! The head of a message, byte by byte as long as before.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::pseudonym::{Pseudonyms, Stay};
use super::words::{
    CODES, COOKIES, CREDENTIALS, NUMBERS, PRODUCTS, PROTOCOLS, TYPES, is_known_name, is_one,
};
use crate::bits::secrets::challenges;
use crate::bits::{PacketType, fields, ntlm};

/// Base64 of the signature and the number of an NTLM message ([MS-NLMP] 2.2.1).
const NTLM: [&str; 3] = ["TlRMTVNTUAAB", "TlRMTVNTUAAC", "TlRMTVNTUAAD"];

/// A head as it was on the wire, with pseudonyms.
pub(super) fn raw(pseudonyms: &Pseudonyms, head: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    let mut name = String::new();
    for (number, line) in head.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let end =
            line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        let (text, ending) = line.split_at(end);
        let text = ascii(text);
        let becomes = if number == 0 || out.iter().all(u8::is_ascii_whitespace) {
            first_line(pseudonyms, &text)
        } else if text.starts_with([' ', '\t']) {
            // A folded line carries the field before on (RFC 9112 5.2).
            value(pseudonyms, &name, &text)
        } else {
            let (own, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            name = own.trim().to_owned();
            field(pseudonyms, own, rest)
        };
        out.extend(fitted(becomes, text.len()).bytes());
        out.extend(ending);
    }
    out
}

/// Bytes outside ASCII as letters, so that every character is a byte.
fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { 'x' }).collect()
}

/// Nothing may move: a line that got shorter or longer is filled or cut.
fn fitted(mut line: String, len: usize) -> String {
    line.truncate(len);
    while line.len() < len {
        line.push('x');
    }
    line
}

/// A request line or a status line.
pub(super) fn first_line(pseudonyms: &Pseudonyms, line: &str) -> String {
    let (first, rest) = line.split_at(line.find(' ').unwrap_or(line.len()));
    if first.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("HTTP/")) {
        return format!("{}{}", version(pseudonyms, first), pseudonyms.map(rest, Stay::Products));
    }
    let place = rest.to_ascii_lowercase().rfind(" http/").unwrap_or(rest.len());
    let (target, last) = rest.split_at(place);
    let method = method(pseudonyms, first);
    format!("{method}{}{}", pseudonyms.text(target), version(pseudonyms, last))
}

/// The name of the protocol and its version, which stays where it is one.
fn version(pseudonyms: &Pseudonyms, text: &str) -> String {
    let (name, number) = text.split_at(text.find('/').map_or(text.len(), |slash| slash + 1));
    let digit = |c: char| c.is_ascii_digit();
    let len = match number.split_at_checked(3) {
        Some((front, _))
            if front.split('.').all(|part| part.len() == 1 && part.starts_with(digit)) =>
        {
            3
        }
        _ => 0,
    };
    let (number, rest) = number.split_at(len);
    format!("{name}{number}{}", pseudonyms.map(rest, Stay::Products))
}

/// A method, of which the words stay that methods are made of.
pub(super) fn method(pseudonyms: &Pseudonyms, method: &str) -> String {
    pseudonyms.map(method, Stay::Products)
}

fn field(pseudonyms: &Pseudonyms, name: &str, rest: &str) -> String {
    let own = self::name(pseudonyms, name);
    let (colon, text) = rest.split_at(usize::from(rest.starts_with(':')));
    format!("{own}{colon}{}", value(pseudonyms, name.trim(), text))
}

/// The name of a field; one that nobody else uses may tell something.
pub(super) fn name(pseudonyms: &Pseudonyms, name: &str) -> String {
    if is_known_name(name.trim()) { name.to_owned() } else { pseudonyms.text(name) }
}

/// The value of a field.
pub(super) fn value(pseudonyms: &Pseudonyms, name: &str, value: &str) -> String {
    let guids = |value: &str| {
        value.bytes().all(|byte| byte.is_ascii_hexdigit() || b"{}-,; \t".contains(&byte))
    };
    // The end of a type may be cut off.
    let is_type = |kind: &str| {
        PacketType::begun(kind).is_some()
            || !matches!(PacketType::parse(kind), PacketType::Other(_))
    };
    let stays = is_one(name, TYPES) && is_type(value.trim())
        || is_one(name, CODES) && fields::hresult(value).is_some()
        || is_one(name, PROTOCOLS) && guids(value);
    if stays {
        value.to_owned()
    } else if is_one(name, NUMBERS) {
        pseudonyms.map(value, Stay::Numbers)
    } else if is_one(name, PRODUCTS) {
        pseudonyms.map(value, Stay::Products)
    } else if is_one(name, CREDENTIALS) {
        credentials(pseudonyms, value)
    } else if is_one(name, COOKIES) {
        cookies(pseudonyms, value)
    } else {
        pseudonyms.text(value)
    }
}

/// Each of credentials or challenges, with what parts them as it is.
fn credentials(pseudonyms: &Pseudonyms, value: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(value.len()), value);
    for one in challenges(value) {
        if let Some((parting, behind)) = rest.split_once(one) {
            out.push_str(parting);
            out.push_str(&credential(pseudonyms, one));
            rest = behind;
        }
    }
    out + rest
}

/// The scheme, and of the secret no more than what kind of message it is.
fn credential(pseudonyms: &Pseudonyms, value: &str) -> String {
    let (scheme, secret) = value.split_at(value.find(' ').unwrap_or(value.len()));
    let gap = secret.len() - secret.trim_start().len();
    let (gap, secret) = secret.split_at(gap);
    let known = ["basic", "bearer", "digest", "negotiate", "ntlm"]
        .contains(&scheme.to_ascii_lowercase().as_str());
    if !known {
        return "x".repeat(value.len());
    }
    let becomes = if scheme.eq_ignore_ascii_case("basic") {
        basic(pseudonyms, secret).unwrap_or_else(|| "A".repeat(secret.len()))
    } else {
        // Within the token of Negotiate, too.
        let number = ntlm(value.as_bytes()).and_then(|number| usize::from(number).checked_sub(1));
        let front = number.and_then(|number| NTLM.get(number)).copied().unwrap_or_default();
        format!("{front}{}", "A".repeat(secret.len() - front.len()))
    };
    format!("{scheme}{gap}{becomes}")
}

/// Name and password in Base64 of the same length, the name as a pseudonym (RFC 7617 2).
fn basic(pseudonyms: &Pseudonyms, secret: &str) -> Option<String> {
    let plain = STANDARD.decode(secret.trim_end()).ok()?;
    let text = ascii(&plain);
    let (user, password) = text.split_once(':')?;
    let other = format!("{}:{}", pseudonyms.text(user), "x".repeat(password.len()));
    let mut coded = STANDARD.encode(fitted(other, plain.len()));
    while coded.len() < secret.len() {
        coded.push(' ');
    }
    Some(coded)
}

/// Names and signs; values are struck out, and what is neither becomes a pseudonym.
fn cookies(pseudonyms: &Pseudonyms, value: &str) -> String {
    let struck = |c: char| if c.is_ascii_graphic() { 'x' } else { c };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, secret)) => {
            format!("{name}={}", secret.chars().map(struck).collect::<String>())
        }
        None => pseudonyms.map(pair, Stay::Products),
    };
    value.split(';').map(pair).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_as_long_and_tells_no_secret() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let head = "BITS_POST /payroll/Jan.xlsx?sig=abc HTTP/1.1\r\nHost: files.contoso.com:8530\r\n\
            BITS-Packet-Type: Fragment\r\nContent-Range: bytes 0-3/4\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n\
            Cookie: ARRAffinity=abc123; id=7\r\nX-Payroll-User: alice\r\nContent-Length: 4\r\n\r\n";
        let other = String::from_utf8(raw(&pseudonyms, head.as_bytes())).unwrap();
        assert_eq!(other.len(), head.len());
        for kept in [
            "BITS_POST /",
            " HTTP/1.1\r\nHost: ",
            ":8530\r\nBITS-Packet-Type: Fragment\r\nContent-Range: bytes 0-3/4\r\n",
            "Authorization: Basic ",
            "Cookie: ARRAffinity=xxxxxx; id=x\r\n",
            "\r\nContent-Length: 4\r\n\r\n",
        ] {
            assert!(other.contains(kept), "{kept} in {other}");
        }
        for gone in ["payroll", "Payroll", "Jan", "abc", "contoso", "alice", "YWxpY2U6c2VjcmV0"] {
            assert!(!other.contains(gone), "{gone} in {other}");
        }
    }

    #[test]
    fn of_no_field_does_free_text_stay() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let known = [NUMBERS, PRODUCTS, TYPES, PROTOCOLS, CREDENTIALS, COOKIES, &["X-Http"]];
        for name in known.concat() {
            for form in [
                "jdoe7",
                "bytes jdoe7",
                "text/jdoe7; charset=jdoe7; boundary=\"jdoe7\"",
                "0x8007jdoe7",
            ] {
                let other = value(&pseudonyms, name, form);
                assert!(!other.contains("jdoe"), "{name}: {other}");
                assert_eq!(other.len(), form.len(), "{name}: {other}");
            }
        }
    }

    #[test]
    fn registered_values_numbers_and_dates_stay() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for (name, text) in [
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip;q=0.5, deflate, Identity"),
            ("Allow", "OPTIONS, GET, HEAD, PROPFIND, BITS_POST"),
            ("BITS-Error", "-2145386465"),
            ("BITS-Error-Code", " 0x8020001FL"),
            ("BITS-Error-Context", "0x5"),
            ("BITS-Received-Content-Range", "18446744073709551615"),
            ("Connection", "Keep-Alive"),
            ("Content-Length", "4815162342"),
            ("Content-Range", "bytes 1000000-2000000/3000000"),
            ("Content-Type", "text/html; charset=ISO-8859-1"),
            ("DAV", "1,2"),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Expect", "100-continue"),
            ("Keep-Alive", "timeout=15,max=99"),
            ("Pragma", "no-cache"),
            ("Retry-After", "86400"),
            ("Transfer-Encoding", "gzip, chunked"),
            ("Vary", "Accept-Language"),
            ("X-Http-Method-Override", "BITS_POST"),
        ] {
            assert_eq!(value(&pseudonyms, name, text), text, "{name}");
        }
    }

    #[test]
    fn of_a_first_line_method_and_version_stay() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for line in [
            "BITS_POST / HTTP/1.1",
            "HTTP/1.1 200 OK",
            "RPC_IN_DATA / http/1.0",
            "CCM_POST / HTTP/1.1",
        ] {
            assert_eq!(first_line(&pseudonyms, line), line);
        }
        for line in [
            "BITS_POST / HTTP/1.1jdoe",
            "HTTP/1.1jdoe 200 OK",
            "JDOE / HTTP/jdoe",
            "HTTP/jdoe 400 jdoe",
        ] {
            let other = first_line(&pseudonyms, line);
            assert!(!other.to_lowercase().contains("jdoe"), "{other}");
            assert_eq!(other.len(), line.len(), "{other}");
            assert_eq!(other.contains("/1.1"), line.contains("/1.1"), "{other}");
        }
    }

    #[test]
    fn ntlm_messages_keep_their_number() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        assert_eq!(
            value(&pseudonyms, "Authorization", " NTLM TlRMTVNTUAADAAAASECRET"),
            " NTLM TlRMTVNTUAADAAAAAAAAAA"
        );
        assert_eq!(
            value(&pseudonyms, "Authorization", "Negotiate oUAwPqI8BDpOVExNU1NQAAMAAAAAAAAA"),
            "Negotiate TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAA"
        );
        assert_eq!(value(&pseudonyms, "WWW-Authenticate", " Negotiate"), " Negotiate");
        assert_eq!(
            value(
                &pseudonyms,
                "WWW-Authenticate",
                " Negotiate, NTLM, Digest realm=\"jdoe\", qop=x"
            ),
            " Negotiate, NTLM, Digest AAAAAAAAAAAAAAAAAAA"
        );
    }
}
