//! The rule `create-without-fragment`.

use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Outcome, Session};
use crate::rules::{Around, Confidence, Notes, look, wording};

rule! {
    /// A session was opened and never used.
    ///
    /// The client had its Ack, sent nothing more, and the capture goes on: the job was paused by policy, battery or
    /// log-off, the Ack did not reach the client, or the host that it was sent to is out of reach.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 6 min
    /// = client 10.0.0.6
    /// > GET /
    /// < 200 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 4 min
    /// = client 10.0.0.6
    /// > GET /
    /// < 200 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200
    /// ... 6 min
    /// = client 10.0.0.6
    /// > GET /
    /// < 200 plain
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Look at the job on the client (Get-BitsTransfer -AllUsers) and into its BITS log; see what BITS-Host-Id names.
    /// Confirm: Event 59 to 61 in the client's BITS-Client log at this time.
    /// Reference: [MC-BUP] 3.1.2
    Warning, belief 22, needs WholeSession, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if session.outcome != Outcome::Incomplete {
        return;
    }
    let quiet = around.quiet_secs_after(session);
    let used = session.exchanges.iter().any(|exchange| !exchange.kind.precedes_session());
    let (Some(opened), false) = (look::created(session), used) else { return };
    if quiet >= CLIENT_WAITS_SECS {
        let message = format!(
            "opened, and nothing more in the {} that the capture goes on",
            wording::lasting(quiet)
        );
        notes.note(notes.severity(), Confidence::Likely, &[opened.span()], message);
    }
}
