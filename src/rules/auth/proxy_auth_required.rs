//! The rule `proxy-auth-required`.

use crate::model::Session;
use crate::rules::rounds::{self, Door};
use crate::rules::{Around, Notes};

rule! {
    /// The proxy asks for credentials that the job does not have.
    ///
    /// The upload ends on a 407, and the client never sent Proxy-Authorization. Jobs of service accounts have nothing to
    /// answer with unless they are given it. The BITS server never saw the request.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 407 plain
    ///   Server: squid/5.7
    ///   Proxy-Authenticate: NTLM
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 407 plain
    ///   Server: squid/5.7
    ///   Proxy-Authenticate: Basic realm=x
    /// > CREATE-SESSION
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Let the proxy pass this host without a logon, have the client go past the proxy, or give the job credentials for it.
    /// Confirm: The proxy's log has 407 (TCP_DENIED in squid) and no user for this request.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(last) = rounds::last_word(session, Door::Proxy) else { return };
    if last.request.is_none() || Door::Proxy.was_tried(session) {
        return;
    }
    let answer = last.response.as_ref();
    let who = answer.and_then(|answer| answer.server.as_deref().or(answer.via.as_deref()));
    let who = who.map_or(String::new(), |who| format!(" by \"{who}\""));
    let asks = match &*rounds::schemes(last) {
        "" => String::new(),
        schemes => format!(" asks for {schemes}"),
    };
    let message = format!("407 for {}{who}{asks}, and no credentials followed", last.kind);
    let confidence = rounds::gave_up(session, around, last);
    notes.note(notes.severity(), confidence, &[last.span()], message);
}
