//! The rule `ack-offset-went-back`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// The server acknowledges less than it did before.
    ///
    /// It lost bytes that it had confirmed: a second node, a restored disk.
    /// Advice: Look for affinity of the farm, or a BITSHostId; the bytes are sent again.
    /// Reference: [MC-BUP] 2.2.6
    Error, belief 58, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut most = 0;
    for exchange in &session.exchanges {
        let Some(response) = exchange.response.as_ref() else { continue };
        let Some(next) =
            response.next_offset.filter(|_| matches!(response.http_status, 200 | 201 | 416))
        else {
            continue;
        };
        if next < most {
            notes.add(exchange.span(), format!("next {next}, after {most} had been acknowledged"));
        }
        most = most.max(next);
    }
}
