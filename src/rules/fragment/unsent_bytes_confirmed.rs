//! The rule `unsent-bytes-confirmed`.

use crate::bits::PacketType;
use crate::model::ranges::Ranges;
use crate::model::{Exchange, Request, Session};
use crate::rules::{Around, Confidence, Notes, look, wording};

rule! {
    /// The server confirms bytes that nobody sent.
    ///
    /// It takes a Fragment that is shorter than its range for a whole one, or names a byte to go on at behind all that it
    /// had confirmed and was sent since. The client leaves these bytes out, so the file at the server has a hole or comes
    /// from somewhere else, though the upload may end as if all were well.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   | five!
    /// < 200 received=10
    /// > FRAGMENT 10-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200
    /// > FRAGMENT 10-19/40
    /// < 416 received=30
    /// > FRAGMENT 30-39/40
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// They came after all:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   | five!
    /// < 200 received=10
    /// > FRAGMENT 0-19/20
    /// < 200
    /// ```
    /// It may have had them before:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 416 received=30
    /// > FRAGMENT 30-39/40
    /// < 200
    /// ```
    /// They may have come another way:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200
    /// = connection
    /// > FRAGMENT 10-19/40
    /// < 416 received=30
    /// > FRAGMENT 30-39/40
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200
    /// > FRAGMENT 10-29/40 lost
    /// < 200 lost
    /// > FRAGMENT 10-19/40
    /// < 416 received=30
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200
    /// > FRAGMENT 20-29/40
    /// < 416 received=30
    /// ```
    /// How many bytes of the file it brings, its length does not tell:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   Content-Encoding: gzip
    ///   | five!
    /// < 200 received=10
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    /// A server that takes Fragments in any order confirms of each one its own end only:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/20
    /// < 200 received=20
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: it must confirm no byte that it was not sent. Upload the file again.
    /// Confirm: The file at the server, compared with that of the client at these bytes.
    /// Reference: [MC-BUP] 2.2.7.2
    Warning, belief 35, needs WholeSession, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if session.exchanges_omitted > 0 {
        return;
    }
    let Some(mut sent) = sent(session) else { return };
    // What the server took back is not lost on the client.
    let most = session.bytes_acknowledged;
    let mut before = None;
    for exchange in &session.exchanges {
        let claim = claim(before, exchange);
        before = Some(exchange);
        let Some(claim) = claim.map(|claim| Claim { to: claim.to.min(most), ..claim }) else {
            continue;
        };
        let mut unsent = Ranges::default();
        unsent.add(claim.from, claim.to);
        sent.within(claim.from, claim.to).for_each(|(from, to)| unsent.remove(from, to));
        let Some((from, _)) = unsent.iter().next() else { continue };
        if around.may_bring_bytes_of(session) {
            return;
        }
        sent.add(claim.from, claim.to);
        if !session.may_be_beside(unsent.len()) {
            tell(exchange, &claim, from, unsent.len(), notes);
        }
    }
}

fn tell(exchange: &Exchange, claim: &Claim, from: u64, bytes: u64, notes: &mut Notes<'_>) {
    let bytes = wording::counted(bytes, "byte");
    let message =
        format!("the server confirmed {bytes} from byte {from} on that no Fragment brought");
    let finding = notes.note(notes.severity(), claim.confidence, &[exchange.span()], message);
    if let Some(finding) = finding.filter(|_| claim.confidence == Confidence::Certain) {
        finding.turn_to("the client and the server").advise(OF_SHORT);
    }
}

/// What to do where a Fragment is shorter than its range.
const OF_SHORT: &str = "Let the client send all bytes of the range that it names, and the server refuse a Fragment that is shorter. Upload the file again.";

/// The bytes of the file that Fragments brought at most; `None` where a body has no place in it.
fn sent(session: &Session) -> Option<Ranges> {
    let mut sent = Ranges::default();
    for exchange in session.exchanges.iter().filter(|one| one.kind == PacketType::Fragment) {
        let request = exchange.request.as_ref()?;
        match exchange.bounds().filter(|(start, end)| start <= end) {
            Some((start, end)) => {
                let length = length(request).unwrap_or(end - start);
                sent.add(start, start.saturating_add(length));
            }
            None if request.body.bytes > 0 => return None,
            None => {}
        }
    }
    Some(sent)
}

