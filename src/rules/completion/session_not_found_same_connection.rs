//! The rule `session-not-found-same-connection`.

use crate::model::{Exchange, Session};
use crate::rules::{Around, Confidence, Notes, lost, relay, wording};

rule! {
    /// The session was lost on the very connection that it was made on.
    ///
    /// No other address was asked and no time passed: a balancer that spreads the requests of one connection over its
    /// nodes, a process that was recycled, or a clean-up that removes the newest session of a user who has too many.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = connection
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: the server, or the balancer in front of it
    /// Advice: Look for a balancer that works per request, recycles of the application pool, and BITSNumberOfSessionsLimit.
    /// Confirm: The server's System log for recycles (WAS), and the IIS logs of all nodes.
    /// Reference: [MC-BUP] 3.2.7
    Error, belief 72, needs WholeExchange, TroubleAround
}

/// Longer ago than this, the session may as well have been lost for its age.
const SOON_SECS: f64 = 300.0;

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    if !lost::is_amid(session, exchange) || relay::moved_behind(session, exchange, around).is_some()
    {
        return;
    }
    let Some(maker) = lost::creator(session, exchange) else { return };
    let Some(idle) = lost::idle_secs(session, exchange).filter(|idle| *idle < SOON_SECS) else {
        return;
    };
    let same = maker.connection == exchange.connection;
    if same && lost::changes(session, maker, exchange).is_empty() {
        let age = exchange.span().first.time.secs_since(maker.span().last.time);
        let message = format!(
            "{} was refused {} after Create-Session on the same connection, {} after the last success",
            exchange.kind,
            wording::lasting(age),
            wording::lasting(idle)
        );
        let spans = [maker.span(), exchange.span()];
        notes.note(notes.severity(), Confidence::Likely, &spans, message);
    }
}
