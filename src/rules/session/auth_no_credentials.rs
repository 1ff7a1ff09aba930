//! The rule `auth-no-credentials`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;

rule! {
    /// The server asks for credentials that the job does not have.
    ///
    /// Windows sends none by itself unless the job says so.
    /// Advice: Set credentials on the job, or allow anonymous access.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs WholeExchange, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(last) = session.exchanges.iter().rev().find(|exchange| exchange.response.is_some())
    else {
        return;
    };
    let Some(response) = last.response.as_ref().filter(|response| response.http_status == 401)
    else {
        return;
    };
    let tried = session.exchanges.iter().any(|exchange| {
        exchange.request.as_ref().is_some_and(|request| request.authorization.is_some())
    });
    if !tried && !look::after(session, last).any(|_| true) {
        notes.add(
            last.span(),
            format!("401 asks for {}, and no credentials followed", response.challenges.join(", ")),
        );
    }
}
