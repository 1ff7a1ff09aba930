//! The order of exchanges: on one connection that of its stream, as HTTP reads them (RFC 9112 9.3), of several
//! connections that of their frames. Records that stand out of place in a capture change neither.

use super::exchange::Exchange;

/// The frames that an exchange counts as begun and as over in, where its own ones contradict its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    begins: u64,
    ends: u64,
}

impl Exchange {
    /// An answer that stands ahead of its request, as it does where another tap was early, came behind it.
    fn order(&self) -> Order {
        let own = || {
            let span = self.span();
            let begins = self.request.as_ref().map_or(span, |request| request.span).first.frame;
            Order { begins, ends: span.last.frame.max(begins) }
        };
        self.rare.order.unwrap_or_else(own)
    }

    /// Whether its answer stands ahead of its request: the tap of the server was early, or that of the client late.
    fn stands_behind_its_answer(&self) -> bool {
        let asked = self.request.as_ref().map(|request| request.span.first.frame);
        let answered = self.response.as_ref().map(|answer| answer.span.first.frame);
        asked.zip(answered).is_some_and(|(asked, answered)| answered < asked)
    }

    /// The frame that it begins in, to compare it with others.
    pub(crate) fn begins(&self) -> u64 {
        self.order().begins
    }

    /// The frame that it ends in, to compare it with others.
    pub(crate) fn ends(&self) -> u64 {
        self.order().ends
    }

    /// Whether its answer had begun to come when the request of a later one was sent.
    pub(crate) fn is_answered_before(&self, next: &Self) -> bool {
        let Some(answer) = &self.response else { return false };
        let asked = next.request.as_ref().map_or(0, |request| request.span.first.frame);
        answer.span.first.frame.min(self.ends()) < asked.max(next.begins())
    }
}

/// Puts exchanges in order.
pub fn put_in_order(exchanges: &mut [Exchange]) {
    follow_streams(exchanges);
    exchanges.sort_by_key(Exchange::begins);
}

fn follow_streams(exchanges: &mut [Exchange]) {
    exchanges.sort_by_key(|exchange| (exchange.connection, exchange.number));
    // The one ahead on the connection that has a request, and whether its client had waited for all answers by then.
    let mut ahead: Option<(&mut Exchange, bool)> = None;
    for exchange in exchanges {
        if exchange.request.is_none() {
            if let Some((before, _)) = &ahead
                && before.connection == exchange.connection
                && before.stands_behind_its_answer()
            {
                follow(before, exchange);
            }
            continue;
        }
        let mut waited = true;
        if let Some((before, settled)) =
            ahead.take().filter(|(before, _)| before.connection == exchange.connection)
        {
            follow(before, exchange);
            waited = settled && had_answer(before, exchange);
            if waited {
                end_ahead_of(before, exchange);
            }
        }
        ahead = Some((exchange, waited));
    }
}

/// An exchange comes behind another one of its connection.
fn follow(before: &Exchange, exchange: &mut Exchange) {
    let (after, order) = (before.begins(), exchange.order());
    if order.begins < after {
        let begins = after + 1;
        exchange.rare.edit().order = Some(Order { begins, ends: order.ends.max(begins) });
    }
}

/// Whether the client had an answer to one when it sent the next: its request acknowledges more of the server.
fn had_answer(before: &Exchange, exchange: &Exchange) -> bool {
    let awaits = |one: &Exchange| one.request.as_ref().and_then(|request| request.awaits);
    awaits(before).is_some() && awaits(exchange) > awaits(before)
}

/// The answer to one had come before the next was sent, wherever it stands in the capture.
fn end_ahead_of(before: &mut Exchange, exchange: &Exchange) {
    let (order, next) = (before.order(), exchange.begins());
    if before.response.is_some() && order.ends >= next && order.begins < next {
        before.rare.edit().order = Some(Order { ends: next - 1, ..order });
    }
}

#[cfg(test)]
mod tests {
    use crate::bits::PacketType;
    use crate::model::{Outcome, Session};
    use crate::transcript;

    /// The upload of a transcript of which the record that holds one text is stored ahead of that which holds the other.
    fn stored(text: &str, early: &str, late: &str) -> Session {
        let mut records = transcript::play(text).unwrap();
        let holds =
            |data: &[u8], text: &str| data.windows(text.len()).any(|it| it == text.as_bytes());
        let place = |text| records.iter().position(|record| holds(&record.data, text)).unwrap();
        let (from, to) = (place(early), place(late));
        assert!(to < from);
        let record = records.remove(from);
        records.insert(to, record);
        for (record, number) in records.iter_mut().zip(1..) {
            record.at.frame = number;
        }
        transcript::analyse(&records, &mut ()).sessions.remove(0)
    }

    #[test]
    fn messages_of_a_connection_are_in_the_order_of_its_stream_wherever_they_are_stored() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 200\n\
                    > CLOSE-SESSION\n< 200\n";
        let session = stored(text, "Close-Session", "10-19/20");
        assert_eq!((session.outcome, session.bytes_acknowledged), (Outcome::Completed, 20));
        assert_eq!(session.exchanges.last().unwrap().kind, PacketType::CloseSession);
        assert!(session.diagnosis.is_none(), "{:?}", session.findings);
    }

    #[test]
    fn an_answer_had_come_that_the_next_request_acknowledges() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n  Server: last\n\
                    > FRAGMENT 9-9/10\n< 500 error=0x8020001F context=0x5\n";
        let session = stored(text, "9-9/10", "Server: last");
        assert_eq!(session.diagnosis.unwrap().cause, "message-after-close");
    }

    #[test]
    fn an_answer_whose_request_the_capture_lacks_comes_behind_those_before_it() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200 received=10\n> CLOSE-SESSION\n\
                    < 200\n! client closes\n! server closes\n";
        let by_server = |frame: &[u8]| frame.get(26..30) == Some(&[192, 0, 2, 80]);
        let mut records = transcript::delayed(text, -5_000_000, by_server);
        let is_close =
            |record: &transcript::Record| memchr::memmem::find(&record.data, b"Close-S").is_some();
        records.retain(|record| !is_close(record));
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        assert!(session.exchanges.last().unwrap().request.is_none());
        assert_eq!(session.outcome, Outcome::Completed);
    }
}
