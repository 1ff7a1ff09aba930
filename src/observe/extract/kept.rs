//! Which copy of its bytes the server has, by what it said to each Fragment.

use super::assemble::Taken;
use super::manifest::State;
use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::model::ranges::Ranges;
use crate::model::{Exchange, Session};
use crate::observe::digest::FragmentAnswer;

/// Steps over parts that the answers of a session may take: of one that goes back more often, nothing is proven.
const STEPS: usize = 1 << 23;

/// What speaks for a copy being the one that the server has, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// The server took it, or said that it has these bytes.
    Held,
    /// It took it, and counts as if it had not.
    Doubtful,
    /// No answer was seen.
    Waiting,
    /// The request failed.
    Failed,
    /// The server took less of a Fragment.
    Short,
    /// It said in a refusal that it has not got these bytes.
    Denied,
    /// One of the last two, and what came in its place may be missing in the capture.
    Replaced,
}

/// Bytes of a Fragment, from the first offset up to but not including the second.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Its place among the exchanges.
    fragment: usize,
    from: u64,
    to: u64,
    standing: Standing,
}

impl Part {
    /// What of it lies before `offset`, and the rest.
    fn split(self, offset: u64) -> [Option<Self>; 2] {
        let low = Self { to: self.to.min(offset), ..self };
        let high = Self { from: self.from.max(offset), ..self };
        [low, high].map(|part| Some(part).filter(|part| part.from < part.to))
    }
}

/// The server's copy of a file. It keeps what it has where bytes come twice, and its next byte, which may fall, tells
/// what that is ([MC-BUP] 2.2.7.2, 3.2.5.2.6).
#[derive(Default)]
struct Stored {
    /// In the order in which it got them.
    held: Vec<Part>,
    covered: Ranges,
    /// All others.
    open: Vec<Part>,
    steps: usize,
}

impl Stored {
    fn answer(&mut self, part: Part, answer: FragmentAnswer) {
        self.open.retain(|open| open.fragment != part.fragment);
        let failed = Part { standing: Standing::Failed, ..part };
        match (answer.accepted, answer.next) {
            (true, next) => self.accept(part, next),
            (false, Some(next)) if next < part.to => {
                self.open.push(failed);
                self.give_up(next, Standing::Denied);
                self.claim(next, Standing::Denied);
            }
            (false, Some(next)) => {
                // It took nothing of this, unless it can have the bytes from nowhere else.
                self.give_up(next, Standing::Denied);
                self.claim(next, Standing::Denied);
                self.open.push(failed);
                self.claim(next, Standing::Failed);
            }
            (false, None) => self.open.push(failed),
        }
    }

    fn accept(&mut self, part: Part, next: Option<u64>) {
        let stands = next.unwrap_or(part.to);
        let [taken, left] = part.split(stands);
        if stands < part.to {
            self.give_up(stands, Standing::Short);
        } else if stands < self.covered.reach(0) {
            self.give_up(stands, Standing::Doubtful);
        }
        taken.into_iter().for_each(|part| self.hold(part));
        self.open.extend(left.map(|part| Part { standing: Standing::Short, ..part }));
        if let Some(next) = next {
            self.claim(next, Standing::Short);
        }
    }

    fn hold(&mut self, part: Part) {
        self.covered.add(part.from, part.to);
        self.held.push(Part { standing: Standing::Held, ..part });
    }

    fn step(&mut self) {
        self.steps += self.held.len() + self.open.len();
    }

    const fn is_spent(&self) -> bool {
        self.steps > STEPS
    }

    /// From `offset` on, copies stand no better than this.
    fn give_up(&mut self, offset: u64, standing: Standing) {
        let end = self.covered.iter().last().map_or(0, |(_, end)| end);
        if end <= offset && self.open.iter().all(|part| part.to <= offset) {
            return;
        }
        self.step();
        let all = [std::mem::take(&mut self.held), std::mem::take(&mut self.open)].concat();
        for [low, high] in all.into_iter().map(|part| part.split(offset)) {
            let high = high.map(|part| Part { standing: part.standing.max(standing), ..part });
            for part in low.into_iter().chain(high) {
                let is_held = part.standing == Standing::Held;
                if is_held { self.held.push(part) } else { self.open.push(part) }
            }
        }
        self.covered.remove(offset, u64::MAX);
    }

