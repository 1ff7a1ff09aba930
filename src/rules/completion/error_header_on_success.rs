//! The rule `error-header-on-success`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// An error code came with a success.
    ///
    /// Home-made servers do that; the status decides.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > PING
    /// < 200 error=0x1
    /// ```
    /// Zero is no error:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > PING
    /// < 200 error=0x0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send BITS-Error only with a status other than 200.
    /// Reference: [MC-BUP] 2.2.1.2
    Note, belief 0, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut all = session.exchanges.iter().filter(|exchange| {
        exchange.succeeded()
            && exchange.response.as_ref().is_some_and(|response| response.error_sent().is_some())
    });
    let Some(first) = all.next() else { return };
    let Some(response) = &first.response else { return };
    let Some(error) = &response.error else { return };
    let more = all.count();
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    notes.add(
        first.span(),
        format!(
            "{} was answered {} with {} \"{}\"{more}",
            first.kind, response.http_status, error.header, error.raw
        ),
    );
}
