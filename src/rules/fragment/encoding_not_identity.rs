//! The rule `encoding-not-identity`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look};

rule! {
    /// A Fragment with an encoding other than identity.
    ///
    /// Servers take the bytes as they are and want their length beforehand: neither compressed nor chunked. Where the
    /// server did not mind, this is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   Content-Encoding: gzip
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   Content-Encoding: identity
    /// < 200
    /// ```
    ///
    /// Answerable: the client, or a proxy that encodes anew
    /// Advice: Send Fragments as they are, with Content-Length; exempt the path from a proxy that compresses or chunks.
    /// Confirm: A capture at the client: whether the header is there.
    /// Reference: [MC-BUP] Appendix A <7>
    Error, belief 77, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = exchange.request.as_ref().filter(|_| exchange.kind == PacketType::Fragment)
    else {
        return;
    };
    let fields = [
        ("Content-Encoding", &request.content_encoding),
        ("Transfer-Encoding", &request.transfer_encoding),
    ];
    for (name, value) in fields {
        let Some(value) = value.as_deref().filter(|value| !is_identity(value)) else { continue };
        let severity = look::if_refused(exchange, notes.severity());
        let status = exchange.response.as_ref().map_or(0, |response| response.http_status);
        let message = format!("{name} is \"{value}\", answered {status}");
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

fn is_identity(value: &str) -> bool {
    matches!(value.trim(), "") || value.trim().eq_ignore_ascii_case("identity")
}
