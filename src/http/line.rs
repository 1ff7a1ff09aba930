//! First lines: how a message is recognised, and what odd ones mean (RFC 9112 2.2, 3 and 4).

use memchr::{memchr, memrchr};

use super::Oddities;

/// What starts the line of a response; the second is that of SHOUTcast.
const RESPONSES: [&[u8]; 2] = [b"HTTP", b"ICY"];

/// Methods that are believed without a version behind the target.
const PLAIN: [&[u8]; 8] =
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PROPFIND", b"BITS_POST"];

const LONGEST_METHOD: usize = 32;

/// What may stand behind `HTTP/`, in bytes; senders write more than versions there.
const LONGEST_VERSION: usize = 8;

/// Whether bytes are the start of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// They are.
    Yes,
    /// They are not, whatever follows.
    No,
    /// Too few are there to tell.
    TooShort,
}

impl Begins {
    /// Whether they are the start of it.
    pub fn is_certain(self) -> bool {
        self == Self::Yes
    }

    /// Whether they are, or may turn out to be, the start of it.
    pub fn is_possible(self) -> bool {
        self != Self::No
    }
}

impl From<bool> for Begins {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Whether `bytes` are the start of a message.
pub fn begins_message(bytes: &[u8]) -> Begins {
    let bytes = bytes.trim_ascii_start();
    match status(bytes) {
        Status::Partial => return Begins::TooShort,
        Status::Found { .. } => return Begins::Yes,
        Status::None if bytes.first().is_some_and(|byte| !byte.is_ascii_alphabetic()) => {
            return Begins::No;
        }
        // What is no request is known as such by its first word, however long its line is.
        Status::None if !begins_with_method(bytes) => return Begins::No,
        Status::None => {}
    }
    match memchr(b'\n', bytes).and_then(|end| bytes.get(..end)) {
        Some(line) => Request::of(line).is_some_and(|request| request.version.is_some()).into(),
        None if partial_request(bytes) => Begins::TooShort,
        None => Begins::No,
    }
}

/// As [`begins_message`], of a request without a version too (HTTP/0.9).
pub fn begins_exchange(bytes: &[u8]) -> Begins {
    match begins_message(bytes) {
        Begins::No if bytes.first().is_some_and(u8::is_ascii_alphabetic) => {
            let line = memchr(b'\n', bytes).and_then(|end| bytes.get(..end)).unwrap_or_default();
            Request::of(line).is_some_and(Request::is_plain).into()
        }
        known => known,
    }
}

/// The length of a request of one line without a version, which no fields follow (HTTP/0.9).
pub(super) fn simple_request(bytes: &[u8]) -> Option<usize> {
    let end = memchr(b'\n', bytes)?;
    Request::of(bytes.get(..end)?).filter(|request| request.is_plain())?;
    let rest = bytes.get(end + 1..)?;
    let name = rest.get(..memchr(b':', rest).unwrap_or(0)).unwrap_or_default();
    let field = !name.is_empty() && name.iter().all(|byte| is_token(*byte) || *byte == b' ');
    let empty = rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    (!field && !empty).then_some(end + 1)
}

/// Writes a first line as the grammar would have it. `cut` tells that the capture lacks its end.
pub(super) fn canonical(out: &mut Vec<u8>, line: &[u8], cut: bool, odd: &mut Oddities) {
    odd.cut_line |= cut;
    if let Status::Found { minor, code, reason } = status(line) {
        odd.version |= minor.is_none();
        out.extend_from_slice(if minor == Some(0) { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
        out.extend_from_slice(code);
        out.push(b' ');
        out.extend(reason.iter().map(|byte| if *byte < b' ' { b' ' } else { *byte }));
    } else if let Some(request) = Request::of(line).filter(|request| request.is_known()) {
        out.extend_from_slice(request.method);
        out.push(b' ');
        escape(out, if cut { without_begun_version(request.target) } else { request.target });
        let minor = request.version.and_then(minor);
        odd.version |= minor.is_none() && !cut;
        out.extend_from_slice(if minor == Some(1) { b" HTTP/1.1" } else { b" HTTP/1.0" });
    } else {
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b"\r\n");
}

/// The words of a request line.
#[derive(Clone, Copy)]
struct Request<'a> {
    method: &'a [u8],
    target: &'a [u8],
    /// What stands behind `HTTP/`.
    version: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        let (method, rest) = line.split_at_checked(memchr(b' ', line)?)?;
        if !is_method(method) {
            return None;
        }
        let version = rest.windows(6).rposition(|bytes| bytes.eq_ignore_ascii_case(b" HTTP/"));
        let split = version.filter(|at| is_any_version(rest.get(at + 6..).unwrap_or_default()));
        let (target, version) = match split {
            // With two words there is no version: the second is what is asked for.
            Some(0) => (rest, None),
            Some(at) => (rest.get(..at)?, rest.get(at + 6..)),
            None => (rest, None),
        };
        // The preface of HTTP/2 (RFC 9113 3.4).
        let other = method == b"PRI" && version == Some(b"2.0");
        let request = Self { method, target: target.trim_ascii(), version };
        (!request.target.is_empty() && !other).then_some(request)
    }

    fn is_known(&self) -> bool {
        self.version.is_some() || self.is_plain()
    }

    /// Whether it means something without a version: other protocols write their own in its place.
    fn is_plain(self) -> bool {
        let target = ["/", "http://", "https://", "HTTP/"];
        self.version.is_none()
            && PLAIN.contains(&self.method)
            && target.iter().any(|start| self.target.starts_with(start.as_bytes()))
    }
}

/// A target whose line was cut off within the name of the protocol.
fn without_begun_version(target: &[u8]) -> &[u8] {
    match memrchr(b' ', target).and_then(|space| target.split_at_checked(space)) {
        Some((target, begun)) if b" HTTP/".starts_with(begun) => target.trim_ascii_end(),
        _ => target,
    }
}

enum Status<'a> {
    None,
    /// It may become one.
    Partial,
    /// `minor` is that of HTTP/1.0 and HTTP/1.1.
    Found {
        minor: Option<u8>,
        code: &'a [u8],
        reason: &'a [u8],
    },
}

