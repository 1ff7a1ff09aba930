//! What came behind an exchange.

use super::report;
use crate::model::{Exchange, Outcome, Session};
use crate::rules::Severity;
use crate::rules::course::{closed_before, is_let_pass, recovered, unless_overcome, went_on};

/// The upload of a transcript behind a Create-Session that was answered.
fn upload(text: &str) -> Session {
    report(&format!("> CREATE-SESSION\n< 200 session=1\n{text}")).sessions.remove(0)
}

/// Whether what answered the second exchange of an upload let the same pass later, once that upload is changed.
fn passes_once(text: &str, change: impl Fn(&mut Exchange)) -> bool {
    let mut session = upload(text);
    change(session.exchanges.last_mut().unwrap());
    is_let_pass(&session.clone(), &session.exchanges[1])
}

fn passes(text: &str) -> bool {
    passes_once(text, |_| {})
}

#[test]
fn what_stands_in_front_of_bits_lets_the_same_pass_where_bits_answers_it_later() {
    assert!(passes("> FRAGMENT 0-9/20\n< 502 plain\n> FRAGMENT 0-9/20\n< 200\n"));
    assert!(!passes("> FRAGMENT 0-9/20\n< 500\n> FRAGMENT 0-9/20\n< 200\n"), "BITS answered");
    assert!(!passes("> FRAGMENT 0-9/20\n< 401 plain\n> FRAGMENT 0-9/20\n< 200\n"), "it asked who");
    assert!(!passes("> FRAGMENT 10-19/20\n< 502 plain\n> FRAGMENT 0-9/20\n< 200\n"), "ahead of it");
    assert!(passes("> PING\n< 502 plain\n> PING\n< 200\n"));
    assert!(
        !passes("> PING\n  Content-Range: bytes 0-9/20\n< 502 plain\n> PING\n< 200\n"),
        "other"
    );
    let nowhere = "> FRAGMENT 0-9/20\n  Content-Range:\n< 502 plain\n> FRAGMENT 0-9/20\n< 200\n";
    assert!(!passes(nowhere), "nothing tells whether it is the same");
    let before = upload("> PING\n< 200\n> PING\n< 502 plain\n");
    assert!(!is_let_pass(&before, &before.exchanges[2]), "earlier");
}

#[test]
fn it_lets_pass_what_one_client_sends_to_one_server() {
    let text = "> FRAGMENT 0-9/20\n< 502 plain\n> FRAGMENT 0-9/20\n< 200\n";
    assert!(!passes_once(text, |later| later.client = "10.9.9.9:9".parse().unwrap()));
    assert!(!passes_once(text, |later| later.server = "10.9.9.9:80".parse().unwrap()));
}

#[test]
fn an_unknown_session_may_be_what_a_close_left_behind_that_was_passed_on() {
    let close = |later: &str| {
        passes(&format!("> CLOSE-SESSION\n< 502 plain\n> CLOSE-SESSION\n< {later}\n"))
    };
    assert!(close("200"));
    assert!(!close("500 error=0x8020001F"));
}

#[test]
fn a_client_makes_do_with_the_answer_that_ends_its_upload() {
    let session = upload("> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n");
    assert!(went_on(&session, session.exchanges.last().unwrap()));
    let session = upload("> FRAGMENT 0-9/10\n< 200\n");
    assert!(!went_on(&session, session.exchanges.last().unwrap()));
}

#[test]
fn a_close_that_left_the_session_unknown_was_made_good() {
    let session = upload(
        "> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n! client closes\n= connection\n> CLOSE-SESSION\n\
         < 500 error=0x8020001F\n",
    );
    assert_eq!(session.outcome, Outcome::Completed);
    let close = &session.exchanges[2];
    assert_eq!(unless_overcome(&session, close, Severity::Error), Severity::Warning);
}

#[test]
fn a_close_ends_what_comes_behind_it_where_its_client_had_the_answer() {
    let closed = |between: &str, unacked: bool| {
        let text = format!(
            "> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n{between}> CLOSE-SESSION\n< 500 error=0x8020001F\n"
        );
        let mut session = upload(&text);
        if unacked {
            session.connection_mut(0).server_side.acked = 0;
        }
        closed_before(&session, session.exchanges.last().unwrap()).is_some()
    };
    assert!(closed("", true) && closed("= connection\n", false));
    assert!(!closed("= connection\n", true));
}

#[test]
fn a_refused_fragment_is_recovered_by_a_close_where_the_upload_was_seen_from_its_beginning() {
    let text = "> FRAGMENT 0-9/20\n< 500\n> FRAGMENT 10-19/20\n! client closes\n";
    let done = |joined: bool| {
        let mut session = upload(text);
        (session.outcome, session.joined) = (Outcome::Completed, joined);
        recovered(&session, &session.exchanges[1])
    };
    assert_eq!((done(false), done(true)), (true, false));
}

#[test]
fn a_packet_is_recovered_where_one_of_its_kind_brings_the_same() {
    let text = "> PING\n< 500\n";
    let session = upload(text);
    assert!(!recovered(&session, &session.exchanges[1]));
    // What is no Fragment brings nothing, whatever range it names.
    let odd = "> CREATE-SESSION\n  Content-Range: bytes 0-9/20\n< 500\n> CREATE-SESSION\n< 200 session=1\n";
    let session = report(odd).sessions.remove(0);
    assert!(recovered(&session, &session.exchanges[0]));
    // All of the file was there before.
    let session = upload("> FRAGMENT 0-19/20\n< 200\n> FRAGMENT 10-19/20\n< 500\n");
    assert!(recovered(&session, &session.exchanges[2]));
}
