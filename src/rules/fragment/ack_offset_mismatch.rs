//! The rule `ack-offset-mismatch`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, offsets};

rule! {
    /// The server acknowledges another offset than the one after the Fragment.
    ///
    /// It wrote less than it was sent, counts from another byte, or is not the server that had the bytes before. The
    /// client goes on where the Ack points, so bytes are repeated or left out.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=9
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=10
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    ///   BITS-Received-Content-Range: bytes 0-9/20
    /// ```
    /// The server already had more than was repeated:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=10
    /// > FRAGMENT 0-4/20
    /// < 200 received=10
    /// ```
    /// The Ack is that of a Fragment that the capture lacks:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// > FRAGMENT 10-19/30 lost
    /// > FRAGMENT 20-29/30
    /// < 200 received=10
    /// < 200 received=20
    /// ```
    /// So it is of all that follow:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30 lost
    /// > FRAGMENT 10-19/30
    /// > FRAGMENT 20-29/30
    /// < 200 received=10
    /// < 200 received=20
    /// < 200 received=30
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30 lost
    /// > FRAGMENT 10-19/30 lost
    /// > FRAGMENT 20-29/30
    /// < 200 received=10
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: its Ack must name the next byte that it wants.
    /// Confirm: The length of the file in the server's upload directory after this Fragment.
    /// Reference: [MC-BUP] 2.2.7.2
    Warning, belief 30, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|response| response.is_success()) else {
        return;
    };
    if let Some(raw) = &response.next_offset_raw {
        // Who reads past the words finds the number, where there is one.
        let readable = response.next_offset.is_some() || course::went_on(session, exchange);
        let severity = if readable { Severity::Note } else { notes.severity() };
        let message = format!("acknowledged {raw:?} instead of a number");
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
    let range = look::range(exchange).filter(|range| range.valid);
    let end = range.and_then(|range| range.end);
    let (Some(next), Some(end)) = (response.next_offset, end) else { return };
    let had = offsets::confirmed(session, exchange).map(|(next, _)| next);
    if end.checked_add(1) == Some(next) || had == Some(next) && next > end {
        return;
    }
    // It may be the Ack of what the capture lacks ahead of this.
    let connection = session.connection(exchange.connection);
    let lossy = connection.is_some_and(|one| one.client_side.lost_by_capture > 0);
    let is_ahead = |start: u64| next == start || next < start && next > had.unwrap_or(0);
    if lossy && range.and_then(|range| range.start).is_some_and(is_ahead) {
        return;
    }
    let slip = match offsets::names_last_byte(exchange) {
        true => ", its last byte instead of the one after it",
        false => "",
    };
    notes.add(
        exchange.span(),
        format!("acknowledged {next} after a Fragment that ends with byte {end}{slip}"),
    );
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Note, Warning};
    use crate::rules::tests::{report, severity};

    #[test]
    fn what_is_no_number_counts_where_the_client_did_not_go_on() {
        let said = |received: &str| {
            let field = format!("BITS-Received-Content-Range: {received}");
            format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n  {field}\n")
        };
        let rule = "ack-offset-mismatch";
        assert_eq!(severity(rule, &said("-1")), Some(Warning));
        assert_eq!(severity(rule, &said("bytes 0-9/20")), Some(Note));
        let went_on = said("-1") + "> FRAGMENT 10-19/20\n< 200\n";
        assert_eq!(severity(rule, &went_on), Some(Note));
        let findings = report(&said("-1")).sessions.remove(0).findings;
        assert!(findings.iter().all(|finding| finding.rule != "ack-range-missing"));
    }
}
