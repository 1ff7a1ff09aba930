//! The rule `verb-rejected-by-proxy`.

use crate::model::{Exchange, Response, Session};
use crate::rules::origin::{self, Origin};
use crate::rules::{Around, Confidence, Notes, course, front, look, page};

rule! {
    /// A proxy refused the verb BITS_POST.
    ///
    /// Many pass only the verbs on a fixed list, some by the library that parses HTTP for them; the BITS server never saw the
    /// request.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 plain
    ///   Server: squid/5.7
    ///   X-Squid-Error: ERR_ACCESS_DENIED 0
    ///   Via: 1.1 p (squid/5.7)
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 400 plain
    ///   | <html><body><h1>400 Bad request</h1>
    /// ```
    /// ```fires
    /// > CREATE-SESSION proxied
    /// < 400 plain
    /// ```
    /// ```fires
    /// > GET /upload/
    /// < 403 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 400 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION proxied
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION proxied
    /// < 400 plain
    ///   | Client sent an HTTP request to an HTTPS server.
    /// ```
    /// ```silent
    /// > GET /upload/
    /// < 403 plain
    /// > CREATE-SESSION
    /// < 400 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: nginx/1.22.1
    ///   Via: 1.1 p (squid/5.7)
    /// ```
    /// What answers under another name on the connection of the BITS server stands between:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// > FRAGMENT 0-9/20
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: nginx/1.22.1
    /// > FRAGMENT 0-9/20
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// > FRAGMENT 0-9/20
    /// < 403 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 407 plain
    ///   Server: squid/5.7
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: nginx/1.22.1
    /// > PING
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Allow the method BITS_POST on the proxy (extension methods), or let the client go around it.
    /// Confirm: The proxy's log shows the request as denied; the server's log lacks it.
    /// Reference: RFC 9110 9.1
    Error, belief 92, needs Answered, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some((request, response)) = exchange.request.as_ref().zip(look::stranger(exchange)) else {
        return;
    };
    let status = response.http_status;
    let opens = look::foreign(exchange).is_some();
    // Of a session that is open, 400 and 403 are about more than the verb.
    let refuses = matches!(status, 405 | 501) || opens && matches!(status, 400 | 403);
    if !refuses
        || front::acknowledged(session, exchange).is_some()
        || page::is_about_more_than_verb(request, response)
        || around.origin(session, exchange) != Origin::Proxy
    {
        return;
    }
    let who = around.told(session, exchange).unwrap_or_default();
    let (method, why) = (&request.method, why(around, exchange, response));
    let message = format!("{who} answered {method} with {status}{why}");
    // 403 may be about the address, 400 about the syntax; the others are about the method alone.
    let about_method = matches!(status, 405 | 501) && !origin::is_nameless_refusal(response);
    let confidence = if about_method { Confidence::Certain } else { Confidence::Likely };
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let finding = notes.note(severity, confidence, &[exchange.span()], message);
    if let Some(finding) = finding.filter(|_| request.is_for_proxy() && !exchange.tunnel) {
        finding.advise(OF_FORWARD_PROXY);
    }
}

/// What to do where the client itself sent the request to a proxy: one of the server ends TLS itself.
const OF_FORWARD_PROXY: &str = "Allow the method BITS_POST on the proxy (extension methods), let the client go around it, or use \
     https, which passes as a tunnel.";

/// What the proxy itself says of the error, or what tells that it is one.
fn why(around: &Around<'_>, exchange: &Exchange, response: &Response) -> String {
    match around.named_elsewhere(exchange).filter(|_| response.own_error().is_none()) {
        Some(at) => format!(", though the server gave its name in frame {}", at.name()),
        None => front::error(response),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn only_a_forward_proxy_passes_https_as_a_tunnel() {
        let advice = |sent: &str| {
            let answer = "< 405 plain\n  Server: envoy\n";
            diagnosed(&format!("> CREATE-SESSION{sent}\n{answer}")).advice.unwrap()
        };
        assert!(advice(" proxied").contains("https"));
        assert!(!advice("").contains("https"));
    }
}
