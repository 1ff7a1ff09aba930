//! The rule `auth-loop`.

use crate::model::{Door, Exchange, RefusedTunnel, Session};
use crate::rules::{Around, Confidence, Finding, Notes, Place, Severity, course, front, rounds};

rule! {
    /// The credentials are refused.
    ///
    /// Complete handshakes end with another 401 or 407, time after time or as the last word. A wrong password or a locked
    /// account; with Kerberos a clock or a service principal name that does not fit; with NTLM extended protection, or a
    /// server that talks to itself by another name. One refusal that a success follows is part of many schemes.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// ! client closes
    /// ```
    /// ```fires
    /// > PING
    ///   Authorization: Basic Ym9iOng=
    /// < 401 plain
    /// > PING
    ///   Authorization: Basic Ym9iOng=
    /// < 401 plain
    /// > PING
    ///   Authorization: Basic Ym9iOng=
    /// < 401 plain
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// What was to go through a tunnel:
    /// ```fires
    /// > CONNECT server:443
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// > CONNECT server:443
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// > CONNECT server:443
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// > CONNECT server:443
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// ! client closes
    /// ```
    /// ```silent
    /// > CONNECT server:443
    ///   Proxy-Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 407 plain
    ///   Proxy-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CONNECT server:443
    ///   Proxy-Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 407 plain
    ///   Proxy-Authenticate: NTLM
    /// > CONNECT server:443
    ///   Proxy-Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 200 plain
    /// ! client closes
    /// ```
    /// It began once more, and gave up:
    /// ```fires
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// ! client closes
    /// ```
    /// Each handshake was torn apart:
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// = connection
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// = connection
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Check the account, its password and the clock; for Kerberos the SPN of the host name (setspn -Q HTTP/host); for NTLM extended protection on the server.
    /// Confirm: The server's log names account and reason; on Windows, event 4625 in its Security log does.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs Anything, Anywhere
}

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, around) => judge(session, around, notes),
        Place::Capture(_, seen) => {
            let mend = |finding: Option<&mut Finding>, tunnel: &RefusedTunnel| {
                turn(finding, &tunnel.exchange, Door::Proxy);
            };
            let meant = RefusedTunnel::refuses_credentials;
            rounds::judge_tunnels(seen, meant, refused, mend, notes);
        }
    }
}

fn judge(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for door in [Door::Server, Door::Proxy] {
        let mut run: Vec<&Exchange> = Vec::new();
        for exchange in &session.exchanges {
            if door.refused(exchange) {
                run.push(exchange);
            } else if exchange.succeeded() {
                tell(session, door, &run, None, notes);
                run.clear();
            }
        }
        let last = rounds::last_word(session, door);
        let ended = last.and_then(|last| {
            // Amid the next handshake, a client that is still there may go on with it.
            let sure = rounds::gave_up(session, around, last)?;
            let again = run.last().is_some_and(|run| run.connection == last.connection);
            let over = door.refused(last) || again && sure == Confidence::Certain;
            over.then_some(sure)
        });
        tell(session, door, &run, ended, notes);
    }
}

/// Notes a run of refusals, which the session may have `ended` on.
fn tell(
    session: &Session,
    door: Door,
    run: &[&Exchange],
    ended: Option<Confidence>,
    notes: &mut Notes<'_>,
) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    if (run.len() as u64) < rounds::MANY && ended.is_none() {
        return;
    }
    let severity =
        if course::goes_on(session, last) { Severity::Warning } else { notes.severity() };
    let times = match run.len() {
        1 => "once, and the client gave up".to_owned(),
        many => format!("{many} times"),
    };
    let message = format!("{} {times}", credentials(last, door));
    let confidence = ended.unwrap_or(Confidence::Certain);
    let finding = notes.note(severity, confidence, &[first.span(), last.span()], message);
    turn(finding, last, door);
}

/// Gives what is to be done about a token, and at a proxy, instead of what helps with a server.
fn turn(finding: Option<&mut Finding>, last: &Exchange, door: Door) {
    let token = scheme(last, door).eq_ignore_ascii_case("Bearer");
    let (advice, confirm) = match door {
        _ if token => (RENEW, EXPIRED),
        Door::Proxy => (AT_PROXY, PROXY_LOG),
        Door::Server => return,
    };
    if let Some(finding) = finding {
        finding.advise(advice).confirm_by(confirm);
    }
}

fn scheme(exchange: &Exchange, door: Door) -> &str {
    exchange.request.as_ref().and_then(|request| door.scheme(request)).unwrap_or_default()
}

/// What was refused, and how.
fn credentials(exchange: &Exchange, door: Door) -> String {
    let (scheme, user) = (scheme(exchange, door), rounds::user(exchange.request.as_ref()));
    format!("{scheme} credentials{user} were refused with {}", door.status())
}

fn refused(tunnel: &RefusedTunnel) -> String {
    let who = front::quoted(tunnel.exchange.response.as_ref());
    let what = credentials(&tunnel.exchange, Door::Proxy);
    let (asked, times) = rounds::tunnel(tunnel);
    format!("{what}{who} for {asked}, {times}")
}

/// What to do about a token that is refused, and what proves it (RFC 6750 3.1).
const RENEW: &str = "Renew the access token and go on with it: the upload may have outlived it. If a new one is refused too, check its audience and scope.";
const EXPIRED: &str = "WWW-Authenticate of the 401 names the reason; the token's time of expiry lies before the request.";

/// What to do where it is a proxy that refuses, and what proves it.
const AT_PROXY: &str = "Check the account and the password that the job has for the proxy, or let the proxy pass this host without a logon; for Kerberos, check the clock and the SPN of the proxy's name.";
const PROXY_LOG: &str = "The proxy's log names the account, and why it refused it.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_token_that_is_refused_is_to_be_renewed() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n  Authorization: Bearer EwA\n< 201 session=1\n> FRAGMENT 0-9/20\n\
             \x20 Authorization: Bearer EwA\n< 401 plain\n  WWW-Authenticate: Bearer realm=x\n! client closes",
        );
        assert_eq!(diagnosis.cause, "auth-loop");
        assert!(diagnosis.advice.unwrap().starts_with("Renew the access token"));
    }

    #[test]
    fn what_a_proxy_refuses_is_to_be_mended_there() {
        let round = "> CREATE-SESSION proxied\n  Proxy-Authorization: Basic Ym9iOng=\n\
                     < 407 plain\n  Proxy-Authenticate: Basic realm=x\n";
        let diagnosis = diagnosed(&format!("{}! client closes\n", round.repeat(3)));
        assert_eq!(diagnosis.cause, "auth-loop");
        assert!(diagnosis.advice.unwrap().contains("for the proxy"));
        assert!(diagnosis.confirm.unwrap().starts_with("The proxy's log"));
    }
}
