//! The rule `auth-no-credentials`.

use crate::model::Session;
use crate::rules::rounds::{self, Door};
use crate::rules::{Around, Notes};

rule! {
    /// The server asks for credentials that the job does not have.
    ///
    /// The upload ends on a 401, and the client never sent Authorization. That is no wrong password: Windows sends the
    /// credentials of the account that a job runs under only where the job or a policy says so.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 401 plain
    ///   Server: Microsoft-IIS/10.0
    ///   WWW-Authenticate: Negotiate
    ///   + WWW-Authenticate: NTLM
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// > CREATE-SESSION
    ///   Authorization: Basic Ym9iOng=
    /// < 200 session=1
    /// ```
    /// The capture ends before the client could answer:
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: Basic Ym9iOng=
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// ! client closes
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Set credentials on the job (SetCredentials, Set-BitsTransfer -Credential), or allow anonymous access to the virtual directory.
    /// Confirm: The IIS log has 401 with sub-status 2 and no user for this request.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(last) = rounds::last_word(session, Door::Server) else { return };
    // IIS names its schemes unless it takes everybody for anonymous.
    let asks = match &*rounds::schemes(last) {
        "" if last.response.as_ref().is_some_and(rounds::is_iis) => return,
        "" => String::new(),
        schemes => format!(" asks for {schemes}"),
    };
    if last.request.is_some() && !Door::Server.may_have_been_tried(session) {
        let Some(confidence) = rounds::gave_up(session, around, last) else { return };
        let message = format!("401 for {}{asks}, and no credentials followed", last.kind);
        notes.note(notes.severity(), confidence, &[last.span()], message);
    }
}