/// Reads a line such as `HTTP/1.1 200 OK`; more white space, other versions and none are understood.
fn status(bytes: &[u8]) -> Status<'_> {
    let Some(rest) = RESPONSES.iter().find_map(|start| bytes.strip_prefix(*start)) else {
        let begun = RESPONSES.iter().any(|start| start.starts_with(bytes));
        return if begun && !bytes.is_empty() { Status::Partial } else { Status::None };
    };
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(space) = rest.iter().take(LONGEST_VERSION + 2).position(is_space) else {
        let begun = rest.strip_prefix(b"/").is_some_and(is_any_version) || rest.is_empty();
        return if begun { Status::Partial } else { Status::None };
    };
    let (version, rest) = rest.split_at(space);
    if !version.is_empty() && !version.strip_prefix(b"/").is_some_and(is_any_version) {
        return Status::None;
    }
    let spaces = rest.iter().take_while(|byte| is_space(byte)).count();
    let rest = rest.get(spaces..).unwrap_or_default();
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    match rest.split_at_checked(3) {
        Some((code, reason)) if digits == 3 => {
            let line = memchr(b'\n', reason).and_then(|end| reason.get(..end)).unwrap_or(reason);
            let minor = version.strip_prefix(b"/").and_then(minor);
            Status::Found { minor, code, reason: line.trim_ascii() }
        }
        None if digits == rest.len() && spaces < 64 => Status::Partial,
        _ => Status::None,
    }
}

fn minor(version: &[u8]) -> Option<u8> {
    match version {
        b"1.0" => Some(0),
        b"1.1" => Some(1),
        _ => None,
    }
}

/// What stands behind `HTTP/`, be it a version or what senders take for one.
fn is_any_version(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_VERSION && !bytes.iter().any(u8::is_ascii_whitespace)
}

fn is_method(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.len() <= LONGEST_METHOD
        && bytes.iter().all(is_of_method)
}

const fn is_of_method(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'!' | b'$')
}

