//! Words of the protocol and of the report.

use schemars::{JsonSchema, schema_for};
use serde::Serialize;

use crate::bits::fields::Notation;
use crate::model::negotiation::Verdict;
use crate::model::{Odd, Outcome, Qualifier, attempt, lookup, notification};
use crate::observe::extract::manifest::Proof;
use crate::rules::filtering::{FILTERED, Fault};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Severity};
use crate::tls::{Likelihood, Opaque};

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

/// What else stands behind an outcome where people read it.
const LACKS: [(&str, &str); 2] = [
    (
        "start not captured",
        "The capture begins within the upload: what was agreed and sent before is unknown.",
    ),
    (
        "requests not captured",
        "The capture has nothing but what the server sent: what was asked, and whether it begins with the upload, is \
         unknown.",
    ),
];

/// Header fields of which a report speaks.
const FIELDS: [(&str, &str); 16] = [
    (
        "BITS-Packet-Type",
        "What a message is: Create-Session, Ping, Fragment, Close-Session, Cancel-Session, or Ack for every answer of \
         a BITS server ([MC-BUP] 2.2.1.2).",
    ),
    (
        "BITS-Session-Id",
        "The upload that a message belongs to; the server chooses it in the Ack to Create-Session ([MC-BUP] 2.2.1.2).",
    ),
    (
        "BITS-Supported-Protocols",
        "In Create-Session: the GUIDs of the protocols that the client offers ([MC-BUP] 2.2.2.2).",
    ),
    (
        "BITS-Protocol",
        "In the Ack to Create-Session: the GUID of the protocol that the server chose ([MC-BUP] 2.2.3.2).",
    ),
    (
        "BITS-Error",
        "In an Ack: the HRESULT of what went wrong, also as BITS-Error-Code. Windows leaves it out where the HTTP \
         status says it already ([MC-BUP] 2.2.1.2).",
    ),
    (
        "BITS-Error-Code",
        "What Windows calls BITS-Error: the HRESULT of what went wrong ([MC-BUP] 2.2.1.2).",
    ),
    (
        "BITS-Error-Context",
        "Beside an error: 0x5 where it is of the BITS server, 0x7 where it is of the application behind it ([MC-BUP] \
         2.2.1.2).",
    ),
    (
        "BITS-Original-Request-URL",
        "In the notification to the application behind the server: the URL of the upload ([MC-BUP] 2.2.12.2).",
    ),
    (
        "BITS-Request-DataFile-Name",
        "In the notification: the path of the uploaded file, where it is handed over by reference ([MC-BUP] 2.2.12.2).",
    ),
    (
        "BITS-Response-DataFile-Name",
        "In the notification: the path that the application may write a reply to ([MC-BUP] 2.2.12.2).",
    ),
    (
        "BITS-Static-Response-URL",
        "In the answer of the application: a URL that is to be the reply ([MC-BUP] 2.2.13.2).",
    ),
    (
        "BITS-Copy-File-To-Destination",
        "In the answer of the application: the uploaded file is to be kept at its destination ([MC-BUP] 2.2.13.2).",
    ),
    (
        "BITS-Host-Id",
        "In the Ack to Create-Session: the host that the rest of the upload is to go to, so that it stays on one node of \
         a farm. The client puts it in place of the host in the URL and pings it first ([MC-BUP] 2.2.3.2, 3.1.5.2.2).",
    ),
    (
        "BITS-Host-Id-Fallback-Timeout",
        "How many seconds a client tries the host of BITS-Host-Id before it goes back to that of the URL ([MC-BUP] \
         2.2.3.2).",
    ),
    (
        "BITS-Received-Content-Range",
        "In the Ack to a Fragment: the next byte that the server wants ([MC-BUP] 2.2.7.2).",
    ),
    (
        "BITS-Reply-URL",
        "In the Ack to the last Fragment of an upload with a reply: where the reply is to be had ([MC-BUP] 2.2.7.2).",
    ),
];

/// What `BITS-Error-Context` tells of where an error is from ([MC-BUP] 2.2.1.2).
const CONTEXTS: [(&str, &str); 2] = [
    ("0x5", "The error is of the BITS server itself ([MC-BUP] 2.2.1.2)."),
    (
        "0x7",
        "The error is of the application behind the server, which is told of finished uploads ([MC-BUP] 2.2.1.2).",
    ),
];

/// Words of the texts for people.
const TERMS: [(&str, &str); 7] = [
    (
        "answerable",
        "Who can do something about a failure; no more than that: it need not be who is at fault.",
    ),
    ("besides", "Findings that have nothing to do with how the upload ended."),
    (
        "NTLM",
        "Authentication of Windows in three messages on one connection: the first request and the second are answered \
         with 401, and that is no failure.",
    ),
    (
        "Negotiate",
        "Authentication by Kerberos, or by NTLM where Kerberos cannot be had: one or two answers with 401 at the \
         start are no failure.",
    ),
    (
        "CCM_POST",
        "No BITS: the method by which clients of Configuration Manager send small messages to a management point. \
         What is large goes to its /CCM_Incoming as a BITS upload.",
    ),
    (
        "completed the hard way",
        "The upload was completed, and something went wrong on the way; the diagnosis says what.",
    ),
    (
        "client log",
        "What the log of a Windows client shows of the failure: the code that its job ends in.",
    ),
];

