//! The rule `tunnel-refused`.

use crate::model::{Door, RefusedTunnel, Report};
use crate::rules::{Confidence, Notes, Seen, front, rounds};

rule! {
    /// A proxy refused the tunnel that BITS asked for.
    ///
    /// What goes over https begins with CONNECT. A proxy that answers 4xx does not let this client, host or port through;
    /// one that answers 5xx could not reach the host. The BITS server never saw anything, and what was to go through the
    /// tunnel is unknown: it may as well be a download.
    ///
    /// ```fires
    /// > CONNECT server:443
    /// < 403 plain
    ///   Server: squid/5.7
    ///   X-Squid-Error: ERR_ACCESS_DENIED 0
    /// ```
    /// ```fires
    /// > CONNECT server:443
    /// < 407 plain
    ///   Proxy-Authenticate: Basic realm=x
    /// > CONNECT server:443
    ///   Proxy-Authorization: Basic Ym9iOng=
    /// < 503 plain
    /// ```
    /// ```silent
    /// > CONNECT server:443
    /// < 503 plain
    /// = connection
    /// > CONNECT server:443
    /// < 200 plain
    /// ```
    /// ```silent
    /// > CONNECT server:443
    /// < 407 plain
    /// ... 2 s
    /// ! client closes
    /// ```
    /// ```silent
    /// > CONNECT server:443
    ///   User-Agent: Mozilla/5.0
    /// < 403 plain
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Let the proxy open tunnels to this host and port; after 5xx, look whether it resolves the name and reaches the host.
    /// Confirm: The proxy's log for CONNECT at this time (TCP_DENIED in squid), and its own error code.
    /// Reference: RFC 9110 9.3.6
    Warning, belief 0, needs Anything, Capture
}

fn check(_: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    for tunnel in seen.tunnels.iter().filter(|tunnel| !Door::Proxy.stopped(&tunnel.exchange)) {
        let message = refused(tunnel);
        let span = tunnel.exchange.span();
        notes.note(notes.severity(), Confidence::Certain, &[span], message);
    }
}

fn refused(tunnel: &RefusedTunnel) -> String {
    let answer = tunnel.exchange.response.as_ref();
    let (who, why) = (front::quoted(answer), answer.map(front::error).unwrap_or_default());
    let (asked, times) = rounds::tunnel(tunnel);
    format!("{}{who} for {asked}, {times}{why}", tunnel.status())
}

#[cfg(test)]
mod tests {
    use crate::transcript;

    #[test]
    fn it_was_though_the_answer_is_stored_ahead_of_what_was_asked() {
        let text = "> CONNECT server:443\n< 403 plain\n";
        let is_answer = |frame: &[u8]| memchr::memmem::find(frame, b"HTTP/1.1 403").is_some();
        let records = transcript::delayed(text, -500_000, is_answer);
        let report = transcript::analyse(&records, &mut ());
        let found = report.findings.iter().any(|finding| finding.rule == "tunnel-refused");
        assert!(found, "{:?}", report.findings);
    }
}
