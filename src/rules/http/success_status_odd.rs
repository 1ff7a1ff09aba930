//! The rule `success-status-odd`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look, wording};

rule! {
    /// A BITS server reports success with another status than 200 or 201.
    ///
    /// The protocol knows these two; what a client makes of another one is up to it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 202 session=1 protocol={7df0354d-249b-430f-820d-3d2a9bef4931}
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 206 received=10
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 201 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 201
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server answer 200, or 201 to Create-Session and Close-Session.
    /// Reference: [MC-BUP] 2.2.1.2
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut odd = session.exchanges.iter().filter_map(|one| Some((one, odd_status(one)?)));
    let Some((first, status)) = odd.next() else { return };
    let more = match odd.count() {
        0 => String::new(),
        more => format!(", and {} alike", wording::counted(more, "packet")),
    };
    notes.add(first.span(), format!("{} was answered {status}{more}", wording::asked(first)));
}

/// The status of a success that is none of the usual ones.
fn odd_status(exchange: &Exchange) -> Option<u16> {
    let answer = exchange.response.as_ref().filter(|_| look::is_by_bits(exchange))?;
    let odd = answer.is_success() && !matches!(answer.http_status, 200 | 201);
    odd.then_some(answer.http_status)
}
