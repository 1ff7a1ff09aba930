//! The rule `half-open-retry`.

use crate::at::{At, Span};
use crate::model::Session;
use crate::rules::{Confidence, Notes, reset, wording};
use crate::stream::{Connection, Side};

rule! {
    /// Data was repeated without any acknowledgement until the client gave up, or to the end.
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
    /// ... 1 s
    /// ! again
    /// ... 2 s
    /// ! again
    /// ... 4 s
    /// ! again
    /// ... 8 s
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
                "no acknowledgement of {} in spite of {}; {what}",
                wording::counted(client.unacked(), "byte"),
                wording::counted(client.repeats, "repeated segment"),
            );
            let span = [Span { first: last, last: end }];
            let finding = notes.note(notes.severity(), Confidence::Likely, &span, message);
            if let Some(finding) = finding.filter(|_| was_idle(session, connection)) {
                finding.advice = Some(OF_IDLE.into());
            }
        }
    }
}

/// What to do where the silence began behind a pause.
const OF_IDLE: &str = "The connection had been idle before: look for an idle timer on the way (a firewall, an address translator, a balancer) that drops connections without a word, and raise it above the pauses of the job; else for an outage at this time.";

/// Whether a pause that an idle timer may not outlive came before the last request of a connection.
fn was_idle(session: &Session, connection: &Connection) -> bool {
    let mut latest = session.on(connection.id).rev();
    let (last, before) = (latest.next(), latest.next());
    last.zip(before).is_some_and(|(last, before)| {
        last.span().first.time.secs_since(before.span().last.time) >= reset::IDLE_SECS
    })
}

/// What ended the wait after `last`, and how to say it.
fn end(session: &Session, connection: &Connection, last: At) -> Option<(At, String)> {
    let later = |at: At, what: &str| {
        (at, format!("{} later {what}", wording::lasting(at.time.secs_since(last.time))))
    };
    let next = session.begun_after(last.frame).map(|next| later(next.first, "a new connection"));
    let reset = connection.reset.filter(|reset| reset.side == Side::Client);
    next.or_else(|| reset.map(|reset| later(reset.at, "the client reset the connection")))
        .or_else(|| is_lasting(session, connection, last).then(|| (last, TO_THE_END.to_owned())))
}

const TO_THE_END: &str = "nothing more was captured of the connection";

/// Whether the client repeats for so long that it would have heard of a single loss: it sends again only what nobody
/// acknowledged to it, whatever the capture lacks.
fn is_lasting(session: &Session, connection: &Connection, last: At) -> bool {
    let since = session.on(connection.id).next_back().map(|one| one.span().first.time);
    let secs = since.map_or(0.0, |since| last.time.secs_since(since));
    connection.client_side.repeats >= LASTING && secs >= LASTING_SECS
}

/// A host waits twice as long before each repeat (RFC 6298 5.5).
const LASTING: u32 = 4;
const LASTING_SECS: f64 = 10.0;

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn behind_a_pause_it_may_be_an_idle_timer() {
        let advice = |pause: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n... {pause}\n> FRAGMENT 0-9/20 dropped\n! again\n\
                 ! again\n... 20 s\n= connection\n> PING\n< 200\n"
            );
            let told = diagnosed(&text);
            assert_eq!(told.cause, "half-open-retry");
            told.advice.unwrap()
        };
        assert!(advice("900 s").contains("idle timer"));
        assert!(!advice("1 s").contains("idle timer"));
    }
}