    /// The server has all bytes before `offset`: they are of copies that stand no worse than `worst`. Those that it
    /// gave up count where there are no others.
    fn claim(&mut self, offset: u64, worst: Standing) {
        for worst in [worst.min(Standing::Failed), worst] {
            if self.covered.covers(0, offset) {
                return;
            }
            self.step();
            let missing = self.covered.missing(offset);
            let mut open = std::mem::take(&mut self.open);
            open.sort_by_key(|part| part.standing);
            for part in open {
                if part.standing > worst {
                    self.open.push(part);
                    continue;
                }
                let mut rest = Some(part);
                for (from, to) in missing.within(part.from, part.to) {
                    let [before, after] = rest.map_or([None; 2], |part| part.split(from));
                    let [claimed, after] = after.map_or([None; 2], |part| part.split(to));
                    self.open.extend(before);
                    claimed.into_iter().for_each(|part| self.hold(part));
                    rest = after;
                }
                self.open.extend(rest);
            }
        }
    }

    /// The capture lacks something.
    fn lose_track(&mut self) {
        for part in self.open.iter_mut().filter(|part| part.standing >= Standing::Short) {
            part.standing = Standing::Replaced;
        }
    }
}

/// The copies of a session's bytes, each with its Fragment, in the order in which they count.
pub(super) fn of(session: &Session) -> Vec<(&Exchange, Taken)> {
    let mut stored = Stored::default();
    for (_, answers, place, exchange) in events(session) {
        if answers && stored.is_spent() {
            continue;
        }
        let answer = exchange.response.as_ref().filter(|_| answers).map(FragmentAnswer::of);
        match (&exchange.request, answer) {
            (Some(_), Some(answer)) => stored.answer(part(exchange, place), answer),
            (Some(request), None) => {
                if request.after_gap {
                    stored.lose_track();
                }
                stored.open.push(part(exchange, place));
            }
            (None, Some(FragmentAnswer { accepted: false, next: Some(next) })) => {
                stored.give_up(next, Standing::Denied);
            }
            (None, _) => stored.lose_track(),
        }
    }
    stored.open.sort_by_key(|part| part.standing);
    let spent = stored.is_spent();
    let parts = stored.held.into_iter().chain(stored.open);
    parts
        .map(|part| if spent { Part { standing: Standing::Replaced, ..part } } else { part })
        .filter_map(|part| {
            let exchange = session.exchanges.get(part.fragment)?;
            Some((exchange, taken(exchange, part)))
        })
        .collect()
}

/// The requests and answers of Fragments as they came: frame, whether it is the answer, and the exchange.
fn events(session: &Session) -> Vec<(u64, bool, usize, &Exchange)> {
    let is_fragment =
        |exchange: &Exchange| exchange.kind == PacketType::Fragment || exchange.confirms_bytes();
    let mut events = Vec::new();
    for (place, exchange) in session.exchanges.iter().enumerate() {
        if is_fragment(exchange) {
            let asked = exchange.span().first.frame;
            events.push((asked, false, place, exchange));
            let answered = exchange.response.as_ref().map(|answer| answer.span.first.frame);
            events.extend(answered.map(|frame| (frame.max(asked), true, place, exchange)));
        }
    }
    events.sort_by_key(|(frame, answers, place, _)| (*frame, *answers, *place));
    events
}

/// All that a Fragment brings, without an answer.
fn part(fragment: &Exchange, place: usize) -> Part {
    let range = fragment.range();
    Part {
        fragment: place,
        from: range.and_then(|range| range.start).unwrap_or(0),
        to: range.and_then(ContentRange::behind).unwrap_or(u64::MAX),
        standing: Standing::Waiting,
    }
}

fn taken(fragment: &Exchange, part: Part) -> Taken {
    let given_up = part.standing >= Standing::Failed;
    let state = match &fragment.response {
        _ if given_up => State::Refused,
        None => State::Sent,
        Some(_) if fragment.succeeded() => State::Acknowledged,
        Some(_) => State::Refused,
    };
    Taken { from: part.from, to: part.to, state, counts: !given_up }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript;

    /// How many copies count after so many Fragments, half of which send the server back to the middle of the first.
    fn counting(fragments: u64) -> usize {
        let mut text = String::new();
        for start in (0..fragments).map(|number| number * 20) {
            let (end, total) = (start + 9, fragments * 20);
            text += &format!("> FRAGMENT {start}-{end}/{total} session=1\n");
            text += if start < total / 2 { "< 200\n" } else { "< 416 next=5\n" };
        }
        let records = transcript::play(&text).unwrap();
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        of(&session).iter().filter(|(_, taken)| taken.counts).count()
    }

    #[test]
    fn who_goes_back_without_end_is_followed_only_so_far() {
        assert!(counting(100) > 0);
        assert_eq!(counting(8_000), 0);
    }
}
