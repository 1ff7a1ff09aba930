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
        while ahead.front().is_some_and(|one| one.answer.frame <= request.span.last.frame) {
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
    /// Whether its answer had not come when `next` was sent.
    fn waits_for(&self, next: &Request) -> bool {
        // Directions captured apart may stand one behind the other in a file: their times tell, or what was acknowledged.
        let (begun, ended) = (next.span.first, next.span.last);
        let had = self.awaits.is_some() && next.awaits > self.awaits;
        let sent = self.exchange.span().first.frame < begun.frame;
        sent && self.answer.frame > ended.frame && self.answer.time > begun.time && !had
    }
}

/// Requests ahead of one that are looked at; those before them were answered long after it.
const LOOKED_AT: usize = 64;

#[cfg(test)]
mod tests {
    use crate::at::Timestamp;
    use crate::{Analysis, Options, transcript};

    #[test]
    fn an_answer_that_was_acknowledged_had_come_wherever_it_stands_in_the_file() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 200";
        let mut records = transcript::play(text).unwrap();
        let place = |what: &[u8], nth: usize| {
            let holds = |data: &[u8]| data.windows(what.len()).any(|bytes| bytes == what);
            let mut found = (0..records.len()).filter(|place| holds(&records[*place].data));
            found.nth(nth).unwrap()
        };
        let (answer, next) = (place(b"HTTP/1.1 200", 1), place(b"10-19/20", 0));
        let late = records[next].at;
        let moved = records.remove(answer);
        records.insert(next, moved);
        for (record, number) in records.iter_mut().zip(1..) {
            record.at.frame = number;
        }
        records[next].at.time = Timestamp::from_nanos(late.time.nanos() + 1);
        let mut analysis = Analysis::new(Options::default());
        records.iter().for_each(|record| analysis.push(&record.frame(), &mut ()));
        let report = analysis.finish(Vec::new(), &mut ());
        let findings = &report.sessions[0].findings;
        assert!(findings.iter().all(|found| found.rule != "pipelined-requests"), "{findings:?}");
    }
}
