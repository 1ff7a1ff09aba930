//! The rule `reply-url-too-long`.

use crate::bits::hresult;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Notes, course, look};

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

/// Whether BITS refused just the last Fragment, as it does where the URL of the reply is too long ([MC-BUP] 2.2.1.2).
pub fn may_be_so(session: &Session, exchange: &Exchange, response: &Response) -> bool {
    response.is_ack()
        && response.http_status == 400
        && response.error_value() == Some(hresult::INVALID_ARGUMENT)
        && look::is_final(exchange)
        && course::ahead(session, exchange).any(look::succeeded_fragment)
}

/// What to do where the last Fragment alone was refused.
pub const ADVICE: &str = "Look into the server's log at this time for a failed request; where the upload is to have a reply, see whether \
     its URL (BITS-Static-Response-URL) is longer than 2,200 characters.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_last_fragment_that_is_refused_alone_may_be_so_for_the_url_of_the_reply() {
        let advice = |total: u32| {
            let fragments = format!("> FRAGMENT 0-4/{total}\n< 200\n> FRAGMENT 5-9/{total}\n");
            let refused = "< 400 error=0x80070057 context=0x5";
            diagnosed(&format!("> CREATE-SESSION\n< 200 session=1\n{fragments}{refused}"))
                .advice
                .unwrap()
        };
        assert!(advice(10).contains("BITS-Static-Response-URL") && !advice(20).contains("Static"));
    }
}
