//! What shows that a request was not answered.

use super::{diagnosed, report};
use crate::at::{At, Span, Timestamp};
use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::unanswered::{is_forgotten, is_late, is_so, under_way, whole};
use crate::stream::{Connection, Reset, Stall, ZeroWindow};
use crate::tls::{Alert, Facts, Traffic};

/// How many requests were sent whole and got no answer in the upload of a transcript, once that is changed.
fn count_changed(text: &str, change: impl Fn(&mut Session)) -> usize {
    let mut session = report(text).sessions.remove(0);
    change(&mut session);
    // A copy finds anew whether it is whole.
    whole(&session.clone()).count()
}

#[test]
fn a_request_that_a_proxy_acknowledged_is_asked_of_that() {
    let tunnelled = "= url http://server/upload/a\n> CONNECT server:80\n< 200 plain\n> CREATE-SESSION\n\
        < 200 session=1\n> FRAGMENT 0-9/20\n... 2.6 s\n! client closes\n";
    let asked = "= url http://server/upload/a\n> CREATE-SESSION proxied\n< 200 session=1\n\
        > FRAGMENT 0-9/20 proxied\n... 2.6 s\n! client closes\n";
    for text in [tunnelled, asked] {
        let diagnosis = diagnosed(text);
        assert!(diagnosis.summary.contains("not answered within 2.6 s"), "{}", diagnosis.summary);
        assert_eq!(diagnosis.answerable.as_deref(), Some("the proxy, or the server behind it"));
        assert!(diagnosis.confirm.unwrap().starts_with("The log of the proxy: "));
    }
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
    let joined = "> FRAGMENT 0-9/20 session=1\n! client closes\n= connection\n> CLOSE-SESSION session=1\n< 200\n";
    assert_eq!(count_changed(joined, |_| {}), 1);
    // Another Create may have given it.
    let twice = "> CREATE-SESSION\n< 200 session=1\n> PING\n! client closes\n= connection\n\
                 > FRAGMENT 0-9/20 session=1\n< 200\n";
    let again = |session: &mut Session| session.exchanges[1].kind = PacketType::CreateSession;
    assert_eq!(count_changed(twice, again), 1);
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
    assert_eq!(count("", "PING\n< 200\n> FRAGMENT 10-19/20"), 0);
    let alone = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n= connection\n> PING\n< 200\n\
                 > FRAGMENT 10-19/20\n< 200\n";
    let unasked = |session: &mut Session| {
        (session.exchanges[2].request, session.exchanges[2].kind) = (None, PacketType::Unknown);
    };
    assert_eq!(count_changed(alone, unasked), 0);
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
    // Of a connection that the capture does not have all of, what it answers may be lost.
    let changed = |change: fn(&mut Session)| {
        let mut session = session.clone();
        change(&mut session);
        whole(&session).count()
    };
    assert_eq!(changed(|session| session.connection_mut(0).client_side.lost_by_capture = 1), 1);
    assert_eq!(changed(|session| session.connection_mut(0).midstream = true), 1);
    assert_eq!(changed(|session| session.exchanges[1].connection = 9), 1);
}

#[test]
fn an_answer_to_no_request_that_counts_further_may_be_to_the_fragment_behind_it() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n! client closes\n";
    let count = |next: u64| {
        count_changed(text, |session| {
            session.exchanges[1].request = None;
            session.exchanges[1].response.as_mut().unwrap().next_offset = Some(next);
        })
    };
    assert_eq!((count(10), count(20)), (1, 0));
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
    session.connection_mut(0).server_side.resent.edit().beyond = Some(session.connections[0].last);
    assert_eq!(whole(&session).count(), 0);
    assert!(!is_so(&session, &session.exchanges[1]));
    session.connection_mut(0).server_side.resent.edit().beyond = Some(session.connections[0].first);
    assert_eq!(whole(&session).count(), 1);
    // They are the answer to the last request.
    let two = text.replace("... 3 s", "> PING\n... 3 s");
    let beyond = |session: &mut Session| {
        session.connection_mut(0).server_side.resent.edit().beyond =
            Some(session.connections[0].last);
    };
    assert_eq!((count_changed(&two, |_| {}), count_changed(&two, beyond)), (2, 1));
}

