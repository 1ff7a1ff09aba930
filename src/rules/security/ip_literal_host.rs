//! The rule `ip-literal-host`.

use crate::model::Session;
use crate::rules::{Around, Notes, address};

rule! {
    /// The URL names its host by address.
    ///
    /// Managed jobs use names; a bare address is common in tests and in attacks.
    ///
    /// ```fires
    /// = url http://10.0.0.80/upload/a
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: See whether the address is that of a known server.
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let host = around.host.map(|(host, _)| host);
    let literal = host.filter(|host| address::literal(host).is_some());
    if let (Some(host), Some(first)) = (literal, session.exchanges.first()) {
        notes.add(first.span(), format!("the host is {host}"));
    }
}