/// The sub-statuses that IIS logs, and tells to clients it trusts, beside those of its request filtering.
const SUB_STATUSES: [(&str, &str); 10] = [
    (
        "401.1",
        "Windows could not log the user on with these credentials: wrong name or password, an account that is locked \
         or expired, or a domain that cannot be asked. The second round of NTLM is logged so, too, and is no refusal.",
    ),
    (
        "401.2",
        "No way of authentication that the server offers was used: the usual first round of NTLM and Negotiate, and a \
         refusal only where it is the last (rule auth-no-credentials).",
    ),
    (
        "401.5",
        "An ISAPI extension or another program behind IIS refused the user; the BITS server is such an extension.",
    ),
    ("403.14", "A folder was asked for that has no page, and listing it is not allowed."),
    (
        "500.19",
        "The configuration is invalid, as where web.config holds a section that is locked or unknown: nothing of the \
         site works until it is mended.",
    ),
    ("502.3", "Application Request Routing got no good answer from the server behind it."),
    ("503.2", "More requests at once than appConcurrentRequestLimit allows."),
    (
        "401.3",
        "The access list of the file or folder keeps the user out (rule anonymous-plus-acl where nobody was asked).",
    ),
    ("403.7", "The site wants a client certificate, and none came (rule client-cert-needed)."),
    ("403.16", "The client certificate is not trusted (rule client-cert-needed)."),
];

/// The meanings of a word, or of several with spaces, hyphens or underscores between them.
pub(super) fn find(what: &str) -> Vec<Word> {
    let plain = |text: &str| text.replace(['-', '_'], " ").to_ascii_lowercase();
    let asked = plain(what);
    let context = asked.strip_prefix("context ");
    let number =
        context.filter(|number| !number.starts_with("0x")).map(|number| format!("0x{number}"));
    let asked = number.as_deref().or(context).unwrap_or(&asked);
    all().into_iter().filter(|word| plain(&word.word) == asked).collect()
}

/// What the request filtering of IIS says by the sub-status of a 404.
fn filtered((number, fault, what): (u16, Fault, &str)) -> Word {
    let rule = match fault {
        Fault::Name => " (rule iis-request-filtering-path)",
        Fault::Verb => " (rule verb-rejected-by-iis)",
        Fault::Length => " (rule request-too-large-404-13)",
        Fault::Other => "",
    };
    Word {
        word: format!("404.{number}"),
        about: "sub-status of IIS",
        meaning: format!("Request filtering refused {what}{rule}. The client sees a plain 404."),
    }
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
        FILTERED.map(filtered).to_vec(),
        listed("sub-status of IIS", &SUB_STATUSES),
        listed("header field", &FIELDS),
        listed("context of an error", &CONTEXTS),
        listed("word of the report", &TERMS),
        variants::<Opaque>("why TLS stays closed"),
        variants::<Likelihood>("whether what TLS hides looks like an upload"),
        variants::<notification::Mode>("how a file is handed to the application"),
        variants::<Notation>("how an error code was written"),
        variants::<attempt::ConnectFailure>("failed attempt to connect"),
        variants::<lookup::Failure>("failed look-up of a name"),
        variants::<Odd>("oddity of a head"),
        listed("packet type", &PACKETS),
        variants::<Outcome>("outcome of an upload"),
        variants::<Qualifier>("qualifier of an outcome"),
        listed("qualifier of an outcome", &LACKS),
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
    fn what_reports_and_logs_hold_is_known() {
        for what in [
            "completed the hard way",
            "client log",
            "bits-host-id",
            "0x5",
            "context 0x7",
            "no_keys",
            "keys do not fit",
            "unsupported_cipher",
            "server-failed",
            "unreachable",
            "403.16",
            "by-value",
            "by-reference",
            "unlikely",
            "bare-hex",
            "bare-x",
            "prefixed",
            "decimal",
            "ccm_post",
            "context 5",
            "401.2",
            "502.3",
            "BITS-Packet-Type",
            "bits_error_context",
            "ntlm",
            "answerable",
        ] {
            assert_eq!(find(what).len(), 1, "{what}");
        }
        assert_eq!(
            find("404.13")[0].meaning,
            "Request filtering refused a body that is too long (rule request-too-large-404-13). The client sees a \
         plain 404."
        );
    }

    #[test]
    fn rules_that_words_name_are_there() {
        let all = all();
        let named = all.iter().flat_map(|word| word.meaning.split("(rule ").skip(1));
        for rule in named.filter_map(|rest| rest.split([')', ' ']).next()) {
            assert!(crate::rules::ALL.iter().any(|known| known.is_named(rule)), "{rule}");
        }
    }

    #[test]
    fn every_packet_type_is_known() {
        for (name, _) in PACKETS {
            assert!(!matches!(PacketType::parse(name), PacketType::Other(_)), "{name}");
        }
        assert_eq!(find("close-session")[0].word, "Close-Session");
    }
}
