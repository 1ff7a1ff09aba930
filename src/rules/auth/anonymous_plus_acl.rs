//! The rule `anonymous-plus-acl`.

use crate::bits::hresult::ACCESS_DENIED;
use crate::model::{Door, Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, rounds};

rule! {
    /// An anonymous upload may not write, and the server asks for no credentials.
    ///
    /// With anonymous access on, IIS never asks: everybody is the anonymous account, and where the permissions of the folder
    /// leave that out, the refusal is final, whatever credentials the job has. It answers with 401, or with 403 and
    /// E_ACCESSDENIED, which says so itself and leaves a note.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 401 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   Server: Microsoft-IIS/10.0
    ///   WWW-Authenticate: Negotiate
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: Basic Ym9iOng=
    /// < 403 error=0x80070005 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Turn anonymous authentication off for the virtual directory, or give the anonymous account Change permission on the folder.
    /// Confirm: The IIS log has no user and sub-status 3 for this request.
    /// Reference: RFC 9110 15.5.2
    Error, belief 79, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let asks = |exchange: &Exchange| {
        exchange.response.as_ref().is_some_and(|answer| !answer.challenges.is_empty())
    };
    if session.exchanges.iter().any(asks) || Door::Server.may_have_been_tried(session) {
        return;
    }
    for exchange in &session.exchanges {
        let whole = exchange.response.as_ref().filter(|answer| {
            let refuses = matches!(answer.http_status, 401 | 403) && !answer.is_of_application();
            refuses && look::is_whole(session, exchange)
        });
        if let Some(answer) = whole.filter(|answer| rounds::is_iis(answer)) {
            judge(session, exchange, answer, notes);
        }
    }
}

fn judge(session: &Session, exchange: &Exchange, answer: &Response, notes: &mut Notes<'_>) {
    let (severity, confidence) = match (answer.http_status, answer.error_value()) {
        (401, _) => {
            (course::unless_recovered(session, exchange, notes.severity()), Confidence::Likely)
        }
        // Access denied says so itself; that nobody was asked only adds to it.
        (403, Some(ACCESS_DENIED)) => (Severity::Note, Confidence::Possible),
        _ => return,
    };
    let message = format!(
        "{} was answered {} without a request for credentials",
        exchange.kind, answer.http_status
    );
    notes.note(severity, confidence, &[exchange.span()], message);
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::severity;

    #[test]
    fn a_later_try_that_passes_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 401 plain\n  Server: Microsoft-IIS/10.0\n\
             > CREATE-SESSION\n< 200 session=1";
        assert_eq!(severity("anonymous-plus-acl", text), Some(Note));
    }
}
