//! The rule `half-open-retry`.

use crate::at::{At, Span};
use crate::model::Session;
use crate::rules::{Notes, look, reset};
use crate::stream::{Connection, Side};

rule! {
    /// Data was repeated without any acknowledgement until the client gave up or opened another connection.
    ///
    /// The other side was gone, or the path to it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// = connection
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ! again
    /// ... 20 s
    /// = connection
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// ! client resets
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Look for an outage at this time: a failover, a route that changed, a VPN that came up, a host that moved.
    /// Client: 0x80072EFE
    /// Confirm: A capture on the server shows whether the repeated segments arrive.
    /// Reference: RFC 9293 3.8.3
    Warning, belief 39, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for connection in &session.connections {
        let client = &connection.client_side;
        let Some(last) = client.last_data.filter(|_| !connection.is_one_sided()) else { continue };
        let Some((end, what)) = end(session, connection, last) else { continue };
        // An RST or FIN of the server would explain the silence.
        let reset = connection.reset.filter(|reset| reset.side == Side::Server);
        let told = [reset.map(|reset| reset.at), connection.server_side.fin];
        let told = told.into_iter().flatten().any(|at| at.frame < end.frame);
        if !told && reset::repeats_in_vain(connection) {
            let message = format!(
                "no acknowledgement of {} in spite of {}; {} later {what}",
                look::counted(client.unacked(), "byte"),
                look::counted(client.repeats, "repeated segment"),
                look::lasting(end.time.secs_since(last.time))
            );
            notes.likely(Span { first: last, last: end }, message);
        }
    }
}

/// What ended the wait after `last`, and how to say it.
fn end(session: &Session, connection: &Connection, last: At) -> Option<(At, &'static str)> {
    let next = session.begun_after(last.frame);
    let reset = connection.reset.filter(|reset| reset.side == Side::Client);
    let reset = reset.map(|reset| (reset.at, "the client reset the connection"));
    next.map(|next| (next.first, "a new connection")).or(reset)
}
