//! The rule `session-not-found-after-idle`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, course, lost, wording};

rule! {
    /// The server forgot the session while nothing was sent.
    ///
    /// IIS keeps a session for 14 days without progress, unless BITSSessionTimeout says otherwise, and looks for old
    /// ones every 12 hours.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 15 d
    /// = connection
    /// > PING
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// The first Close may have done its work:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// ! client closes
    /// ... 15 d
    /// = connection
    /// > CLOSE-SESSION
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 1 h
    /// = connection
    /// > FRAGMENT 10-19/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Raise BITSSessionTimeout on the virtual directory above the longest pause of its clients.
    /// Confirm: BITSSessionTimeout of the virtual directory beside the idle time.
    /// Reference: [MC-BUP] 3.2.2.1
    Warning, belief 71, needs WholeExchange, Trouble
}

/// How often IIS removes old sessions by default; a shorter pause proves nothing about it.
const CLEAN_UP_SECS: f64 = 12.0 * 3600.0;

/// The default of BITSSessionTimeout.
const TIMEOUT_SECS: f64 = 14.0 * 86_400.0;

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if !lost::is_amid(session, exchange) {
        return;
    }
    let Some(idle) = lost::idle_secs(session, exchange).filter(|idle| *idle >= CLEAN_UP_SECS)
    else {
        return;
    };
    // An earlier Close may have been carried out.
    if course::ahead(session, exchange).any(|one| lost::is_done_unheard(session, one)) {
        return;
    }
    let moved = lost::maker(session, exchange)
        .is_some_and(|maker| !lost::changes(session, maker, exchange).is_empty());
    if moved {
        return;
    }
    let confidence = if idle >= TIMEOUT_SECS { Confidence::Likely } else { Confidence::Possible };
    let message =
        format!("{} was refused after {} without progress", exchange.kind, wording::lasting(idle));
    notes.note(notes.severity(), confidence, &[exchange.span()], message);
}
