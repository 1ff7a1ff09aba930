//! The rule `content-name-invalid`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// Content-Name holds what no file name may.
    ///
    /// Advice: The server does not use it, but may refuse it.
    /// Reference: [MC-BUP] 2.2.1.1
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(name) = &session.content_name else { return };
    let Some(first) = session.exchanges.first() else { return };
    if name.chars().count() > LONGEST
        || name.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
    {
        notes.add(first.span(), format!("Content-Name is \"{name}\""));
    }
}

/// [MC-BUP] Appendix A <3>
const LONGEST: usize = 260;
