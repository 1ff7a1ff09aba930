//! The rule `unknown-packet-type`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, slip};

rule! {
    /// A request with an unknown BITS-Packet-Type.
    ///
    /// Servers know Create-Session, Ping, Fragment, Close-Session and Cancel-Session. Where the server did not mind, this
    /// is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > RESUME-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// The names are compared without case:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client send one of the five packet types.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 95, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(raw) = unknown(exchange) else { return };
    let severity = match exchange.succeeded() {
        true => slip::if_refused(session, exchange, notes.severity(), |earlier| {
            unknown(earlier).is_some()
        }),
        false => notes.severity(),
    };
    let message = format!("BITS-Packet-Type is \"{raw}\"");
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// The packet type that a request names, where it is none of the protocol.
fn unknown(exchange: &Exchange) -> Option<&str> {
    let raw = exchange.request.as_ref()?.packet_type.as_deref()?.trim();
    matches!(PacketType::parse(raw), PacketType::Other(_)).then_some(raw)
}

#[cfg(test)]
mod tests {
    use crate::bits::PacketType;
    use crate::model::Outcome;
    use crate::rules::Severity::{self, Error, Note};
    use crate::rules::tests::report;

    /// The kind of a first Fragment whose type stands so, how the upload ends, and the rule's severity.
    fn told(field: &str, answer: &str) -> (PacketType, Outcome, Option<Severity>) {
        let session = report(&format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n  {field}\n< {answer}\n\
             > FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n"
        ))
        .sessions
        .remove(0);
        let found = session.findings.iter().find(|one| one.rule == "unknown-packet-type");
        (session.exchanges[1].kind.clone(), session.outcome, found.map(|one| one.severity))
    }

    #[test]
    fn what_names_bytes_and_is_taken_is_a_fragment() {
        let (kind, done) = (PacketType::Fragment, Outcome::Completed);
        let odd = "BITS-Packet-Type: Frag ment";
        assert_eq!(told(odd, "200"), (kind.clone(), done, Some(Note)));
        assert_eq!(told("BITS-Packet-Type:", "200"), (kind, done, None));
        assert_eq!(told(odd, "400 error=0x80070057 context=0x5").2, Some(Error));
        let empty = "BITS-Packet-Type: Close\n  Content-Length: 0";
        assert_eq!(told(empty, "200").0, PacketType::Other("Close".into()));
    }
}
