//! Names that nobody knows, and what comes close to them.

use std::fmt;

use super::words;
use crate::bits::{hresult, protocol};
use crate::rules::ALL;

/// How alike two names are from which on one is offered for the other, from 0 to 1.
const ALIKE: f64 = 0.8;

/// How many names are offered.
const OFFERED: usize = 3;

/// The longest name, in bytes, that is compared with others: a bit above the longest one known.
const LONGEST: usize = 80;

/// A name that nothing goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The name as given.
    pub what: String,
    /// Names that come close, the closest first.
    pub near: Vec<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: nothing is known by that name", self.what)?;
        match &self.near[..] {
            [] => write!(f, "; `bitsleuth rules` lists the rules"),
            [one] => write!(f, "; did you mean {one}?"),
            [most @ .., last] => write!(f, "; did you mean {} or {last}?", most.join(", ")),
        }
    }
}

impl std::error::Error for Unknown {}

/// Names that can be explained.
pub(super) fn names() -> impl Iterator<Item = String> {
    let rules = ALL.iter().map(|rule| rule.id());
    let symbols = hresult::symbols().map(|(_, symbol)| symbol.to_owned());
    rules.chain(symbols).chain(words::names())
}

/// A name with what comes close to it.
pub(super) fn unknown(what: &str) -> Unknown {
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    let asked = plain(what);
    let codes = hresult::symbols().map(|(code, _)| hresult::hex(code));
    let protocol = format!("{{{}}}", protocol::UPLOAD_1_5);
    let mut near: Vec<(f64, String)> = names()
        .chain(codes)
        .chain([protocol])
        .filter(|_| what.len() <= LONGEST)
        .map(|name| (likeness(&asked, &plain(&name)), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    near.sort_by(|(one, name), (other, next)| other.total_cmp(one).then_with(|| name.cmp(next)));
    let mut names: Vec<String> = near.into_iter().map(|(_, name)| name).collect();
    names.dedup();
    names.truncate(OFFERED);
    Unknown { what: what.to_owned(), near: names }
}

/// How alike two names are; one that has the other at its start or end as whole words is as good as a slip of the pen.
fn likeness(what: &str, name: &str) -> f64 {
    let rest = name.strip_prefix(what).or_else(|| name.strip_suffix(what));
    let part = rest.is_some_and(|rest| rest.starts_with('-') || rest.ends_with('-'));
    if part && what.len() > 2 { 0.9 } else { strsim::normalized_damerau_levenshtein(what, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(what: &str) -> Vec<String> {
        unknown(what).near
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        assert_eq!(near("fragment-gpa"), ["fragment-gap"]);
        assert_eq!(near("BG_E_SESION_NOT_FOUND"), ["BG_E_SESSION_NOT_FOUND"]);
        assert_eq!(
            near("{7df0354d-249b-430f-820d-3d2a9bef493}"),
            ["{7df0354d-249b-430f-820d-3d2a9bef4931}"]
        );
        assert!(near("session-notfound").contains(&"session-not-found".to_owned()));
    }

    #[test]
    fn a_part_of_a_name_leads_to_the_whole() {
        assert!(near("middlebox").contains(&"tcp-reset-by-middlebox".to_owned()));
        assert_eq!(near("not_enabled"), ["uploads-not-enabled"]);
        assert!(near("0x80200035").iter().all(|code| code.starts_with("0x802000")));
    }

    #[test]
    fn nothing_is_offered_for_nonsense() {
        assert_eq!(near("zzzzzz"), [""; 0]);
        assert_eq!(near(&"fragment-gap".repeat(1000)), [""; 0]);
    }
}
