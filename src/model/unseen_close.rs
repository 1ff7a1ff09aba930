//! A Close-Session that the capture lacks, told by its Ack: that counts no bytes, as the Ack of a Fragment does, and
//! opens nothing ([MC-BUP] 2.2.7.2, 2.2.9).

use super::exchange::{Exchange, Response};
use super::fold::length;
use crate::bits::PacketType;

/// The place of an Ack that must be that of an unseen Close: right before it on its connection, the server confirmed
/// the last byte of the file, which has `total` of them, and behind it the server took nothing more.
pub(super) fn place_of_ack(exchanges: &[Exchange], total: Option<u64>) -> Option<usize> {
    let place = exchanges.iter().rposition(is_taken)?;
    let [.., before, ack] = exchanges.get(..=place)? else { return None };
    let confirmed = before.response.as_ref().and_then(|response| response.next_offset);
    let reached = confirmed.or_else(|| end_of(before));
    let whole = before.confirms_bytes() && total.is_some() && reached == total;
    (may_be_ack(ack) && whole && before.connection == ack.connection).then_some(place)
}

/// Whether the last Ack, but for answers that the session is unknown, is likely that of an unseen Close: it came right
/// behind the last Fragment of the file on its connection, and counts no bytes where others do. A client that goes on
/// at once has nothing else to ask.
pub(super) fn is_likely(exchanges: &[Exchange], total: Option<u64>) -> bool {
    let last = exchanges.iter().rposition(|exchange| !exchange.says_lost());
    let Some([.., fragment, ack]) = last.and_then(|last| exchanges.get(..=last)) else {
        return false;
    };
    // Who has every byte refuses the last ones again.
    let has_all = |answer: &Response| answer.http_status == 416 && answer.next_offset == total;
    let taken = |answer: &Response| answer.is_success() || has_all(answer);
    let sends_last_byte = fragment.kind == PacketType::Fragment
        && fragment.response.as_ref().is_none_or(taken)
        && end_of(fragment) == total;
    may_be_ack(ack)
        && sends_last_byte
        && fragment.connection == ack.connection
        && exchanges.iter().any(Exchange::confirms_bytes)
}

/// The place of the last Ack, but for answers that the session is unknown, where it may be that of an unseen Close: it
/// counts no bytes, and neither what was confirmed before nor what the client sends behind it tells that the file has
/// more. It may as well be that of a Ping.
pub(super) fn place_of_possible_ack(exchanges: &[Exchange]) -> Option<usize> {
    let place = exchanges.iter().rposition(is_taken)?;
    let (before, ack) = (exchanges.get(..place)?, exchanges.get(place)?);
    let confirmed = |one: &Exchange| {
        let next = one.response.as_ref().and_then(|answer| answer.next_offset);
        next.or_else(|| end_of(one))
    };
    let reached = || before.iter().rev().find_map(confirmed);
    let whole = length(before).is_none_or(|total| reached() == Some(total));
    let is = |kind| move |one: &Exchange| one.kind == kind;
    let fresh = before.iter().any(is(PacketType::CreateSession))
        && !before.iter().any(is(PacketType::Fragment));
    let goes_on = exchanges
        .iter()
        .skip(place)
        .filter_map(Exchange::range)
        .any(|range| range.behind() < range.total || fresh && range.start == Some(0));
    (may_be_ack(ack) && whole && !goes_on).then_some(place)
}

/// Whether the server took what it answers, be it not a Ping, which ends nothing.
fn is_taken(exchange: &Exchange) -> bool {
    exchange.kind != PacketType::Ping && exchange.response.as_ref().is_some_and(Response::accepts)
}

/// Whether only an answer was seen, which may be the Ack of a Close.
pub(crate) fn may_be_ack(exchange: &Exchange) -> bool {
    let closes = |answer: &Response| {
        answer.accepts() && answer.next_offset.is_none() && answer.protocol.is_none()
    };
    exchange.request.is_none() && exchange.response.as_ref().is_some_and(closes)
}

/// The byte behind the range that a request names.
fn end_of(exchange: &Exchange) -> Option<u64> {
    exchange.bounds().map(|(_, end)| end)
}
