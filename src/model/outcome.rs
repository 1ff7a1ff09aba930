//! How a session ended, as far as its exchanges show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::{Exchange, Response};
use super::fold::{View, own};
use super::negotiation::{Negotiation, Verdict};
use super::qualifier::Qualifier;
use super::ranges::Ranges;
use super::{replaced, scattered, unseen_close};
use crate::bits::PacketType;
use crate::bits::hresult::{ACCESS_DENIED, INVALID_ARGUMENT, TOO_LARGE};

/// How a session ended, as far as the capture shows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Close-Session was answered with success and nothing shows that bytes are missing, or it must have been: a
    /// qualifier says how sure that is.
    Completed,
    /// Cancel-Session was sent, and not refused, and no Close-Session had succeeded before.
    Cancelled,
    /// Create-Session, or a request that names no session, was refused, or answered by something that is no BITS
    /// server.
    Rejected,
    /// The last thing seen is an error that no later success undid.
    Failed,
    /// The end was not seen.
    Incomplete,
}

impl Outcome {
    /// All of them, in the order in which they are counted and listed.
    pub const ALL: [Self; 5] =
        [Self::Completed, Self::Cancelled, Self::Rejected, Self::Failed, Self::Incomplete];

    /// Whether the client had nothing more to do: it had closed or cancelled the session.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }

    /// Whether an error or a refusal ended it.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Rejected | Self::Failed)
    }

    /// Whether the server may still hold the session.
    pub(crate) const fn leaves_open(self) -> bool {
        matches!(self, Self::Failed | Self::Incomplete)
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
        }
    }
}

