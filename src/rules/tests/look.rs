//! What an exchange is.

use super::report;
use crate::bits::PacketType;
use crate::model::{Exchange, Odd, Request, Response, Session, Text};
use crate::rules::look::{
    Fresh, bears_bits, creates, forbidden, has_whole_heads, is_answered, is_final, is_whole,
    knows_end, may_be_anothers, may_be_of_application, range_agrees, refusal, refused_create,
    stranger, succeeded_fragment, unknown_to_iis,
};

fn session(text: &str) -> Session {
    report(text).sessions.remove(0)
}

/// The first exchange of an upload.
fn first(text: &str) -> Exchange {
    session(text).exchanges.remove(0)
}

/// A Ping that was answered.
fn ping() -> Exchange {
    session("> CREATE-SESSION\n< 200 session=1\n> PING\n< 200\n").exchanges.remove(1)
}

fn cut_request(exchange: &mut Exchange) {
    let request: &mut Request = exchange.request.as_mut().unwrap();
    request.rare.edit().odd.push(Odd::Cut);
}

fn cut_answer(exchange: &mut Exchange) {
    let answer: &mut Response = exchange.response.as_mut().unwrap();
    answer.rare.edit().odd.push(Odd::Cut);
}

#[test]
fn a_range_agrees_with_the_length_and_the_file() {
    let agrees = |lines: &str| {
        let text = format!("> FRAGMENT 0-9/20 session=1\n{lines}< 200\n");
        let session = session(&text);
        range_agrees(&session, &session.exchanges[0])
    };
    assert_eq!(agrees(""), Some(true));
    assert_eq!(agrees("  Content-Length: 11\n"), Some(false));
    assert_eq!(agrees("  Content-Range:\n"), None);
}

#[test]
fn a_text_is_fresh_where_it_is_another_than_the_last_one() {
    let (one, other) = (Text::from("one"), Text::from("other"));
    let mut fresh = Fresh::default();
    let seen =
        [Some(&one), None, Some(&one), Some(&other), Some(&one)].map(|text| fresh.text(text));
    assert_eq!(seen, [Some("one"), None, None, Some("other"), Some("one")]);
}

#[test]
fn an_exchange_is_answered_where_nothing_lost_can_have_held_another_answer() {
    let answered = |change: fn(&mut Session)| {
        let mut session = session("> CREATE-SESSION\n< 200 session=1\n");
        change(&mut session);
        is_answered(&session, &session.exchanges[0])
    };
    assert!(answered(|_| {}));
    assert!(!answered(|session| session.exchanges[0].request = None));
    assert!(!answered(|session| session.exchanges[0].response = None));
    assert!(!answered(|session| {
        session.exchanges[0].kind = PacketType::Unknown;
        cut_request(&mut session.exchanges[0]);
    }));
    assert!(answered(|session| session.connection_mut(0).client_side.lost_by_capture = 1));
    assert!(answered(|session| session.connection_mut(0).server_side.lost_by_capture = 1));
    assert!(!answered(|session| {
        session.connection_mut(0).client_side.lost_by_capture = 1;
        session.connection_mut(0).server_side.lost_by_capture = 1;
    }));
}

#[test]
fn an_exchange_is_whole_with_an_answer_and_both_heads() {
    let whole = |change: fn(&mut Session)| {
        let mut session = session("> CREATE-SESSION\n< 200 session=1\n");
        change(&mut session);
        let exchange = &session.exchanges[0];
        (has_whole_heads(exchange), is_whole(&session, exchange))
    };
    assert_eq!(whole(|_| {}), (true, true));
    assert_eq!(whole(|session| cut_request(&mut session.exchanges[0])), (false, false));
    assert_eq!(whole(|session| cut_answer(&mut session.exchanges[0])), (false, false));
    let lossy = |session: &mut Session| {
        session.connection_mut(0).client_side.lost_by_capture = 1;
        session.connection_mut(0).server_side.lost_by_capture = 1;
    };
    assert_eq!(whole(lossy), (true, false));
}

#[test]
fn a_cut_head_may_be_of_another_session_where_it_names_none() {
    let anothers = |text: &str| {
        let mut exchange = first(text);
        cut_request(&mut exchange);
        may_be_anothers(&exchange)
    };
    assert!(anothers("> CREATE-SESSION\n< 200\n"));
    assert!(!anothers("> FRAGMENT 0-9/20 session=1\n< 200\n"));
    assert!(!may_be_anothers(&first("> CREATE-SESSION\n< 200\n")));
}

