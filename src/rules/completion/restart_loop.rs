//! The rule `restart-loop`.

use crate::at::Span;
use crate::model::{Outcome, Session};
use crate::rules::history::Brief;
use crate::rules::{Around, Confidence, Notes, Severity, wording};

rule! {
    /// One upload starts over again and again.
    ///
    /// Each session was lost, or the server took back what it had confirmed, and the client began anew at byte 0: all
    /// bytes cross the network again in each round. A farm without affinity does that.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// > CREATE-SESSION
    /// < 200 session=3
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    /// Once is what the protocol does about a lost session:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// A server that takes Fragments in any order goes back on nothing:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 20-29/40
    /// < 200 received=30
    /// > FRAGMENT 10-19/40
    /// < 200 received=20
    /// > FRAGMENT 30-39/40
    /// < 503 plain
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 20-29/40
    /// < 200 received=30
    /// > FRAGMENT 10-19/40
    /// < 200 received=20
    /// > FRAGMENT 30-39/40
    /// < 503 plain
    /// > CREATE-SESSION
    /// < 200 session=3
    /// > FRAGMENT 20-29/40
    /// < 200 received=30
    /// ```
    ///
    /// Answerable: whoever runs the servers and the balancer
    /// Advice: Give the balancer affinity by client address or set BITSHostId on each node; see how each earlier session was lost.
    /// Confirm: The IIS logs of all nodes: BITS_POST requests of this upload on more than one of them.
    /// Reference: [MC-BUP] 3.1.5.2.1
    Error, belief 15, needs Anything, Around
}

/// Lost sessions before this one that make it a loop; one restart is what the protocol does by itself.
const ROUNDS: usize = 2;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if session.joined {
        return;
    }
    let mut chain: Vec<&Brief> = around
        .same_upload()
        .rev()
        .take_while(|brief| brief.outcome != Outcome::Completed)
        .filter(|brief| (brief.lost || brief.went_back) && brief.sent > 0)
        .filter(|brief| brief.first.time < session.started)
        .collect();
    chain.reverse();
    let Some(span) = session.span().filter(|_| chain.len() >= ROUNDS) else { return };
    let wasted: u64 = chain.iter().map(|brief| brief.sent).fold(0, u64::saturating_add);
    let mut message = format!(
        "attempt {} at this upload after lost sessions, {} sent for nothing",
        chain.len() + 1,
        wording::counted(wasted, "byte")
    );
    message.push_str(&changed(session, &chain));
    let first = chain.first().map_or(span, |brief| Span::at(brief.first));
    let completed = session.outcome == Outcome::Completed;
    let severity = if completed { Severity::Warning } else { notes.severity() };
    let start = Span::at(span.first);
    notes.note(severity, Confidence::Certain, &[first, start], message);
}

/// What changed from one attempt to the next.
fn changed(session: &Session, chain: &[&Brief]) -> String {
    let mut servers: Vec<String> = chain.iter().map(|brief| brief.server.to_string()).collect();
    servers.push(session.server.socket().to_string());
    servers.dedup();
    let mut software: Vec<&str> =
        chain.iter().filter_map(|brief| brief.software.as_deref()).collect();
    let mut answers = session.exchanges.iter().filter_map(|exchange| exchange.response.as_ref());
    software.extend(answers.find_map(|answer| answer.server.as_deref()));
    software.dedup();
    match (servers.len(), software.len()) {
        (0 | 1, 0 | 1) => "; same address and Server each time".to_owned(),
        (0 | 1, _) => format!("; Server changed: \"{}\"", shown(&software)),
        _ => {
            let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
            format!("; addresses: {}", shown(&servers))
        }
    }
}

/// The first few of a list.
fn shown(list: &[&str]) -> String {
    const SHOWN: usize = 4;
    let more = if list.len() > SHOWN { ", ..." } else { "" };
    let few: Vec<&str> = list.iter().take(SHOWN).copied().collect();
    format!("{}{more}", few.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Warning;
    use crate::rules::tests::{report, severity};

    /// What the rule says changed over three attempts, the second and the third of which begin with `second` and
    /// `third`, and the `Server` of the third.
    fn changed(second: &str, third: &str, server: &str) -> String {
        let lost = "> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 500 error=0x8020001F\n";
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n{lost}{second}> CREATE-SESSION\n< 200 session=2\n\
             {lost}{third}> CREATE-SESSION\n< 200 session=3\n{server}> FRAGMENT 0-19/20\n< 200\n"
        );
        let session = report(&text).sessions.pop().unwrap();
        let finding = session.findings.into_iter().find(|finding| finding.rule == "restart-loop");
        finding.unwrap().message.split_once("; ").unwrap().1.to_owned()
    }

    #[test]
    fn what_changed_counts_the_attempt_that_is_told_of() {
        assert_eq!(changed("", "", ""), "same address and Server each time");
        assert_eq!(
            changed("", "", "  Server: other\n"),
            "Server changed: \"Microsoft-IIS/10.0, other\""
        );
        assert_eq!(
            changed("= server 192.0.2.81:80\n", "= server 192.0.2.82:80\n", ""),
            "addresses: 192.0.2.80:80, 192.0.2.81:80, 192.0.2.82:80"
        );
    }

    #[test]
    fn an_upload_that_came_through_leaves_a_warning() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n\
             > FRAGMENT 10-19/20\n< 500 error=0x8020001F\n> CREATE-SESSION\n< 200 session=2\n\
             > FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 500 error=0x8020001F\n\
             > CREATE-SESSION\n< 200 session=3\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n\
             < 200";
        assert_eq!(severity("restart-loop", text), Some(Warning));
    }
}
