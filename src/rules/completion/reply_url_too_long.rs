//! The rule `reply-url-too-long`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The URL of the reply is longer than a client takes.
    ///
    /// Windows takes 2,200 characters.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    ///   BITS-Reply-URL: x*2201
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    ///   BITS-Reply-URL: x*2200
    /// ```
    ///
    /// Answerable: the application behind the server
    /// Advice: Give the reply a shorter URL in BITS-Static-Response-URL.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 76, needs Anything, Exchange
}

/// The characters that Windows takes.
const MOST: usize = 2_200;

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let url = exchange.response.as_ref().and_then(|response| response.reply_url.as_deref());
    if let Some(length) = url.map(|url| url.chars().count()).filter(|length| *length > MOST) {
        notes.add(exchange.span(), format!("BITS-Reply-URL has {length} characters"));
    }
}
