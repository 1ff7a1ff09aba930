//! A moment on the capture clock.

use std::fmt;

use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment on the capture clock: nanoseconds since 1970-01-01 UTC.
///
/// Shown and serialised as RFC 3339 in UTC with at least microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Bytes of a timestamp with nanoseconds.
const TEXT: usize = 30;

impl Timestamp {
    /// The moment `nanos` nanoseconds after the epoch (years 1677 to 2262).
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; negative where the clock went back.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from `earlier` to `self`; negative where the clock went back.
    pub fn secs_since(self, earlier: Self) -> f64 {
        self.since(earlier) as f64 / 1e9
    }

    /// The moment as a calendar takes it.
    pub(crate) fn moment(self) -> jiff::Timestamp {
        // Every i64 of nanoseconds lies within jiff's range, in a year of four digits.
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default()
    }

    /// How it is shown.
    fn text(self, out: &mut [u8; TEXT]) -> &str {
        let at = Offset::UTC.to_datetime(self.moment());
        let (micros, rest) = (at.subsec_nanosecond() / 1000, at.subsec_nanosecond() % 1000);
        *out = *b"0000-00-00T00:00:00.000000000Z";
        for (place, pair) in [
            (0, i32::from(at.year()) / 100),
            (2, i32::from(at.year()) % 100),
            (5, i32::from(at.month())),
            (8, i32::from(at.day())),
            (11, i32::from(at.hour())),
            (14, i32::from(at.minute())),
            (17, i32::from(at.second())),
            (20, micros / 10_000),
            (22, micros / 100 % 100),
            (24, micros % 100),
            // Three digits as two pairs, of which the one in the middle is in both.
            (26, rest / 10),
            (27, rest % 100),
        ] {
            if let Some([tens, ones]) = out.get_mut(place..place + 2) {
                *tens = b'0' + (pair / 10) as u8;
                *ones = b'0' + (pair % 10) as u8;
            }
        }
        let len = if rest == 0 { TEXT - 3 } else { TEXT };
        if let Some(zone) = out.get_mut(len - 1) {
            *zone = b'Z';
        }
        out.get(..len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; TEXT]))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text(&mut [0; TEXT]))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        let nanos = i64::try_from(moment.as_nanosecond()).map_err(serde::de::Error::custom)?;
        Ok(Self(nanos))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "format": "date-time",
            "description": "RFC 3339 in UTC, with microseconds or nanoseconds"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(nanos: i64) -> String {
        let moment = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
        let digits = if nanos % 1000 == 0 { 6 } else { 9 };
        format!("{moment:.digits$}")
    }

    #[test]
    fn the_first_and_last_moments_have_a_text() {
        for nanos in [i64::MIN, -1, -1000, 0, 1, 1000, 951_782_400_000_000_000, i64::MAX] {
            assert_eq!(Timestamp::from_nanos(nanos).to_string(), printed(nanos));
        }
    }

    proptest! {
        #[test]
        fn any_moment_reads_as_jiff_prints_it(nanos: i64, micros: i64) {
            for nanos in [nanos, micros / 1000 * 1000] {
                prop_assert_eq!(Timestamp::from_nanos(nanos).to_string(), printed(nanos));
            }
        }
    }
}
