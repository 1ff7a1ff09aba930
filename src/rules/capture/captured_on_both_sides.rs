//! The rule `captured-on-both-sides`.

use crate::at::Span;
use crate::bits::protocol::is_unique;
use crate::model::Session;
use crate::rules::history::Brief;
use crate::rules::{Around, Confidence, Notes, look};

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
    let Some(span) = session.span().filter(|_| around.id.is_some_and(|id| is_unique(id))) else {
        return;
    };
    let other = around.other_legs().find(|brief| is_other_side(session, span, brief));
    if let Some(other) = other {
        let message = format!(
            "the same upload was captured between {} and {}, too",
            other.client, other.server
        );
        let spans = [Span::at(other.first), Span::at(span.first)];
        notes.note(notes.severity(), Confidence::Likely, &spans, message);
    }
}

/// Whether a session with the same id is of the same file between other hosts, at the same time. One that goes on
/// elsewhere has no beginning there.
fn is_other_side(session: &Session, span: Span, brief: &Brief) -> bool {
    let ends = (session.client.address, session.server.socket());
    let apart = (brief.client, brief.server) != ends;
    let same = brief.has_path(session.url.as_deref()) && brief.total == session.bytes_total;
    let begins = session.exchanges.iter().any(look::creates);
    apart && same && begins == brief.created && brief.span().meets(span)
}
