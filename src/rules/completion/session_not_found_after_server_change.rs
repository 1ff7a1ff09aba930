//! The rule `session-not-found-after-server-change`.

use crate::model::{Exchange, Session};
use crate::rules::hosts::Named;
use crate::rules::{Around, Confidence, Notes, course, look, lost, relay};

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
    /// The capture has the leg behind the balancer, too:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 1 s
    /// < 500 error=0x8020001F context=0x5
    /// ... -2 s
    /// = client 10.0.9.1
    /// = server 10.0.9.80:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 1500 ms
    /// = server 10.0.9.81:80
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// The node that BITS-Host-Id named had the bytes:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = server 192.0.2.80:80
    /// = url http://server/upload/file.bin
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: whoever runs the balancer
    /// Advice: Give the balancer affinity by client address, or set BITSHostId on each node so that clients stay with theirs.
    /// Confirm: The IIS logs of all nodes: BITS_POST requests of this upload on more than one of them.
    /// Reference: [MC-BUP] 1.3.4.2
    Error, belief 73, needs WholeExchange, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    if !lost::is_amid(session, exchange) {
        return;
    }
    let named = Named::of(session);
    let held = named.as_ref().and_then(|named| held(session, exchange, named));
    let Some(maker) = held.or_else(|| lost::maker(session, exchange)) else { return };
    let changes = lost::changes(session, maker, exchange);
    if changes.is_empty() {
        return behind(session, maker, exchange, around, notes);
    }
    let message =
        format!("{} was refused by another server: {}", exchange.kind, changes.join(", "));
    let spans = [maker.span(), exchange.span()];
    // One host may have an address of either family.
    let across = maker.server.is_ipv4() != exchange.server.is_ipv4() && changes.len() == 1;
    let confidence = if across { Confidence::Possible } else { Confidence::Likely };
    let Some(finding) = notes.note(notes.severity(), confidence, &spans, message) else { return };
    let followed = named.map(|named| named.takes(exchange));
    match (followed, held) {
        (Some(false), Some(_)) => {
            finding
                .turn_to("the server")
                .advise(OF_NODE)
                .confirm_by("The log of the named node at the time of its last answer.");
        }
        (Some(true), None) => {
            finding.turn_to("who set BITSHostId").advise(OF_NAME).confirm_by(
                "BITSHostId of the node that created the session, and where that name leads.",
            );
        }
        // What asked both is the balancer.
        _ if maker.server.ip() != exchange.server.ip() && !relay::is_relayed(session, around) => {
            finding.turn_to("whoever runs the host's name, or the balancer").advise(OF_ADDRESSES);
        }
        _ => {}
    }
}

/// Notes a change that only the leg behind a proxy shows.
fn behind(
    session: &Session,
    maker: &Exchange,
    exchange: &Exchange,
    around: &Around<'_>,
    notes: &mut Notes<'_>,
) {
    let Some(moved) = relay::moved_behind(session, exchange, around) else { return };
    let message = format!(
        "{} was refused by another server behind {}: address {}, then {}",
        exchange.kind, exchange.server, moved.made.0, moved.lost.0
    );
    let spans = [maker.span(), exchange.span(), moved.made.1, moved.lost.1];
    notes.note(notes.severity(), Confidence::Likely, &spans, message);
}

/// What to do where two addresses were asked: a client takes those that the name has, one after the other.
const OF_ADDRESSES: &str = "Two addresses were asked: let the host's name lead to one of them, or set BITSHostId on each node so that clients stay with theirs; where a balancer in front of the capture chose them, give it affinity by client address.";

/// What to do where the client went back from the host that BITS-Host-Id named.
const OF_NODE: &str = "Find out why the node that BITS-Host-Id named was left; let the nodes share one folder, or expect a restart from byte 0.";

/// What to do where the client went to the host that BITS-Host-Id named, and that does not know the session.
const OF_NAME: &str = "The client went where BITS-Host-Id sent it: let BITSHostId of each node name that node itself, by a name that leads to it alone.";

