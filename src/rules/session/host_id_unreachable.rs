//! The rule `host-id-unreachable`.

use crate::at::At;
use crate::bits::hresult::{CANNOT_CONNECT, NAME_NOT_RESOLVED, TIMED_OUT};
use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Attempt, ConnectFailure, Exchange, Lookup, Outcome, Session};
use crate::rules::hosts::Named;
use crate::rules::{Around, Confidence, Notes, Severity, wording};

rule! {
    /// The host that BITS-Host-Id named cannot be reached.
    ///
    /// The Ack sent the client to one node of the farm, and no connection to that node came about: its name means nothing
    /// outside, a firewall opens the address of the cluster only, or the node is down. Where not one packet goes to it, its
    /// name may not resolve.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// ! unanswered
    /// ```
    /// The client has an address of the other family, too:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=2001:db8::81 fallback=60
    /// = client 2001:db8::5
    /// = server [2001:db8::81]:80
    /// ! refused
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=2001:db8::81 fallback=60
    /// = client 2001:db8::5
    /// = server [2001:db8::82]:80
    /// ! refused
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1.contoso.test
    /// ... 10 min
    /// = client 10.0.0.6
    /// > GET /
    /// < 200 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node2.example
    /// ! name node2.example NXDOMAIN
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// ! unanswered
    /// = server 192.0.2.80:80
    /// > PING
    /// < 200 lost
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > PING
    /// < 200
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// The node answered at another address than the one that refused a connection:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1 fallback=60
    /// = server 198.51.100.7:80
    /// ! refused
    /// = server 192.0.2.81:80
    /// = url http://node1/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1 fallback=60
    /// = server 192.0.2.81:80
    /// ! refused
    /// = url http://node1/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// It was reached before, and died later:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://node1/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ! server closes
    /// ! client closes
    /// ... 600 s
    /// ! refused
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=SERVER
    /// ... 10 min
    /// = client 10.0.0.6
    /// > GET /
    /// < 200 plain
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Make the node's name and port reachable from the clients, or clear BITSHostId and let the balancer keep a client on one node.
    /// Confirm: Resolve the name and open the port from the client (Test-NetConnection).
    /// Reference: [MC-BUP] 1.3.4.2
    Error, belief 51, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    let unreached = tell_attempts(&named, around.sight.attempts, notes);
    let unresolved = tell_lookups(&named, around.sight.lookups, notes);
    let quiet = around.quiet_secs_after(session);
    let unused = named.later().next().is_none() && session.is_whole();
    let silent = unused && quiet >= CLIENT_WAITS_SECS;
    if silent && !unreached && !unresolved {
        let message = format!(
            "\"{}\" was named, and no packet went to it within {}",
            named.value,
            wording::lasting(quiet)
        );
        let spans = [named.opened.span()];
        notes.note(Severity::Warning, Confidence::Possible, &spans, message);
    }
}

/// Notes the connections to the node that failed; whether there were any.
fn tell_attempts(named: &Named<'_>, attempts: &[Attempt], notes: &mut Notes<'_>) -> bool {
    let mut failed = false;
    for attempt in named.attempts(attempts) {
        failed = true;
        let (how, code) = match attempt.answer {
            ConnectFailure::Refused => ("met a refusal", CANNOT_CONNECT),
            ConnectFailure::Unanswered => ("met silence", TIMED_OUT),
            ConnectFailure::Unreachable => ("met an ICMP error", TIMED_OUT),
        };
        let message = format!(
            "\"{}\" was named, and {} to {} {how}",
            named.value,
            wording::counted(attempt.tries, "connection"),
            attempt.server
        );
        let severity = severity(named.session, attempt.first.last, notes.severity());
        let certain = named.address().is_some() && attempt.client == named.opened.client.ip();
        let confidence = if certain { Confidence::Certain } else { Confidence::Likely };
        let spans = [named.opened.span(), attempt.first];
        if let Some(finding) = notes.note(severity, confidence, &spans, message) {
            finding.client_code = Some(code);
        }
    }
    failed
}

/// Notes the look-ups of the name of the node that failed; whether there were any.
fn tell_lookups(named: &Named<'_>, lookups: &[Lookup], notes: &mut Notes<'_>) -> bool {
    let mut failed = false;
    for lookup in named.lookups(lookups) {
        failed = true;
        let message = format!("\"{}\" was named, and {}", named.value, lookup.failure.words());
        let severity = severity(named.session, lookup.first.last, notes.severity());
        let spans = [named.opened.span(), lookup.first];
        let finding = notes.note(severity, Confidence::Likely, &spans, message);
        if let Some(finding) = finding {
            finding.client_code = Some(NAME_NOT_RESOLVED);
        }
    }
    failed
}

/// A node that was reached after it had `failed`, or done without, cost time only.
fn severity(session: &Session, failed: At, own: Severity) -> Severity {
    let later = |last: &&Exchange| last.span().first.frame > failed.frame;
    let reached = session.exchanges.last().filter(later).is_some_and(Exchange::succeeded);
    let went_on = session.outcome == Outcome::Incomplete && reached && session.exchanges.len() > 1;
    if session.outcome.is_done() || went_on { Severity::Warning } else { own }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Warning};
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn what_the_client_logs_is_how_it_failed() {
        let code = |how: &str| {
            let opened = "> CREATE-SESSION\n< 200 session=1 host=192.0.2.81 fallback=60\n";
            diagnosed(&format!("{opened}{how}\n")).client_error
        };
        let node = "= server 192.0.2.81:80\n";
        assert_eq!(code(&format!("{node}! refused")).as_deref(), Some("0x80072EFD"));
        assert_eq!(code(&format!("{node}! unanswered")).as_deref(), Some("0x80072EE2"));
        assert_eq!(code("... 10 min\n= client 10.0.0.6\n> GET /\n< 200 plain"), None);
    }

    #[test]
    fn a_node_that_is_not_reached_any_more_is_an_error_while_the_upload_stands() {
        let opened = "> CREATE-SESSION\n< 200 session=1 host=192.0.2.81 fallback=60\n\
                      = server 192.0.2.81:80\n= url http://192.0.2.81/upload/file.bin\n\
                      > FRAGMENT 0-9/20\n< 200\n! server closes\n! client closes\n... 600 s\n! refused\n";
        let back = "... 60 s\n= server 192.0.2.80:80\n= url http://server/upload/file.bin\n\
                    > FRAGMENT 10-19/20\n< 200\n";
        assert_eq!(severity("host-id-unreachable", opened), Some(Error));
        assert_eq!(severity("host-id-unreachable", &format!("{opened}{back}")), Some(Warning));
    }

    #[test]
    fn of_a_name_that_does_not_resolve_the_client_logs_that() {
        let told = diagnosed(
            "> CREATE-SESSION\n< 200 session=1 host=node2.corp\n! name node2.corp NXDOMAIN\n... 10 min\n\
             ! name node2.corp NXDOMAIN\n",
        );
        assert_eq!(told.cause, "host-id-unreachable");
        assert_eq!(told.client_error.as_deref(), Some("0x80072EE7"));
    }
}
