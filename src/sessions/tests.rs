//! When a session is handed out, and what becomes of messages that come later.

mod lost;
mod shared;

use crate::limits::Limits;
use crate::model::negotiation::Verdict;
use crate::model::{Exchange, Outcome, Qualifier, Report, Session};
use crate::observe::Observer;
use crate::{Analysis, Options, transcript};

/// Sessions in the order in which they were handed out.
#[derive(Default)]
struct Stream(Vec<Session>);

impl Observer for Stream {
    fn session(&mut self, session: Session) -> Option<Session> {
        self.0.push(session);
        None
    }
}

/// What had been handed out before the capture ended, what after it, and the report.
fn play(limits: Limits, text: &str) -> (Vec<Session>, Vec<Session>, Report) {
    let mut analysis = Analysis::new(Options { limits, ..Options::default() });
    let mut stream = Stream::default();
    for record in transcript::play(text).unwrap() {
        analysis.push(&record.frame(), &mut stream);
    }
    let early = std::mem::take(&mut stream.0);
    let report = analysis.finish(Vec::new(), &mut stream);
    (early, stream.0, report)
}

/// An upload with an id, closed, on a connection of its own that ends.
fn upload(id: u32) -> String {
    format!(
        "= connection\n> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-9/10\n< 200\n\
         > CLOSE-SESSION\n< 200\n! client closes\n! server closes\n"
    )
}

fn ids(sessions: &[Session]) -> Vec<&str> {
    sessions.iter().filter_map(|session| session.id.as_deref()).collect()
}

const GET: &str = "= connection\n> GET /\n< 200 plain\n";

#[test]
fn a_closed_session_is_handed_out_once_its_connection_is_forgotten() {
    let text = format!("{}... 59 s\n{GET}", upload(1));
    assert_eq!(ids(&play(Limits::default(), &text).0), [""; 0]);
    let text = format!("{}... 61 s\n{GET}", upload(1));
    let (early, late, report) = play(Limits::default(), &text);
    assert_eq!((ids(&early), late.len(), report.sessions.len()), (vec!["1"], 0, 0));
    assert_eq!(early[0].outcome, Outcome::Completed);
    assert!(early[0].connections[0].is_over());
}

#[test]
fn on_a_connection_that_goes_on_a_closed_session_waits_for_five_minutes() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> CLOSE-SESSION\n< 200\n";
    for (wait, handed_out) in [(299, 0), (302, 1)] {
        let text = format!("{text}... {wait} s\n> GET /\n< 200 plain\n");
        let (early, ..) = play(Limits::default(), &text);
        assert_eq!(early.len(), handed_out, "{wait}");
        assert!(early.iter().all(|session| session.connections.len() == 1));
    }
}

#[test]
fn a_session_that_was_not_closed_may_be_taken_up_again_within_28_days() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n! client resets\n";
    let text = |days: u32| format!("{text}... {} s\n{GET}", days * 86_400 + 10);
    assert_eq!(play(Limits::default(), &text(27)).0.len(), 0);
    let (early, ..) = play(Limits::default(), &text(28));
    assert_eq!(early[0].outcome, Outcome::Incomplete);
}

#[test]
fn a_message_for_a_forgotten_session_opens_none() {
    let late =
        "= connection\n> CLOSE-SESSION\n  BITS-Session-Id: 1\n< 500 error=0x8020001F context=0x5\n";
    let (early, rest, report) =
        play(Limits::default(), &format!("{}... 61 s\n{GET}{late}", upload(1)));
    assert_eq!((early.len(), rest.len(), report.quality.late_messages), (1, 0, 1));
    let pinged = late.replace("> CLOSE", "> PING\n< 200\n> CLOSE");
    let (early, rest, report) =
        play(Limits::default(), &format!("{}... 61 s\n{GET}{pinged}", upload(1)));
    assert_eq!((early.len(), rest.len(), report.quality.late_messages), (1, 0, 1));
    let (early, rest, report) =
        play(Limits::default(), &format!("{}... 7200 s\n{GET}{late}", upload(1)));
    assert_eq!((early.len(), rest.len(), report.quality.late_messages), (1, 1, 0));
}

#[test]
fn an_id_that_is_given_again_is_another_session() {
    let text = format!("{}... 61 s\n{GET}{}", upload(1), upload(1));
    let (early, rest, report) = play(Limits::default(), &text);
    assert_eq!((early.len(), rest.len(), report.quality.late_messages), (1, 1, 0));
    assert_eq!(rest[0].exchanges.len(), 3);
}

