//! The rule `content-name-invalid`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// Content-Name holds what no file name may.
    ///
    /// Windows allows neither the characters \ / : * ? " < > | in it nor more than 260 of them.
    ///
    /// ```fires
    /// > CREATE-SESSION name=C:\temp\a.txt
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION name=x
    ///   Content-Name: x*300
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION name=a.txt
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Send the bare name of the file; the server does not use it, but may refuse it.
    /// Reference: [MC-BUP] 2.2.1.1
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let named = session.exchanges.iter().find_map(|exchange| {
        Some((exchange.span(), exchange.request.as_ref()?.content_name.as_deref()?))
    });
    let Some((span, name)) = named else { return };
    let len = name.chars().count();
    if let Some(odd) = name.chars().find(|c| "\\/:*?\"<>|".contains(*c)) {
        let told: String = name.chars().take(TOLD).collect();
        notes.add(span, format!("Content-Name \"{told}\" holds {odd}"));
    } else if len > LONGEST {
        notes.add(span, format!("Content-Name has {len} characters, {LONGEST} are allowed"));
    }
}

/// [MC-BUP] Appendix A <3>
const LONGEST: usize = 260;

/// Characters of a name that are told.
const TOLD: usize = 200;
