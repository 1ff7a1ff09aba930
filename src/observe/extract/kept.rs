//! How much of each Fragment the server kept, by what it said later.

use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::model::{Exchange, Session};

/// What an answer says about bytes sent before it: those before `low` are there, those from `high` on are not.
#[derive(Clone, Copy)]
struct Word {
    low: u64,
    high: u64,
}

const SILENCE: Word = Word { low: 0, high: u64::MAX };

impl Word {
    fn of(fragment: &Exchange) -> Self {
        let Some(response) = &fragment.response else { return SILENCE };
        let (start, end) = range(fragment);
        match response.next_offset {
            Some(next) if response.http_status == 416 => Self { low: next, high: next },
            _ if !response.is_success() => SILENCE,
            Some(next) if next < end => Self { low: next.min(start), high: next },
            _ => Self { low: start, high: u64::MAX },
        }
    }

    /// This one, and then a `later` one, which counts where they contradict each other.
    fn then(self, later: Self) -> Self {
        let correct = |offset: u64| offset.max(later.low).min(later.high);
        Self { low: correct(self.low), high: correct(self.high) }
    }
}

/// The bytes that a Fragment brings: the first, and the one behind the last.
fn range(fragment: &Exchange) -> (u64, u64) {
    let range = fragment.range();
    let behind = range.and_then(ContentRange::behind).unwrap_or(0);
    (range.and_then(|range| range.start).unwrap_or(0), behind)
}

/// The Fragments of a session, each with the offset up to which the server kept its bytes if it took them: the server's
/// next byte tells what it holds ([MC-BUP] 2.2.7.2), and may fall.
pub(super) fn of(session: &Session) -> Vec<(&Exchange, u64)> {
    let mut said = SILENCE;
    let fragments = session.exchanges.iter().filter(|e| e.kind == PacketType::Fragment).rev();
    let mut kept: Vec<_> = fragments
        .map(|fragment| {
            said = Word::of(fragment).then(said);
            (fragment, if said.high < range(fragment).1 { said.high } else { u64::MAX })
        })
        .collect();
    kept.reverse();
    kept
}