/// Whether a method stands in front, or all that is there may become one.
fn begins_with_method(bytes: &[u8]) -> bool {
    let len = bytes.iter().take(LONGEST_METHOD + 1).take_while(|byte| is_of_method(byte)).count();
    len <= LONGEST_METHOD && bytes.get(len).is_none_or(|next| *next == b' ')
}

/// A character of a field name (RFC 9110 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte)
}

fn partial_request(bytes: &[u8]) -> bool {
    match memchr(b' ', bytes) {
        None => bytes.is_empty() || is_method(bytes),
        Some(space) => {
            let (method, rest) = bytes.split_at(space);
            is_method(method)
                && rest.iter().all(|byte| *byte >= b' ' || matches!(byte, b'\t' | b'\r'))
        }
    }
}

fn escape(out: &mut Vec<u8>, target: &[u8]) {
    for byte in target {
        if byte.is_ascii_graphic() {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &[u8]) -> (String, bool) {
        let (mut out, mut odd) = (Vec::new(), Oddities::default());
        canonical(&mut out, line, false, &mut odd);
        (String::from_utf8(out).unwrap().trim_end().to_owned(), odd.version)
    }

    #[test]
    fn a_message_is_recognised_by_its_first_line() {
        for yes in [
            &b"BITS_POST /x HTTP/1.1\r\n"[..],
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1  200 OK",
            b"HTTP/2 200\r\n",
            b"HTTP/1.a 200\r\n",
            b"ICY 200 OK\r\n",
            b"GET /x http/1.1\r\n",
            b"GET /x HTTP/\r\n",
        ] {
            assert_eq!(begins_message(yes), Begins::Yes, "{}", yes.escape_ascii());
        }
        for no in [
            &b"\x16\x03\x01"[..],
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 2000 OK",
            b"HTTP/1.1 OK",
            b"PRI * HTTP/2.0\r\n",
            b"OPTIONS rtsp://h/ RTSP/1.0\r\n",
            b"GET /x\r\n",
        ] {
            assert_eq!(begins_message(no), Begins::No, "{}", no.escape_ascii());
        }
        for open in [&b"BITS_PO"[..], b"HT", b"HTTP/1.", b"HTTP/1.1 20", b"GET /x HTT"] {
            assert_eq!(begins_message(open), Begins::TooShort, "{}", open.escape_ascii());
        }
    }

    #[test]
    fn a_request_without_version_begins_an_exchange() {
        assert_eq!(begins_exchange(b"GET /x\r\n"), Begins::Yes);
        assert_eq!(begins_exchange(b"GET key\r\n"), Begins::No);
        assert_eq!(simple_request(b"GET /x\r\n<"), Some(8));
        assert_eq!(simple_request(b"GET /x\r\nHost: h\r\n"), None);
    }

    #[test]
    fn a_line_cut_within_the_version_gives_the_target() {
        for line in
            ["GET /x", "GET /x ", "GET /x H", "GET /x HTTP", "GET /x HTTP/", "GET /x HTTP/1"]
        {
            let (mut out, mut odd) = (Vec::new(), Oddities::default());
            canonical(&mut out, line.as_bytes(), true, &mut odd);
            assert_eq!(out, b"GET /x HTTP/1.0\r\n", "{line}");
        }
    }

    #[test]
    fn odd_lines_are_rewritten_and_told() {
        assert_eq!(rewritten(b"HTTP/1.1\t 404  No"), ("HTTP/1.1 404 No".into(), false));
        assert_eq!(rewritten(b"ICY 200 OK"), ("HTTP/1.1 200 OK".into(), true));
        assert_eq!(rewritten(b"GET /a b HTTP/1.0"), ("GET /a%20b HTTP/1.0".into(), false));
        assert_eq!(rewritten(b"GET /x"), ("GET /x HTTP/1.0".into(), true));
        assert_eq!(rewritten(b"HTTP/1.a 200 OK"), ("HTTP/1.1 200 OK".into(), true));
        assert_eq!(rewritten(b"GET /a HTTP/JUNK"), ("GET /a HTTP/1.0".into(), true));
        assert_eq!(rewritten(b"GET HTTP/1.1"), ("GET HTTP/1.1 HTTP/1.0".into(), true));
    }
}
