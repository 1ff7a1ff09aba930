//! The rule `ack-offset-beyond-end`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The server acknowledges bytes behind the end of the file.
    ///
    /// Advice: Mend the server: the header must name the next byte wanted.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 35, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let next = exchange.response.as_ref().and_then(|response| response.next_offset);
    if let (Some(next), Some(total)) = (next, session.bytes_total)
        && next > total
    {
        notes.add(exchange.span(), format!("acknowledged {next} of a file of {total} bytes"));
    }
}
