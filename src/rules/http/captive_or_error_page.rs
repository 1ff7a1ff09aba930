//! The rule `captive-or-error-page`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, course, look, page};

rule! {
    /// A web page came where an Ack should be.
    ///
    /// A portal that wants a log-in, a page of a filter or of maintenance: with status 200 it looks like success to
    /// everything but a BITS client.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Content-Type: text/html
    ///   | <html><head><title>Guest Wi-Fi: please log in</title>
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 511 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Content-Type: text/html
    ///   | <html></html>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Content-Type: text/html
    ///   | <html><title>Not found</title>
    /// ```
    ///
    /// Answerable: the network, or whoever runs the page
    /// Advice: Exempt the client or this URL from the portal, the single sign-on or the filter that shows the page.
    /// Confirm: Open the URL in a browser on the client: it shows the same page.
    /// Reference: RFC 6585 6
    Error, belief 91, needs Answered, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange) else { return };
    let who = Origin::of_response(response);
    let is_page = response.is_success() && page::is_page(response) && who != Origin::Waf;
    if !is_page && response.http_status != 511 {
        return;
    }
    let title = page::title(response).map(|title| format!(" with the page \"{title}\""));
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let message = format!(
        "{} answered the {} with {}{}",
        Origin::describe(response),
        exchange.kind,
        response.http_status,
        title.unwrap_or_default()
    );
    notes.note(severity, Confidence::Likely, &[exchange.span()], message);
}
