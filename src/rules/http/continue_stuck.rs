//! The rule `continue-stuck`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, wording};

rule! {
    /// The client held its body back, waiting for 100.
    ///
    /// It asked with `Expect: 100-continue` whether the body is welcome; something on the way did not answer that, so the
    /// client waits for a while before each body.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10 held=8
    ///   Expect: 100-continue
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    ///   Expect: 100-continue
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10 held=8
    /// < 200
    /// ```
    ///
    /// Answerable: the proxy, or the server
    /// Advice: Switch `Expect: 100-continue` off in the client, or let the proxy pass 100 on.
    /// Reference: RFC 9110 10.1.1
    Warning, belief 8, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let expects = request.expect.as_deref().unwrap_or_default().to_ascii_lowercase();
    let Some(started) = request.body.started.filter(|_| expects.contains("100-continue")) else {
        return;
    };
    let held = started.secs_since(request.span.first.time);
    if held <= NOTICED_SECS {
        return;
    }
    let severity = if held > SLOW_SECS { Severity::Warning } else { Severity::Note };
    let answer = match exchange.interim_at {
        Some(at) => {
            format!("100 came after {}", wording::lasting(at.secs_since(request.span.first.time)))
        }
        None => "no 100 came".to_owned(),
    };
    let message = format!(
        "the body of the {} was held back for {}: {answer}",
        exchange.kind,
        wording::lasting(held)
    );
    notes.note(severity, Confidence::Certain, &[request.span], message);
}

/// Many clients wait a second by default.
const NOTICED_SECS: f64 = 1.0;

/// A wait that is no client's ordinary patience.
const SLOW_SECS: f64 = 5.0;
