//! Uploads of which the capture lacks messages.

use std::ops::RangeInclusive;

use super::{Stream, only, play, qualifiers, upload};
use crate::limits::Limits;
use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Finding, Severity};
use crate::{Analysis, Options, transcript};

#[test]
fn creates_that_were_refused_alike_were_tries_at_one_upload_though_one_is_lost() {
    let lost = "> CREATE-SESSION lost\n< 403 error=0x80070005 context=0x5\n";
    let count = |then: &str| {
        play(Limits::default(), &format!("{lost}... 600 s\n> CREATE-SESSION\n< {then}\n")).1.len()
    };
    assert_eq!(count("403 error=0x80070005 context=0x5"), 1);
    // That may have been for another file.
    assert_eq!((count("200 session=1"), count("400 error=0x80070057 context=0x5")), (2, 2));
}

#[test]
fn a_create_that_was_refused_and_one_that_is_lost_were_tries_at_one_upload() {
    let text = "> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n> CREATE-SESSION lost\n< 200 session=1 lost\n\
                > FRAGMENT 0-9/10 session=1\n< 200\n> CLOSE-SESSION session=1\n< 200\n";
    assert_eq!(only(text).0, Outcome::Completed);
    let new = "! client closes\n! server closes\n... 600 s\n= connection\n> CREATE-SESSION lost";
    assert_eq!(only(&text.replace("> CREATE-SESSION lost", new)).0, Outcome::Completed);
}

#[test]
fn an_answer_behind_a_close_may_be_of_the_next_upload() {
    let first = upload(7).replace("! client closes\n! server closes\n", "");
    let then = |text: &str| {
        let (_, sessions, _) = play(Limits::default(), &format!("{first}{text}"));
        let own = sessions.iter().map(|s| s.exchanges.len()).collect::<Vec<_>>();
        assert_eq!(sessions[0].outcome, Outcome::Completed);
        assert!(sessions[0].findings.iter().all(|f| f.severity < Severity::Warning), "{text}");
        own
    };
    // Its Create, the answer, and a Fragment are lost.
    let lost = "> CREATE-SESSION lost\n< 200 session=1 lost\n> FRAGMENT 0-29/60 session=1 lost\n< 200 received=30\n\
                > FRAGMENT 30-59/60 session=1\n< 200\n> CLOSE-SESSION session=1\n< 200\n";
    assert_eq!(then(lost), [3, 3]);
    assert_eq!(then("> CREATE-SESSION lost\n< 403 error=0x80070005 context=0x5\n"), [3, 1]);
    // The answer to a Close that was sent again is not.
    assert_eq!(then("> CLOSE-SESSION lost\n< 500 error=0x8020001F context=0x5\n"), [4]);
}

#[test]
fn what_a_proxy_passes_on_behind_a_hole_is_another_session() {
    let front = "= client 10.0.0.5\n= server 192.0.2.80:80\n";
    let back = "= client 192.0.2.3\n= server 192.0.2.90:80\n";
    let text = format!(
        "{front}> CREATE-SESSION\n... 1 s\n< 200 session=1\n> FRAGMENT 0-9/20\n... 1 s\n< 200 received=10\n\
         ... -0.6 s\n{back}> CREATE-SESSION lost\n< 200 session=1 lost\n> FRAGMENT 0-9/20 session=1\n< 200 received=10\n"
    );
    assert_eq!(play(Limits::default(), &text).1.len(), 2);
}

#[test]
fn what_a_translator_of_addresses_passes_on_is_another_session() {
    let side = |server: &str, text: &str| format!("= server {server}:80\n{text}");
    let lost = "> CREATE-SESSION\n< 200 session=1 lost\n";
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n";
    let (front, back) = (
        side("192.0.2.80", text),
        side("192.0.2.90", &format!("{lost}> FRAGMENT 0-9/10 session=1\n< 200\n")),
    );
    // Both come from the same port.
    let mut records = transcript::play(&format!("{front}{back}")).unwrap();
    let port = |data: &[u8], at: usize| u16::from_be_bytes([data[at], data[at + 1]]);
    let first = port(&records[0].data, 34);
    for record in &mut records {
        for at in [34, 36] {
            if port(&record.data, at) > 40_000 {
                record.data[at..at + 2].copy_from_slice(&first.to_be_bytes());
            }
        }
    }
    let mut analysis = Analysis::new(Options::default());
    let mut stream = Stream::default();
    records.iter().for_each(|record| analysis.push(&record.frame(), &mut stream));
    analysis.finish(Vec::new(), &mut stream);
    let own: Vec<_> = stream.0.iter().map(|session| session.exchanges.len()).collect();
    assert_eq!(own, [2, 2]);
}

