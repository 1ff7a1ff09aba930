//! Bytes of a file that its server confirmed and that the capture lacks, though no connection tells of a hole: frames
//! were left out up to the end of one, or ahead of the first one of another that was seen.

use crate::at::Span;
use crate::bits::PacketType;
use crate::model::ranges::Ranges;
use crate::model::{Exchange, Session};
use crate::rules::{Around, Confidence, Finding, Severity};
use crate::stream::Connection;

/// Rules that tell why a server has more than was seen to come.
const TOLD: [&str; 5] = [
    "ack-offset-beyond-end",
    "ack-offset-mismatch",
    "fragment-gap",
    "length-range-mismatch",
    "unsent-bytes-confirmed",
];

/// What the capture lacks of a file.
#[derive(Clone, Copy, Debug)]
pub struct Uncaptured {
    /// How many bytes.
    pub bytes: u64,
    /// The answer that confirms the first of them.
    pub span: Span,
    /// How sure it is that they crossed the wire where it was captured.
    pub confidence: Confidence,
}

/// What the capture lacks of the file of a session that was judged.
pub fn of(session: &Session, around: &Around<'_>) -> Option<Uncaptured> {
    let tells = |finding: &Finding| {
        finding.severity > Severity::Note && TOLD.iter().any(|rule| finding.rule == **rule)
    };
    let seen = seen(session)?;
    let from = if session.joined { seen.iter().next()?.0 } else { 0 };
    let mut missing = Ranges::default();
    missing.add(from, session.bytes_acknowledged);
    seen.iter().for_each(|(start, end)| missing.remove(start, end));
    let bytes = missing.len();
    let (first, _) = missing.iter().next()?;
    let hidden: u64 = session.connections().map(hidden).sum();
    if hidden >= bytes
        || session.may_be_beside(bytes)
        || session.fills_holes()
        || session.findings.iter().any(tells)
    {
        return None;
    }
    let confirms = |one: &Exchange| {
        let next = one.response.as_ref().and_then(|answer| answer.next_offset);
        next.is_some_and(|next| next > first)
    };
    let place = session.exchanges.iter().position(confirms)?;
    let (before, exchange) =
        (session.exchanges.get(..place)?.last()?, session.exchanges.get(place)?);
    let confidence = match has_hole(session) {
        true => Confidence::Likely,
        // They may have come another way.
        false
            if before.connection != exchange.connection && !around.may_bring_bytes_of(session) =>
        {
            Confidence::Possible
        }
        false => return None,
    };
    let span = exchange.response.as_ref()?.span;
    Some(Uncaptured { bytes, span, confidence })
}

/// The bytes of the file that crossed the wire, be they cut or in a hole; `None` where that cannot be told.
fn seen(session: &Session) -> Option<Ranges> {
    let blind = |one: &Connection| one.is_one_sided() || !one.is_read();
    if session.exchanges_omitted > 0 || session.is_half_seen() || session.connections().any(blind) {
        return None;
    }
    let mut seen = Ranges::default();
    for exchange in session.exchanges.iter().filter(|one| one.kind.may_be_fragment()) {
        let Some(request) = &exchange.request else { continue };
        match (exchange.bounds(), exchange.place()) {
            (Some((start, end)), _) if request.body.complete => seen.add(start, end),
            (_, Some(start)) => seen.add(start, start.saturating_add(request.body.bytes)),
            // Its range may be cut off.
            _ if exchange.kind == PacketType::Fragment || request.is_cut() => return None,
            _ => {}
        }
    }
    Some(seen)
}

/// Bytes of the client that a connection is known to have had, and that the capture lacks or has out of place.
const fn hidden(connection: &Connection) -> u64 {
    let client = &connection.client_side;
    client.lost_by_capture + client.missing + client.after_end
}

/// Whether the capture shows that it lacks frames amid the session.
fn has_hole(session: &Session) -> bool {
    let unasked = |one: &Exchange| one.request.is_none() && one.confirms_bytes();
    session.is_rejoined() || session.exchanges.iter().skip(1).any(unasked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{self, Record};

    const FIRST: &str = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n< 200\n";
    const SECOND: &str = "= connection\n> FRAGMENT 10-19/40\n< 200\n> FRAGMENT 20-29/40\n< 200\n";
    const REST: &str = "> FRAGMENT 30-39/40\n< 200\n> CLOSE-SESSION\n< 200\n";

    /// What `capture-gap` says of an upload of which the capture lacks some frames.
    fn said(text: &str, is_kept: impl Fn(&Record) -> bool) -> Vec<(String, Confidence)> {
        let mut records = transcript::play(text).unwrap();
        records.retain(is_kept);
        let findings = transcript::analyse(&records, &mut ()).findings;
        let own = findings.into_iter().filter(|finding| finding.rule == "capture-gap");
        own.map(|gap| (gap.message, gap.confidence)).collect()
    }

    fn count(text: &str) -> u64 {
        transcript::play(text).unwrap().len() as u64
    }

    #[test]
    fn what_a_file_left_out_held_is_missed_though_no_connection_tells_of_it() {
        let text = format!("{FIRST}{SECOND}{REST}");
        let words = |bytes| {
            format!("{bytes} bytes of uploads were confirmed by the server but not captured")
        };
        let (first, second) = (count(FIRST), count(&format!("{FIRST}{SECOND}")));
        assert!(said(&text, |_| true).is_empty());
        let amid = |record: &Record| !(first + 1..second).contains(&record.at.frame);
        assert_eq!(said(&text, amid), [(words(20), Confidence::Likely)]);
        let text = format!("{FIRST}{SECOND}= connection\n{REST}");
        let all = |record: &Record| !(first + 1..=second).contains(&record.at.frame);
        assert_eq!(said(&text, all), [(words(20), Confidence::Possible)]);
        // The capture begins there.
        assert!(said(&text, |record| record.at.frame > second).is_empty());
    }

    #[test]
    fn a_server_that_confirms_too_much_tells_of_no_hole() {
        let text = format!("{FIRST}> FRAGMENT 10-19/40\n< 416 received=30\n{REST}");
        assert!(said(&text, |_| true).is_empty());
        let earlier = format!("{FIRST}{SECOND}> CANCEL-SESSION\n< 200\n");
        let next = "> CREATE-SESSION\n< 200 session=2\n= connection\n> FRAGMENT 0-9/40\n< 416 received=30\n";
        assert!(said(&format!("{earlier}{next}{REST}"), |_| true).is_empty());
        // What it names is the end of each Fragment only.
        let scattered = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 20-29/40\n< 200\n= connection\n> FRAGMENT 10-19/40\n< 200\n";
        assert!(said(scattered, |_| true).is_empty());
    }
}