#[test]
fn a_lost_session_waits_for_the_one_that_carries_on() {
    let lost = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n\
                ! client closes\n! server closes\n";
    let (early, rest, _) = play(Limits::default(), &format!("{lost}... 61 s\n{GET}"));
    assert_eq!((early.len(), rest[0].superseded_by.as_deref()), (0, None));
    let (early, ..) =
        play(Limits::default(), &format!("{lost}... 61 s\n{}... 61 s\n{GET}", upload(2)));
    assert_eq!(ids(&early), ["1", "2"]);
    assert_eq!(early[0].superseded_by.as_deref(), Some("2"));
}

#[test]
fn above_the_cap_the_session_that_was_idle_for_longest_goes_first() {
    let create = |id: u32, client: &str| {
        format!("= client {client}\n> CREATE-SESSION\n< 200 session={id}\n")
    };
    let again = "= client 10.0.0.1\n> FRAGMENT 0-9/20\n  BITS-Session-Id: 1\n< 200\n";
    let text = create(1, "10.0.0.1") + &create(2, "10.0.0.2") + again + &create(3, "10.0.0.3");
    let limits = Limits { sessions: 2, ..Limits::default() };
    let (early, rest, report) = play(limits, &text);
    assert_eq!((ids(&early), ids(&rest)), (vec!["2"], vec!["1", "3"]));
    assert_eq!(report.quality.sessions_forgotten, 1);
}

#[test]
fn the_report_keeps_what_the_observer_returns_by_the_time_it_began() {
    let text = format!("> CREATE-SESSION\n< 200 session=1\n{}... 61 s\n{GET}", upload(2));
    let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut ());
    assert_eq!(ids(&report.sessions), ["1", "2"]);
}

#[test]
fn a_session_that_may_go_on_is_known_to_those_that_end_before_it() {
    let failed = |id: u32| {
        format!(
            "= connection\n> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-9/20\n< 500 plain\n... 5 s\n"
        )
    };
    let text: String = (1..=3).map(failed).collect();
    let (early, ..) = play(Limits::default(), &format!("{text}{}... 61 s\n{GET}", upload(4)));
    assert_eq!(ids(&early), ["4"]);
    let found = |rule: &str| early[0].findings.iter().any(|finding| finding.rule == rule);
    assert!(found("retry-schedule"), "{:?}", early[0].findings);
}

#[test]
fn an_upload_in_any_order_is_whole_once_every_byte_was_taken() {
    let upload = |fragments: &[&str]| {
        let fragments = fragments.concat();
        let text =
            format!("> CREATE-SESSION\n< 200 session=1\n{fragments}> CLOSE-SESSION\n< 200\n");
        let session = play(Limits::default(), &text).1.remove(0);
        (session.outcome, session.bytes_acknowledged)
    };
    let [first, second, third] = [
        "> FRAGMENT 0-9/30\n< 200 received=10\n",
        "> FRAGMENT 10-19/30\n< 200 received=20\n",
        "> FRAGMENT 20-29/30\n< 200 received=30\n",
    ];
    assert_eq!(upload(&[third, second, first]), (Outcome::Completed, 30));
    assert_eq!(upload(&[second, first]), (Outcome::Failed, 20));
    // What the capture lacks may have been the rest.
    let lost = second.replace('\n', " lost\n");
    let ack_lost = second.replace("received=20", "received=20 lost");
    for second in [&*second.replace("/30\n", "/30 lost\n"), &ack_lost, &lost] {
        assert_eq!(upload(&[third, second, first]), (Outcome::Completed, 20), "{second}");
    }
    // A server that keeps to the order means what it says.
    let back = "> FRAGMENT 20-29/30\n< 416 received=10\n";
    assert_eq!(upload(&[first, second, back]), (Outcome::Failed, 10));
}

/// The only session of a transcript: its outcome, and what qualifies that.
fn only(text: &str) -> (Outcome, Vec<String>) {
    let mut sessions = play(Limits::default(), text).1;
    assert_eq!(sessions.len(), 1, "{text}");
    let session = sessions.remove(0);
    (session.outcome, qualifiers(&session))
}

/// What qualifies the outcome of a session.
fn qualifiers(session: &Session) -> Vec<String> {
    session.outcome_qualifiers.iter().map(|it| it.name().to_owned()).collect()
}

