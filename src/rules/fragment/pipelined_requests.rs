//! The rule `pipelined-requests`.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;

use crate::at::At;
use crate::model::{Exchange, Request, Session};
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
    let mut under_way = BTreeMap::<u64, VecDeque<Ahead<'_>>>::new();
    for exchange in &session.exchanges {
        let Some(request) = &exchange.request else { continue };
        let ahead = under_way.entry(exchange.connection).or_default();
        while ahead.front().is_some_and(|one| one.is_over_before(request)) {
            ahead.pop_front();
        }
        let waiting = ahead.iter().take(LOOKED_AT).find(|one| one.waits_for(request));
        if let Some(waiting) = waiting
            && look::is_whole(session, exchange)
        {
            let message = format!(
                "{} was sent before the {} ahead of it was answered",
                exchange.kind, waiting.exchange.kind
            );
            notes.add(exchange.span(), message);
        }
        if let Some(response) = &exchange.response {
            let awaits = request.awaits.filter(|_| ahead.is_empty());
            ahead.push_back(Ahead { exchange, answer: response.span.first, awaits });
        }
    }
}

/// A request ahead of others.
struct Ahead<'s> {
    exchange: &'s Exchange,
    /// Where its answer begins.
    answer: At,
    /// The client had what comes before it, which nothing else was to come before.
    awaits: Option<NonZeroU64>,
}

impl Ahead<'_> {
    /// Whether its answer was there before the end of `next`, or had come before that was sent: directions captured apart
    /// may stand one behind the other in a file, or their clocks differ, but what was acknowledged tells.
    fn is_over_before(&self, next: &Request) -> bool {
        let had = self.awaits.is_some() && next.awaits > self.awaits;
        had || self.answer.frame <= next.span.last.frame
    }

    /// Whether its answer had not come when `next` was sent, by the times as well.
    fn waits_for(&self, next: &Request) -> bool {
        let (begun, before) = (next.span.first, self.exchange.span().first);
        let same = self.awaits.is_some() && next.awaits == self.awaits;
        let sent = same || before.frame < begun.frame && before.time < begun.time;
        sent && self.answer.time > begun.time && !self.is_over_before(next)
    }
}

/// Requests ahead of one that are looked at; those before them were answered long after it.
const LOOKED_AT: usize = 64;

#[cfg(test)]
mod tests {
    use crate::transcript;

    const ORDINARY: &str = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n\
                            > FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n";

    /// The rules that fire where the frames of which `is` holds are stamped so much later.
    fn fired(nanos: i64, is: impl Fn(&[u8]) -> bool) -> Vec<String> {
        let report = transcript::analyse(&transcript::delayed(ORDINARY, nanos, is), &mut ());
        report.sessions[0].findings.iter().map(|found| found.rule.to_string()).collect()
    }

    fn is_by_server(data: &[u8]) -> bool {
        data[34..36] == 80_u16.to_be_bytes()
    }

    #[test]
    fn an_answer_that_was_acknowledged_had_come_wherever_it_stands_in_the_file() {
        let answers = |data: &[u8]| is_by_server(data) && data.windows(4).any(|it| it == b"HTTP");
        for nanos in [300_000, 2_000_000, 100_000_000, 2_000_000_000] {
            for rules in [fired(nanos, is_by_server), fired(nanos, answers)] {
                let told = |rule: &str| rules.iter().any(|fired| fired == rule);
                assert!(!told("pipelined-requests"), "{nanos}: {rules:?}");
                assert!(!told("ua-without-bits-behaviour"), "{nanos}: {rules:?}");
            }
        }
    }
}
