//! The rule `pipelined-requests`.

use std::collections::{BTreeMap, VecDeque};

use crate::at::At;
use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A request was sent before the last one was answered.
    ///
    /// The protocol allows one outstanding request; Windows keeps to that, so this is another client.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// > FRAGMENT 10-19/20
    /// < 200 received=10
    /// < 200 received=20
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client wait for each Ack before the next request.
    /// Reference: [MC-BUP] 2.2.1
    Warning, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut under_way = BTreeMap::<u64, VecDeque<(&Exchange, At)>>::new();
    for exchange in &session.exchanges {
        let Some(request) = &exchange.request else { continue };
        let ahead = under_way.entry(exchange.connection).or_default();
        while ahead.front().is_some_and(|(_, answer)| answer.frame <= request.span.last.frame) {
            ahead.pop_front();
        }
        // Directions captured apart may stand one behind the other in a file: their times tell.
        let (begun, ended) = (request.span.first, request.span.last);
        let waiting = ahead.iter().take(LOOKED_AT).find(|(other, answer)| {
            let sent = other.span().first.frame < begun.frame;
            sent && answer.frame > ended.frame && answer.time > begun.time
        });
        if let Some((waiting, _)) = waiting
            && look::is_whole(session, exchange)
        {
            let message = format!(
                "{} was sent before the {} ahead of it was answered",
                exchange.kind, waiting.kind
            );
            notes.add(exchange.span(), message);
        }
        if let Some(response) = &exchange.response {
            ahead.push_back((exchange, response.span.first));
        }
    }
}

/// Requests ahead of one that are looked at; those before them were answered long after it.
const LOOKED_AT: usize = 64;