#[test]
fn what_one_direction_cannot_show_is_not_called_unanswered() {
    let verdict = |sees: &str| {
        let text = format!("= sees {sees}\n> CREATE-SESSION\n< 200 session=1\n");
        let (_, late, _) = play(Limits::default(), &text);
        late[0].negotiation.as_ref().unwrap().verdict
    };
    assert_eq!((verdict("client"), verdict("both")), (Verdict::HalfSeen, Verdict::Agreed));
}

#[test]
fn who_has_no_answers_was_not_interrupted_where_they_were_acknowledged() {
    let ends = |text: &str| {
        let (_, late, _) = play(Limits::default(), text);
        qualifiers(&late[0])
    };
    let half = "= sees client\n> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n\
                > CLOSE-SESSION\n< 200\n! client closes\n";
    assert_eq!(ends(half), ["half-seen"]);
    let silent = "= sees client\n> CREATE-SESSION dropped\n! client closes\n";
    assert_eq!(ends(silent), ["interrupted"]);
}

#[test]
fn what_no_client_tries_again_cannot_recover() {
    for (answer, words) in [
        ("500 error=0x80200020 context=0x5", &[][..]),
        ("500 error=0x80070057 context=0x5", &[]),
        ("500 error=0x80070005 context=0x5", &[]),
        ("500 error=0x80070005 context=0x7", &["may-recover"]),
        ("409 error=0x80070005 context=0x7", &["may-recover"]),
        ("413 error=0x80070005 context=0x7", &[]),
        ("501 plain", &[]),
        ("500 error=0x80070070 context=0x5", &["may-recover"]),
        ("503 plain", &["may-recover"]),
        // No smaller Fragment follows.
        ("413 plain", &[]),
    ] {
        let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< {answer}\n");
        let report = play(Limits::default(), &text);
        let session = report.0.iter().chain(&report.1).next().unwrap();
        assert_eq!(qualifiers(session), words, "{answer}");
    }
}

#[test]
fn a_retry_that_had_the_time_to_come_is_not_hoped_for() {
    let text =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 503 plain\n! client closes\n";
    let other = "= client 192.0.2.99\n> GET /\n< 200 plain\n";
    for (then, words) in [("... 590 s\n", &["may-recover"][..]), ("... 610 s\n", &[])] {
        let report = play(Limits::default(), &format!("{text}{then}{other}"));
        let session = report.0.iter().chain(&report.1).next().unwrap();
        assert_eq!(qualifiers(session), words, "{then}");
    }
}

#[test]
fn a_client_that_may_still_bring_credentials_is_not_refused() {
    let ask = "< 401 plain\n  WWW-Authenticate: NTLM\n";
    let begun =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n= connection\n> PING\n";
    for (text, outcome) in [("> CREATE-SESSION\n", Outcome::Rejected), (begun, Outcome::Failed)] {
        for (then, goes_on) in [
            ("", true),
            ("! server closes\n", true),
            ("! client closes\n", false),
            ("! server resets\n", false),
            ("... 2 s\n= connection\n> GET /\n< 200 plain\n", false),
        ] {
            let report = play(Limits::default(), &format!("{text}{ask}{then}"));
            let session = report.0.iter().chain(&report.1).next().unwrap();
            let outcome = if goes_on { Outcome::Incomplete } else { outcome };
            assert_eq!(session.outcome, outcome, "{text}{then}");
            let ended = session.is(Qualifier::CaptureEnded);
            assert_eq!(ended, goes_on, "{text}{then}");
            assert_eq!(qualifiers(session).last().unwrap(), "authentication");
        }
    }
}

#[test]
fn a_client_that_may_still_wait_is_not_interrupted() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n";
    for (then, qualifier) in [
        ("", "capture-ended"),
        ("! server resets\n", "interrupted"),
        ("! client closes\n", "interrupted"),
        ("... 301 s\n= connection\n> GET /\n< 200 plain\n", "interrupted"),
    ] {
        let report = play(Limits::default(), &format!("{text}{then}"));
        let session = report.0.iter().chain(&report.1).next().unwrap();
        assert_eq!(qualifiers(session), [qualifier], "{then}");
    }
}

#[test]
fn what_is_taken_behind_a_cancel_shows_that_it_did_not_count() {
    let sent = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> CANCEL-SESSION\n! client resets\n";
    assert_eq!(only(sent).0, Outcome::Cancelled);
    let on = "= connection\n> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n";
    assert_eq!(only(&format!("{sent}{on}")).0, Outcome::Completed);
}

