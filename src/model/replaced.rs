//! Pages that came in place of Acks, though with a status of success: what a gateway says where the server behind it
//! fails.

use super::exchange::{Exchange, Response};
use crate::bits::PacketType;

/// The first frame of the first Fragment that a page answered, ahead of the last one of the file, where an Ack with an
/// offset had answered another. The answer to the last one, and to a Close, may be left to an application.
pub fn since(exchanges: &[Exchange]) -> Option<u64> {
    let fragments = exchanges.iter().filter(|one| one.kind == PacketType::Fragment);
    let counted = |one: &Exchange| one.response.as_ref().is_some_and(counts);
    let mut behind = fragments.skip_while(|one| !counted(one));
    let is_last = |one: &Exchange| one.range().is_none_or(|range| range.behind() == range.total);
    let first = behind.find(|one| one.response.as_ref().is_some_and(is_page) && !is_last(one));
    first.map(Exchange::begins)
}

/// Whether an answer has what an Ack must not have, and nothing of what it must ([MC-BUP] 2.2.7.2, 2.2.7.3).
pub fn is_page(answer: &Response) -> bool {
    let bare = answer.packet_type.is_none() && answer.next_offset.is_none();
    bare && answer.is_success() && !answer.is_cut() && answer.body.bytes > 0
}

fn counts(answer: &Response) -> bool {
    answer.is_success() && answer.is_ack() && answer.next_offset.is_some()
}

#[cfg(test)]
mod tests {
    use crate::model::Outcome;
    use crate::transcript;

    /// The outcome, and the bytes acknowledged, of an upload of which only the first Fragment got an Ack for sure.
    fn told(second: &str, third: &str, close: &str) -> (Outcome, u64) {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n> FRAGMENT 10-19/30\n{second}\
             > FRAGMENT 20-29/30\n{third}> CLOSE-SESSION\n{close}"
        );
        let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut ());
        (report.sessions[0].outcome, report.sessions[0].bytes_acknowledged)
    }

    #[test]
    fn a_page_in_place_of_acks_confirms_nothing() {
        const PAGE: &str = "< 200 plain\n  | maintenance\n";
        const BARE: &str = "< 200 plain\n";
        const ACK: &str = "< 200\n";
        assert_eq!(told(PAGE, PAGE, PAGE), (Outcome::Incomplete, 10));
        assert_eq!(told(PAGE, BARE, BARE), (Outcome::Incomplete, 10));
        // The server took the Close, and may have what it was not seen to confirm.
        assert_eq!(told(PAGE, PAGE, ACK), (Outcome::Completed, 10));
        assert_eq!(told(PAGE, ACK, PAGE), (Outcome::Completed, 30));
        assert_eq!(told(ACK, PAGE, PAGE), (Outcome::Completed, 30));
        assert_eq!(told(BARE, BARE, BARE), (Outcome::Completed, 30));
    }
}
