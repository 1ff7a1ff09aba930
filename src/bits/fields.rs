//! Header values in every notation met in the field.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::http::number;
use crate::model::Text;

/// Bytes of the longest usual Content-Range: `bytes `, three numbers, and what is between them.
const USUAL: usize = 6 + 3 * 20 + 2;

/// The longest header value that Windows servers take, in bytes ([MC-BUP] Appendix A <2>).
pub const VALUE_LIMIT: usize = 4_096;

/// A `Content-Range` of a Fragment: first and last byte, both included, and the length of the file
/// ([MC-BUP] 2.2.6.1, RFC 2616 14.16). A part that cannot be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Parts")]
pub struct ContentRange {
    /// The value as written, where the numbers do not tell how that is.
    unusual: Option<Text>,
    /// First byte.
    pub start: Option<u64>,
    /// Last byte, included.
    pub end: Option<u64>,
    /// Length of the file.
    pub total: Option<u64>,
    /// Whether the value follows the grammar and start ≤ end < total.
    pub valid: bool,
}

/// A `Content-Range` of a Fragment: first and last byte, both included, and the length of the file
/// ([MC-BUP] 2.2.6.1, RFC 2616 14.16). A part that cannot be read is absent.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ContentRange")]
struct Parts {
    /// The value as written.
    raw: String,
    /// First byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    /// Last byte, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    /// Length of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Whether the value follows the grammar and start ≤ end < total.
    valid: bool,
}

impl Serialize for ContentRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_map(None)?;
        form.serialize_entry("raw", self.written(&mut [0; USUAL]))?;
        for (key, number) in [("start", self.start), ("end", self.end), ("total", self.total)] {
            if let Some(number) = number {
                form.serialize_entry(key, &number)?;
            }
        }
        form.serialize_entry("valid", &self.valid)?;
        form.end()
    }
}

impl From<Parts> for ContentRange {
    fn from(parts: Parts) -> Self {
        let Parts { raw, start, end, total, valid } = parts;
        Self { start, end, total, valid, ..Self::parse(&raw) }
    }
}

impl JsonSchema for ContentRange {
    fn schema_name() -> Cow<'static, str> {
        Parts::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Parts::json_schema(generator)
    }
}

impl ContentRange {
    /// Reads a value; whatever is wrong, the readable parts are kept.
    pub fn parse(raw: &str) -> Self {
        Self::usual(raw).unwrap_or_else(|| Self::lenient(raw))
    }

    /// The value as written.
    pub fn raw(&self) -> String {
        self.written(&mut [0; USUAL]).to_owned()
    }

    /// The value as written; a usual one is put into `out`, from behind.
    fn written<'a>(&'a self, out: &'a mut [u8; USUAL]) -> &'a str {
        let numbers = self.start.zip(self.end).zip(self.total).filter(|_| self.unusual.is_none());
        let Some(((start, end), total)) = numbers else {
            return self.unusual.as_deref().unwrap_or_default();
        };
        let mut places = out.iter_mut().rev();
        for (mut number, before) in [(total, "/"), (end, "-"), (start, "bytes ")] {
            for place in places.by_ref() {
                *place = b'0' + (number % 10) as u8;
                number /= 10;
                if number == 0 {
                    break;
                }
            }
            before.bytes().rev().zip(places.by_ref()).for_each(|(byte, place)| *place = byte);
        }
        let free = places.len();
        out.get(free..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Reads one that [`raw`](Self::raw) can write again.
    fn usual(raw: &str) -> Option<Self> {
        let (start, rest) = digits(raw.as_bytes().strip_prefix(b"bytes ")?)?;
        let (end, rest) = digits(rest.strip_prefix(b"-")?)?;
        let (total, rest) = digits(rest.strip_prefix(b"/")?)?;
        let valid = start <= end && end < total;
        let [start, end, total] = [start, end, total].map(Some);
        rest.is_empty().then_some(Self { unusual: None, start, end, total, valid })
    }

    fn lenient(raw: &str) -> Self {
        let text = raw.trim();
        let unit = text.get(..5).filter(|unit| unit.eq_ignore_ascii_case("bytes"));
        let rest = unit.map_or(text, |_| text.get(5..).unwrap_or_default());
        let spaced = rest.starts_with([' ', '\t']);
        let rest = rest.trim_start_matches([' ', '\t', '=', ':']);
        let (range, total) = rest.split_once('/').unwrap_or((rest, ""));
        let (start, end) = range.split_once('-').unwrap_or((range, ""));
        let [start, end, total] = [start, end, total].map(|text| number(text.trim().as_bytes()));
        let ordered = matches!((start, end, total), (Some(s), Some(e), Some(t)) if s <= e && e < t);
        let unusual = Some(raw.into());
        Self { unusual, start, end, total, valid: unit.is_some() && spaced && ordered }
    }

    /// Its first byte, and the one behind its last.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        self.start.zip(self.behind())
    }

    /// The byte behind its last one.
    pub fn behind(&self) -> Option<u64> {
        self.end?.checked_add(1)
    }

    /// How many bytes it names, where both ends are known and in order.
    pub fn len(&self) -> Option<u64> {
        self.end?.checked_sub(self.start?)?.checked_add(1)
    }

    /// Whether it names no byte, as the forms met for an empty file do.
    pub fn is_empty(&self) -> bool {
        self.len().is_none()
    }
}

/// The number that a text begins with, and what follows it; `None` for one that is not written as numbers are.
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let len = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(len)?;
    if *number.first()? == b'0' && len > 1 {
        return None;
    }
    let number = number.iter().try_fold(0u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    Some((number?, rest))
}

/// How an HRESULT was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Notation {
    /// `0x8020001F`, also with a trailing L.
    Prefixed,
    /// `x8020001F`
    BareX,
    /// `8020001f`
    BareHex,
    /// `-2145386465`
    Decimal,
}