/// The last Fragment before an exchange that the host took which BITS-Host-Id named.
fn held<'a>(session: &'a Session, exchange: &Exchange, named: &Named<'_>) -> Option<&'a Exchange> {
    course::ahead(session, exchange)
        .find(|other| look::succeeded_fragment(other) && named.takes(other))
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Error;
    use crate::rules::tests::{diagnosed, report, severity};
    use crate::rules::{Confidence, Finding};

    #[test]
    fn two_legs_of_one_upload_have_one_cause() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 1 s\n< 500 error=0x8020001F context=0x5\n\
                    ... -1 s\n= client 192.0.2.80\n= server 10.0.9.80:80\n> CREATE-SESSION\n< 200 session=1\n... 500 ms\n\
                    = server 10.0.9.81:80\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n";
        let sessions = report(text).sessions;
        assert_eq!(sessions.len(), 2);
        for session in &sessions {
            let told = session.diagnosis.as_ref().unwrap();
            assert_eq!(told.cause, "session-not-found-after-server-change");
            assert_eq!(told.answerable.as_deref(), Some("whoever runs the balancer"));
            assert!(told.summary.contains("address 10.0.9.80:80, then 10.0.9.81:80"));
            let same = |finding: &Finding| finding.rule == "session-not-found-same-connection";
            assert!(!session.findings.iter().any(same));
        }
    }

    const NAMED: &str = "> CREATE-SESSION\n< 200 session=1 host=192.0.2.81\n\
                         = server 192.0.2.81:80\n= url http://192.0.2.81/upload/file.bin\n";

    #[test]
    fn a_client_that_was_sent_there_needs_no_affinity() {
        let text = format!("{NAMED}> FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n");
        let diagnosis = diagnosed(&text);
        assert_eq!(diagnosis.cause, "session-not-found-after-server-change");
        assert_eq!(diagnosis.answerable.as_deref(), Some("who set BITSHostId"));
        assert!(diagnosis.advice.unwrap().contains("name that node itself"));
    }

    #[test]
    fn another_address_of_the_first_host_is_not_where_a_client_was_sent() {
        let who = "whoever runs the host's name, or the balancer";
        let text = "> CREATE-SESSION\n< 200 session=1 host=node1\n= server 192.0.2.81:80\n\
                    > FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n";
        assert_eq!(diagnosed(text).answerable.as_deref(), Some(who));
        let named = text.replace(" host=node1", "");
        assert_eq!(diagnosed(&named).answerable.as_deref(), Some(who));
        let one = "> CREATE-SESSION\n< 200 session=1\n  Server: Microsoft-IIS/10.0\n> FRAGMENT 0-9/20\n\
                   < 500 error=0x8020001F context=0x5\n  Server: Microsoft-IIS/8.5\n";
        assert_eq!(diagnosed(one).answerable.as_deref(), Some("whoever runs the balancer"));
    }

    #[test]
    fn the_named_node_that_had_bytes_is_the_server_all_along() {
        let text = format!(
            "{NAMED}> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 500 error=0x8020001F context=0x5\n"
        );
        assert_eq!(diagnosed(&text).cause, "session-not-found");
    }

    #[test]
    fn an_address_of_the_other_family_may_be_of_the_same_host() {
        let sure = |server: &str, client: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n= client {client}\n= server {server}\n\
                 > FRAGMENT 0-9/10\n< 500 error=0x8020001F context=0x5\n"
            ))
            .confidence
        };
        assert_eq!(sure("192.0.2.81:80", "10.0.0.5"), Confidence::Likely);
        assert_eq!(sure("[2001:db8::81]:80", "2001:db8::5"), Confidence::Possible);
    }

    #[test]
    fn another_clock_is_another_server() {
        let text = "> CREATE-SESSION\n< 200 session=1\n  Date: Thu, 01 Jan 2026 00:00:00 GMT\n\
             > FRAGMENT 0-9/10\n< 500 error=0x8020001F\n  Date: Thu, 01 Jan 2026 00:00:40 GMT";
        assert_eq!(severity("session-not-found-after-server-change", text), Some(Error));
        let set_back = text.replace("> FRAGMENT", "... -90 s\n> FRAGMENT");
        assert_eq!(severity("session-not-found-after-server-change", &set_back), None);
    }

    #[test]
    fn a_clock_that_is_seen_hours_later_may_have_been_set() {
        let later = |wait: &str, date: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n  Date: Thu, 01 Jan 2026 00:00:00 GMT\n... {wait}\n\
                 = connection\n> FRAGMENT 0-9/10\n< 500 error=0x8020001F\n  Date: Thu, 01 Jan 2026 {date} GMT"
            );
            severity("session-not-found-after-server-change", &text)
        };
        assert_eq!(later("600 s", "00:10:40"), Some(Error));
        assert_eq!(later("7200 s", "02:00:40"), None);
    }
}
