//! The rule `idle-reset`.

use crate::model::{Exchange, Session};
use crate::rules::closed::Closed;
use crate::rules::{Notes, reset, wording};
use crate::stream::Side;

rule! {
    /// A connection was dropped while it was idle, and the client did not know.
    ///
    /// The request after a pause met RST: a firewall, an address translator or a balancer had forgotten the connection
    /// without telling its ends.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 350 s
    /// > FRAGMENT 10-19/20 dropped
    /// ! server resets ttl=254
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20 dropped
    /// ! server resets ttl=254
    /// ```
    /// What acknowledged the request had not forgotten the connection:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 350 s
    /// > FRAGMENT 10-19/20
    /// ! server resets ttl=254
    /// ```
    /// A balancer sends RST as the server would:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 350 s
    /// > FRAGMENT 10-19/20 dropped
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 350 s
    /// ! server resets
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Raise the idle timer of the firewall or balancer on the way above the pauses of the job, or let its ends use keep-alives.
    /// Client: 0x80072EFE
    /// Confirm: The device's log shows the connection as timed out; a capture on the server does not show the RST leaving.
    /// Reference: RFC 5382 5
    Warning, belief 47, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, reset, sender) in reset::inside(session, Side::Server) {
        if Closed::before(session, exchange).is_some() || is_arrived(session, exchange) {
            continue;
        }
        let before = session
            .on(exchange.connection)
            .filter(|other| other.span().last.frame < exchange.span().first.frame)
            .map(|other| other.span().last)
            .max_by_key(|at| at.frame);
        let Some(before) = before else { continue };
        let idle = exchange.span().first.time.secs_since(before.time);
        if idle >= reset::IDLE_SECS {
            let message = format!(
                "after {} without a packet the {} met RST ({})",
                wording::lasting(idle),
                exchange.kind,
                sender.evidence
            );
            notes.likely(reset::span(exchange, &reset), message);
        }
    }
}

/// Whether at least the head of a request was acknowledged.
fn is_arrived(session: &Session, exchange: &Exchange) -> bool {
    let connection = session.connection(exchange.connection);
    let unacked = connection.map(|connection| connection.client_side.unacked());
    let body = exchange.request.as_ref().map(|request| request.body.bytes);
    unacked.zip(body).is_some_and(|(unacked, body)| unacked <= body)
}

#[cfg(test)]
mod tests {
    use crate::at::Timestamp;
    use crate::transcript;

    #[test]
    fn a_server_that_had_closed_the_connection_itself_forgot_nothing() {
        let text = "> CREATE-SESSION\n< 200 session=1\n... 120 s\n> FRAGMENT 0-9/20 dropped\n\
                    ! server resets ttl=254\n";
        let mut records = transcript::play(text).unwrap();
        let fired = |records: &[transcript::Record]| {
            let report = transcript::analyse(records, &mut ());
            report.sessions[0].findings.iter().map(|found| found.rule.to_string()).collect()
        };
        let before: Vec<String> = fired(&records);
        assert!(before.contains(&"idle-reset".to_owned()), "{before:?}");
        let holds = |data: &[u8]| data.windows(7).any(|bytes| bytes == b"0-9/20\r");
        let asked = records.iter().position(|record| holds(&record.data)).unwrap();
        // What the RST says, as FIN with ACK.
        let mut fin = records.last().unwrap().clone();
        fin.data[47] = 0x11;
        fin.at.time = Timestamp::from_nanos(records[asked].at.time.nanos() - 1_000);
        records.insert(asked, fin);
        for (record, number) in records.iter_mut().zip(1..) {
            record.at.frame = number;
        }
        let after: Vec<String> = fired(&records);
        assert!(!after.contains(&"idle-reset".to_owned()), "{after:?}");
    }
}
