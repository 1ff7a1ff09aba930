//! What a capture lacks of the end of a session, told from what did not come.

use super::exchange::{Exchange, Response};
use super::negotiation::Verdict;
use super::ranges::Ranges;
use super::session::{CLIENT_WAITS_SECS, CREDENTIALS_SECS, LEAST_REQUEST, RETRY_SECS};
use super::{Outcome, Qualifier, Session};
use crate::at::At;
use crate::bits::PacketType;
use crate::stream::{Connection, vain};

/// The Ack of a Fragment takes so many bytes at least.
const LEAST_ACK: u64 = 80;

impl Session {
    /// Whether one direction of all its connections was not captured, though bytes of it were acknowledged.
    pub(crate) fn is_half_seen(&self) -> bool {
        let unseen = |one: &Connection| one.client_side.acked.max(one.server_side.acked) > 0;
        self.is_one_sided() && self.connections().any(unseen)
    }

    /// Whether nothing was captured but what the server sent: nothing tells then what was asked first.
    pub(crate) fn is_answers_only(&self) -> bool {
        self.is_half_seen() && self.exchanges.iter().all(|one| one.request.is_none())
    }

    fn is_one_sided(&self) -> bool {
        !self.connections.is_empty() && self.connections().all(Connection::is_one_sided)
    }

    /// Tells an answer that cannot be seen from one that did not come, by the connections.
    pub(crate) fn tell_half_seen(&mut self) {
        if self.is_one_sided()
            && let Some(negotiation) = &mut self.negotiation
            && negotiation.verdict == Verdict::Unanswered
        {
            negotiation.verdict = Verdict::HalfSeen;
        }
        if self.is_half_seen() {
            self.call_interrupted(Qualifier::HalfSeen);
        }
    }

    /// Says more closely why it was interrupted.
    fn call_interrupted(&mut self, closer: Qualifier) {
        let qualifiers = &mut self.outcome_qualifiers;
        qualifiers
            .iter_mut()
            .filter(|it| **it == Qualifier::Interrupted)
            .for_each(|it| *it = closer);
    }

    /// Tells what may be among the requests of other connections of which the capture lacks so many bytes: what is
    /// missing of a file that the server took as it was.
    pub(crate) fn tell_lacking_beside(&mut self, bytes: u64) {
        self.lacks_beside = bytes;
        let may_be_whole = self.may_be_beside(self.unproven()) || self.lacks_last_ack();
        if self.is(Qualifier::ClosedShort) && may_be_whole && !self.ends_refused() {
            self.outcome = Outcome::Completed;
            self.outcome_qualifiers = vec![Qualifier::Likely];
            self.error = None;
        }
    }

    /// Tells a file that the server took as it was from a short one, where it was seen to have all of it elsewhere.
    pub(crate) fn tell_whole_elsewhere(&mut self) {
        if self.is(Qualifier::ClosedShort) && !self.ends_refused() {
            self.outcome = Outcome::Completed;
            self.outcome_qualifiers = vec![Qualifier::Likely];
            self.error = None;
        }
    }

    /// Whether the answer to the last Fragment of the file may be one to a Fragment before it: the capture lacks a request
    /// of that connection and an answer, so that nothing tells which of them belong together.
    fn lacks_last_ack(&self) -> bool {
        let last = self.exchanges.iter().rfind(|one| one.kind == PacketType::Fragment);
        let ends = |one: &&Exchange| one.bounds().map(|(_, end)| end) == self.bytes_total;
        let connection = last.filter(ends).and_then(|last| self.connection(last.connection));
        connection.is_some_and(|one| {
            one.client_side.lost_by_capture >= LEAST_REQUEST
                && one.server_side.lost_by_capture >= LEAST_ACK
        })
    }

    /// Whether the capture lacks so much beside that Fragments with so many bytes may be among it.
    pub(crate) fn may_be_beside(&self, bytes: u64) -> bool {
        self.lacks_beside >= bytes.saturating_add(LEAST_REQUEST)
    }

