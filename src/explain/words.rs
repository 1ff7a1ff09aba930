//! Words of the protocol and of the report.

use schemars::{JsonSchema, schema_for};
use serde::Serialize;

use crate::model::Outcome;
use crate::model::negotiation::Verdict;
use crate::observe::extract::manifest::Proof;
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Severity};

/// A word with its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Word {
    /// As it is written.
    pub word: String,
    /// What it is a word for.
    pub about: &'static str,
    /// What it means.
    pub meaning: String,
}

/// Values of `BITS-Packet-Type` ([MC-BUP] 2.2).
const PACKETS: [(&str, &str); 6] = [
    (
        "Create-Session",
        "Opens an upload. It carries the protocols on offer in BITS-Supported-Protocols; the Ack brings the choice in \
         BITS-Protocol and the id in BITS-Session-Id ([MC-BUP] 2.2.2, 2.2.3).",
    ),
    (
        "Ping",
        "Proves that a host answers, and settles authentication before bytes are sent. Clients send it when they resume \
         and after a BITS-Host-Id; it names no session ([MC-BUP] 2.2.4, 2.2.5).",
    ),
    (
        "Fragment",
        "Carries a range of the file, told by Content-Range. The Ack names the next byte that the server wants in \
         BITS-Received-Content-Range ([MC-BUP] 2.2.6, 2.2.7).",
    ),
    (
        "Close-Session",
        "All bytes are delivered: the server may put the file in its place and forget the session ([MC-BUP] 2.2.8, \
         2.2.9).",
    ),
    (
        "Cancel-Session",
        "The upload is given up: the server drops what it has ([MC-BUP] 2.2.10, 2.2.11).",
    ),
    (
        "Ack",
        "Any answer of a BITS server, also an error. An answer without it comes from something else: IIS before BITS, a \
         proxy, another web server ([MC-BUP] 2.2.1.2).",
    ),
];

/// What can stand behind an outcome.
const QUALIFIERS: [(&str, &str); 12] = [
    ("unconfirmed", "The last request of the upload was sent; its answer was not seen."),
    (
        "likely",
        "A repeated Close-Session met an unknown session: the first one must have gone through. Or the capture lacks \
         something between the last Fragment seen and the Close-Session that was accepted: the last bytes can be there.",
    ),
    ("after-last-byte", "It was cancelled when the server had every byte, so the file may exist."),
    ("closed-short", "Close-Session was accepted although bytes are missing."),
    (
        "may-recover",
        "The error is one after which the client tries again, and the capture ends before it could.",
    ),
    ("interrupted", "The last request has no answer, and its connection or its time is over."),
    (
        "capture-ended",
        "The capture ends on a request whose client may still wait for the answer, or on an answer that asks for \
         credentials that may still come.",
    ),
    ("idle-at-end", "All requests are answered, and no end was seen."),
    ("authentication", "The last answer asks for credentials."),
    ("lost", "The server no longer knows the session."),
    (
        "start not captured",
        "The capture begins within the upload: what was agreed and sent before is unknown.",
    ),
    (
        "heads-cut",
        "The snap length cut every message before it shows what it is: nothing tells whether a session was opened.",
    ),
];

/// The meanings of a word, or of several with spaces or hyphens between them.
pub(super) fn find(what: &str) -> Vec<Word> {
    let what = what.replace('-', " ");
    let is_meant = |word: &Word| word.word.replace('-', " ").eq_ignore_ascii_case(&what);
    all().into_iter().filter(is_meant).collect()
}

/// All words.
pub(super) fn names() -> impl Iterator<Item = String> {
    all().into_iter().map(|word| word.word)
}

fn all() -> Vec<Word> {
    let listed = |about, list: &[(&str, &str)]| -> Vec<Word> {
        let word = |(word, meaning): &(&str, &str)| Word {
            word: (*word).to_owned(),
            about,
            meaning: (*meaning).to_owned(),
        };
        list.iter().map(word).collect()
    };
    [
        listed("packet type", &PACKETS),
        variants::<Outcome>("outcome of an upload"),
        listed("qualifier of an outcome", &QUALIFIERS),
        variants::<Verdict>("verdict on a negotiation"),
        variants::<Proof>("proof of an extracted file"),
        variants::<Origin>("who answered"),
        variants::<Severity>("severity of a finding"),
        variants::<Confidence>("confidence of a finding"),
    ]
    .concat()
}

/// The values of a type with their documentation, which the schema of the report has.
fn variants<T: JsonSchema>(about: &'static str) -> Vec<Word> {
    let schema = schema_for!(T).to_value();
    let values = schema.get("oneOf").and_then(|values| values.as_array());
    let text = |value: &serde_json::Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    let word = |value| {
        Some(Word { word: text(value, "const")?, about, meaning: text(value, "description")? })
    };
    values.into_iter().flatten().filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::PacketType;

    #[test]
    fn words_of_the_report_come_with_their_documentation() {
        let [word] = &find("selected-not-offered")[..] else { panic!() };
        assert_eq!(word.about, "verdict on a negotiation");
        assert_eq!(word.meaning, "The choice was not among the offers.");
        assert_eq!(find("http-sys")[0].about, "who answered");
        for same in ["start not captured", "Start-not-captured"] {
            assert_eq!(find(same)[0].about, "qualifier of an outcome");
        }
        assert_eq!(find("whole-proven")[0].about, "proof of an extracted file");
        assert_eq!(variants::<Outcome>("").len(), 5);
        assert_eq!(variants::<Verdict>("").len(), 18);
    }

    #[test]
    fn every_packet_type_is_known() {
        for (name, _) in PACKETS {
            assert!(!matches!(PacketType::parse(name), PacketType::Other(_)), "{name}");
        }
        assert_eq!(find("close-session")[0].word, "Close-Session");
    }
}
