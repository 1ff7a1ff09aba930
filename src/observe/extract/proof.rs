//! How sure the content of an uploaded file is.

use super::assemble::Build;
use super::manifest::{Doubt, Entry, Proof, State};
use crate::model::{Outcome, Request, Response, Session};

/// The level of proof of a file that was put together for `session`, and what speaks against a better one.
pub(super) fn of(session: &Session, build: &Build) -> (Proof, Vec<Doubt>) {
    let doubts = doubts(session, build);
    let proof = if !build.is_whole() {
        Proof::Partial
    } else if build.has(State::Earlier) {
        Proof::Mixed
    } else if !build.conflicts.is_empty() {
        Proof::Conflicting
    } else if doubts.is_empty() {
        Proof::WholeProven
    } else {
        Proof::WholeSent
    };
    (proof, doubts)
}

/// Takes note of one more doubt.
pub(super) fn lower(entry: &mut Entry, doubt: Doubt) {
    entry.doubts.push(doubt);
    if entry.proof == Proof::WholeProven {
        entry.proof = Proof::WholeSent;
    }
}

fn doubts(session: &Session, build: &Build) -> Vec<Doubt> {
    let requests = || session.exchanges.iter().filter_map(|exchange| exchange.request.as_ref());
    let ranges = || requests().filter(|request| request.content_range.is_some());
    let invalid = |request: &Request| {
        let range = request.content_range.as_ref();
        range.is_some_and(|range| {
            !range.valid || request.content_length.is_some_and(|len| range.len() != Some(len))
        })
    };
    let changed = |request: &Request| {
        request
            .content_range
            .as_ref()
            .and_then(|range| range.total)
            .is_some_and(|total| total != build.size)
    };
    let encoded = |request: &Request| {
        request
            .content_encoding
            .as_deref()
            .is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity"))
    };
    let taken = session
        .exchanges
        .iter()
        .filter(|exchange| exchange.response.as_ref().is_none_or(Response::is_success));
    [
        (!is_confirmed(session), Doubt::Unconfirmed),
        (build.has(State::Sent) || build.has(State::Refused), Doubt::NotAccepted),
        (ranges().any(changed), Doubt::TotalChanged),
        // A Fragment that was refused for its range does no harm.
        (taken.filter_map(|exchange| exchange.request.as_ref()).any(invalid), Doubt::RangeInvalid),
        (ranges().any(encoded), Doubt::Encoded),
    ]
    .into_iter()
    .filter_map(|(is, doubt)| is.then_some(doubt))
    .collect()
}

/// Whether the server confirmed the last byte, or that the session is closed.
fn is_confirmed(session: &Session) -> bool {
    session.bytes_total.is_some_and(|total| session.bytes_acknowledged == total)
        || session.outcome == Outcome::Completed && session.outcome_qualifiers.is_empty()
}
