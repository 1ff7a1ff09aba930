//! The rule `header-over-4k`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A header value is longer than 4,096 bytes.
    ///
    /// Windows servers refuse such a request.
    /// Advice: Shorten the value: cookies, long names, or a large Kerberos ticket.
    /// Reference: [MC-BUP] 2.2.1
    Error, belief 96, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let refused = exchange.response.as_ref().is_some_and(|response| response.http_status == 400);
    if request.longest_value > 4096 && refused {
        notes.add(
            exchange.span(),
            format!("a header value of {} bytes, refused with 400", request.longest_value),
        );
    }
}