impl View<'_> {
    /// The outcome, and what qualifies it.
    pub fn outcome(&self) -> (Outcome, Vec<Qualifier>) {
        self.cancelled()
            .or_else(|| self.completed())
            .or_else(|| self.closed_unseen())
            .or_else(|| self.rejected())
            .or_else(|| self.failed())
            .unwrap_or_else(|| (Outcome::Incomplete, self.why_incomplete()))
    }

    fn cancelled(&self) -> Option<(Outcome, Vec<Qualifier>)> {
        let mut qualifiers = Vec::new();
        let cancels = |one: &Exchange| one.kind == PacketType::CancelSession;
        let place = self.exchanges.iter().rposition(cancels)?;
        let (before, cancel) = (self.exchanges.get(..place)?, self.exchanges.get(place)?);
        // What was closed cannot be cancelled any more ([MC-BUP] 3.1.5.2.5).
        let closed = |one: &Exchange| {
            let earlier = one.ends() < cancel.begins();
            let done = one.succeeded() && !one.is_answered_for(cancel);
            one.kind == PacketType::CloseSession && done && earlier
        };
        if before.iter().any(closed) {
            return None;
        }
        match &cancel.response {
            Some(response) if response.is_success() || response.says_lost() => {}
            Some(_) => return None,
            // It did not arrive, or the client thought better of it.
            None if self.goes_on_after_cancel() => return None,
            None => qualifiers.push(Qualifier::Unconfirmed),
        }
        let full = |total: u64| total > 0 && View::of(before).acknowledged == total;
        if self.total.is_some_and(full) {
            qualifiers.push(Qualifier::AfterLastByte);
        }
        Some((Outcome::Cancelled, qualifiers))
    }

    /// Whether the server took a Fragment or a Close behind the last Cancel: it still had the session.
    fn goes_on_after_cancel(&self) -> bool {
        let behind = self.exchanges.iter().rev();
        let mut behind = behind.take_while(|exchange| exchange.kind != PacketType::CancelSession);
        let needs =
            |kind: &PacketType| matches!(kind, PacketType::Fragment | PacketType::CloseSession);
        behind.any(|exchange| needs(&exchange.kind) && exchange.succeeded())
    }

    fn completed(&self) -> Option<(Outcome, Vec<Qualifier>)> {
        let full = self.everything_acknowledged();
        let answered: Vec<_> = self.closes().map(|exchange| exchange.response.as_ref()).collect();
        if answered.iter().any(|response| response.is_some_and(Response::is_success)) {
            let known = self.total.is_some();
            let confirmed = self.total == Some(self.acknowledged);
            if confirmed || self.joined || !known && !self.lacks_ranges() {
                return Some((Outcome::Completed, Vec::new()));
            }
            if full && known
                || self.has_hole_behind_fragments()
                || self.lacks_ranges()
                || self.may_have_all_the_same()
                || self.is_short_by_slip()
            {
                return Some((Outcome::Completed, vec![Qualifier::Likely]));
            }
            if replaced::since(self.exchanges).is_some() {
                // What answered in place of the server may have passed the Fragments on.
                let is_ack = |answer: &&Response| answer.is_success() && answer.is_ack();
                let closed = answered.into_iter().flatten().find(is_ack);
                return closed.map(|_| (Outcome::Completed, vec![Qualifier::Likely]));
            }
            return Some((Outcome::Failed, vec![Qualifier::ClosedShort]));
        }
        let known = full && self.total.is_some();
        // How far the file got was not captured.
        let unknown = self.joined || self.total.is_none() && self.acknowledged > 0;
        match *answered.last()? {
            None if known => Some((Outcome::Completed, vec![Qualifier::Unconfirmed])),
            Some(last)
                if last.says_lost()
                    && ((known || unknown) && may_have_closed(&answered)
                        || known
                            && (self.may_repeat_a_lost_close() || self.was_closed_unseen())) =>
            {
                Some((Outcome::Completed, vec![Qualifier::Likely]))
            }
            _ => None,
        }
    }

    fn closed_unseen(&self) -> Option<(Outcome, Vec<Qualifier>)> {
        unseen_close::is_likely(self.exchanges, self.total)
            .then(|| (Outcome::Completed, vec![Qualifier::Likely]))
    }

    /// Whether the session may have been over before an answer that it is unknown: behind what may be the Ack of a Close,
    /// where a Close may be missing with what that answers, or where nothing else tells of it, since that may be to a Close
    /// or Cancel that is repeated.
    fn may_have_been_over(&self) -> bool {
        let had_all = self.total == Some(self.acknowledged);
        had_all && self.exchanges.last().is_some_and(Exchange::is_lost_unasked)
            || self.was_closed_unseen()
            || unseen_close::place_of_possible_ack(self.exchanges).is_some()
            || self.exchanges.iter().all(Exchange::is_lost_unasked)
    }

    fn was_closed_unseen(&self) -> bool {
        unseen_close::place_of_ack(self.exchanges, self.total).is_some()
    }

    /// The Closes, with those that the capture lacks and the server did not know the session for: behind a Close a
    /// client sends nothing else.
    fn closes(&self) -> impl Iterator<Item = &Exchange> {
        let is_close = |exchange: &Exchange| exchange.kind == PacketType::CloseSession;
        let behind = self.exchanges.iter().skip_while(move |exchange| !is_close(exchange));
        behind.filter(move |exchange| is_close(exchange) || exchange.is_lost_unasked())
    }

    fn ends_with_close(&self) -> bool {
        self.exchanges.last().is_some_and(|last| last.kind == PacketType::CloseSession)
    }

    /// Whether the last Close may repeat one that the capture lacks.
    fn may_repeat_a_lost_close(&self) -> bool {
        let last = self.of_kind(&PacketType::CloseSession).next_back();
        let request = last.and_then(|close| close.request.as_ref());
        request.is_some_and(|request| request.after_gap)
    }

    /// Whether the last Fragments may be among what the capture lacks.
    fn has_hole_behind_fragments(&self) -> bool {
        let mut later = own(self.exchanges).rev().take_while(|e| e.kind != PacketType::Fragment);
        later.any(|exchange| exchange.request.as_ref().is_some_and(|request| request.after_gap))
    }

    /// Whether how far Fragments reached, or how far the server confirmed them, may be among what is cut off of heads.
    fn lacks_ranges(&self) -> bool {
        let lacks = |exchange: &Exchange| {
            let (request, answer) = (exchange.request.as_ref(), exchange.response.as_ref());
            request.is_some_and(|request| request.is_cut() && request.content_range.is_none())
                || answer.is_some_and(|answer| answer.is_cut() && answer.next_offset.is_none())
        };
        self.exchanges.iter().any(|exchange| exchange.kind.may_be_fragment() && lacks(exchange))
    }

    /// Whether a server that takes Fragments in any order may have those that the capture, or an answer to them, lacks.
    fn may_have_all_the_same(&self) -> bool {
        let mut sent = Ranges::default();
        for exchange in self.of_kind(&PacketType::Fragment) {
            let refused = exchange.response.is_some() && !exchange.succeeded();
            if let Some((start, end)) = exchange.bounds().filter(|_| !refused) {
                sent.add(start, end);
            }
        }
        let whole = self.total.is_some_and(|total| sent.covers(0, total));
        whole && scattered::lacks_answers_only(self.exchanges)
            || (whole || scattered::lacks_some(self.exchanges))
                && scattered::takes_any_order(self.exchanges)
    }

    /// Whether the last byte alone is unconfirmed, by a server that names the last byte of each Fragment in place of the
    /// one after it; once may be a byte that it did not take.
    fn is_short_by_slip(&self) -> bool {
        let taken = || self.of_kind(&PacketType::Fragment).filter(|one| one.succeeded());
        let slips = |one: &Exchange| {
            let next = one.response.as_ref().and_then(|ack| ack.next_offset);
            next.is_some() && next == one.range().and_then(|range| range.end)
        };
        let habit = taken().nth(1).is_some() && taken().all(slips);
        habit && self.total == self.acknowledged.checked_add(1)
    }

    /// Whether the server confirmed the last byte, or must have in an answer that the capture lacks.
    fn everything_acknowledged(&self) -> bool {
        let Some(total) = self.total else { return true };
        if self.acknowledged == total {
            return true;
        }
        let last = own(self.exchanges).rfind(|exchange| exchange.kind == PacketType::Fragment);
        let answer_lost = last.is_some_and(|exchange| {
            exchange.response.is_none()
                && exchange.range().and_then(|range| range.end) == total.checked_sub(1)
        });
        answer_lost && self.closes().any(|close| close.response.is_some())
    }

    fn rejected(&self) -> Option<(Outcome, Vec<Qualifier>)> {
        let bare = || self.exchanges.last().filter(|_| self.is_bare());
        let create = self.create().or_else(bare).filter(|create| create.request.is_some())?;
        let response = create.response.as_ref()?;
        let went_on = self.exchanges.iter().any(|exchange| match exchange.kind {
            PacketType::CreateSession | PacketType::Ping => false,
            // What it answers was lost; a server says so to none but a client that it has let in.
            PacketType::Unknown => exchange.response.as_ref().is_some_and(Response::accepts),
            _ => true,
        });
        let verdict = Negotiation::of(create).verdict;
        let usable = response.is_success()
            && response.is_ack()
            && response.session_id.as_deref().is_some_and(|id| !id.is_empty())
            && matches!(
                verdict,
                Verdict::Agreed | Verdict::AgreedLowerPreference | Verdict::SelectionOnly
            );
        if usable || went_on || response.is_cut() && response.is_success() {
            return None;
        }
        let qualifiers =
            if response.is_challenge() { vec![Qualifier::Authentication] } else { Vec::new() };
        Some((Outcome::Rejected, qualifiers))
    }

    fn failed(&self) -> Option<(Outcome, Vec<Qualifier>)> {
        let response =
            self.exchanges.last()?.response.as_ref().filter(|response| !response.is_success())?;
        let unknown = response.says_lost();
        // Nothing is left to cancel where the code that is cut off says so.
        let unread = response.is_cut() && response.error.is_none();
        let cancels = |last: &Exchange| last.kind == PacketType::CancelSession;
        if unread && self.exchanges.last().is_some_and(cancels) {
            return None;
        }
        if self.is_unclear()
            || unknown && self.ends_with_close() && self.may_repeat_a_lost_close()
            || unknown && self.may_have_been_over()
        {
            return None;
        }
        let mut qualifiers = Vec::new();
        if unknown {
            qualifiers.push(Qualifier::Lost);
        } else if response.is_challenge() {
            qualifiers.push(Qualifier::Authentication);
        } else if self.exchanges.last().is_some_and(may_recover) {
            qualifiers.push(Qualifier::MayRecover);
        }
        Some((Outcome::Failed, qualifiers))
    }

    /// Whether no request shows what it is: nothing tells whether there was a session.
    fn is_unclear(&self) -> bool {
        self.exchanges.iter().all(Exchange::is_unclear)
    }

    fn why_incomplete(&self) -> Vec<Qualifier> {
        if self.is_unclear() {
            return vec![Qualifier::HeadsCut];
        }
        let unanswered = self.exchanges.last().is_some_and(|exchange| exchange.response.is_none());
        if unanswered { vec![Qualifier::Interrupted] } else { vec![Qualifier::IdleAtEnd] }
    }
}

/// Whether a server may have carried out one of several Closes before it said that it does not know the session: no
/// answer came, or one of a gateway that got none.
fn may_have_closed(answered: &[Option<&Response>]) -> bool {
    let mut before = answered.iter().take_while(|answer| !answer.is_some_and(Response::says_lost));
    before.any(|answer| answer.is_none_or(Response::is_of_gateway))
}

/// Whether a client tries again after an error, later or with less: 501 and 505 are for good, and so is what the server
/// says no to ([MC-BUP] 3.1.5.2.1, 3.2.5.2.3). Of the errors of an application the status tells, be the code what it
/// may.
fn may_recover(exchange: &Exchange) -> bool {
    let Some(response) = &exchange.response else { return false };
    let status = response.http_status;
    let passes = matches!(status, 408 | 500 | 502..=504 | 506..=599);
    if response.is_of_application() {
        return passes || status == 409;
    }
    let final_codes = [TOO_LARGE, INVALID_ARGUMENT, ACCESS_DENIED].map(Some);
    let smaller = status == 413 && !exchange.is_as_small_as_can_be();
    (passes || smaller || status == 416) && !final_codes.contains(&response.error_value())
}