    /// Bytes of the file of which no answer was seen that the server has them.
    fn unproven(&self) -> u64 {
        let mut taken = Ranges::default();
        let fragments = self.exchanges.iter().filter(|one| one.kind == PacketType::Fragment);
        let fragments = fragments.filter(|one| one.succeeded());
        fragments.filter_map(Exchange::bounds).for_each(|(start, end)| taken.add(start, end));
        let total = self.bytes_total.unwrap_or(0);
        total.saturating_sub(taken.len().min(self.bytes_acknowledged))
    }

    /// Whether the server refused the last Fragment.
    fn ends_refused(&self) -> bool {
        let last = self.exchanges.iter().rfind(|one| one.kind == PacketType::Fragment);
        last.and_then(|last| last.response.as_ref()).is_some_and(|answer| !answer.is_success())
    }

    /// Tells a refusal that a client makes good from the end, or an Ack that opens nothing it can use, where the capture
    /// lacks a request behind it on its connection, such as `asked_on` is by what was acknowledged behind the last
    /// answer: it may have gone on, or cancelled.
    pub(crate) fn tell_lacking_behind(&mut self, asked_on: Option<u64>) {
        let Some(last) = self.exchanges.last().filter(|_| self.lacks_end) else { return };
        let retried = self.is(Qualifier::Authentication)
            || self.is(Qualifier::MayRecover)
            || last.response.as_ref().is_some_and(Response::is_success);
        let of_body = match &last.request {
            Some(request) => request.body.lacks.uncaptured,
            None if last.is_out_of_range() && asked_on == Some(last.connection) => 0,
            // What the capture lacks may as well be the request itself.
            None => return,
        };
        let lacks =
            self.connection(last.connection).map_or(0, |one| one.client_side.lost_by_capture);
        if self.outcome.is_failure() && retried && lacks >= of_body.saturating_add(LEAST_REQUEST) {
            self.outcome = Outcome::Incomplete;
            self.outcome_qualifiers.retain(|it| *it != Qualifier::MayRecover);
            self.outcome_qualifiers.insert(0, Qualifier::IdleAtEnd);
            self.error = None;
        }
    }

    /// Tells a Close that no server can be told to have from one of which only the answer was not seen: the client
    /// repeated it, and nobody acknowledged it (RFC 9293 3.8.1).
    pub(crate) fn tell_undelivered(&mut self) {
        let in_vain = |close: &Exchange| {
            let connection = self.connection(close.connection).filter(|one| self.sees_server(one));
            let since = connection.and_then(vain::since);
            since.is_some_and(|since| close.span().has(since))
        };
        let mut closes = self.exchanges.iter().filter(|e| e.kind == PacketType::CloseSession);
        let unconfirmed = self.outcome == Outcome::Completed && self.is(Qualifier::Unconfirmed);
        if unconfirmed && closes.all(in_vain) {
            self.outcome = Outcome::Incomplete;
            self.outcome_qualifiers = vec![Qualifier::Interrupted];
        }
    }

    /// Whether the capture would show what the server of a connection sends: it does, or does so of another connection
    /// between the two, while on this one the client itself acknowledges nothing of the server.
    fn sees_server(&self, connection: &Connection) -> bool {
        let ends = |one: &Connection| (one.client.ip(), one.server);
        let is_shown =
            |other: &Connection| !other.is_one_sided() && ends(other) == ends(connection);
        !connection.is_one_sided()
            || connection.server_side.acked == 0 && self.connections().any(is_shown)
    }