#[test]
fn an_acknowledgement_tells_whether_the_answer_came_only_where_bytes_are_lost() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
    let so = |change: fn(&mut Session)| {
        let mut session = report(text).sessions.remove(0);
        change(&mut session);
        is_so(&session, &session.exchanges[1])
    };
    let unknown =
        |session: &mut Session| session.exchanges[1].request.as_mut().unwrap().awaits = None;
    assert!(so(unknown));
    let lost = |session: &mut Session| session.connection_mut(0).client_side.lost_by_capture = 1;
    assert!(so(lost));
    assert!(!so(|session| {
        session.exchanges[1].request.as_mut().unwrap().awaits = None;
        session.connection_mut(0).client_side.lost_by_capture = 1;
    }));
    let closed = |session: &mut Session| {
        let from_server = Traffic { unread: true, ..Traffic::default() };
        session.connection_mut(0).tls = Some(Box::new(Facts { from_server, ..Facts::default() }));
    };
    assert!(!so(closed));
    // Of the server, nothing was captured.
    assert!(!so(|session| {
        session.connection_mut(0).server_side.packets = 0;
        session.connection_mut(0).client_side.lost_by_capture = 1;
    }));
}

#[test]
fn bytes_of_a_request_are_late_where_they_were_repeated_or_missing_when_the_client_left() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
    let late = |change: &dyn Fn(&mut Connection, Span)| {
        let mut session = report(text).sessions.remove(0);
        let request = session.exchanges[1].request.as_ref().unwrap().span;
        change(session.connection_mut(0), request);
        is_late(&session.connections[0], &session.exchanges[1], 3.0)
    };
    let after = |at: At| At {
        frame: at.frame + 9,
        time: Timestamp::from_nanos(at.time.nanos() + 9_000_000_000),
        ..at
    };
    let stall = |one: &mut Connection, first, last| {
        let span = Span { first, last };
        one.client_side.resent.edit().stall = Some(Stall { span, ..Stall::default() });
    };
    assert!(!late(&|_, _| {}));
    assert!(late(&|one, request| stall(one, request.first, after(request.last))));
    // What was sent before it waited.
    assert!(!late(&|one, request| stall(one, one.first, after(request.last))));
    assert!(late(&|one, _| one.client_side.missing = 1));
    // FIN came by ahead of it.
    let fin = |frame: u64, nanos: i64| {
        late(&|one: &mut Connection, request| {
            let (at, last) = (request.last, request.last.frame + frame - 1);
            let time = Timestamp::from_nanos(at.time.nanos() + nanos);
            one.client_side.fin = Some(At { frame: last, time, ..at });
        })
    };
    assert_eq!((fin(0, -1), fin(0, 0), fin(2, -1)), (true, false, false));
}

#[test]
fn the_end_of_a_connection_that_nobody_acknowledges_for_long_is_forgotten() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
    let forgotten = |acked: bool, reset: Option<Reset>| {
        let mut session = report(text).sessions.remove(0);
        let one = session.connection_mut(0);
        let fin = one.client_side.fin.unwrap();
        one.last.time = Timestamp::from_nanos(fin.time.nanos() + 9_000_000_000);
        (one.client_side.fin_acked, one.reset) = (acked, reset);
        is_forgotten(one)
    };
    let text = text.replace("client closes", "server resets");
    let reset = report(&text).sessions.remove(0).connections[0].reset;
    assert!(reset.is_some() && forgotten(false, None));
    assert!(!forgotten(true, None) && !forgotten(false, reset));
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
    session.connection_mut(0).client_side.fin = Some(late);
    // It may open another connection in advance.
    assert_eq!(waited(&session), 39.0);
    let span = Span { first: end, last: late };
    session.connection_mut(0).client_side.resent.edit().stall =
        Some(Stall { span, ..Stall::default() });
    assert_eq!(waited(&session), 30.0);
    // Of what was over before, it tells nothing.
    let over = Span { first: end, last: end };
    session.connection_mut(0).client_side.resent.edit().stall =
        Some(Stall { span: over, ..Stall::default() });
    assert_eq!(waited(&session), 39.0);
}

#[test]
fn who_opens_another_connection_behind_the_end_waited_until_that() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 30 s\n! client closes\n\
                ... 9 s\n= connection\n> PING\n< 200\n";
    let mut session = report(text).sessions.remove(0);
    let first = session.connections[0].last;
    let span = Span { first, last: At { frame: u64::MAX, ..first } };
    session.connection_mut(0).client_side.resent.edit().stall =
        Some(Stall { span, ..Stall::default() });
    assert_eq!(whole(&session).next().unwrap().1.round(), 30.0);
}

