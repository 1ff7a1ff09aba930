//! The rule `proxy-auth-required`.

use crate::model::{Door, Exchange, RefusedTunnel, Session};
use crate::rules::{Around, Confidence, Notes, Place, front, look, rounds};

rule! {
    /// The proxy asks for credentials that the job does not have.
    ///
    /// The upload, or the CONNECT for what BITS sends over https, ends on a 407, and the client never sent
    /// Proxy-Authorization. Jobs of service accounts have nothing to answer with unless they are given it. The BITS server
    /// never saw the request.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 407 plain
    ///   Server: squid/5.7
    ///   Proxy-Authenticate: NTLM
    /// ! client closes
    /// ```
    /// ```fires
    /// > CONNECT server:443
    /// < 407 plain
    ///   Server: squid/5.7
    ///   Proxy-Authenticate: NTLM
    /// ... 2 s
    /// ! client closes
    /// ```
    /// ```fires
    /// > CONNECT server:443
    /// < 407 plain
    ///   Proxy-Authenticate: NTLM
    /// ! client closes
    /// ```
    /// ```silent
    /// > CONNECT server:443
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// ! client closes
    /// = connection
    /// > CONNECT server:443
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// ! client closes
    /// ```
    /// ```silent
    /// > CONNECT server:443
    ///   User-Agent: Mozilla/5.0
    /// < 407 plain
    ///   Proxy-Authenticate: NTLM
    /// ... 2 s
    /// ! client closes
    /// ```
    /// ```silent
    /// > CONNECT server:443
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// > CONNECT server:443
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 200 plain
    /// ... 2 s
    /// ! client closes
    /// ```
    /// ```silent
    /// > CONNECT server:443
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// > CONNECT server:443
    ///   User-Agent: none
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 200 plain
    /// ... 2 s
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
    /// The capture lacks what the client said to it:
    /// ```silent
    /// > CREATE-SESSION
    /// < 407 plain
    ///   Server: squid/5.7
    ///   Proxy-Authenticate: Basic realm=x
    /// > CREATE-SESSION lost
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 200 session=1 lost
    /// ! client closes
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Let the proxy pass this host without a logon, have the client go past the proxy, or give the job credentials for it.
    /// Confirm: The proxy's log has 407 (TCP_DENIED in squid) and no user for this request.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs Anything, Anywhere
}

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, around) => judge(session, around, notes),
        Place::Capture(_, seen) => {
            rounds::judge_tunnels(
                seen,
                RefusedTunnel::wants_credentials,
                refused,
                |_, _| {},
                notes,
            );
        }
    }
}

fn judge(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(last) = rounds::last_word(session, Door::Proxy) else { return };
    if last.request.is_none() || Door::Proxy.may_have_been_tried_when_asked(session) {
        return;
    }
    let Some(sure) = rounds::gave_up(session, around, last) else { return };
    let confidence = if look::whole_request(last).is_some() { sure } else { Confidence::Likely };
    let message = format!("407 for {}{}, and no credentials followed", last.kind, asks(last));
    notes.note(notes.severity(), confidence, &[last.span()], message);
}

/// Who asks, and for what.
fn asks(exchange: &Exchange) -> String {
    let who = front::quoted(exchange.response.as_ref());
    match &*rounds::schemes(exchange) {
        "" => who,
        schemes => format!("{who} asks for {schemes}"),
    }
}

fn refused(tunnel: &RefusedTunnel) -> String {
    let (asked, times) = rounds::tunnel(tunnel);
    format!("407 for {asked}{}, {times}, and no credentials followed", asks(&tunnel.exchange))
}
