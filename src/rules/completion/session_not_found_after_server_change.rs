//! The rule `session-not-found-after-server-change`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, lost};

rule! {
    /// Another server than the one that made the session was asked, and does not know it.
    ///
    /// A balancer without affinity, or a name with several addresses: each node knows only its own sessions. The
    /// client starts over, perhaps again and again.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = server 192.0.2.81:80
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// One address, but another server behind it:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    ///   Server: Microsoft-IIS/8.5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: whoever runs the balancer
    /// Advice: Give the balancer affinity by client address, or set BITSHostId on each node so that clients stay with theirs.
    /// Confirm: The IIS logs of all nodes: BITS_POST requests of this upload on more than one of them.
    /// Reference: [MC-BUP] 1.3.4.2
    Error, belief 73, needs WholeExchange, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if !lost::is_amid(session, exchange) {
        return;
    }
    let Some(maker) = lost::maker(session, exchange) else { return };
    let changes = lost::changes(session, maker, exchange);
    if !changes.is_empty() {
        let message =
            format!("{} was refused by another server: {}", exchange.kind, changes.join(", "));
        let spans = [maker.span(), exchange.span()];
        notes.note(notes.severity(), Confidence::Likely, &spans, message);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Error;
    use crate::rules::tests::fired;

    #[test]
    fn another_clock_is_another_server() {
        let findings = fired(
            "> CREATE-SESSION\n< 200 session=1\n  Date: Thu, 01 Jan 2026 00:00:00 GMT\n\
             > FRAGMENT 0-9/10\n< 500 error=0x8020001F\n  Date: Thu, 01 Jan 2026 00:00:40 GMT",
        );
        assert!(
            findings.contains(&("session-not-found-after-server-change".to_owned(), Error)),
            "{findings:?}"
        );
    }
}