#[test]
fn on_either_side_of_a_translator_a_ping_is_of_the_upload_there() {
    let both = |text: &str| {
        ["192.0.2.80", "192.0.2.90"].map(|server| format!("= server {server}:80\n{text}")).concat()
    };
    let ping = "> PING\n< 200\n> FRAGMENT 0-9/10 session=1\n< 200\n! client closes\n";
    let text = [
        both("> CREATE-SESSION\n< 200 session=1\n! client closes\n"),
        both(ping),
        both("> CLOSE-SESSION session=1\n< 200\n"),
    ];
    let sessions = play(Limits::default(), &text.concat()).1;
    let own: Vec<_> = sessions.iter().map(|s| (s.outcome, s.exchanges.len())).collect();
    assert_eq!(own, [(Outcome::Completed, 4); 2]);
}

/// The sessions of a transcript of which the capture lacks some frames.
fn without(frames: RangeInclusive<u64>, text: &str) -> Vec<Session> {
    lacking(|frame| frames.contains(&frame), text)
}

fn lacking(is_lost: impl Fn(u64) -> bool, text: &str) -> Vec<Session> {
    let mut analysis = Analysis::new(Options::default());
    let mut stream = Stream::default();
    let records = transcript::play(text).unwrap();
    for record in records.iter().filter(|record| !is_lost(record.at.frame)) {
        analysis.push(&record.frame(), &mut stream);
    }
    analysis.finish(Vec::new(), &mut stream);
    stream.0
}

#[test]
fn an_answer_that_a_hole_held_back_is_of_what_was_asked_before_it() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200 received=10\n> FRAGMENT 10-29/30\n\
                < 200 received=30\n> CLOSE-SESSION\n< 200\n> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n";
    // The first Ack, what acknowledges it, and the next Fragment.
    let sessions = without(10..=12, text);
    let own: Vec<_> = sessions.iter().map(|s| (s.outcome, s.exchanges.len())).collect();
    assert_eq!(own, [(Outcome::Completed, 4), (Outcome::Rejected, 1)]);
}

#[test]
fn an_answer_alone_behind_the_last_byte_may_be_that_of_a_close() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n= connection\n\
                > CLOSE-SESSION\n< 200\n! client closes\n";
    // All of the connection before the answer.
    assert!(!is_found("close-missing", &without(12..=16, text), 3));
}

/// An upload of which the capture begins with the first Ack, and has the Fragment before that as frame `place`: the
/// client has no Ack, and asks again.
fn repeated(place: impl Fn(&[transcript::Record], usize) -> usize, rest: &str) -> Session {
    let text = format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30 session=1\n< 200 received=10\n{rest}\
         > FRAGMENT 10-19/30 session=1\n< 200 received=20\n> FRAGMENT 20-29/30 session=1\n< 200 received=30\n\
         > CLOSE-SESSION session=1\n< 200\n"
    );
    let mut records = transcript::play(&text).unwrap();
    let has = |record: &transcript::Record, what: &[u8]| {
        memchr::memmem::find(&record.data, what).is_some()
    };
    let first = records.iter().position(|one| has(one, b"bytes 0-9/")).unwrap();
    let answer = records.iter().position(|one| has(one, b"Range: 10\r")).unwrap();
    let place = place(&records, answer);
    records[place].data = records[first].data.clone();
    transcript::analyse(&records[answer..], &mut ()).sessions.remove(0)
}

#[test]
fn a_request_that_is_repeated_has_the_answer_that_came_before_it() {
    let session = repeated(|_, answer| answer + 1, "");
    let next = |one: &Exchange| one.response.as_ref().and_then(|answer| answer.next_offset);
    let ends: Vec<_> = session.exchanges.iter().map(|one| (one.bounds(), next(one))).collect();
    assert_eq!(ends[0], (Some((0, 10)), Some(10)));
    assert_eq!(ends[2], (Some((20, 30)), Some(30)));
    assert_eq!((session.exchanges.len(), session.outcome), (4, Outcome::Completed));
}

