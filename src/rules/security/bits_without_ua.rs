//! The rule `bits-without-ua`.

use crate::bits::AGENT;
use crate::model::Session;
use crate::rules::{Notes, look};

rule! {
    /// The client speaks BITS but does not call itself Microsoft BITS.
    ///
    /// A program of somebody's own: a script, a library, an appliance, or a tool that hides behind the protocol.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   User-Agent: python-requests/2.31
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   User-Agent:
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: See which program on the client owns the connection, and whether it is expected there.
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(request) = session.exchanges.iter().find_map(look::whole_request) else { return };
    match &request.user_agent {
        Some(agent) if agent.starts_with(AGENT) => {}
        Some(agent) => notes.add(request.span, format!("User-Agent is \"{agent}\"")),
        None => notes.add(request.span, "no User-Agent"),
    }
}
