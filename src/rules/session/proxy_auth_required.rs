//! The rule `proxy-auth-required`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;

rule! {
    /// The proxy asks for credentials that the job does not have.
    ///
    /// A service account cannot answer it.
    /// Advice: Let the proxy pass this host, or give the job credentials for the proxy.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs WholeExchange, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(last) = session.exchanges.iter().rev().find(|exchange| exchange.response.is_some())
    else {
        return;
    };
    let Some(response) = last.response.as_ref().filter(|response| response.http_status == 407)
    else {
        return;
    };
    let tried = session.exchanges.iter().any(|exchange| {
        exchange.request.as_ref().is_some_and(|request| request.proxy_authorization.is_some())
    });
    if !tried && !look::after(session, last).any(|_| true) {
        notes.add(
            last.span(),
            format!("407 asks for {}, and no credentials followed", response.challenges.join(", ")),
        );
    }
}