#[test]
fn a_length_that_was_refused_is_not_that_of_the_file() {
    let refused = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 400 error=0x80070057 context=0x5\n";
    let taken = "> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n";
    assert_eq!(only(&format!("{refused}{taken}")).0, Outcome::Completed);
}

#[test]
fn a_lost_session_is_carried_on_at_the_host_that_it_was_sent_to() {
    let lost = "= url http://server/upload/file.bin\n> CREATE-SESSION\n< 200 session=1 host=Node1\n= server 192.0.2.81:80\n\
                = url http://node1/upload/file.bin\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n";
    let at = |url: &str| {
        let text = format!("{lost}= url {url}\n> CREATE-SESSION\n< 200 session=2\n");
        let (_, rest, _) = play(Limits::default(), &text);
        rest[0].superseded_by.as_deref().map(str::to_owned)
    };
    assert_eq!(at("http://node1/upload/file.bin").as_deref(), Some("2"));
    assert_eq!(at("http://node2/upload/file.bin"), None);
    assert_eq!(at("http://node1/upload/other.bin"), None);
}

#[test]
fn the_leg_behind_a_proxy_carries_no_session_on() {
    let legs = |id: u32| {
        format!(
            "= server 192.0.2.80:80\n> CREATE-SESSION\n... 100 ms\n< 200 session={id}\n\
             > FRAGMENT 0-9/20\n... 100 ms\n< 500 error=0x8020001F context=0x5\n... -180 ms\n\
             = server 10.0.9.80:80\n> CREATE-SESSION\n< 200 session={id}\n... 100 ms\n\
             > FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n... 9 s\n"
        )
    };
    let (early, rest, _) = play(Limits::default(), &legs(1));
    assert!(early.iter().chain(&rest).all(|session| session.superseded_by.is_none()));
    let (early, rest, _) = play(Limits::default(), &format!("{}{}", legs(1), legs(2)));
    let next = early.iter().chain(&rest).map(|session| session.superseded_by.as_deref());
    assert_eq!(next.collect::<Vec<_>>(), [Some("2"), Some("2"), None, None]);
}

#[test]
fn a_copy_of_the_headers_by_get_is_no_upload() {
    let copy = |method: &str| {
        format!(
            "> {method} /auth\n  User-Agent: Microsoft BITS/7.8\n  BITS-Packet-Type: Create-Session\n< 204 plain\n"
        )
    };
    let count = |text: &str| {
        let (early, rest, report) = play(Limits::default(), text);
        (early.len() + rest.len(), report.downloads.is_some())
    };
    assert_eq!(count(&copy("GET")), (0, false));
    assert_eq!(count(&copy("POST")), (1, false));
}

/// What is told of exchanges as they end.
#[derive(Default)]
struct Told(Vec<Exchange>);

impl Observer for Told {
    fn exchange(&mut self, exchange: &Exchange) {
        self.0.push(exchange.clone());
    }
}

#[test]
fn an_exchange_that_is_answered_early_is_told_once_its_request_is_over() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000 sent=4000\n< 413 plain\n\
                ! client sends 6000\n";
    let mut told = Told::default();
    let report = transcript::analyse(&transcript::play(text).unwrap(), &mut told);
    let bytes = |exchanges: &[Exchange]| -> Vec<u64> {
        exchanges.iter().filter_map(|one| Some(one.request.as_ref()?.body.bytes)).collect()
    };
    assert_eq!(bytes(&told.0), [0, 10_000]);
    assert_eq!(bytes(&report.sessions[0].exchanges), [0, 10_000]);
}

#[test]
fn a_look_up_that_just_failed_is_known_to_a_session_that_is_given_up() {
    let create = |id: u32| {
        format!("= connection\n> CREATE-SESSION\n< 200 session={id} host=node{id}.example\n")
    };
    let failed = "! name node2.example NXDOMAIN\n";
    let limits = Limits { sessions: 1, ..Limits::default() };
    let (early, ..) = play(limits, &(create(1) + &create(2) + failed + &create(3)));
    assert_eq!(ids(&early), ["1", "2"]);
    let is_told = |session: &Session| session.findings.iter().any(|one| &*one.rule == "dns-failed");
    assert_eq!(early.iter().map(is_told).collect::<Vec<_>>(), [false, true]);
}
