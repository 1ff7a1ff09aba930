//! The rule `cleartext-sensitive`.

use crate::model::Session;
use crate::rules::{Notes, wording};

rule! {
    /// The file crosses the network in the clear.
    ///
    /// Everybody on the way can read and change it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: Use an https URL; the server then needs a certificate that the client trusts.
    /// Reference: [MC-BUP] 5.1
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let local = session.client.address.is_loopback();
    let first = session.exchanges.iter().find(|exchange| !exchange.tls);
    if let Some(first) = first.filter(|_| session.bytes_sent > 0 && !local) {
        notes.add(
            first.span(),
            format!("{} sent over http", wording::counted(session.bytes_sent, "byte")),
        );
    }
}
