//! The rule `length-range-mismatch`.

use crate::model::{Exchange, Request, Session};
use crate::rules::{Notes, look};

rule! {
    /// Content-Length and Content-Range disagree.
    ///
    /// A Fragment must carry as many bytes as its range names.
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

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let Some(named) = request.content_range.as_ref().and_then(|range| range.len()) else { return };
    let challenged = exchange.response.as_ref().is_some_and(|response| response.is_challenge());
    let bytes_named = look::counted(named, "byte");
    match (request.content_length, carried(request)) {
        (Some(0), _) if challenged || authenticates(request) || is_of_nothing(request) => {}
        (Some(length), _) if length != named => notes.add(
            exchange.span(),
            format!("Content-Range names {bytes_named}, Content-Length {length}"),
        ),
        (None, Some(bytes)) if bytes != named && !challenged => notes.add(
            exchange.span(),
            format!("Content-Range names {bytes_named}, the body has {bytes}"),
        ),
        _ => {}
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
