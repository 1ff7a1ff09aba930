//! The rule `ua-without-bits-behaviour`.

use crate::bits::PacketType;
use crate::model::{Exchange, Request, Session};
use crate::rules::{Notes, look};

rule! {
    /// The client calls itself Microsoft BITS but does not behave like it.
    ///
    /// Windows sends one request at a time, by BITS_POST over HTTP/1.1, each with its length, in Fragments of at most 13 MB; BITS before 1.5
    /// cannot upload. What does otherwise has borrowed the name. A small Fragment alone says nothing.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// > FRAGMENT 10000-19999/20000
    /// < 200 received=10000
    /// < 200 received=20000
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   User-Agent: Microsoft BITS/6.2
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   User-Agent: curl/8.5
    ///   Expect: 100-continue
    /// < 200 session=1
    /// ```
    ///
    /// Advice: See which program on the client owns the connection (`netstat -b`, event 5156); svchost.exe is BITS itself.
    /// Confirm: The client's BITS-Client log holds no job for this URL.
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut told: Vec<&str> = Vec::new();
    let mut known = (None, None);
    for exchange in &session.exchanges {
        let Some(request) = &exchange.request else { continue };
        if known.0 != request.user_agent.as_ref() {
            known = (request.user_agent.as_ref(), version(request));
        }
        let Some(version) = known.1 else { continue };
        let new = habits(session, exchange, request, version);
        let new: Vec<&str> = new.into_iter().filter(|habit| !told.contains(habit)).collect();
        if !new.is_empty() {
            let agent = request.user_agent.as_deref().unwrap_or_default();
            notes.likely(exchange.span(), format!("\"{agent}\" {}", new.join(", ")));
            told.extend(new);
        }
    }
}

/// The version of BITS that a client claims, as major and minor number.
fn version(request: &Request) -> Option<(u32, u32)> {
    let (major, minor) =
        request.user_agent.as_deref()?.strip_prefix("Microsoft BITS/")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The largest Fragment, in bytes, of BITS 2.5 and later, with some room ([MC-BUP] Appendix A <10>).
const LARGEST: u64 = 14 << 20;

/// The largest one before that.
const LARGEST_OLD: u64 = 128 << 10;

/// What Windows does not do.
fn habits(
    session: &Session,
    exchange: &Exchange,
    request: &Request,
    version: (u32, u32),
) -> Vec<&'static str> {
    let len = look::range(exchange).and_then(|range| range.len()).unwrap_or(0);
    let largest = if version < (6, 7) { LARGEST_OLD } else { LARGEST };
    let fragment = exchange.kind == PacketType::Fragment;
    let early = fragment
        && session.exchanges.iter().any(|other| {
            let asked = other.request.as_ref().map_or(u64::MAX, |other| other.span.last.frame);
            let answered = other.response.as_ref().map_or(0, |answer| answer.span.first.frame);
            other.connection == exchange.connection
                && asked < request.span.first.frame
                && request.span.first.frame < answered
        });
    let bits = request.method == "BITS_POST" || request.method.eq_ignore_ascii_case("BITS_POST");
    [
        (version < (6, 5), "uploads, which its version cannot"),
        (!bits && !request.method.is_empty(), "does not use BITS_POST"),
        (early, "does not wait for answers"),
        (len > largest, "sends larger Fragments than its version does"),
        (request.minor_version == 0, "speaks HTTP/1.0"),
        (request.expect.is_some(), "asks for 100"),
        (request.transfer_encoding.is_some(), "sends chunks"),
    ]
    .into_iter()
    .filter(|(does, _)| *does)
    .map(|(_, habit)| habit)
    .collect()
}
