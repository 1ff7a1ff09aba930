//! A rule as an entry of the catalogue.

use schemars::JsonSchema;
use serde::Serialize;

use crate::rules::{ALL, Rule, Severity, named};

/// A rule with what its documentation says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleEntry {
    /// Its name.
    pub id: String,
    /// How much a finding matters.
    pub severity: Severity,
    /// What it is about.
    pub family: &'static str,
    /// What it finds.
    pub title: &'static str,
    /// What that means.
    pub text: Vec<String>,
    /// A dialogue on which it fires, in the notation of [`crate::transcript`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Who can do something about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answerable: Option<&'static str>,
    /// What they should do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
    /// The code in the log of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_code: Option<&'static str>,
    /// What would confirm it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<&'static str>,
    /// The clause it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<&'static str>,
}

impl RuleEntry {
    /// The entry of a rule.
    pub fn of(rule: &'static Rule) -> Self {
        Self {
            id: rule.id(),
            severity: rule.severity,
            family: rule.family(),
            title: rule.title(),
            text: rule.text(),
            example: rule.examples("fires").into_iter().next(),
            answerable: rule.answerable(),
            advice: rule.advice(),
            client_code: rule.client_code(),
            confirm: rule.confirm(),
            reference: rule.reference(),
        }
    }
}

/// The rule of a name, with hyphens or underscores.
pub(super) fn find(what: &str) -> Option<RuleEntry> {
    let id = what.to_ascii_lowercase().replace('_', "-");
    named(&id).map(RuleEntry::of)
}

/// The rules that speak of a code or of the HTTP status that it stands for: those that name it, and those whose
/// examples have it in an answer.
pub(super) fn about(code: &str, symbol: Option<&str>, status: Option<u16>) -> Vec<String> {
    let spoken = |rule: &Rule| {
        let is = |word: &str| word.eq_ignore_ascii_case(code) || Some(word) == symbol;
        words(rule).split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(is)
    };
    // Requests for credentials are in the examples of others by the way only.
    let by_the_way = |rule: &Rule| matches!(status, Some(401 | 407)) && rule.family() != "auth";
    let answered = |rule: &Rule| {
        let examples = rule.examples("fires");
        let mut lines = examples.iter().flat_map(|text| text.lines());
        status.is_some_and(|status| lines.any(|line| answers(line, status))) && !by_the_way(rule)
    };
    ALL.iter().filter(|rule| spoken(rule) || answered(rule)).map(|rule| rule.id()).collect()
}

/// What a rule says of itself, without what it is silent on.
fn words(rule: &Rule) -> String {
    let notes = [rule.advice(), rule.client_code(), rule.confirm()].into_iter().flatten();
    let notes = notes.chain([rule.title()]).map(str::to_owned);
    notes.chain(rule.text()).chain(rule.examples("fires")).collect::<Vec<_>>().join("\n")
}

/// Whether a line of a transcript is an answer of that status; success counts where no BITS server gave it.
fn answers(line: &str, status: u16) -> bool {
    let Some(rest) = line.strip_prefix("< ") else { return false };
    let mut words = rest.split_whitespace();
    words.next() == Some(&status.to_string())
        && (status >= 300 || words.any(|word| word == "plain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_in_either_spelling() {
        let ids =
            ["fragment-gap", "FRAGMENT_GAP", "Fragment-Gap"].map(|name| find(name).unwrap().id);
        assert_eq!(ids, ["fragment-gap"; 3]);
        assert_eq!(find("fragment"), None);
    }

    #[test]
    fn success_speaks_of_a_rule_only_where_no_bits_server_answered() {
        assert!(answers("< 404 plain", 404) && answers("< 404", 404));
        assert!(!answers("< 200 session=1", 200) && answers("< 200 plain", 200));
        assert!(!answers("> FRAGMENT 404-500/600", 404) && !answers("< 200 received=404", 404));
    }

    #[test]
    fn a_code_leads_to_the_rules_that_name_it() {
        let rules = about("0x80072EFE", None, None);
        assert!(rules.contains(&"tcp-reset-by-middlebox".to_owned()), "{rules:?}");
        assert_eq!(about("0x00200006", Some("BG_S_ERROR_CONTEXT_NONE"), None), [""; 0]);
        assert!(about("0x80072F7D", None, None).contains(&"tls-handshake-failed".to_owned()));
        let of_auth = about("0x80190191", None, Some(401));
        assert!(!of_auth.is_empty() && !of_auth.contains(&"mtu-blackhole".to_owned()));
    }
}