#[test]
fn so_it_has_where_it_comes_when_all_is_over() {
    let session = repeated(|all, _| all.len() - 1, "= connection\n");
    assert_eq!((session.exchanges.len(), session.outcome), (4, Outcome::Completed));
    assert_eq!(session.bytes_acknowledged, 30);
    let late = |finding: &Finding| finding.rule == "message-after-close";
    assert!(!session.findings.iter().any(late), "{:?}", session.findings);
}

#[test]
fn an_answer_alone_on_a_connection_from_before_is_not_of_an_upload_that_began_since() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n> FRAGMENT 10-19/30\n\
                < 500 error=0x80070070 context=0x5\n! client closes\n! server closes\n= connection\n\
                > FRAGMENT 10-19/30 session=2\n< 200\n> FRAGMENT 20-29/30 session=2\n< 200\n\
                > CLOSE-SESSION session=2\n< 200\n";
    let records = transcript::play(text).unwrap();
    let starts = |record: &&transcript::Record| record.data.get(47).is_some_and(|it| it & 2 > 0);
    let second = records.iter().rfind(starts).unwrap().at.frame;
    // The handshake, without its SYN, and the request.
    let sessions = without(second - 1..=second + 2, text);
    let own: Vec<_> = sessions.iter().map(|one| (one.outcome, one.exchanges.len())).collect();
    assert_eq!(own, [(Outcome::Completed, 3), (Outcome::Failed, 3)]);
}

#[test]
fn what_an_answer_alone_confirms_is_no_gap() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n= connection\n\
                > FRAGMENT 10-19/30\n< 200\n> FRAGMENT 20-29/30\n< 200\n";
    assert!(!is_found("fragment-gap", &without(12..=16, text), 4));
    // Nor is what a connection may have brought before the capture had it.
    assert!(!is_found("fragment-gap", &without(12..=18, text), 3));
    let skips = text.replace("> FRAGMENT 10-19/30\n< 200\n", "");
    assert!(is_found("fragment-gap", &without(0..=0, &skips), 3));
}

/// Whether a rule finds something in the only session, which has so many exchanges.
fn is_found(rule: &str, sessions: &[Session], exchanges: usize) -> bool {
    assert_eq!((sessions.len(), sessions[0].exchanges.len()), (1, exchanges));
    sessions[0].findings.iter().any(|finding| finding.rule == rule)
}

#[test]
fn an_id_that_only_an_answer_gave_is_known_from_another_address() {
    let text = "= client 10.0.0.5\n> CREATE-SESSION lost\n< 200 session=1\n\
                = client 10.0.0.6\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    assert_eq!(only(text).0, Outcome::Completed);
}

#[test]
fn a_client_that_a_lost_ack_sent_to_a_node_is_known_by_what_it_uploads() {
    let create = "> CREATE-SESSION\n< 200 session=1 host=node lost\n";
    let node = "= connection\n= server 192.0.2.81:80\n= url http://node/upload/file.bin\n";
    let rest =
        "> PING\n< 200\n> FRAGMENT 0-9/10 session=1\n< 200\n> CLOSE-SESSION session=1\n< 200\n";
    assert_eq!(only(&format!("{create}{node}{rest}")).0, Outcome::Completed);
    assert_eq!(only(&format!("{create}{node}> PING\n< 404 plain\n")).0, Outcome::Failed);
    let other = node.replace("81:80", "81:8080").replace("//node", "//node:8080");
    assert_eq!(play(Limits::default(), &format!("{create}{other}{rest}")).1.len(), 2);
}

#[test]
fn a_ping_between_an_ack_alone_and_the_next_fragment_parts_no_upload() {
    let text = "> FRAGMENT 0-9/20 session=1 lost\n< 200 received=10\n... 5 s\n= connection\n> PING\n< 200\n\
                > FRAGMENT 10-19/20 session=1\n< 200 received=20\n> CLOSE-SESSION session=1\n< 200\n";
    assert_eq!(only(text).0, Outcome::Completed);
    let text = "> FRAGMENT 0-9/10 session=1 lost\n< 200 received=10\n> PING\n< 200\n\
                > CLOSE-SESSION session=1\n< 200\n";
    assert_eq!(only(text).0, Outcome::Completed);
}

