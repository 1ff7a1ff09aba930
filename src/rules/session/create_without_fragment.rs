//! The rule `create-without-fragment`.

use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Outcome, Session};
use crate::rules::{Around, Confidence, Notes, course, wording};
use crate::stream::Connection;

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
    let (Some(opened), false) = (course::created(session), used) else { return };
    if quiet >= CLIENT_WAITS_SECS {
        let message = format!(
            "opened, and nothing more in the {} that the capture goes on",
            wording::lasting(quiet)
        );
        let finding = notes.note(notes.severity(), Confidence::Likely, &[opened.span()], message);
        let connection = session.connection(opened.connection);
        if let Some(finding) = finding.filter(|_| connection.is_some_and(is_unheard)) {
            finding.message.push_str("; the Ack was repeated, and never acknowledged");
            finding
                .turn_to("the network")
                .advise(OF_PATH)
                .confirm_by("A capture at the client: whether the Ack arrives.");
        }
    }
}

/// Whether the server repeated what it had said, and the client did not confirm it to the end.
fn is_unheard(connection: &Connection) -> bool {
    let server = &connection.server_side;
    server.retransmitted > 0 && server.unacked() > 0
}

/// What to do where the answer does not arrive.
const OF_PATH: &str = "Look at the way from the server to the client: the Ack did not arrive, so the client knows of no session.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn an_ack_that_is_repeated_in_vain_did_not_arrive() {
        let who = |ack: &str| {
            let later = "... 6 min\n= client 10.0.0.6\n> GET /\n< 200 plain\n";
            let diagnosis = diagnosed(&format!("> CREATE-SESSION\n< 200 session=1{ack}\n{later}"));
            assert_eq!(diagnosis.cause, "create-without-fragment");
            diagnosis.answerable
        };
        assert_eq!(who("").as_deref(), Some("the client"));
        assert_eq!(who(" dropped\n! again").as_deref(), Some("the network"));
    }
}
