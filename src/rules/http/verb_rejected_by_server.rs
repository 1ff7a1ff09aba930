//! The rule `verb-rejected-by-server`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// The web server does not know the verb BITS_POST.
    ///
    /// There is no BITS behind this URL.
    /// Advice: Check the URL; enable BITS uploads on the server.
    Error, belief 91, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if who == Origin::WebServer && matches!(status, 400 | 404 | 405 | 501) {
        notes.likely(
            exchange.span(),
            format!("{} answered {status}", response.server.as_deref().unwrap_or("a web server")),
        );
    }
}
