//! The rule `tcp-reset-by-server`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, reset};
use crate::stream::{Reset, Side};

rule! {
    /// The server reset the connection before it had answered.
    ///
    /// The RST looks like the server's other packets: a recycled worker process, a connection limit, a filter.
    /// Behind bytes of the server that the capture lacks, it is no more than a note: they may be the answer. So it is where
    /// the server had closed the connection and the request crossed that, or where the capture lacks what the server sent
    /// last and the RST may answer a closed connection, if the client opened another one.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets ttl=254
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ... 120 s
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 300 s
    /// ! client closes
    /// ! server resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look into the server's log at this time: a restart (in IIS, a recycled application pool), a connection limit, a filter.
    /// Client: 0x80072EFE
    /// Confirm: A capture on the server shows the same RST leaving.
    /// Reference: RFC 9293 3.5.2
    Error, belief 45, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let own = notes.severity();
    let weigh = |exchange: &Exchange, _: &Reset| course::unless_overcome(session, exchange, own);
    reset::judge(session, Side::Server, weigh, notes);
    for (exchange, reset) in reset::behind_a_hole(session) {
        let message = format!(
            "the server reset the connection, behind bytes of its own that the capture lacks: they may be the answer to \
             the {}",
            exchange.kind
        );
        let span = reset::span(exchange, &reset);
        notes.note(Severity::Note, Confidence::Possible, &[span], message);
    }
}

#[cfg(test)]
mod tests {
    use crate::at::Timestamp;
    use crate::rules::Severity;
    use crate::transcript;

    #[test]
    fn behind_an_answer_that_the_capture_lacks_it_is_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500\n! server resets\n";
        let mut records = transcript::play(text).unwrap();
        let is_answer = |data: &[u8]| data.windows(12).any(|bytes| bytes == b"HTTP/1.1 500");
        let answer = records.iter().position(|record| is_answer(record.frame().data)).unwrap();
        records.drain(answer..records.len() - 1);
        let report = transcript::analyse(&records, &mut ());
        let findings = &report.sessions[0].findings;
        let reset = findings.iter().find(|finding| finding.rule == "tcp-reset-by-server");
        assert_eq!(reset.unwrap().severity, Severity::Note);
        assert!(report.sessions[0].diagnosis.is_none());
    }

    #[test]
    fn a_request_that_crossed_the_end_of_a_connection_is_a_note_where_the_client_comes_back() {
        let text = "> CREATE-SESSION\n< 200 session=1\n... 120 s\n> FRAGMENT 0-9/20 dropped\n! server resets\n";
        let back =
            format!("{text}= connection\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 200\n");
        assert_eq!(crossed(text), Severity::Error);
        assert_eq!(crossed(&back), Severity::Note);
    }

    /// How bad an RST is to the second request, where the server's FIN comes right before that.
    fn crossed(text: &str) -> Severity {
        let mut records = transcript::play(text).unwrap();
        let holds = |data: &[u8]| data.windows(7).any(|bytes| bytes == b"0-9/20\r");
        let asked = records.iter().position(|record| holds(&record.data)).unwrap();
        // What the RST says, as FIN with ACK.
        let mut fin = records[asked + 1].clone();
        fin.data[47] = 0x11;
        fin.at.time = Timestamp::from_nanos(records[asked].at.time.nanos() - 1_000);
        records.insert(asked, fin);
        for (record, number) in records.iter_mut().zip(1..) {
            record.at.frame = number;
        }
        let report = transcript::analyse(&records, &mut ());
        let findings = &report.sessions[0].findings;
        let reset = findings.iter().find(|finding| finding.rule == "tcp-reset-by-server").unwrap();
        assert!(reset.message.ends_with("and the Fragment crossed that"), "{}", reset.message);
        reset.severity
    }
}