#[test]
fn behind_the_last_byte_an_ack_that_counts_none_is_that_of_a_close() {
    let rest = |rest: &str| {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 received=10\n";
        only(&format!("{text}{rest}"))
    };
    let likely = (Outcome::Completed, vec!["likely".to_owned()]);
    let closed = "> CLOSE-SESSION lost\n< 200\n";
    assert_eq!(rest(&format!("> FRAGMENT 10-19/20\n< 200 received=20\n{closed}")), likely);
    assert_eq!(rest(&format!("> FRAGMENT 10-19/20\n< 200 received=20 lost\n{closed}")), likely);
    assert_eq!(rest(closed).0, Outcome::Incomplete);
    // A Close that was seen, but no word on the last byte.
    let unseen = "> FRAGMENT 10-19/20\n< 200 received=20 lost\n> CLOSE-SESSION\n< 200\n";
    assert_eq!(rest(unseen), likely);
    assert_eq!(rest(&unseen.replace(" lost", "")), (Outcome::Completed, Vec::new()));
}

#[test]
fn a_fragment_of_which_the_capture_has_a_part_without_its_head_may_be_the_last_one() {
    let over = "! client closes\n! server closes\n= connection\n";
    let text = format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/1010\n< 200\n{over}> FRAGMENT 10-1009/1010 held=1\n< 200\n\
         {over}> CLOSE-SESSION\n< 200\n"
    );
    // The head, the answer, and what acknowledges more than the head.
    let sessions = lacking(|frame| [19, 22, 23, 26, 27].contains(&frame), &text);
    assert_eq!(qualifiers(&sessions[0]), ["likely"]);
    assert_eq!(sessions[0].outcome, Outcome::Completed);
}

/// How an upload of one Fragment ended, of which the server had all when this came.
fn ended(rest: &str) -> (Outcome, Vec<String>) {
    only(&format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n{rest}"))
}

#[test]
fn a_close_that_was_answered_did_not_close_what_the_server_then_does_not_know() {
    let gone = "= connection\n> CLOSE-SESSION\n< 500 error=0x8020001F context=0x5\n";
    let after = |first: &str| ended(&format!("> CLOSE-SESSION\n{first}{gone}"));
    let lost = (Outcome::Failed, vec!["lost".to_owned()]);
    for first in ["401 plain", "404", "500", "503 plain", "500 error=0x8020001F context=0x5"] {
        assert_eq!(after(&format!("< {first}\n")), lost, "{first}");
    }
    let likely = (Outcome::Completed, vec!["likely".to_owned()]);
    for first in [
        "! client closes\n",
        "< 504 plain\n  Server: nginx\n",
        "< 524 plain\n  Server: cloudflare\n",
    ] {
        assert_eq!(after(first), likely, "{first}");
    }
}

#[test]
fn a_short_head_that_the_capture_lacks_may_hide_the_last_fragment() {
    let over = "! client closes\n! server closes\n= connection\n";
    let text = |len: usize| {
        format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/1010\n< 200\n{over}> POST / held=1\n  User-Agent:\n\
             \x20 | {}\n< 200 plain\n{over}> CLOSE-SESSION\n< 200\n",
            "x".repeat(len)
        )
    };
    let told = |len: usize| {
        let sessions = lacking(|frame| frame == 19, &text(len));
        (sessions[0].outcome, qualifiers(&sessions[0]).concat())
    };
    assert_eq!(told(2000), (Outcome::Completed, "likely".to_owned()));
    assert_eq!(told(200), (Outcome::Failed, "closed-short".to_owned()));
}

#[test]
fn the_url_is_that_of_the_first_host_though_only_the_ack_was_seen_there() {
    let text = "> CREATE-SESSION lost\n< 200 session=1 host=192.0.2.81 fallback=2\n= server 192.0.2.81:80\n\
                = url http://192.0.2.81/upload/file.bin\n> PING\n< 200\n> FRAGMENT 0-9/10\n... 3 s\n! client closes\n\
                = server 192.0.2.80:80\n= url http://server/upload/file.bin\n> PING\n< 200\n> FRAGMENT 0-9/10\n< 200\n";
    let (_, sessions, _) = play(Limits::default(), text);
    let urls: Vec<_> = sessions.iter().map(|session| session.url.as_deref()).collect();
    assert_eq!(urls, [Some("http://server/upload/file.bin")]);
}

