//! The rule `length-range-mismatch`.

use crate::model::{Exchange, Request, Session};
use crate::rules::{Confidence, Notes, slip, wording};

rule! {
    /// Content-Length and Content-Range disagree.
    ///
    /// A Fragment must carry as many bytes as its range names. Where the server did not mind, this is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   | five!
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// The first leg of an authentication announces a range but carries nothing:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 sent=0
    ///   Content-Length: 0
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client, or a box that cuts requests short
    /// Advice: Let the client send exactly the bytes of the range; capture at the client to see whether a box changes them.
    /// Confirm: A capture at the client: what the request looks like there.
    /// Reference: [MC-BUP] 2.2.6
    Error, belief 74, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(message) = mismatch(exchange) else { return };
    let severity = slip::if_refused(session, exchange, notes.severity(), |earlier| {
        mismatch(earlier).is_some()
    });
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// How many bytes it names and how many it carries, where that differs.
fn mismatch(exchange: &Exchange) -> Option<String> {
    let request = exchange.request.as_ref()?;
    let named = request.content_range.as_ref().and_then(|range| range.len())?;
    let challenged = exchange.response.as_ref().is_some_and(|response| response.is_challenge());
    let bytes_named = wording::counted(named, "byte");
    match (request.content_length, carried(request)) {
        (Some(0), _) if challenged || authenticates(request) || is_of_nothing(request) => None,
        (Some(length), _) if length != named => {
            Some(format!("Content-Range names {bytes_named}, Content-Length {length}"))
        }
        (None, Some(bytes)) if bytes != named && !challenged => {
            Some(format!("Content-Range names {bytes_named}, the body has {bytes}"))
        }
        _ => None,
    }
}

/// The bytes of a body that was seen to its end and whose length no header tells.
fn carried(request: &Request) -> Option<u64> {
    let told = !request.content_length_raw.is_empty();
    (request.body.complete && !told && request.transfer_encoding.is_some())
        .then_some(request.body.bytes)
}

/// `bytes 0-0/0` is how some clients say that a file is empty.
fn is_of_nothing(request: &Request) -> bool {
    request.content_range.as_ref().is_some_and(|range| range.total == Some(0))
}

/// The first legs of an authentication carry no body although they name one.
fn authenticates(request: &Request) -> bool {
    request.authorization.is_some() || request.proxy_authorization.is_some()
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::{report, severity};

    #[test]
    fn a_server_that_does_not_mind_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n  | twelve bytes\n\
             < 200 received=10\n> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200";
        assert_eq!(severity("length-range-mismatch", text), Some(Note));
        let refused =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n  | twelve bytes\n< 400";
        assert_eq!(severity("length-range-mismatch", refused), Some(Error));
    }

    #[test]
    fn a_length_is_read_as_where_the_body_ends() {
        let length = |length: &str| {
            let session = report(&format!(
                "> CREATE-SESSION\n< 200 session=1\n\
                 > FRAGMENT 0-9/20\n  Content-Length: {length}\n< 200"
            ))
            .sessions
            .remove(0);
            let request = session.exchanges[1].request.clone().unwrap();
            (request.content_length, request.content_length_raw.clone())
        };
        assert_eq!(length("10, 10"), (Some(10), vec!["10, 10".to_owned()]));
        assert_eq!(length("+10"), (None, vec!["+10".to_owned()]));
        assert_eq!(length("10"), (Some(10), Vec::new()));
    }
}
