//! The rule `fragment-outside-limits`.

use crate::model::exchange::LEAST_FRAGMENT;
use crate::model::{Exchange, Session};
use crate::rules::{Notes, look, wording};

rule! {
    /// The client calls itself Windows, but its Fragments have a size that Windows does not send.
    ///
    /// Windows sends 5 KB to 13 MB at a time, up to version 6.6 at most 128 KB; only the last Fragment may be
    /// shorter. Another client, or one that pretends.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99/200
    /// < 200
    /// > FRAGMENT 100-199/200
    /// < 200
    /// ```
    /// The last Fragment is as short as it comes:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-8191/8200
    /// < 200
    /// > FRAGMENT 8192-8199/8200
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: The User-Agent and the program on the client that sends from this port.
    /// Reference: [MC-BUP] Appendix A <10>
    Note, belief 0, needs Anything, Session
}

/// What Windows does not exceed ([MC-BUP] Appendix A <10>).
const MOST: u64 = 13 * 1024 * 1024;

/// What versions 6.5 and 6.6 do not exceed.
const MOST_ONCE: u64 = 128 * 1024;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(agent) = session.user_agent.as_deref().filter(|_| look::claims_windows(session))
    else {
        return;
    };
    let old = ["/6.5", "/6.6"].iter().any(|version| agent.ends_with(version));
    let most = if old { MOST_ONCE } else { MOST };
    let outside = |exchange: &&Exchange| {
        let Some(len) = look::range(exchange).filter(|range| range.valid).and_then(|r| r.len())
        else {
            return false;
        };
        len > most || len < LEAST_FRAGMENT && !look::is_final(exchange)
    };
    let mut all = session.exchanges.iter().filter(outside);
    let Some(first) = all.next() else { return };
    let len = look::range(first).and_then(|range| range.len()).unwrap_or(0);
    let more = match all.count() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    let odd = if len < LEAST_FRAGMENT { "less than the 5 KB that" } else { "more than" };
    let len = wording::counted(len, "byte");
    notes.add(
        first.span(),
        format!("a Fragment of {len}, {odd} Windows sends, by \"{agent}\"{more}"),
    );
}
