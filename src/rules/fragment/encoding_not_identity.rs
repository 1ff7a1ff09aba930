//! The rule `encoding-not-identity`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, slip};

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

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    for (name, value) in encodings(exchange) {
        let severity = slip::if_refused(session, exchange, notes.severity(), |earlier| {
            encodings(earlier).any(|(other, same)| other == name && same == value)
        });
        let status = exchange.response.as_ref().map_or(0, |response| response.http_status);
        let message = format!("{name} is \"{value}\", answered {status}");
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

/// The fields of a Fragment that name an encoding other than identity.
fn encodings(exchange: &Exchange) -> impl Iterator<Item = (&'static str, &str)> {
    let fragment = exchange.kind == PacketType::Fragment;
    let request = exchange.request.as_ref().filter(|_| fragment);
    let fields = request.into_iter().flat_map(|request| {
        [
            ("Content-Encoding", request.content_encoding.as_deref()),
            ("Transfer-Encoding", request.transfer_encoding.as_deref()),
        ]
    });
    fields.filter_map(|(name, value)| Some((name, value?))).filter(|(_, value)| !is_identity(value))
}

fn is_identity(value: &str) -> bool {
    value.trim().is_empty() || value.trim().eq_ignore_ascii_case("identity")
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn what_was_accepted_before_is_not_why_the_session_is_lost() {
        let fragment = |range| format!("> FRAGMENT {range}/20\n  Content-Encoding: gzip\n");
        let (first, last) = (fragment("0-9"), fragment("10-19"));
        let lost = "< 500 error=0x8020001F context=0x5\n";
        let text = format!("> CREATE-SESSION\n< 200 session=1\n{first}< 200\n{last}{lost}");
        assert_eq!(diagnosed(&text).cause, "session-not-found-same-connection");
        let text = format!("> CREATE-SESSION\n< 200 session=1\n{first}< 415\n");
        assert_eq!(diagnosed(&text).cause, "encoding-not-identity");
    }
}
