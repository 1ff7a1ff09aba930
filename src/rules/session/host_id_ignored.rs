//! The rule `host-id-ignored`.

use crate::bits::PacketType;
use crate::model::{Outcome, Session, host};
use crate::rules::hosts::{MOVES_WITHIN_SECS, Named};
use crate::rules::{Around, Confidence, Notes, Severity, wording};

rule! {
    /// The client stays with the first host although another was named.
    ///
    /// BITS-Host-Id obliges a client to send all that follows to that host. One that does not is no Windows client; behind a
    /// balancer its Fragments reach nodes that do not know the session.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1
    /// = server 192.0.2.81:80
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81
    /// = server 192.0.2.81:80
    /// ! unanswered
    /// = server 192.0.2.80:80
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=http://node1/
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=Server:80
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client put the host of BITS-Host-Id into the URL of all that follows.
    /// Reference: [MC-BUP] 2.2.3.2
    Warning, belief 35, needs WholeSession, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    // A value that is no host obliges nobody.
    let Some(named) = Named::of(session).filter(|named| host::is_host(named.value)) else {
        return;
    };
    let Some(next) = named.later().find(|exchange| exchange.kind != PacketType::CreateSession)
    else {
        return;
    };
    let waited = named.secs_to(next.span().first.time);
    let tried = named.attempts(around.sight.attempts).next().is_some();
    if next.kind != PacketType::Fragment || named.takes(next) || waited > MOVES_WITHIN_SECS || tried
    {
        return;
    }
    let harmless = session.outcome == Outcome::Completed;
    let severity = if harmless { Severity::Note } else { notes.severity() };
    let message = format!(
        "\"{}\" was named, and the first Fragment went to {} {} later",
        named.value,
        next.server,
        wording::lasting(waited)
    );
    notes.note(severity, Confidence::Certain, &[named.opened.span(), next.span()], message);
}