#[test]
fn a_certificate_is_wanted_by_403_or_in_words() {
    let wants = |answer: &str| forbidden(&first(&format!("> CREATE-SESSION\n< {answer}\n")));
    let words = "plain\n  | <h1>400</h1>No required SSL certificate was sent";
    assert_eq!(wants("403 plain"), Some(403));
    assert_eq!(wants(&format!("400 {words}")), Some(400));
    assert_eq!(wants(&format!("404 {words}")), None);
    assert_eq!(wants("400 plain"), None);
}

#[test]
fn a_session_is_created_by_bits_alone() {
    assert!(creates(&first("> CREATE-SESSION\n< 200 session=1\n")));
    assert!(!creates(&first("> CREATE-SESSION\n< 200 plain\n")));
    assert!(!creates(&first("> CREATE-SESSION\n< 500\n")));
    assert!(!creates(&ping()));
}

#[test]
fn a_create_is_refused_by_bits_for_another_reason_than_credentials() {
    let refused = |text: &str| refused_create(&first(text)).is_some();
    assert!(refused("> CREATE-SESSION\n< 500\n"));
    assert!(!refused("> CREATE-SESSION\n< 500 plain\n"));
    assert!(!refused("> CREATE-SESSION\n< 401\n"));
    assert!(!refused("> CREATE-SESSION\n< 200 session=1\n"));
    let later = session("> CREATE-SESSION\n< 200 session=1\n> PING\n< 500\n");
    assert!(refused_create(&later.exchanges[1]).is_none());
}

#[test]
fn a_fragment_succeeds_with_its_answer() {
    assert!(succeeded_fragment(&first("> FRAGMENT 0-9/20\n< 200\n")));
    assert!(!succeeded_fragment(&first("> FRAGMENT 0-9/20\n< 500\n")));
    assert!(!succeeded_fragment(&ping()));
}

#[test]
fn an_error_is_the_application_s_where_its_context_says_so_or_may_be_cut_off() {
    let application = |context: &str, cut: bool| {
        let mut exchange = first(&format!("> CREATE-SESSION\n< 500{context}\n"));
        if cut {
            cut_answer(&mut exchange);
        }
        may_be_of_application(exchange.response.as_ref().unwrap())
    };
    assert!(application(" error=0x80070005 context=0x7", false));
    assert!(!application(" error=0x80070005 context=0x5", true));
    assert!(application("", true) && !application("", false));
}

#[test]
fn iis_knows_no_such_place_where_it_says_404() {
    let unknown = |answer: &str| {
        let text = format!("> CREATE-SESSION\n< {answer} plain\n  Server: Microsoft-IIS/10.0\n");
        unknown_to_iis(&session(&text)).count()
    };
    assert_eq!((unknown("404"), unknown("405")), (1, 0));
}

#[test]
fn a_stranger_answers_neither_as_bits_nor_about_credentials_or_size() {
    let strange =
        |answer: &str| stranger(&first(&format!("> CREATE-SESSION\n< {answer}\n"))).is_some();
    assert!(strange("500 plain") && strange("200 plain"));
    let others = ["500", "401 plain", "413 plain", "200 plain\n  BITS-Packet-Type: Nack"];
    assert_eq!(others.map(strange), [false; 4]);
}

#[test]
fn any_field_of_the_protocol_shows_bits() {
    let bears = |field: &str| {
        let exchange = first(&format!("> CREATE-SESSION\n< 200 plain\n{field}"));
        bears_bits(exchange.response.as_ref().unwrap())
    };
    assert!(!bears(""));
    assert!(bears("  BITS-Session-Id: {1C34C8D4-0F42-49D1-A0D4-274383A65E8F}\n"));
    assert!(bears("  BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}\n"));
    assert!(bears("  BITS-Received-Content-Range: 10\n"));
}

#[test]
fn the_end_of_a_fragment_is_known_by_its_head() {
    let known = |mut exchange: Exchange, cut: bool| {
        if cut {
            cut_request(&mut exchange);
        }
        knows_end(&exchange)
    };
    let fragment = || first("> FRAGMENT 0-9/20 session=1\n< 200\n");
    assert!(known(fragment(), false) && !known(fragment(), true));
    assert!(known(ping(), true));
}

#[test]
fn an_answer_of_400_and_above_refuses() {
    let refused =
        |answer: &str| refusal(&first(&format!("> CREATE-SESSION\n< {answer}\n"))).is_some();
    assert!(refused("500") && !refused("302 plain") && !refused("401 plain") && !refused("200"));
}

#[test]
fn the_last_fragment_reaches_a_total_that_it_names() {
    let last = |range: &str| {
        is_final(&first(&format!(
            "> FRAGMENT 0-9/20 session=1\n  Content-Range: bytes {range}\n< 200\n"
        )))
    };
    assert!(last("10-19/20") && !last("0-9/20") && !last("0-/*"));
}
