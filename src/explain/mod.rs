//! What the words and numbers of BITS mean: rules, codes, HTTP statuses, protocols, packets, verdicts.

mod code;
mod near;
mod rule;
mod words;

use schemars::JsonSchema;
use serde::Serialize;

use crate::bits::protocol;

pub use code::Code;
pub use near::Unknown;
pub use rule::RuleEntry;
pub use words::Word;

/// One explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Article {
    /// A rule.
    Rule(RuleEntry),
    /// An HRESULT, or an HTTP status or Win32 error as the HRESULT that BITS makes of it.
    Code(Code),
    /// A protocol that can be negotiated.
    Protocol(Protocol),
    /// A word of the protocol or of the report.
    Word(Word),
}

/// A protocol by its GUID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Protocol {
    /// In lower case, with braces.
    pub guid: String,
    /// Its registered name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    /// What there is to know.
    pub meaning: &'static str,
}

/// Explains the name or number of anything that is known.
///
/// A number from 100 to 599 is an HTTP status, unless it is known as a Win32 error alone; another one below 65,536 is a
/// Win32 error, a larger one an HRESULT. A `0x` or eight digits make it hexadecimal, and no status. Names are compared
/// without case.
///
/// # Errors
///
/// Where nothing goes by that name: what comes close.
pub fn explain(what: &str) -> Result<Vec<Article>, Unknown> {
    let what = what.trim();
    let rule = rule::find(what).map(Article::Rule);
    let words = words::find(what).into_iter().map(Article::Word);
    let named: Vec<Article> = rule.into_iter().chain(words).collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let protocol =
        protocol::guid(what).map(|guid| Article::Protocol(Protocol::of(&guid.to_string())));
    let code = || code::find(what).map(Article::Code);
    protocol.or_else(code).map(|article| vec![article]).ok_or_else(|| near::unknown(what))
}

impl Protocol {
    fn of(guid: &str) -> Self {
        let name = protocol::name(guid);
        let meaning = match name {
            Some(_) => {
                "The only protocol that is registered for uploads ([MC-BUP] 1.7.1). Clients offer it in \
                 BITS-Supported-Protocols, servers choose it in BITS-Protocol."
            }
            None => {
                "No registered protocol: a client that offers it is not from Windows, nor is a server that chooses it. Session \
                 ids look the same but name no protocol."
            }
        };
        Self { guid: format!("{{{guid}}}"), name, meaning }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that one word is taken for.
    fn codes(what: &str) -> Vec<String> {
        let articles = explain(what).unwrap_or_else(|unknown| panic!("{unknown}"));
        articles
            .into_iter()
            .map(|article| match article {
                Article::Code(code) => code.code,
                other => panic!("{what}: {other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_code_is_known_in_every_notation() {
        for what in [
            "0x8020001F",
            "0x8020001f",
            "x8020001F",
            "8020001f",
            "2149580831",
            "-2145386465",
            "0x8020001FL",
            "bg_e_session_not_found",
            " BG_E_SESSION_NOT_FOUND ",
        ] {
            assert_eq!(codes(what), ["0x8020001F"], "{what}");
        }
    }

    #[test]
    fn a_number_is_a_status_a_windows_error_or_a_code_by_its_size() {
        assert_eq!(codes("404"), ["0x80190194"]);
        assert_eq!(codes("431"), ["0x801901AF"]);
        assert_eq!(codes("450"), ["0x801901C2"]);
        assert_eq!(codes("12002"), ["0x80072EE2"]);
        assert_eq!(codes("1326"), ["0x8007052E"]);
        assert_eq!(codes("80190194"), ["0x80190194"]);
        assert_eq!(codes("0"), ["0x00000000"]);
        assert_eq!(codes("0x1"), ["0x00000001"]);
    }

    #[test]
    fn a_protocol_is_known_in_any_spelling_and_another_guid_is_said_to_be_none() {
        for what in
            ["{7DF0354D-249B-430F-820D-3D2A9BEF4931}", "7df0354d-249b-430f-820d-3d2a9bef4931"]
        {
            let [Article::Protocol(known)] = &explain(what).unwrap()[..] else { panic!("{what}") };
            assert_eq!(known.name, Some("BITS 1.5 Upload Protocol"));
        }
        let [Article::Protocol(other)] =
            &explain("{AAAAAAAA-0000-0000-0000-000000000000}").unwrap()[..]
        else {
            panic!()
        };
        assert_eq!(
            (other.guid.as_str(), other.name),
            ("{aaaaaaaa-0000-0000-0000-000000000000}", None)
        );
    }

    #[test]
    fn a_word_with_two_meanings_has_both() {
        let kinds: Vec<String> = explain("cancelled")
            .unwrap()
            .into_iter()
            .map(|article| serde_json::to_value(article).unwrap()["kind"].to_string())
            .collect();
        assert_eq!(kinds, ["\"rule\"", "\"word\""]);
    }

    #[test]
    fn every_rule_and_every_name_is_explained() {
        for name in near::names() {
            assert!(explain(&name).is_ok(), "{name}");
        }
    }
}
