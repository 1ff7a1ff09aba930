//! The rule `server-error-unspecified`.

use crate::bits::hresult;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// The server failed without saying why.
    ///
    /// The error code is missing, zero, or means nothing. Where a new connection came before it, the server may have
    /// bound the session to the old one.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look into the server's log at this time for an exception or a failed request.
    /// Confirm: The server's log, or a trace of failed requests in IIS.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 42, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let told =
        matches!(response.http_status, 401 | 403 | 404 | 407 | 409 | 411 | 413 | 416 | 501..=505);
    let silent = response.error_value().is_none_or(|code| hresult::symbol(code).is_none());
    let from_bits = response.is_ack() || session.id.is_some();
    if response.http_status < 400 || told || !silent || !from_bits || response.is_cut() {
        return;
    }
    let code = response.error.as_ref();
    let code = match code {
        Some(code) => format!("{} \"{}\", which says nothing", code.header, code.raw),
        None => "no error code".to_owned(),
    };
    let message = format!("{} was answered {} with {code}", exchange.kind, response.http_status);
    // A retry that worked is the way the protocol mends it.
    let recovered = look::recovered(session, exchange);
    let severity = if recovered { Severity::Note } else { notes.severity() };
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::fired;

    #[test]
    fn a_retry_that_works_makes_it_a_note() {
        let findings = fired(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500\n... 600 s\n\
             > FRAGMENT 0-9/20\n< 200",
        );
        assert!(findings.contains(&("server-error-unspecified".to_owned(), Note)), "{findings:?}");
    }
}