/// How many bytes a Fragment brought, where its body tells.
fn length(request: &Request) -> Option<u64> {
    let coded = request.content_encoding.is_some() || request.transfer_encoding.is_some();
    let told = request.content_length == Some(request.body.bytes);
    (told && request.body.complete && !coded).then_some(request.body.bytes)
}

/// Bytes that an answer confirms.
struct Claim {
    from: u64,
    to: u64,
    confidence: Confidence,
}

/// What an answer confirms: its Fragment, or more than the answer right before it on the same connection did. Without
/// such a one, or where the client goes on behind that, the bytes may have come by a way that the capture does not show.
fn claim(before: Option<&Exchange>, exchange: &Exchange) -> Option<Claim> {
    let (start, end) = exchange.bounds()?;
    let next = told(exchange)?;
    if exchange.succeeded() && next == end {
        return Some(Claim { from: start, to: next, confidence: Confidence::Certain });
    }
    let before = before.filter(|before| before.connection == exchange.connection)?;
    let from = told(before).filter(|from| start <= *from)?;
    (next > from).then_some(Claim { from, to: next, confidence: Confidence::Likely })
}

/// How far the server has the file, as BITS answered to a Fragment.
fn told(exchange: &Exchange) -> Option<u64> {
    let answer = exchange.response.as_ref().filter(|answer| answer.tells_offset())?;
    answer.next_offset.filter(|_| look::is_by_bits(exchange) && look::range(exchange).is_some())
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    /// What the rule says of a transcript, with who is answerable.
    fn said(text: &str) -> Vec<(String, String)> {
        let findings = report(text).sessions.remove(0).findings;
        let own = findings.into_iter().filter(|one| one.rule == "unsent-bytes-confirmed");
        own.map(|one| (one.message, one.answerable.unwrap().to_string())).collect()
    }

    const OPENED: &str = "> CREATE-SESSION\n< 200 session=1\n";

    #[test]
    fn what_is_missing_is_told_once() {
        let short = "> FRAGMENT 0-9/30\n  | nine byte\n< 200 received=10\n";
        let rest = "> FRAGMENT 10-19/30\n< 200\n> FRAGMENT 20-29/30\n< 200\n";
        let both = "the client and the server".to_owned();
        let words =
            "the server confirmed 1 byte from byte 9 on that no Fragment brought".to_owned();
        assert_eq!(said(&format!("{OPENED}{short}{rest}")), [(words, both)]);
        let ahead = "> FRAGMENT 0-9/30\n< 200\n> FRAGMENT 10-19/30\n< 416 received=30\n";
        let words =
            "the server confirmed 10 bytes from byte 20 on that no Fragment brought".to_owned();
        let told = said(&format!("{OPENED}{ahead}> FRAGMENT 10-19/30\n< 416 received=30\n"));
        assert_eq!(told, [(words, "the server".to_owned())]);
    }

    #[test]
    fn what_the_server_takes_back_it_does_not_lack() {
        let ahead = "> FRAGMENT 0-9/30\n< 200\n> FRAGMENT 10-19/30\n< 416 received=30\n";
        let back = "> FRAGMENT 10-19/30\n< 416 received=10\n> FRAGMENT 10-19/30\n< 200\n";
        assert!(said(&format!("{OPENED}{ahead}{back}")).is_empty());
    }

    #[test]
    fn an_earlier_session_may_have_brought_them() {
        let earlier = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-29/40\n< 200\n> CANCEL-SESSION\n< 200\n";
        let ahead = "> FRAGMENT 0-9/40\n< 200\n> FRAGMENT 10-19/40\n< 416 received=30\n";
        let report = report(&format!("{earlier}> CREATE-SESSION\n< 200 session=2\n{ahead}"));
        let last = report.sessions.last().unwrap();
        assert!(last.findings.iter().all(|one| one.rule != "unsent-bytes-confirmed"));
        assert_eq!(report.sessions.len(), 2);
    }
}
