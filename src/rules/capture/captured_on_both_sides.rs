//! The rule `captured-on-both-sides`.

use crate::at::Span;
use crate::model::Session;
use crate::rules::{Around, Confidence, Notes};

rule! {
    /// The upload was captured on both sides of a proxy or of what translates addresses.
    ///
    /// It is listed once for each side: the same id at the same time, between other hosts. What left the network is what
    /// one side carried, not the sum.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session={11111111-2222-3333-4444-555555555555}
    /// ... 2 s
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ... -1 s
    /// = client 10.0.9.1
    /// = server 10.0.9.80:80
    /// > CREATE-SESSION
    /// < 200 session={11111111-2222-3333-4444-555555555555}
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session={11111111-2222-3333-4444-555555555555}
    /// ... 2 s
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ... -1 s
    /// = client 10.0.9.1
    /// = server 10.0.9.80:80
    /// > CREATE-SESSION
    /// < 200 session={66666666-2222-3333-4444-555555555555}
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// A server that gives one id to two clients has two uploads:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session={11111111-2222-3333-4444-555555555555}
    /// ... 2 s
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ... -1 s
    /// = client 10.0.9.1
    /// = url http://192.0.2.80/other.bin
    /// > CREATE-SESSION
    /// < 200 session={11111111-2222-3333-4444-555555555555}
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Answerable: the capture
    /// Advice: Count the bytes of one side only, or leave the other out (`--server`, `--client`).
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if let (Some(other), Some(span)) = (around.other_side(session), session.span()) {
        let message = format!(
            "the same upload was captured between {} and {}, too",
            other.client, other.server
        );
        let spans = [Span::at(other.first), Span::at(span.first)];
        notes.note(notes.severity(), Confidence::Likely, &spans, message);
    }
}
