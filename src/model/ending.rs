//! What a capture lacks of the end of a session, told from what did not come.

use super::negotiation::Verdict;
use super::session::{CLIENT_WAITS_SECS, CREDENTIALS_SECS};
use super::{Outcome, Session};
use crate::at::At;
use crate::stream::Connection;

/// So long, in seconds, a client waits before it tries again after an error, by default.
const RETRY_SECS: f64 = 600.0;

impl Session {
    /// Tells an answer that cannot be seen from one that did not come, by the connections.
    pub(crate) fn tell_half_seen(&mut self) {
        let all = &self.connections;
        let half = !all.is_empty() && all.iter().all(Connection::is_one_sided);
        if let Some(negotiation) = &mut self.negotiation
            && negotiation.verdict == Verdict::Unanswered
            && half
        {
            negotiation.verdict = Verdict::HalfSeen;
        }
    }

    /// Tells what the capture, whose last frame is `end`, has no more of from what was given up: a request whose connection
    /// goes on, and whose client may still wait ([MC-BUP] 3.1.2.2), or one for credentials that may still come. A retry that
    /// had the time to come is not to be hoped for.
    pub(crate) fn tell_capture_ended(&mut self, end: At) {
        let Some(last) = self.exchanges.last() else { return };
        let since = end.time.secs_since(self.ended);
        if since > RETRY_SECS {
            self.outcome_qualifiers.retain(|it| it != "may-recover");
        }
        let connection = self.connection(last.connection);
        match &last.response {
            None if self.outcome == Outcome::Incomplete
                && since < CLIENT_WAITS_SECS
                && connection.is_some_and(|connection| !connection.is_over()) =>
            {
                for it in self.outcome_qualifiers.iter_mut().filter(|it| *it == "interrupted") {
                    "capture-ended".clone_into(it);
                }
            }
            Some(answer)
                if self.outcome.is_failure()
                    && answer.is_challenge()
                    && since < CREDENTIALS_SECS
                    && connection.is_some_and(Connection::client_goes_on) =>
            {
                self.outcome = Outcome::Incomplete;
                self.outcome_qualifiers.insert(0, "capture-ended".to_owned());
            }
            _ => {}
        }
    }
}
