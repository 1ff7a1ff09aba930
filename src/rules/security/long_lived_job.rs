//! The rule `long-lived-job`.

use crate::model::{Exchange, Response, Session};
use crate::rules::wording::{self, DAY_SECS};
use crate::rules::{Around, Notes, look};

rule! {
    /// One upload is tried again and again for days.
    ///
    /// Jobs live for up to 90 days and survive restarts; what is tried this long is forgotten, or keeps a foothold.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 4 d
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 10 min
    /// = repeat 20
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 1 d
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: See who owns the job (`bitsadmin /list /allusers`) and whether it is still wanted.
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(span) = session.span() else { return };
    let earlier = || {
        around
            .same_upload()
            .filter(|brief| brief.is_open() || brief.lost || brief.http_status.is_some())
    };
    let begun = earlier().next().map_or(span.first, |brief| brief.first);
    let days = span.last.time.secs_since(begun.time) / DAY_SECS;
    let tries = earlier().count() + tries(session);
    if days > DAYS || tries > TRIES {
        let tried = wording::counted(tries, "time");
        notes.add(span, format!("tried {tried} within {}", wording::lasting(days * DAY_SECS)));
    }
}

/// How often the client tried: each refusal that is none of the protocol's own ended a try.
fn tries(session: &Session) -> usize {
    let failed = |exchange: &Exchange| {
        let own = |answer: &Response| matches!(answer.http_status, 413 | 416);
        look::refused(exchange) && !exchange.response.as_ref().is_some_and(own)
    };
    let count = session.exchanges.iter().filter(|exchange| failed(exchange)).count();
    count + usize::from(!session.exchanges.last().is_some_and(failed))
}

/// Longer than a weekend takes.
const DAYS: f64 = 3.0;

/// More than the retries of a night at the default delay would make with pauses between.
const TRIES: usize = 20;
