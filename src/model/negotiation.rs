//! Which protocol client and server agreed on ([MC-BUP] 1.7.1).

use std::sync::OnceLock;

use hashbrown::HashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exchange, Response, Text};
use crate::bits::fields::VALUE_LIMIT;
use crate::bits::hresult::{INVALID_ARGUMENT, PROTOCOL_MISMATCH};
use crate::bits::protocol;

/// The offers of a Create-Session and the choice of its Ack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Negotiation {
    /// The offers, most preferred first ([MC-BUP] 2.2.2.2).
    pub offered: Vec<Offer>,
    /// The choice ([MC-BUP] 2.2.3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Offer>,
    /// Place of the choice among the offers, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_index: Option<usize>,
    /// What came of it.
    pub verdict: Verdict,
}

/// A protocol by its GUID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// As written.
    pub guid: Text,
    /// Its registered name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Place of the same protocol earlier in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<usize>,
}

/// What came of a negotiation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The most preferred one was chosen.
    Agreed,
    /// A later one was chosen, which is the server's right.
    AgreedLowerPreference,
    /// The server knows none of them.
    NoCommonProtocol,
    /// Refused although the registered protocol was offered.
    RefusedAlthoughKnown,
    /// No offer was made.
    OfferMissing,
    /// No offer is a GUID.
    OfferMalformed,
    /// The registered protocol stands behind the hundredth entry.
    OfferTooLong,
    /// The list is longer than 4 KiB.
    OfferTooBig,
    /// Success without a choice.
    SelectionMissing,
    /// The choice was not among the offers.
    SelectedNotOffered,
    /// The choice is not one GUID.
    SelectionMalformed,
    /// An authentication round.
    AuthPending,
    /// Refused for another reason.
    RefusedOther,
    /// The answer is not from a BITS server.
    NotAnsweredByBits,
    /// No answer was seen.
    #[default]
    Unanswered,
    /// The capture ends within the answer, before it shows the choice.
    AnswerCut,
    /// No answer can be seen: the capture has one direction only.
    HalfSeen,
    /// Only the answer was seen.
    SelectionOnly,
}

impl Negotiation {
    /// Reads the negotiation from a Create-Session exchange.
    pub fn of(exchange: &Exchange) -> Self {
        let request = exchange.request.as_ref();
        let raw = request.and_then(|request| request.supported_protocols.as_ref());
        let offered = raw.map_or_else(Vec::new, offers);
        let response = exchange.response.as_ref();
        // A refusal must not carry one ([MC-BUP] 2.2.3.2).
        let accepted = response.filter(|response| response.is_success());
        let selected = accepted.and_then(|response| response.protocol.clone()).map(offer);
        let mut negotiation =
            Self { offered, selected, selected_index: None, verdict: Verdict::Unanswered };
        negotiation.selected_index = negotiation.place_of_choice();
        negotiation.verdict = match (&exchange.request, &exchange.response) {
            (_, None) => Verdict::Unanswered,
            (None, Some(_)) => Verdict::SelectionOnly,
            (Some(request), Some(response)) => {
                let verdict = negotiation.judge(raw.map(|raw| &**raw), response);
                match verdict {
                    _ if raw.is_none() && request.is_cut() => without_offer(verdict),
                    // The type that it lacks is reason enough.
                    Verdict::RefusedAlthoughKnown if request.packet_type.is_none() => {
                        Verdict::RefusedOther
                    }
                    _ => verdict,
                }
            }
        };
        negotiation
    }

    /// Takes the offers from another Create-Session of the same client, where the capture lacks the one that was answered:
    /// a client that tries again offers the same.
    pub(super) fn or_offered_in(mut self, other: Option<&Exchange>) -> Self {
        let known = self.verdict == Verdict::SelectionOnly && self.offered.is_empty();
        let Some(other) = other.filter(|_| known).map(Self::of) else { return self };
        self.offered = other.offered;
        self.selected_index = self.place_of_choice();
        if self.selected_index.is_some() {
            self.verdict = self.judge_choice();
        }
        self
    }

    /// The place of the choice among the offers.
    fn place_of_choice(&self) -> Option<usize> {
        let guid = protocol::guid(&self.selected.as_ref()?.guid)?;
        self.offered.iter().position(|offer| protocol::guid(&offer.guid) == Some(guid))
    }

    /// Whether protocols were offered, none of which is registered.
    pub(crate) fn offers_unknown_only(&self) -> bool {
        !self.offered.is_empty() && self.offered.iter().all(|offer| offer.name.is_none())
    }

