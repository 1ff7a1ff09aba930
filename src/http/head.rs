//! Heads: where they end, what they say, and what that makes of the body (RFC 9112 2 to 6).

use std::mem::MaybeUninit;
use std::sync::LazyLock;

use httparse::Header;
use memchr::memmem::Finder;

use super::mend::{has_bare_lf, mend};
use super::{Carrier, Head, Oddities, Start, line};

/// How the body of a message is delimited (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What the parser needs to know of a head once it is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary {
    pub request: bool,
    pub status: u16,
    pub head_method: bool,
    pub connect: bool,
    /// Whether its sender may wait with the body until it is asked for it.
    pub expects: bool,
    pub framing: Option<Framing>,
}

impl Summary {
    /// Whether it is informational (1xx, RFC 9110 15.2).
    pub const fn is_informational(&self) -> bool {
        self.status / 100 == 1
    }

    /// Whether it is successful (2xx, RFC 9110 15.3).
    pub const fn succeeds(&self) -> bool {
        self.status / 100 == 2
    }

    /// Where the message ends whose head ends at `offset`, as far as that tells.
    pub fn content_end(&self, offset: u64) -> Option<u64> {
        match self.framing {
            None => Some(offset),
            Some(Framing::Length(len)) => offset.checked_add(len),
            Some(Framing::Chunked | Framing::UntilClose) => None,
        }
    }
}

/// The length of the head that `bytes` begin with, its empty line included. The search starts at `from`.
pub(crate) fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(3);
    let tail = bytes.get(start..)?;
    let usual = EMPTY_LINE.find(tail).map(|at| at + 3);
    let before = tail.get(..usual.unwrap_or(tail.len()))?;
    let bare = BARE_EMPTY_LINE.find(before).map(|at| at + 2);
    Some(start + bare.or(usual)?)
}

/// An empty line and the LF in front of it.
static EMPTY_LINE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\n\r\n"));

/// An empty line where lines end in LF alone.
static BARE_EMPTY_LINE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\n\n"));

/// Parses a head and lends it to `use_it`. `whole` is false where the capture lacks its end. `None`: it is no head.
pub(super) fn parse<T>(
    bytes: &[u8],
    whole: bool,
    carrier: Carrier,
    max_headers: usize,
    use_it: &mut dyn FnMut(Head<'_>, Summary) -> T,
) -> Option<T> {
    let mut few = [MaybeUninit::uninit(); 48];
    let mut odd = Oddities::default();
    if whole && let Some(parsed) = strict(bytes, &mut few) {
        odd.bare_lf = has_bare_lf(bytes);
        return Some(lend(parsed, whole, odd, carrier, use_it));
    }
    let clean = mend(bytes, whole, max_headers, &mut odd);
    let mut many = vec![MaybeUninit::uninit(); max_headers];
    let parsed = strict(&clean, &mut many)?;
    Some(lend(parsed, whole, odd, carrier, use_it))
}

/// The field in the last line of a head that ends there for want of the rest.
pub(super) fn cut_field(bytes: &[u8]) -> Option<Header<'_>> {
    let line = bytes.get(memchr::memrchr(b'\n', bytes)? + 1..)?;
    let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
    let is_name = !name.is_empty() && name.iter().all(|byte| line::is_token(*byte));
    let name = std::str::from_utf8(name).ok().filter(|_| is_name)?;
    Some(Header { name, value: value.get(1..)?.trim_ascii_start() })
}

