//! The rule `stray-bytes`.

use crate::model::Session;
use crate::rules::{Notes, wording};
use crate::stream::Side;

rule! {
    /// Bytes behind a message begin no new one.
    ///
    /// Some home-made peers write a body that their head did not declare. They were passed over up to the next message.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Content-Length: 0
    ///   | something else
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   | something else
    /// ```
    ///
    /// Answerable: whoever wrote them
    /// Advice: Declare the body in Content-Length, or send none.
    /// Reference: RFC 9112 6.3
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (side, who) in [(Side::Client, "request"), (Side::Server, "response")] {
        let strays = || {
            session.exchanges.iter().flat_map(move |exchange| {
                exchange
                    .stray
                    .iter()
                    .filter(move |stray| stray.side == side)
                    .map(move |stray| (exchange, stray))
            })
        };
        let Some((exchange, first)) = strays().next() else { continue };
        let more = match strays().count() {
            1 => String::new(),
            runs => format!(", the first of {runs} such runs"),
        };
        let bytes = wording::counted(first.bytes, "byte");
        notes.add(
            exchange.span(),
            format!("{bytes} behind the {who} of the {}{more}", exchange.kind),
        );
    }
}
