//! The rule `ntlm-connection-churn`.

use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, course, wording};

rule! {
    /// An NTLM handshake is torn apart over several connections.
    ///
    /// NTLM proves the connection, not the request: its three messages must travel on one. A proxy that speaks HTTP/1.0
    /// or shares its connections, a balancer, or a server that closes after the challenge makes it start over for ever.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// = connection
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    ///   Connection: close
    /// = connection
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    ///   Connection: close
    /// ```
    /// Inside the tokens of Negotiate:
    /// ```fires
    /// > CREATE-SESSION
    ///   Authorization: Negotiate YEgGBisGAQUFAqA+MDygDjAMBgorBgEEAYI3AgIKoioEKE5UTE1TU1AAAQAAAAeCCKIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    /// < 401 plain
    ///   WWW-Authenticate: Negotiate oU0wS6ADCgEBoQwGCisGAQQBgjcCAgqiNgQ0TlRMTVNTUAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
    /// = connection
    /// > CREATE-SESSION
    ///   Authorization: Negotiate oU4wTKJKBEhOVExNU1NQAAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    /// < 401 plain
    ///   WWW-Authenticate: Negotiate
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    ///   Connection: close
    /// = connection
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CREATE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Keep one connection from end to end: HTTP/1.1 keep-alive on the proxy, no sharing of connections to the server, affinity on the balancer; or use Kerberos.
    /// Confirm: A capture on the far side of the proxy or balancer shows the messages on different connections.
    /// Reference: RFC 4559 6
    Error, belief 82, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let leg = |exchange: &&Exchange| {
        exchange.request.as_ref().is_some_and(|request| request.ntlm.is_some())
    };
    let legs: Vec<&Exchange> = session.exchanges.iter().filter(leg).collect();
    let mut torn = legs.windows(2).filter_map(|pair| match pair {
        [first, next] => torn(session, first, next).map(|how| (*first, *next, how)),
        _ => None,
    });
    let Some((first, next, how)) = torn.next() else { return };
    let times = match torn.count() {
        0 => String::new(),
        more => format!("; {} in all", wording::counted(more.saturating_add(1), "time")),
    };
    let recovered = session.outcome == Outcome::Completed;
    let severity = if recovered { Severity::Warning } else { notes.severity() };
    let message = format!(
        "the challenge came to port {}, and {how} on port {}{times}",
        first.client.port(),
        next.client.port()
    );
    notes.note(severity, Confidence::Certain, &[first.span(), next.span()], message);
}

/// How a handshake that `first` began went on elsewhere, where it did.
fn torn(session: &Session, first: &Exchange, next: &Exchange) -> Option<&'static str> {
    let (from, to) = (first.request.as_ref()?.ntlm?, next.request.as_ref()?.ntlm?);
    let answer = first.response.as_ref().filter(|answer| answer.ntlm_challenge)?;
    if from != 1 || first.connection == next.connection || may_go_on(session, first, next) {
        return None;
    }
    let says_close = answer.announces_close();
    let closed = session
        .connection(first.connection)
        // The reply may be in what the capture lacks.
        .filter(|connection| connection.client_side.lost_by_capture == 0)
        .and_then(|connection| connection.server_side.fin)
        .is_some_and(|fin| fin.frame < next.span().first.frame);
    match to {
        3 => Some("the reply to it was sent"),
        1 if says_close || closed => Some("after a close the handshake began again"),
        _ => None,
    }
}

/// Whether the connection of `first` carried its handshake on before `next`: it had a success, or a request whose head is
/// cut ahead of its credentials.
fn may_go_on(session: &Session, first: &Exchange, next: &Exchange) -> bool {
    let until = next.span().first.frame;
    course::after(session, first)
        .take_while(|exchange| exchange.span().first.frame < until)
        .filter(|exchange| exchange.connection == first.connection)
        .any(|exchange| {
            let request = exchange.request.as_ref();
            exchange.succeeded()
                || request.is_some_and(|request| request.is_cut() && request.ntlm.is_none())
        })
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{fired, fired_when_cut};

    /// A whole handshake, and the upload goes on with another one on a new connection.
    const TWICE: &str = "\
        > PING\n  Authorization: NTLM TlRMTVNTUAABAAAA\n< 401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA\n\
        > PING\n  Cookie: LONG\n  Authorization: NTLM TlRMTVNTUAADAAAA\n< 200\n\
        > CREATE-SESSION\n< 200 session=1\n! client closes\n! server closes\n= connection\n\
        > PING\n  Authorization: NTLM TlRMTVNTUAABAAAA\n< 401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA\n\
        > PING\n  Cookie: LONG\n  Authorization: NTLM TlRMTVNTUAADAAAA\n< 200\n\
        > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";

    #[test]
    fn a_handshake_whose_reply_is_cut_off_is_not_torn() {
        let text = TWICE.replace("LONG", &"x".repeat(400));
        let torn =
            |found: Vec<(String, _)>| found.iter().any(|(id, _)| id == "ntlm-connection-churn");
        assert!(!torn(fired(&text)));
        for snap in (300..700).step_by(20) {
            assert!(!torn(fired_when_cut(&text, snap)), "at {snap} bytes");
        }
    }
}
