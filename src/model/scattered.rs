//! Servers that take Fragments in any order, and confirm of each one its own end only.

use super::exchange::{Exchange, Response};
use super::ranges::Ranges;
use crate::bits::PacketType;

/// Whether the server showed that it takes Fragments in any order: one was taken that began behind all that it had, or
/// ahead of what it had with bytes that it was never sent.
pub fn takes_any_order(exchanges: &[Exchange]) -> bool {
    shows_any_order(exchanges).is_some()
}

/// The first exchange that shows it.
pub fn shows_any_order(exchanges: &[Exchange]) -> Option<&Exchange> {
    let (mut sent, mut top) = (Ranges::default(), 0);
    // Nothing that it was sent is missing up to here.
    let mut known = false;
    for exchange in exchanges {
        known &= !is_behind_loss(exchange);
        let answer = exchange.response.as_ref();
        match exchange.kind {
            PacketType::CreateSession => known |= answer.is_some_and(Response::is_success),
            PacketType::Fragment => {
                let (start, end) = exchange.bounds()?;
                let next = answer.filter(|answer| answer.is_success()).and_then(|a| a.next_offset);
                let fresh = sent.within(start, end).next().is_none();
                let astray = known && start > top || fresh && end < top;
                if next == Some(end) && astray {
                    return Some(exchange);
                }
                known &= answer.is_some();
                sent.add(start, end);
                top = next.map_or(top, |next| next.max(top));
                // The server tells how much it has in order.
                let ordered = answer.filter(|answer| answer.http_status == 416);
                top = ordered.and_then(|answer| answer.next_offset).unwrap_or(top);
            }
            // Only its answer was seen.
            PacketType::Unknown if exchange.confirms_bytes() => {
                top =
                    answer.and_then(|answer| answer.next_offset).map_or(top, |next| next.max(top));
            }
            _ => {}
        }
    }
    None
}

/// Whether the server took a Fragment that was new and ended before what it had confirmed.
pub fn fills_holes(exchanges: &[Exchange]) -> bool {
    let (mut sent, mut top) = (Ranges::default(), 0);
    let fragments = exchanges.iter().filter(|exchange| exchange.kind == PacketType::Fragment);
    fragments.filter_map(|exchange| Some((exchange, exchange.bounds()?))).any(
        |(exchange, (start, end))| {
            let answer = exchange.response.as_ref().filter(|answer| answer.is_success());
            let next = answer.and_then(|answer| answer.next_offset);
            let fills = next == Some(end) && end < top && sent.within(start, end).next().is_none();
            sent.add(start, end);
            top = next.map_or(top, |next| next.max(top));
            fills
        },
    )
}

/// Whether the capture lacks answers to Fragments and nothing else: all that were answered were taken whole, and each
/// without an answer was followed by a request on its connection, as no client asks again before it is answered
/// ([MC-BUP] 3.1.5.1.4).
pub fn lacks_answers_only(exchanges: &[Exchange]) -> bool {
    let short =
        |fragment: &Exchange, next: u64| fragment.bounds().is_some_and(|(_, end)| next < end);
    let taken = |(place, exchange): (usize, &Exchange)| match &exchange.response {
        Some(answer) if exchange.succeeded() => {
            answer.next_offset.is_none_or(|next| !short(exchange, next))
        }
        Some(answer) => answer.is_challenge(),
        None => exchanges.iter().skip(place + 1).any(|e| e.connection == exchange.connection),
    };
    let fragments = || exchanges.iter().enumerate().filter(|(_, e)| e.kind == PacketType::Fragment);
    fragments().any(|(_, fragment)| fragment.response.is_none()) && fragments().all(taken)
}

/// Whether the capture lacks something that may have been a Fragment, behind the Create.
pub fn lacks_some(exchanges: &[Exchange]) -> bool {
    let mut later = exchanges.iter().skip_while(|e| e.kind != PacketType::CreateSession).skip(1);
    later.any(is_behind_loss)
}

/// Whether requests were lost before it, or its own.
fn is_behind_loss(exchange: &Exchange) -> bool {
    exchange.request.as_ref().map_or_else(|| exchange.confirms_bytes(), |request| request.after_gap)
}