    fn judge(&self, raw: Option<&str>, response: &Response) -> Verdict {
        if response.is_challenge() {
            return Verdict::AuthPending;
        }
        if response.is_cut() {
            return self.judge_cut(raw, response);
        }
        if !response.is_ack() && !response.accepts() {
            return Verdict::NotAnsweredByBits;
        }
        if response.is_success() { self.judge_choice() } else { self.judge_refusal(raw, response) }
    }

    /// What stands before the place where the head is cut.
    fn judge_cut(&self, raw: Option<&str>, response: &Response) -> Verdict {
        match (response.is_success(), self.selected_index) {
            (false, _) if response.is_ack() && response.error.is_some() => {
                self.judge_refusal(raw, response)
            }
            (false, _) => Verdict::RefusedOther,
            (true, Some(_)) => self.judge_choice(),
            (true, None) if self.selected.is_some() => Verdict::SelectionOnly,
            (true, None) => Verdict::AnswerCut,
        }
    }

    fn judge_choice(&self) -> Verdict {
        match (&self.selected, self.selected_index) {
            (None, _) => Verdict::SelectionMissing,
            (Some(_), Some(0)) => Verdict::Agreed,
            (Some(_), Some(_)) => Verdict::AgreedLowerPreference,
            (Some(offer), None) if protocol::guid(&offer.guid).is_none() => {
                Verdict::SelectionMalformed
            }
            (Some(_), None) => Verdict::SelectedNotOffered,
        }
    }

    fn judge_refusal(&self, raw: Option<&str>, response: &Response) -> Verdict {
        let code = response.error_value();
        let about_protocol = code == Some(PROTOCOL_MISMATCH)
            || response.http_status == 400 && code.is_none_or(|code| code == INVALID_ARGUMENT);
        if !about_protocol {
            return Verdict::RefusedOther;
        }
        if self.offered.is_empty() {
            return Verdict::OfferMissing;
        }
        if raw.is_some_and(|raw| raw.len() > VALUE_LIMIT) {
            return Verdict::OfferTooBig;
        }
        if self.offered.iter().all(|offer| protocol::guid(&offer.guid).is_none()) {
            return Verdict::OfferMalformed;
        }
        match self.offered.iter().position(|offer| offer.name.is_some()) {
            None => Verdict::NoCommonProtocol,
            Some(place) if place >= protocol::OFFERS_READ => Verdict::OfferTooLong,
            Some(_) => Verdict::RefusedAlthoughKnown,
        }
    }
}

fn offer(guid: Text) -> Offer {
    Offer { name: protocol::name(&guid).map(registered), guid, duplicate_of: None }
}

/// The name of the one protocol that has one.
fn registered(name: &'static str) -> Text {
    static NAME: OnceLock<Text> = OnceLock::new();
    NAME.get_or_init(|| name.into()).clone()
}

/// What a verdict comes to where the capture ends ahead of the offer.
const fn without_offer(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::OfferMissing | Verdict::NoCommonProtocol => Verdict::RefusedOther,
        Verdict::SelectedNotOffered => Verdict::SelectionOnly,
        other => other,
    }
}

fn offers(raw: &Text) -> Vec<Offer> {
    // Most offer one.
    let shared = |entry: &str| raw.same_or(entry);
    let mut offers: Vec<Offer> = protocol::offers(raw).map(shared).map(offer).collect();
    if offers.len() > 1 {
        let mut seen = HashMap::<_, _>::default();
        for (place, offer) in offers.iter_mut().enumerate() {
            let bare = protocol::canonical_id(offer.guid.trim_matches('"'));
            let first = *seen.entry(bare).or_insert(place);
            offer.duplicate_of = (first != place).then_some(first);
        }
    }
    offers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript;

    #[test]
    fn the_same_protocol_in_another_spelling_is_there_twice() {
        let offers = offers(
            &"{7df0354d-249b-430f-820d-3d2a9bef4931} {1} 7DF0354D-249B-430F-820D-3D2A9BEF4931"
                .into(),
        );
        let places: Vec<_> = offers.iter().map(|offer| offer.duplicate_of).collect();
        assert_eq!(places, [None, None, Some(0)]);
    }

    #[test]
    fn a_client_that_tries_again_offers_the_same() {
        let told = |second: &str| {
            let text =
                format!("> CREATE-SESSION\n< 401 plain lost\n{second}> FRAGMENT 0-9/10\n< 200\n");
            let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut ());
            report.sessions[0].negotiation.clone().unwrap()
        };
        let seen = told("> CREATE-SESSION lost\n< 200 session=1\n");
        assert_eq!((seen.offered.len(), seen.verdict), (1, Verdict::Agreed));
        assert_eq!(told("> CREATE-SESSION\n< 200 session=1\n"), seen);
    }
}
