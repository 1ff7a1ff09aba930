//! How messages tell of numbers, times and what was not captured.

use std::fmt::Display;

use crate::model::Exchange;

/// What was asked where only the answer tells of it.
pub const NOT_CAPTURED: &str = "a request that was not captured";

/// What was asked, where an answer may be all that tells of it.
pub fn asked(exchange: &Exchange) -> String {
    match exchange.request {
        Some(_) => exchange.kind.to_string(),
        None => NOT_CAPTURED.to_owned(),
    }
}

/// What the wire says at some length, on one line and not longer than it is worth.
pub fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(SHORT).collect()
}

const SHORT: usize = 80;

/// A day, in seconds.
pub const DAY_SECS: f64 = 86_400.0;

/// A number with its noun, as `1 request` and `2 requests`.
pub fn counted(number: impl Display, noun: &str) -> String {
    let mut words = number.to_string();
    let plural = if words == "1" { "" } else { "s" };
    words.extend([" ", noun, plural]);
    words
}

/// How long something took, given in seconds: `145 ms`, `1.5 s`, `300 s`, `12 min 5 s`, `2 h 10 min`, `20 days`,
/// `1 day 3 h`. Minutes begin behind 600 s, since the delays and time-outs of BITS are known in seconds.
pub fn lasting(secs: f64) -> String {
    let whole = secs.round();
    let pair = |unit: f64, one: &str, part: f64, other: &str| {
        let (many, rest) = ((whole / unit).floor(), (whole % unit / part).floor());
        let rest = if rest < 1.0 { String::new() } else { format!(" {rest:.0} {other}") };
        format!("{many:.0} {one}{rest}")
    };
    match secs {
        s if s < -0.0005 => format!("-{}", lasting(-s)),
        s if s < 0.0005 => "less than 1 ms".to_owned(),
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{} s", (s * 10.0).round() / 10.0),
        _ if whole <= 600.0 => format!("{whole:.0} s"),
        _ if whole < 3600.0 => pair(60.0, "min", 1.0, "s"),
        _ if whole < DAY_SECS => pair(3600.0, "h", 60.0, "min"),
        _ if whole < 2.0 * DAY_SECS => pair(DAY_SECS, "day", 3600.0, "h"),
        _ => pair(DAY_SECS, "days", 3600.0, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::lasting;

    #[test]
    fn a_time_is_told_in_the_unit_that_suits_it() {
        let times = [0.0, 0.0123, 0.9996, 9.96, 600.4, 725.0, 7_800.0, 97_200.0, 1_728_000.0];
        let told = ["less than 1 ms", "12 ms", "1 s", "10 s", "600 s", "12 min 5 s"];
        let long = ["2 h 10 min", "1 day 3 h", "20 days"];
        assert_eq!(times.map(lasting)[..], [&told[..], &long].concat());
    }
}