    /// Tells what the capture, whose last frame is `end`, has no more of from what was given up: a request whose
    /// connection goes on, and whose client may still wait ([MC-BUP] 3.1.2.2), or one for credentials that may still
    /// come. A retry that had the time to come is not to be hoped for.
    pub(crate) fn tell_capture_ended(&mut self, end: At) {
        let Some(last) = self.exchanges.last() else { return };
        let since = end.time.secs_since(self.last_seen());
        if since > RETRY_SECS {
            self.outcome_qualifiers.retain(|it| *it != Qualifier::MayRecover);
        }
        let connection = self.connection(last.connection);
        match &last.response {
            None if self.outcome == Outcome::Incomplete
                && since < CLIENT_WAITS_SECS
                && connection.is_some_and(|connection| !connection.is_over()) =>
            {
                self.call_interrupted(Qualifier::CaptureEnded);
            }
            Some(answer)
                if self.outcome.is_failure()
                    && answer.is_challenge()
                    && since < CREDENTIALS_SECS
                    && connection.is_some_and(Connection::client_goes_on) =>
            {
                self.outcome = Outcome::Incomplete;
                self.outcome_qualifiers.insert(0, Qualifier::CaptureEnded);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Outcome;
    use crate::transcript;

    #[test]
    fn who_is_seen_to_have_sent_more_behind_a_416_went_on() {
        let outcome = |then: &str| {
            let text = format!(
                "= sees server\n> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000\n< 200\n\
                 = connection\n> FRAGMENT 10000-19999/20000\n< 416 received=5000\n{then}"
            );
            let records = transcript::play(&text).unwrap();
            transcript::analyse(&records, &mut ()).sessions.remove(0).outcome
        };
        assert_eq!(outcome(""), Outcome::Failed);
        assert_eq!(outcome("> FRAGMENT 5000-14999/20000\n"), Outcome::Incomplete);
    }

    #[test]
    fn a_client_may_have_gone_on_behind_a_choice_that_it_did_not_offer() {
        let outcome = |rest: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1 protocol={{0B1E5A4F-77C2-4D0E-9E43-1D7F2A6B9C55}}\n{rest}"
            );
            let records = transcript::play(&text).unwrap();
            transcript::analyse(&records, &mut ()).sessions.remove(0).outcome
        };
        assert_eq!(outcome("! client closes\n"), Outcome::Rejected);
        let unseen = "> CANCEL-SESSION lost\n< 200 lost\n! client closes\n";
        assert_eq!(outcome(unseen), Outcome::Incomplete);
    }

    #[test]
    fn a_close_that_nobody_acknowledges_ends_nothing() {
        let outcome = |close: &str| {
            let text =
                format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n{close}");
            let records = transcript::play(&text).unwrap();
            transcript::analyse(&records, &mut ()).sessions.remove(0).outcome
        };
        let lost = "> CLOSE-SESSION dropped\n! again\n! again\n";
        assert_eq!(outcome(lost), Outcome::Incomplete);
        assert_eq!(outcome(&format!("{lost}= connection\n{lost}")), Outcome::Incomplete);
        assert_eq!(
            outcome(&format!("> CLOSE-SESSION\n! client closes\n= connection\n{lost}")),
            Outcome::Completed
        );
        assert_eq!(outcome("> CLOSE-SESSION dropped\n"), Outcome::Completed);
        // Of that connection nothing of the server was captured.
        let unseen = format!("{lost}= connection\n= sees client\n{lost}! again\n");
        assert_eq!(outcome(&unseen), Outcome::Incomplete);
        let heard = "= connection\n= sees client\n> CLOSE-SESSION\n< 200\n! client closes\n";
        assert_eq!(outcome(&format!("{lost}{heard}")), Outcome::Completed);
        // Copies of what the server has come behind it.
        let copied = "> CLOSE-SESSION dropped\n";
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n{copied}{}",
            "! again\n".repeat(2)
        );
        let mut records = transcript::play(&text).unwrap();
        let is_fragment = |data: &[u8]| data.windows(6).any(|bytes| bytes == b"0-9/10");
        let fragment = records.iter().find(|one| is_fragment(&one.data)).unwrap().data.clone();
        let repeat = records.len() - 2;
        let at = records[repeat].at;
        records.insert(repeat, transcript::Record { at, data: fragment });
        for (record, number) in records.iter_mut().zip(1..) {
            record.at.frame = number;
        }
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        assert_eq!(session.outcome, Outcome::Incomplete);
        // What is repeated is of the next upload.
        let next = "> CLOSE-SESSION\n< 200 lost\n= url http://192.0.2.80/b.bin\n\
                    > CREATE-SESSION dropped\n! again\n! again\n! again\n";
        assert_eq!(outcome(next), Outcome::Completed);
    }
}