#[test]
fn an_answer_alone_is_not_of_an_upload_that_what_follows_tells_apart() {
    let then = |answer: &str| {
        let text = format!(
            "> FRAGMENT 0-29/30 session=1\n< {answer}\n> FRAGMENT 0-9/20 session=2\n< 200 received=10\n\
             > FRAGMENT 10-19/20 session=2\n< 200 received=20\n> CLOSE-SESSION session=2\n< 200\n"
        );
        // The capture begins behind the first request.
        let sessions = lacking(|frame| frame < 6, &text);
        let mut own: Vec<_> = sessions.iter().map(|session| session.exchanges.len()).collect();
        own.sort_unstable();
        own
    };
    for answer in ["200 received=30", "416 received=15", "500 error=0x8020001F context=0x5"] {
        assert_eq!(then(answer), [1, 3], "{answer}");
    }
    // It was stored ahead of the Fragment that it confirms.
    assert_eq!(then("200 received=10"), [4]);
    // A retry of the first Fragment, as far as that tells.
    assert_eq!(then("503 error=0x80070005 context=0x7"), [4]);
}

#[test]
fn the_ack_of_a_close_is_not_of_a_session_that_is_lost() {
    let text = "> FRAGMENT 10-19/20 session=1\n< 500 error=0x8020001F context=0x5\n> CREATE-SESSION\n< 200 session=2\n\
                > FRAGMENT 0-19/20 session=2\n< 200 received=20\n> CLOSE-SESSION lost\n< 200\n";
    let sessions = play(Limits::default(), text).1;
    let own: Vec<_> = sessions.iter().map(|one| (one.outcome, one.exchanges.len())).collect();
    assert_eq!(own, [(Outcome::Failed, 1), (Outcome::Completed, 3)]);
}

#[test]
fn who_has_every_byte_may_have_refused_the_last_ones_before_the_close() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 received=10\n> FRAGMENT 10-19/20\n\
                < 416 received=20\n> CLOSE-SESSION lost\n< 200\n";
    assert_eq!(only(text), (Outcome::Completed, vec!["likely".to_owned()]));
    assert_eq!(only(&text.replace("416 received=20", "416 received=15")).0, Outcome::Incomplete);
}

/// An upload over three connections, of which the second one carried `second`, and goes on longer than the last one,
/// which carried `third`.
fn beside(second: &str, third: &str) -> Session {
    let text = format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200 received=10\n= connection\n{second}... 9 s\n\
         ! client closes\n! server closes\n... -6 s\n= connection\n{third}"
    );
    let mut sessions = play(Limits::default(), &text).1;
    assert_eq!(sessions.len(), 1, "{text}");
    sessions.remove(0)
}

#[test]
fn the_last_bytes_may_have_gone_by_a_connection_that_the_capture_lacks_requests_of() {
    let told = |second: &str| {
        let session = beside(second, "> CLOSE-SESSION\n< 200\n");
        (session.outcome, qualifiers(&session).concat())
    };
    let (likely, short) = ("likely".to_owned(), "closed-short".to_owned());
    assert_eq!(told("> FRAGMENT 10-29/30 lost\n< 200 lost\n"), (Outcome::Completed, likely));
    assert_eq!(told("> GET /\n< 200 plain\n"), (Outcome::Failed, short));
}

#[test]
fn so_they_may_where_only_the_head_of_their_fragment_is_lost() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/6000\n< 200 received=2000\n! client closes\n\
                ! server closes\n= connection\n> PING\n< 200\n> FRAGMENT 2000-5999/6000\n< 200 received=6000 lost\n\
                ... 9 s\n! client closes\n! server closes\n... -6 s\n= connection\n> CLOSE-SESSION\n< 200\n";
    // The second connection ends behind the Close.
    let mut records = transcript::delayed(text, 0, |_| false);
    let is_head = |record: &transcript::Record| {
        memchr::memmem::find(&record.data, b"bytes 2000-5999").is_some()
    };
    let head = records.iter().position(is_head).unwrap();
    records.remove(head);
    let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
    assert_eq!((session.outcome, &*qualifiers(&session)[0]), (Outcome::Completed, "likely"));
}

#[test]
fn where_requests_and_answers_are_lost_the_last_ack_may_be_of_a_fragment_before() {
    let told = |first: &str, third: &str| {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30{first}\n> FRAGMENT 10-19/30\n> FRAGMENT 20-29/30\n\
             > CLOSE-SESSION\n< 200 received=10\n< 200 received=20\n{third}< 200\n"
        );
        only(&text).1.concat()
    };
    assert_eq!(told(" lost", "< 200 received=30 lost\n"), "likely");
    assert_eq!(told("", "< 200 received=20\n"), "closed-short");
}

