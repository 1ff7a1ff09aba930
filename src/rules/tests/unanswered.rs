//! What shows that a request was not answered.

use super::{diagnosed, report};
use crate::at::{At, Span, Timestamp};
use crate::model::Session;
use crate::rules::unanswered::whole;
use crate::stream::Stall;
use crate::tls::{Alert, Facts, Traffic};

#[test]
fn a_request_that_a_proxy_acknowledged_is_asked_of_that() {
    let diagnosis = diagnosed(
        "= url http://server/upload/a\n> CONNECT server:80\n< 200 plain\n> CREATE-SESSION\n\
         < 200 session=1\n> FRAGMENT 0-9/20\n... 2.6 s\n! client closes\n",
    );
    assert!(diagnosis.summary.contains("not answered within 2.6 s"), "{}", diagnosis.summary);
    assert_eq!(diagnosis.answerable.as_deref(), Some("the proxy, or the server behind it"));
    assert!(diagnosis.confirm.unwrap().starts_with("The log of the proxy: "));
}

#[test]
fn a_create_whose_id_is_used_was_answered() {
    let text = |next: &str| {
        let end = "! client closes\n= connection\n";
        report(&format!("> CREATE-SESSION\n{end}> {next}\n< 200\n")).sessions.remove(0)
    };
    assert_eq!(whole(&text("FRAGMENT 0-9/20 session=1")).count(), 0);
    assert_eq!(whole(&text("PING\n  Host: node")).count(), 0);
    assert_eq!(whole(&text("PING")).count(), 1);
    let lost = "FRAGMENT 0-9/20 session=1 lost\n< 200 received=10\n> FRAGMENT 10-19/20 session=1";
    assert_eq!(whole(&text(lost)).count(), 0);
}

#[test]
fn a_fragment_behind_which_the_client_goes_on_was_answered_unless_the_capture_has_its_end() {
    let count = |end: &str, next: &str| {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n{end}= connection\n> {next}\n< 200\n"
        );
        whole(&report(&text).sessions.remove(0)).count()
    };
    assert_eq!(count("", "FRAGMENT 10-19/20"), 0);
    assert_eq!(count("! client closes\n", "FRAGMENT 10-19/20"), 1);
    assert_eq!(count("", "FRAGMENT 0-19/20"), 1);
    // What was asked between is lost.
    assert_eq!(count("", "PING lost\n< 200\n> FRAGMENT 10-19/20"), 0);
}

#[test]
fn an_answer_to_no_request_may_be_to_the_one_behind_it() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n! client closes\n";
    let mut session = report(text).sessions.remove(0);
    assert_eq!(whole(&session).count(), 1);
    session.exchanges[1].request = None;
    // It counts bytes, as the Ack of a Close does not.
    assert_eq!(whole(&session).count(), 1);
    session.exchanges[1].response.as_mut().unwrap().next_offset = None;
    assert_eq!(whole(&session).count(), 0);
}

#[test]
fn who_waits_to_the_end_is_seen_to_close_the_connection() {
    let count = |secs: u32| {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... {secs} s\n= connection\n> PING\n< 200\n"
        );
        whole(&report(&text).sessions.remove(0)).count()
    };
    assert_eq!((count(299), count(600)), (1, 0));
}

#[test]
fn bytes_of_the_server_that_did_not_come_by_are_the_answer() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
    let mut session = report(text).sessions.remove(0);
    assert_eq!(whole(&session).count(), 1);
    // What acknowledges the client's FIN.
    session.connections[0].server_side.resent.edit().beyond = Some(session.connections[0].last);
    assert_eq!(whole(&session).count(), 0);
}

#[test]
fn what_no_host_repeats_for_long_was_not_captured() {
    let count = |secs: u32, again: &str| {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20 dropped\n{again}... {secs} s\n\
             = connection\n> PING\n< 200\n"
        );
        whole(&report(&text).sessions.remove(0)).count()
    };
    assert_eq!((count(31, ""), count(31, "! again\n"), count(3, "")), (0, 1, 1));
}

#[test]
fn who_opens_another_connection_has_left_though_the_end_comes_late() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 30 s\n! client closes\n\
                = connection\n> PING\n< 200\n";
    let mut session = report(text).sessions.remove(0);
    let waited = |session: &Session| whole(session).next().unwrap().1.round();
    assert_eq!(waited(&session), 30.0);
    let end = session.connections[0].last;
    let late = At {
        frame: u64::MAX,
        time: Timestamp::from_nanos(end.time.nanos() + 9_000_000_000),
        ..end
    };
    session.connections[0].client_side.fin = Some(late);
    // It may open another connection in advance.
    assert_eq!(waited(&session), 39.0);
    let span = Span { first: end, last: late };
    session.connections[0].client_side.resent.edit().stall =
        Some(Stall { span, ..Stall::default() });
    assert_eq!(waited(&session), 30.0);
}

#[test]
fn a_request_that_met_an_alert_was_not_given_up_by_its_client() {
    let mut session = report("> CREATE-SESSION\n! client closes\n").sessions.remove(0);
    assert_eq!(whole(&session).count(), 1);
    let alert = Alert {
        from_client: false,
        fatal: true,
        code: 116,
        description: "certificate_required".into(),
        at: At::default(),
    };
    session.connections[0].tls = Some(Box::new(Facts {
        client_hello_at: Some(At::default()),
        decrypted: true,
        from_client: Traffic { decrypted_bytes: 273, ..Traffic::default() },
        alerts: vec![alert],
        ..Facts::default()
    }));
    assert_eq!(whole(&session).count(), 0);
}

#[test]
fn an_answer_that_came_twice_is_not_that_of_the_next_request() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200 received=10\n< 200 received=10\n\
                > FRAGMENT 10-29/30\n... 301 s\n! client closes\n";
    assert_eq!(diagnosed(text).cause, "response-timeout");
}

#[test]
fn an_end_that_was_not_captured_came_before_the_client_s_that_acknowledges_it() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
    let mut session = report(text).sessions.remove(0);
    assert_eq!(whole(&session).count(), 1);
    let connection = &mut session.connections[0];
    connection.server_side.fin = connection.client_side.fin;
    connection.server_side.resent.edit().fin_unseen = true;
    assert_eq!(whole(&session).count(), 0);
}
