//! Credentials in heads and request targets: what is kept tells that there were some and of what kind, not what they
//! are.

mod target;

use percent_encoding::percent_decode_str;

pub use target::{had_password, is_credential, tokens};
use target::{has_no_place, masked};

/// What stands for a secret.
const MASK: &str = "***";

/// Whether secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// They are masked wherever a value enters the model.
    #[default]
    Mask,
    /// They are kept as they were on the wire.
    Show,
}

impl Secrets {
    /// Whether a request target or `Host` stays as it is: there is no place for a secret in it.
    pub fn keeps(self, text: &[u8]) -> bool {
        self == Self::Show || has_no_place(text)
    }

    /// A request target, `Host` or URL.
    pub fn target(self, text: String) -> String {
        match self {
            Self::Mask => masked(text),
            Self::Show => text,
        }
    }

    /// A credential or challenge: its scheme, and what follows only where it is to be shown.
    pub fn credential(self, value: &str) -> String {
        match self {
            Self::Mask => value.split(' ').next().unwrap_or_default().to_owned(),
            Self::Show => value.to_owned(),
        }
    }

    /// The value of a header field.
    pub fn field(self, name: &str, value: &str) -> String {
        match self {
            Self::Mask => masked_field(name, value),
            Self::Show => value.to_owned(),
        }
    }
}

/// Fields whose value is a scheme and a secret (RFC 9110 11, [MS-NTHT]).
const SCHEMED: [&str; 6] = [
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
];

/// Fields of which nothing but the names of cookies may be told.
const COOKIES: [&str; 4] = ["Cookie", "Cookie2", "Set-Cookie", "Set-Cookie2"];

/// Words in the name of a field, or of a parameter of a URL, that holds a secret: in lower case, without `-` and `_`.
const SECRET: [&str; 15] = [
    "token",
    "secret",
    "apikey",
    "accesskey",
    "authkey",
    "functionskey",
    "subscriptionkey",
    "authorization",
    "password",
    "passwd",
    "passphrase",
    "signature",
    "jwt",
    "samlresponse",
    "assertion",
];

/// Fields that hold a URL, or the part of one where a password can be.
const URLS: [&str; 12] = [
    "Host",
    "X-Forwarded-Host",
    "X-Forwarded-Uri",
    "X-Original-URI",
    "X-Original-URL",
    "X-Rewrite-URL",
    "Referer",
    "Location",
    "Content-Location",
    "BITS-Original-Request-URL",
    "BITS-Reply-URL",
    "BITS-Static-Response-URL",
];

/// The challenges of a value: commas part them, and the parameters of one (RFC 9110 11.6.1).
pub(crate) fn challenges(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(|letter| {
        quoted ^= letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
        letter == ',' && !quoted
    });
    let (mut all, mut start) = (Vec::<(usize, usize)>::new(), 0);
    for part in parts {
        let end = start + part.len();
        match all.last_mut() {
            _ if part.trim().is_empty() => {}
            Some(challenge) if is_parameter(part.trim_start()) => challenge.1 = end,
            _ => all.push((start, end)),
        }
        start = end + 1;
    }
    all.into_iter().filter_map(|(start, end)| value.get(start..end)).map(str::trim).collect()
}

/// Whether it is a name and its value, where a challenge begins with a scheme alone.
fn is_parameter(part: &str) -> bool {
    let name = part.find(|letter: char| letter == '=' || letter.is_whitespace());
    name.and_then(|end| part.get(end..)).is_some_and(|rest| rest.trim_start().starts_with('='))
}

fn masked_field(name: &str, value: &str) -> String {
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    if SCHEMED.iter().any(&is) {
        let offers = name.to_ascii_lowercase().ends_with("authenticate");
        let mask = |value: &str| match value.trim().split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {MASK}"),
            // A scheme alone is what a server offers; a secret alone has no scheme.
            None if offers => value.to_owned(),
            None => MASK.to_owned(),
        };
        let all = if offers { challenges(value) } else { vec![value] };
        return all.into_iter().map(mask).collect::<Vec<_>>().join(", ");
    }
    if COOKIES.iter().any(&is) {
        let names = value.split(';').filter_map(|pair| pair.split_once('='));
        let names: Vec<String> = names.map(|(name, _)| format!("{}={MASK}", name.trim())).collect();
        return names.join("; ");
    }
    if has_word(&plain(name)) {
        return MASK.to_owned();
    }
    if URLS.iter().any(&is) { masked(value.to_owned()) } else { value.to_owned() }
}

/// A name in the form to compare.
fn plain(name: &str) -> String {
    let name = percent_decode_str(name).decode_utf8_lossy();
    name.chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn has_word(plain: &str) -> bool {
    SECRET.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_their_kind_is_told() {
        assert_eq!(masked_field("authorization", "Basic dXNlcjpwYXNz"), "Basic ***");
        assert_eq!(masked_field("Authorization", "dXNlcjpwYXNz"), "***");
        assert_eq!(masked_field("WWW-Authenticate", "NTLM"), "NTLM");
        assert_eq!(masked_field("WWW-Authenticate", "NTLM TlRMTVNTUAAC"), "NTLM ***");
        assert_eq!(masked_field("Set-Cookie", "SERVERID=s1; path=/"), "SERVERID=***; path=***");
        for name in [
            "X-Forwarded-Authorization",
            "X-Access-Token",
            "Ocp-Apim-Subscription-Key",
            "Cf-Access-Jwt-Assertion",
        ] {
            assert_eq!(masked_field(name, "abc"), "***");
        }
        assert_eq!(masked_field("BITS-Packet-Type", "Ping"), "Ping");
    }

    #[test]
    fn challenges_are_parted_at_commas_that_part_no_parameters() {
        let value =
            r#"Negotiate, NTLM,Basic realm="a, \"b, c", charset = "UTF-8", Digest qop=auth"#;
        let all = challenges(value);
        let basic = r#"Basic realm="a, \"b, c", charset = "UTF-8""#;
        assert_eq!(all, ["Negotiate", "NTLM", basic, "Digest qop=auth"]);
        let masked = masked_field("WWW-Authenticate", value);
        assert_eq!(masked, "Negotiate, NTLM, Basic ***, Digest ***");
        assert_eq!(challenges("Negotiate oU0w=="), ["Negotiate oU0w=="]);
    }
}