#[test]
fn the_next_request_on_the_same_connection_ends_no_wait() {
    let text =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n... 9 s\n> PING\n< 200\n";
    let unanswered = |session: &mut Session| session.exchanges[1].response = None;
    assert_eq!(count_changed(text, unanswered), 0);
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
    session.connection_mut(0).tls = Some(Box::new(Facts {
        client_hello_at: Some(At::default()),
        decrypted: true,
        from_client: Traffic { decrypted_bytes: 273, ..Traffic::default() },
        alerts: vec![alert],
        ..Facts::default()
    }));
    assert_eq!(whole(&session).count(), 0);
    session.connection_mut(0).tls.as_mut().unwrap().alerts.clear();
    assert_eq!(whole(&session).count(), 1);
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
    let connection = session.connection_mut(0);
    connection.server_side.fin = connection.client_side.fin;
    connection.server_side.resent.edit().fin_unseen = true;
    assert_eq!(whole(&session).count(), 0);
}

#[test]
fn who_left_or_may_have_an_answer_waits_no_more() {
    let waits = |end: &str, change: fn(&mut Session)| {
        let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n{end}");
        let mut session = report(&text).sessions.remove(0);
        change(&mut session);
        under_way(&session, session.connections[0].last).is_some()
    };
    assert!(waits("", |_| {}));
    assert!(!waits("! client closes\n", |_| {}));
    assert!(!waits("! server resets\n", |_| {}));
    assert!(!waits("< 200\n", |_| {}));
    let unseen = |session: &mut Session| {
        let connection = session.connection_mut(0);
        connection.server_side.resent.edit().beyond =
            Some(At { frame: u64::MAX, ..connection.last });
    };
    assert!(!waits("", unseen));
    assert!(!waits("", |session| {
        session.exchanges[1].request.as_mut().unwrap().body.complete = false;
    }));
}

#[test]
fn an_rst_shows_that_nothing_came_where_it_acknowledges_all_that_was_captured() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client resets\n";
    let count = |change: fn(&mut Reset)| {
        let mut session = report(text).sessions.remove(0);
        change(session.connection_mut(0).reset.as_mut().unwrap());
        whole(&session).count()
    };
    assert_eq!(count(|_| {}), 1);
    assert_eq!(count(|reset| reset.acked = false), 0);
    assert_eq!(count(|reset| reset.tells_of_more = true), 0);
}

#[test]
fn without_its_end_a_request_is_given_up_only_where_the_capture_lacks_nothing() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 9 s\n= connection\n> PING\n< 200\n";
    assert_eq!(count_changed(text, |_| {}), 1);
    let lossy = |session: &mut Session| session.connection_mut(1).server_side.lost_by_capture = 1;
    assert_eq!(count_changed(text, lossy), 0);
}

#[test]
fn what_is_repeated_or_must_not_be_sent_may_wait_for_long() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20 dropped\n... 31 s\n= connection\n> PING\n< 200\n";
    let count = |change: &dyn Fn(&mut Connection)| {
        count_changed(text, |session| change(session.connection_mut(0)))
    };
    assert_eq!(count(&|_| {}), 0);
    assert_eq!(count(&|one| one.client_side.repeats = 1), 1);
    let again = |one: &mut Connection| {
        let last = At { frame: u64::MAX, ..one.last };
        let span = Span { first: one.first, last };
        one.client_side.resent.edit().stall = Some(Stall { span, ..Stall::default() });
    };
    assert_eq!(count(&again), 1);
    let before = |one: &mut Connection| {
        let span = Span { first: one.first, last: one.first };
        one.client_side.resent.edit().stall = Some(Stall { span, ..Stall::default() });
    };
    assert_eq!(count(&before), 0);
    let (start, started) = (At::default(), Timestamp::default());
    let closed = ZeroWindow { start, end: None, started, ended: None };
    assert_eq!(count(&|one| one.server_side.zero_windows.push(closed)), 1);
}

#[test]
fn bytes_that_the_capture_lacks_matter_where_the_answer_may_be_among_them() {
    let count = |request: &str, change: fn(&mut Connection)| {
        let text = format!("> CREATE-SESSION\n{request}... 3 s\n! client closes\n");
        count_changed(&text, |session| {
            session.connection_mut(0).client_side.cut = 1;
            change(session.connection_mut(0));
        })
    };
    let second = "< 200 session=1\n> FRAGMENT 0-9/20\n";
    assert_eq!((count("", |_| {}), count(second, |_| {})), (1, 1));
    assert_eq!(count(second, |one| one.server_side.cut = 1), 0);
    // From before what was captured first of the server, the answer to the first request may be.
    let begins_late = |one: &mut Connection| one.syn_ack = None;
    assert_eq!((count("", begins_late), count(second, begins_late)), (0, 1));
    // Where the capture lacks nothing, it is not.
    let whole = "> CREATE-SESSION\n... 3 s\n! client closes\n";
    assert_eq!(count_changed(whole, |session| begins_late(session.connection_mut(0))), 1);
}
