//! The rule `request-too-large-404-13`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::filtering::{self, Fault};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, course, page, wording};

rule! {
    /// IIS refused a request for its length and called it 404.
    ///
    /// Request filtering answers 404 where a request is longer than maxAllowedContentLength; smaller ones pass. A
    /// Windows client stays under the 30,000,000 bytes of the default, so the limit was lowered or the client is
    /// another one.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/200000
    /// < 200
    /// > FRAGMENT 10000-109999/200000
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// The page says so:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/200000
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.13 - Not Found</title>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/200000
    /// < 200
    /// > FRAGMENT 10000-109999/200000
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.0 - Not Found</title>
    /// ```
    /// A 404 to what passed before has another reason:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/200000
    /// < 200
    /// > FRAGMENT 10000-19999/200000
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Raise maxAllowedContentLength under requestFiltering/requestLimits for the upload directory, or send smaller Fragments.
    /// Confirm: The IIS log: sc-status 404 with sc-substatus 13 at this time.
    /// Reference: [MC-BUP] 3.1.5.2.4
    Error, belief 79, needs WholeExchange, Trouble
}

/// The limit that IIS comes with, in bytes.
const DEFAULT_LIMIT: u64 = 30_000_000;

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|response| response.http_status == 404)
    else {
        return;
    };
    if Origin::of_response(response) != Origin::Iis {
        return;
    }
    let size = exchange.content_length();
    if let Some((Fault::Length, why)) = filtering::fault(response) {
        let size =
            size.map_or_else(String::new, |size| format!(" of {}", wording::counted(size, "byte")));
        let message = format!("the page of IIS names {why}, for a {}{size}", exchange.kind);
        let severity = course::unless_made_good(session, exchange, notes.severity());
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        return;
    }
    let guessed = exchange.kind == PacketType::Fragment && page::sub_status(response).is_none();
    let Some(size) = size.filter(|_| guessed) else { return };
    match session.largest_taken() {
        Some(most) if size > most => notes.likely(
            exchange.span(),
            format!("a Fragment of {size} bytes was answered 404 by IIS, one of {most} passed"),
        ),
        None if size > DEFAULT_LIMIT => notes.likely(
            exchange.span(),
            format!("a Fragment of {size} bytes was answered 404 by IIS, whose default limit is {DEFAULT_LIMIT}"),
        ),
        _ => {}
    }
}