/// An upload that is closed short, on a second connection beside what goes on longer on the first.
fn short_beside(first: &str) -> Vec<transcript::Record> {
    let text = format!(
        "{first}... 9 s\n! client closes\n! server closes\n... -6 s\n= connection\n> CREATE-SESSION\n< 200 session=1\n\
         > FRAGMENT 0-9/30 session=1\n< 200 received=10\n> CLOSE-SESSION session=1\n< 200\n"
    );
    transcript::play(&text).unwrap()
}

/// How that ended.
fn end_of_short(records: &[transcript::Record]) -> Vec<String> {
    let sessions = transcript::analyse(records, &mut ()).sessions;
    qualifiers(sessions.iter().find(|one| one.id.as_deref() == Some("1")).unwrap())
}

#[test]
fn what_another_upload_or_a_body_lacks_excuses_nothing() {
    let other = "= url http://server/upload/b.bin\n> CREATE-SESSION\n< 200 session=2\n\
                 > FRAGMENT 0-999/3000 session=2\n< 200 received=1000\n> FRAGMENT 1000-1999/3000 session=2 lost\n\
                 < 200 lost\n> FRAGMENT 2000-2999/3000 session=2\n< 200 received=3000\n> CLOSE-SESSION session=2\n\
                 < 200\n= url http://server/upload/file.bin\n";
    assert_eq!(end_of_short(&short_beside(other)), ["closed-short"]);
    let page =
        format!("> POST /page\n  Content-Length: 4000\n  | {}\n< 200 plain\n", "x".repeat(4000));
    let mut records = short_beside(&page);
    let within = records.iter().rposition(|record| record.data.ends_with(b"xxxx")).unwrap();
    records.remove(within - 1);
    assert_eq!(end_of_short(&records), ["closed-short"]);
    let free = "> FRAGMENT 10-29/30 session=1 lost\n< 200 lost\n";
    assert_eq!(end_of_short(&short_beside(free)), ["likely"]);
}

#[test]
fn a_fragment_that_the_capture_lacks_on_another_connection_leaves_no_gap() {
    let third = "> FRAGMENT 20-29/30\n< 200 received=30\n> CLOSE-SESSION\n< 200\n";
    let session = beside("> FRAGMENT 10-19/30 lost\n< 200 lost\n", third);
    assert!(session.findings.iter().all(|finding| finding.severity < Severity::Warning));
    assert_eq!(session.outcome, Outcome::Completed);
    let refused = third.replace("200 received=30", "416 received=10");
    let session = beside("> FRAGMENT 10-19/30 lost\n< 200 lost\n", &refused);
    assert_eq!(qualifiers(&session), ["closed-short"]);
}

#[test]
fn a_close_may_have_gone_by_a_connection_that_the_capture_lacks_requests_of() {
    let third = "> FRAGMENT 10-29/30\n< 200 received=30\n! client closes\n! server closes\n... 700 s\n\
                 = connection\n> GET /\n< 200 plain\n";
    let missing = |second: &str| {
        let session = beside(second, third);
        session.findings.iter().any(|finding| finding.rule == "close-missing")
    };
    assert!(!missing("> CLOSE-SESSION lost\n< 200 lost\n"));
    assert!(missing("> PING\n< 200\n"));
}

#[test]
fn a_refusal_behind_which_requests_are_lost_is_no_end() {
    let told = |refusal: &str, behind: &str| {
        let (outcome, qualifiers) = only(&format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 received=10\n\
             > FRAGMENT 10-19/20\n< {refusal}\n{behind}! client closes\n! server closes\n"
        ));
        (outcome, qualifiers.concat())
    };
    let lost = "> FRAGMENT 10-19/20 lost\n< 200 lost\n";
    let idle = || "idle-at-end".to_owned();
    assert_eq!(told("416 received=0", lost), (Outcome::Incomplete, idle()));
    assert_eq!(told("416 received=0", ""), (Outcome::Failed, "may-recover".to_owned()));
    assert_eq!(told("403 error=0x80070005 context=0x5", lost).0, Outcome::Failed);
    let ntlm = "401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA";
    assert_eq!(told(ntlm, lost), (Outcome::Incomplete, idle() + "authentication"));
    let text = format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 416 received=5\n{lost}! client closes\n! server closes\n"
    );
    assert_eq!(play(Limits::default(), &text).1[0].error, None);
}
