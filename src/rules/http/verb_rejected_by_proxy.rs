//! The rule `verb-rejected-by-proxy`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// A proxy refused the verb BITS_POST.
    ///
    /// Proxies with a fixed list of verbs do; the BITS server never saw the request.
    /// Advice: Allow extension methods on the proxy, or pass it by.
    /// Reference: RFC 9110 9
    Error, belief 92, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if matches!(who, Origin::Proxy | Origin::Waf) && matches!(status, 400 | 403 | 405 | 501) {
        notes.likely(exchange.span(), format!("{} answered BITS_POST with {status}", who.name()));
    }
}
