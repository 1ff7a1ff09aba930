//! The rule `tcp-reset-by-server`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look, reset};
use crate::stream::{Reset, Side};

rule! {
    /// The server reset the connection before it had answered.
    ///
    /// The RST looks like the server's other packets: a recycled worker process, a connection limit, a filter.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets ttl=254
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ... 120 s
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 300 s
    /// ! client closes
    /// ! server resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    /// Whether it had answered, the capture does not tell:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// < 500 plain lost
    /// ! server resets
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look into the server's log at this time: a recycled application pool, a connection limit, a filter.
    /// Client: 0x80072EFE
    /// Confirm: A capture on the server shows the same RST leaving.
    /// Reference: RFC 9293 3.5.2
    Error, belief 45, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let own = notes.severity();
    let weigh = |exchange: &Exchange, _: &Reset| look::unless_overcome(session, exchange, own);
    reset::judge(session, Side::Server, weigh, notes);
    for (exchange, reset) in reset::behind_a_hole(session) {
        let message = format!(
            "the server reset the connection, behind bytes of its own that the capture lacks: they may be the answer to \
             the {}",
            exchange.kind
        );
        let span = reset::span(exchange, &reset);
        notes.note(Severity::Note, Confidence::Possible, &[span], message);
    }
}
