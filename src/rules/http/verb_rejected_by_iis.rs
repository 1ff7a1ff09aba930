//! The rule `verb-rejected-by-iis`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// IIS refused the verb before BITS was asked.
    ///
    /// Request filtering by verb; the documented list for management points lacks BITS_POST.
    /// Advice: Allow the verb BITS_POST in request filtering.
    Error, belief 93, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if who == Origin::Iis
        && status == 404
        && exchange
            .request
            .as_ref()
            .is_some_and(|request| request.target.to_ascii_lowercase().contains("ccm_incoming"))
    {
        notes.likely(exchange.span(), format!("IIS answered {status} without BITS"));
    }
}
