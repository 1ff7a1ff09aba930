//! The rule `host-id-fallback`.

use crate::model::Session;
use crate::rules::hosts::Named;
use crate::rules::{Around, Confidence, Notes, look};

rule! {
    /// The client went back to the first host.
    ///
    /// The host that BITS-Host-Id named did not answer any more for as long as the fallback time-out says. Another node
    /// may take over, but where it does not have the session's bytes the upload starts again from nothing.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// ... 61 s
    /// = server 192.0.2.80:80
    /// = url http://server/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look at the node that was named, and at the names and ports that lead to it; expect a restart from byte 0 if the nodes share no folder.
    /// Confirm: The log of the named node at the time of its last answer.
    /// Reference: [MC-BUP] 3.1.6.3
    Warning, belief 48, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    let mut left = named.attempts(around.attempts).map(|attempt| attempt.last).next();
    for exchange in named.later() {
        let first = exchange.span().first;
        if named.takes(exchange) {
            left = Some(exchange.span().last);
        } else if let Some(left) = left.filter(|left| left.frame < first.frame) {
            let limit = match session.host_id_fallback_timeout_seconds {
                Some(secs) => format!("the fallback time-out is {secs} s"),
                None if look::whole_answer(named.opened).is_none() => {
                    "its head is cut off".to_owned()
                }
                None => "no fallback time-out was given".to_owned(),
            };
            let message = format!(
                "back from \"{}\" to {} after {:.1} s; {limit}",
                named.value,
                exchange.server,
                first.time.secs_since(left.time)
            );
            let spans = [crate::at::Span::at(left), exchange.span()];
            notes.note(notes.severity(), Confidence::Certain, &spans, message);
            return;
        }
    }
}