/// Reads an HRESULT: prefix means hexadecimal, so does any letter or a length of exactly eight, else it is decimal
/// ([MC-BUP] 2.2.1.2 and servers in the field).
pub fn hresult(raw: &str) -> Option<(u32, Notation)> {
    let text = raw.trim();
    let text = text.strip_suffix(['L', 'l']).unwrap_or(text);
    let hex = |digits: &str| {
        (1..=8).contains(&digits.len()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return hex(digits).map(|value| (value, Notation::Prefixed));
    }
    if let Some(digits) = text.strip_prefix(['x', 'X']) {
        return hex(digits).map(|value| (value, Notation::BareX));
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !text.starts_with('-') && (!digits || text.len() == 8) {
        return hex(text).map(|value| (value, Notation::BareHex));
    }
    let value = text.parse::<i64>().ok()?;
    let unsigned =
        u32::try_from(value).ok().or_else(|| i32::try_from(value).ok().map(i32::cast_unsigned))?;
    Some((unsigned, Notation::Decimal))
}

/// Reads `BITS-Received-Content-Range`: the next byte wanted. A server that writes a range means its end
/// ([MC-BUP] 2.2.7.2).
pub fn received(raw: &str) -> Option<u64> {
    let text = raw.trim();
    number(text.as_bytes()).or_else(|| {
        let range = ContentRange::parse(text);
        range.end.filter(|_| range.start.is_some())?.checked_add(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_range_is_read_in_lenient_forms() {
        let parts = |raw: &str| {
            let range = ContentRange::parse(raw);
            (range.start, range.end, range.total, range.valid)
        };
        assert_eq!(parts("bytes 0-9/20"), (Some(0), Some(9), Some(20), true));
        assert_eq!(parts("Bytes  0-9/20"), (Some(0), Some(9), Some(20), true));
        assert_eq!(parts("bytes=0-49/50"), (Some(0), Some(49), Some(50), false));
        assert_eq!(parts("bytes 49-0/50"), (Some(49), Some(0), Some(50), false));
        assert_eq!(parts("bytes 0-49/*"), (Some(0), Some(49), None, false));
        assert_eq!(parts("bytes abc-def/xyz"), (None, None, None, false));
        assert_eq!(parts("bytes +0-9/20"), (None, Some(9), Some(20), false));
    }

    #[test]
    fn a_content_range_is_told_as_it_was_written() {
        for raw in [
            "bytes 0-9/20",
            "bytes 18446744073709551615-18446744073709551615/18446744073709551615",
            "bytes 00-9/20",
            "bytes 9-0/0",
            "Bytes 0-9/20",
            "bytes 0-9/20 ",
            "x",
            "",
        ] {
            let range = ContentRange::parse(raw);
            assert_eq!(range.raw(), raw);
            let json = serde_json::to_string(&range).unwrap();
            assert_eq!(serde_json::from_str::<ContentRange>(&json).unwrap(), range);
        }
    }

    #[test]
    fn hresults_are_read_in_every_notation() {
        for raw in
            ["0x8020001F", "x8020001f", "8020001F", "-2145386465", "0x8020001FL", "2149580831"]
        {
            assert_eq!(hresult(raw).map(|(value, _)| value), Some(0x8020_001F), "{raw}");
        }
        assert_eq!(hresult("0"), Some((0, Notation::Decimal)));
        assert_eq!(hresult("0x1"), Some((1, Notation::Prefixed)));
        assert_eq!(hresult("none"), None);
    }

    #[test]
    fn a_received_range_means_the_byte_after_its_end() {
        assert_eq!(received("213"), Some(213));
        assert_eq!(received("0-212"), Some(213));
        assert_eq!(received("bytes 0-212/500"), Some(213));
        assert_eq!(received("all"), None);
        assert_eq!(received("-1"), None);
    }
}
