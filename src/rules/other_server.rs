//! What to do where the BITS server gives a name that is none of Microsoft's: the settings of IIS do not exist there.

use crate::model::{Response, Session};
use crate::rules::origin::Origin;
use crate::rules::{Finding, front, named, product};

/// Advice for any server, by the rule; what would confirm it.
struct Words {
    rule: &'static str,
    advice: Option<&'static str>,
    confirm: Option<&'static str>,
}

const fn words(
    rule: &'static str,
    advice: Option<&'static str>,
    confirm: Option<&'static str>,
) -> Words {
    Words { rule, advice, confirm }
}

const NODES: &str =
    "The logs of all nodes: BITS_POST requests of this upload on more than one of them.";

const WORDS: &[Words] = &[
    words(
        "upload-too-large",
        Some(
            "Raise the limit that this server sets for a file or for one Fragment; or split the file, or let the client send smaller Fragments.",
        ),
        Some("These limits beside the length of the file and that of the Fragment."),
    ),
    words(
        "session-not-found",
        None,
        Some("The log of the node that created the session, and what it keeps of its sessions."),
    ),
    words(
        "session-not-found-after-idle",
        Some(
            "Raise the time that this server keeps sessions above the longest pause of its clients.",
        ),
        Some("That time beside the idle time."),
    ),
    words("session-not-found-after-server-change", None, Some(NODES)),
    words(
        "session-not-found-same-connection",
        Some(
            "Look for a balancer that works per request, restarts of the server, and its limit of open sessions.",
        ),
        Some("The server's log for restarts."),
    ),
    words("restart-loop", None, Some(NODES)),
    words(
        "ack-offset-went-back",
        Some("Give the balancer affinity by client address; check restarts of the server."),
        Some(NODES),
    ),
    words(
        "close-failed",
        Some(
            "Look at the upload directory, at where the server keeps open sessions, and at its antivirus.",
        ),
        Some("The server's log, and that of its antivirus, at this time."),
    ),
    words(
        "close-missing",
        None,
        Some("What the server keeps of its sessions: whether this one is still open."),
    ),
    words(
        "session-limit",
        Some("Close or cancel sessions that are done with."),
        Some("The sessions that the server holds open."),
    ),
    words(
        "target-exists",
        Some("Upload under a name that does not exist yet, or let the server overwrite files."),
        None,
    ),
    words(
        "access-denied",
        Some("Let the server's account write into the physical folder."),
        Some("The server's log at this time."),
    ),
    words(
        "execute-enabled",
        Some("Let uploads go into a folder whose files the server does not run."),
        None,
    ),
    words(
        "folder-missing",
        None,
        Some("On the server's disk, the path that the URL stands for lacks the folder."),
    ),
    words(
        "reply-fetch-failed",
        Some(
            "Let the server give the reply to this account, and keep it until the client has fetched it.",
        ),
        Some("The server's log: the status of the GET, and what it says of the reply."),
    ),
    words(
        "uploads-not-enabled",
        Some("Switch BITS uploads on at the server for the path of this URL."),
        Some("The server's log: BITS_POST with this status."),
    ),
];

/// Gives findings other words than those for IIS, where the Acks of the session are from another product.
pub(super) fn reword(session: &Session, findings: &mut [Finding]) {
    if !findings.iter().any(|finding| of(finding).is_some()) || !is_foreign(session) {
        return;
    }
    for finding in findings {
        let (Some(words), Some(rule)) = (of(finding), named(&finding.rule)) else { continue };
        // A rule that has words of its own for the case knows better.
        if finding.advice == rule.read.advice {
            finding.advice = words.advice.map(Into::into).or_else(|| finding.advice.take());
        }
        if finding.confirm == rule.read.confirm {
            finding.confirm = words.confirm.map(Into::into).or_else(|| finding.confirm.take());
        }
    }
}

fn of(finding: &Finding) -> Option<&'static Words> {
    WORDS.iter().find(|words| finding.rule == words.rule)
}

fn is_foreign(session: &Session) -> bool {
    let mut acks = session.exchanges.iter().rev().filter_map(|exchange| exchange.response.as_ref());
    acks.find(|ack| ack.is_ack() && ack.server.is_some()).is_some_and(is_named_otherwise)
}

/// Whether an answer bears the name of a server that is neither one of Microsoft nor one that puts its name over that
/// of another.
pub(super) fn is_named_otherwise(answer: &Response) -> bool {
    let name = answer.server.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
    let over = matches!(product::named(answer), Some((Origin::Proxy | Origin::Waf, _, true)));
    !name.is_empty() && !name.contains("microsoft") && !over && !front::is_relay(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ALL;
    use crate::rules::tests::{diagnosed, report};

    #[test]
    fn every_rule_that_has_words_exists() {
        assert!(WORDS.iter().all(|words| named(words.rule).is_some()));
    }

    #[test]
    fn a_server_that_is_not_of_microsoft_has_no_virtual_directory() {
        let advice = |server: &str| {
            let own = format!("  Server: {server}\n");
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n{own}> FRAGMENT 0-9/20\n\
                 < 500 error=0x80200020 context=0x5\n{own}"
            ))
            .advice
            .unwrap()
        };
        assert!(!advice("Python/3.11 aiohttp/3.8.4").contains("virtual directory"));
        assert!(advice("Microsoft-IIS/10.0").contains("virtual directory"));
        assert!(advice("nginx").contains("virtual directory"));
    }

    /// Words that mean something on IIS alone.
    const OF_IIS: [&str; 8] = [
        "IIS",
        "irtual directory",
        "pplication pool",
        "BITS-Sessions",
        "BITSSession",
        "http.sys",
        "WebDAVModule",
        "BITSAllow",
    ];

    const BESIDE: [&str; 5] = ["in IIS", "of IIS", "of http.sys", "where it was http.sys", "nginx"];

    /// Every example of every rule, played by a server that says what it is.
    #[test]
    fn no_advice_speaks_of_iis_alone_where_the_server_is_another() {
        let examples = ALL.iter().flat_map(|rule| rule.examples("fires"));
        for text in examples.filter(|text| !text.contains("Microsoft-")) {
            let lines = text.lines().map(|line| match line.strip_prefix("< ") {
                Some(_) => format!("{line}\n  Server: gobits/0.1\n"),
                None => format!("{line}\n"),
            });
            let report = report(&lines.collect::<String>());
            for finding in report.sessions.iter().flat_map(|session| &session.findings) {
                for words in finding.advice.iter().chain(&finding.confirm) {
                    let told = OF_IIS.iter().any(|word| words.contains(word));
                    // Where it is one among others, it is told so.
                    let beside = BESIDE.iter().any(|word| words.contains(word));
                    assert!(!told || beside, "{}: {words}\n{text}", finding.rule);
                }
            }
        }
    }
}
