//! The rule `tcp-reset-by-client`.

use std::ptr;

use crate::model::{Exchange, Session};
use crate::rules::{Around, Notes, Severity, lost, relay, reset, unanswered};
use crate::stream::{Reset, Side};

rule! {
    /// The client reset the connection before it had its answer.
    ///
    /// A time-out, a job that was suspended or cancelled, a user who logged off.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000 lost
    /// < 200
    /// > CLOSE-SESSION
    /// < 200 lost
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server closes
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// ! client resets
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Look into the client's BITS log at this time.
    /// Confirm: Event 61 in the client's BITS-Client log at the same second.
    /// Reference: [MC-BUP] 3.1.6
    Warning, belief 40, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let own = notes.severity();
    // A proxy that does not wait any longer resets the connection to the server. What goes over loopback comes from
    // one on the host of the server.
    let relayed = session.client.address.is_loopback() || relay::is_relayed(session, around);
    let gave_up = |exchange: &Exchange| {
        relayed && unanswered::whole(session).any(|(other, _)| ptr::eq(other, exchange))
    };
    let weigh = |exchange: &Exchange, reset: &Reset| {
        // The client had its reason.
        let connection = session.connection(exchange.connection);
        let stalled = connection.is_some_and(|connection| reset::is_stalled(connection, reset.at));
        let own = if stalled || gave_up(exchange) { Severity::Note } else { own };
        lost::unless_done(session, exchange, own)
    };
    reset::judge(session, Side::Client, weigh, notes);
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_proxy_on_the_host_of_the_server_waited_for_an_answer() {
        let cause = |client: &str| {
            let text = format!(
                "= client {client}\n= server 127.0.0.1:8080\n> CREATE-SESSION\n< 200 session=1\n\
                 > FRAGMENT 0-9/20\n... 30 s\n! client resets\n"
            );
            diagnosed(&text).cause
        };
        assert_eq!(cause("127.0.0.1"), "request-abandoned");
        assert_eq!(cause("10.0.0.5"), "tcp-reset-by-client");
    }
}
