//! The rule `request-too-large`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;
use crate::rules::look;
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Severity};

rule! {
    /// A request was too large for something on the way.
    ///
    /// A Windows client sends smaller Fragments then, but none under 5 KB.
    /// Advice: Raise the limit of the box that answered.
    /// Reference: [MC-BUP] 3.1.5.2.4
    Error, belief 80, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|response| response.http_status == 413)
    else {
        return;
    };
    let size = exchange.request.as_ref().and_then(|request| request.content_length).unwrap_or(0);
    let passed = look::after(session, exchange).any(look::succeeded);
    let severity = if passed { Severity::Warning } else { Severity::Error };
    let who = Origin::of_response(response).name();
    notes.note(
        severity,
        Confidence::Certain,
        &[exchange.span()],
        format!("{who} refused a request of {size} bytes with 413"),
    );
}