type Parsed<'h, 'b> = (Start<'b>, u8, &'h [Header<'b>]);

fn strict<'h, 'b>(
    bytes: &'b [u8],
    headers: &'h mut [MaybeUninit<Header<'b>>],
) -> Option<Parsed<'h, 'b>> {
    if bytes.trim_ascii_start().starts_with(b"HTTP/") {
        let mut response = httparse::Response::new(&mut []);
        let mut config = httparse::ParserConfig::default();
        config.allow_obsolete_multiline_headers_in_responses(false);
        config.allow_spaces_after_header_name_in_responses(true);
        let bytes = bytes.trim_ascii_start();
        let parsed = config.parse_response_with_uninit_headers(&mut response, bytes, headers);
        parsed.ok().filter(httparse::Status::is_complete)?;
        let start =
            Start::Response { status: response.code?, reason: response.reason.unwrap_or_default() };
        return Some((start, response.version?, response.headers));
    }
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(bytes, headers);
    parsed.ok().filter(httparse::Status::is_complete)?;
    let start = Start::Request { method: request.method?, target: request.path? };
    Some((start, request.version?, request.headers))
}

fn lend<T>(
    (start, minor_version, headers): Parsed<'_, '_>,
    whole: bool,
    mut odd: Oddities,
    carrier: Carrier,
    use_it: &mut dyn FnMut(Head<'_>, Summary) -> T,
) -> T {
    let lengths = Lengths::of(headers);
    odd.contradictory_length = lengths.contradictory;
    let summary = summarise(start, &lengths);
    let head = Head {
        start,
        minor_version,
        headers,
        whole,
        cut: None,
        after_gap: false,
        unasked: false,
        acked: 0,
        odd,
        carrier,
        content_length: lengths.first,
    };
    use_it(head, summary)
}

#[derive(Default)]
struct Lengths {
    first: Option<u64>,
    chunked: bool,
    contradictory: bool,
    expects: bool,
}

impl Lengths {
    fn of(headers: &[Header<'_>]) -> Self {
        let mut lengths = Self::default();
        for header in headers {
            let name = header.name;
            if is_length(name) {
                // A list of one value is that value (RFC 9112 6.3).
                header.value.split(|byte| *byte == b',').for_each(|value| lengths.take(value));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                let last = header.value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
                lengths.chunked |= last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            } else if name.eq_ignore_ascii_case("expect") {
                lengths.expects |= header.value.trim_ascii().eq_ignore_ascii_case(b"100-continue");
            }
        }
        lengths.contradictory |= lengths.chunked && lengths.first.is_some();
        lengths
    }

    fn take(&mut self, value: &[u8]) {
        let value = number(value.trim_ascii());
        if self.first.is_some() && value != self.first {
            self.contradictory = true;
        }
        self.first = self.first.or(value);
    }
}

/// A number as fields have it: digits and nothing else, no sign either (RFC 9110 8.6).
pub(crate) fn number(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a field is Content-Length; most write it so.
fn is_length(name: &str) -> bool {
    name == "Content-Length" || name.eq_ignore_ascii_case("content-length")
}

fn summarise(start: Start<'_>, lengths: &Lengths) -> Summary {
    let declared =
        if lengths.chunked { Some(Framing::Chunked) } else { lengths.first.map(Framing::Length) };
    match start {
        Start::Request { method, .. } => Summary {
            request: true,
            status: 0,
            head_method: method == "HEAD",
            connect: method == "CONNECT",
            expects: lengths.expects,
            framing: declared,
        },
        Start::Response { status, .. } => Summary {
            request: false,
            status,
            head_method: false,
            connect: false,
            expects: false,
            framing: if bodiless(status) { Some(Framing::Length(0)) } else { declared },
        },
    }
}

/// 1xx, 204 and 304 have no body (RFC 9112 6.3).
fn bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Vec<(String, String)>;

    fn fields(bytes: &[u8], whole: bool) -> Option<(String, Fields, Oddities)> {
        parse(bytes, whole, Carrier::default(), 64, &mut |head, _| {
            let start = match head.start {
                Start::Request { method, target } => format!("{method} {target}"),
                Start::Response { status, reason } => format!("{status} {reason}"),
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (
                start,
                head.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
                head.odd,
            )
        })
    }

    #[test]
    fn folded_fields_of_a_request_are_unfolded() {
        let (start, headers, odd) =
            fields(b"BITS_POST /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", true).unwrap();
        assert_eq!(start, "BITS_POST /a");
        assert_eq!(headers[1], ("X".into(), "a b".into()));
        assert!(odd.folded);
    }

    #[test]
    fn a_length_has_no_sign() {
        let lengths = ["5", " 5 ", "+5", "-5", "5x", ""].map(|value| {
            let mut lengths = Lengths::default();
            lengths.take(value.as_bytes());
            lengths.first
        });
        assert_eq!(lengths, [Some(5), Some(5), None, None, None, None]);
    }

    #[test]
    fn a_length_may_be_repeated_in_a_list() {
        let lengths = |value: &str| {
            let header = Header { name: "Content-Length", value: value.as_bytes() };
            let lengths = Lengths::of(&[header]);
            (lengths.first, lengths.contradictory)
        };
        assert_eq!(lengths("300, 300"), (Some(300), false));
        assert_eq!(lengths("300,301"), (Some(300), true));
    }

    #[test]
    fn a_line_that_continues_the_first_is_left_out() {
        let (start, headers, odd) =
            fields(b"BITS_POST /a HTTP/1.1\r\n Host: h\r\nX: a\r\n\r\n", true).unwrap();
        assert_eq!(start, "BITS_POST /a");
        assert_eq!(headers, [("X".to_owned(), "a".to_owned())]);
        assert!(odd.bad_lines);
    }

    #[test]
    fn a_cut_head_gives_its_whole_lines() {
        let (start, headers, _) =
            fields(b"BITS_POST /a HTTP/1.1\r\nAccept: */*\r\nBITS-Packet-Type: C", false).unwrap();
        assert_eq!(start, "BITS_POST /a");
        assert_eq!(headers, [("Accept".to_owned(), "*/*".to_owned())]);
    }

    #[test]
    fn bytes_outside_ascii_in_a_target_are_escaped() {
        assert_eq!(fields(b"GET /\xff\x01 HTTP/1.1\r\n\r\n", true).unwrap().0, "GET /%FF%01");
    }

    #[test]
    fn the_first_empty_line_ends_a_head_however_it_is_written() {
        for (bytes, end) in [
            (&b"a\r\n\r\nb\n\n"[..], 5),
            (b"a\n\r\nb\n\n", 4),
            (b"a\n\nb\r\n\r\n", 3),
            (b"a\n\n\r\n", 3),
            (b"\n\r\n\n", 3),
        ] {
            assert_eq!(end_of_head(bytes, 0), Some(end), "{bytes:?}");
        }
        assert_eq!(end_of_head(b"a\r\nb\n", 0), None);
    }

    #[test]
    fn lines_may_end_in_lf_alone() {
        let bytes = b"GET / HTTP/1.1\nHost: h\n\nrest";
        assert_eq!(end_of_head(bytes, 0), Some(24));
        assert!(fields(&bytes[..24], true).unwrap().2.bare_lf);
    }
}
