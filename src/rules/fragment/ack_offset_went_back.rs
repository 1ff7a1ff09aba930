//! The rule `ack-offset-went-back`.

use crate::model::Session;
use crate::rules::offsets::{self, Step};
use crate::rules::{Notes, wording};

rule! {
    /// The server acknowledges less than it did before.
    ///
    /// Bytes that it had confirmed are gone: another node answers, a disk was restored, a process restarted. The
    /// client sends them again.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 10-19/30
    /// < 416 received=0
    /// ```
    /// The capture lacks a request, but the client goes back, too:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 10-19/30
    /// < 200 received=20
    /// > FRAGMENT 20-29/30 lost
    /// < 200 received=10
    /// > FRAGMENT 10-19/30
    /// < 200 received=20
    /// ```
    /// A home-made server that repeats the end of what was repeated:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 0-4/30
    /// < 200 received=5
    /// ```
    /// One that takes Fragments in any order, where the capture lacks one of them:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 20-29/30
    /// < 200 received=30
    /// > FRAGMENT 10-19/30 lost
    /// < 200 received=20
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// ```
    /// The capture has only what the server sent:
    /// ```silent
    /// = sees server
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 20-29/30
    /// < 200 received=30
    /// > FRAGMENT 10-19/30
    /// < 200 received=20
    /// ```
    ///
    /// Answerable: the server, or the balancer in front of it
    /// Advice: Give the balancer affinity by client address or set BITSHostId on the virtual directory; check restarts.
    /// Confirm: The IIS logs of all nodes: BITS_POST requests of one session on more than one of them.
    /// Reference: [MC-BUP] 2.2.6
    Error, belief 58, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for Step { exchange, most, next, confidence } in offsets::steps_back(session) {
        let most = wording::counted(most, "byte");
        let message = format!("the server wants byte {next} after it had confirmed {most}");
        notes.note(notes.severity(), confidence, &[exchange.span()], message);
    }
}
