//! The rule `content-length-contradictory`.

use crate::model::{Exchange, Odd, Session};
use crate::rules::{Confidence, Notes};

rule! {
    /// A message declares its length in two ways that contradict each other.
    ///
    /// Two parties on the way may see its end in different places: a way to smuggle requests, or a broken proxy.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   + Content-Length: 7
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   + Content-Length: 10
    /// < 200
    /// ```
    ///
    /// Answerable: whoever wrote the message
    /// Advice: Send one Content-Length, and none beside chunked; refuse such messages at the edge.
    /// Reference: RFC 9112 6.3
    Warning, belief 12, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let request = exchange.request.as_ref().map(|request| {
        (request.span, &request.odd, &request.content_length_raw, &request.transfer_encoding)
    });
    let none = None;
    let response = exchange
        .response
        .as_ref()
        .map(|response| (response.span, &response.odd, &response.content_length_raw, &none));
    for (who, message) in [("request", request), ("response", response)] {
        let Some((span, odd, lengths, encoding)) = message else { continue };
        if !odd.contains(&Odd::ContradictoryLength) {
            continue;
        }
        let text = match (lengths.is_empty(), encoding) {
            (false, _) => format!("Content-Length is {}", lengths.join(" and ")),
            (true, Some(encoding)) => {
                format!("Content-Length beside Transfer-Encoding \"{encoding}\"")
            }
            (true, None) => "Content-Length beside chunked".to_owned(),
        };
        let took = if lengths.is_empty() { "the chunks were" } else { "the first was" };
        let message =
            format!("in the {who} of the {}, {text}; {took} followed here", exchange.kind);
        notes.note(notes.severity(), Confidence::Certain, &[span], message);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn a_length_beside_chunks_is_told_of_either_message() {
        let told = |packet: &str, answer: &str| {
            let mut session = report(&format!("> {packet}\n< {answer}\n")).sessions.remove(0);
            session.findings.retain(|finding| finding.rule == "content-length-contradictory");
            session.findings.remove(0).message
        };
        assert_eq!(
            told("FRAGMENT 0-2/3 session=1\n  Transfer-Encoding: chunked", "200"),
            "in the request of the Fragment, Content-Length beside Transfer-Encoding \"chunked\"; the chunks were \
             followed here"
        );
        assert_eq!(
            told("CREATE-SESSION", "200 session=1\n  Transfer-Encoding: chunked\n  | 0"),
            "in the response of the Create-Session, Content-Length beside chunked; the chunks were followed here"
        );
    }
}
