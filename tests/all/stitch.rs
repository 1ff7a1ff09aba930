//! Which upload a message belongs to, where the capture lacks others.

use serde_json::Value;

use crate::support::build::{Order, Record, pcap, records};
use crate::support::{report, run_on, stdout, transcript};

/// The report on a conversation without those of its segments with data that are listed, counted from 0.
pub fn without(lost: &[usize], text: &str) -> Value {
    report(&[&pcap(&segments_without(lost, text), Order::Little)])
}

fn segments_without(lost: &[usize], text: &str) -> Vec<Record> {
    let mut number = 0;
    let mut kept = |record: &Record| {
        let counts = !record.payload().is_empty();
        number += usize::from(counts);
        !counts || !lost.contains(&(number - 1))
    };
    let mut records = records(&transcript(text));
    records.retain(|record| kept(record));
    records
}

/// Id, outcome and types of each session.
pub fn told(report: &Value) -> Vec<String> {
    let sessions = report["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| {
            let exchanges = session["exchanges"].as_array().unwrap().iter();
            let types: Vec<_> = exchanges.map(|e| e["type"].as_str().unwrap()).collect();
            let text = |key: &str| session[key].as_str().unwrap_or("-");
            format!("{} {}: {}", text("id"), text("outcome"), types.join(" "))
        })
        .collect()
}

#[test]
fn a_page_with_a_hole_does_not_keep_the_ack_behind_it_from_its_session() {
    let page = "x".repeat(4_000);
    let text = format!(
        "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: Basic\n  | {page}\n\
         > CREATE-SESSION\n  Authorization: Basic YTpi\n< 200 session=1\n\
         > FRAGMENT 0-19999/20000\n< 200\n> CLOSE-SESSION\n< 200\n"
    );
    for hole in [2, 3] {
        let types = "Create-Session Create-Session Fragment Close-Session";
        assert_eq!(told(&without(&[hole], &text)), [format!("1 completed: {types}")], "{hole}");
    }
}

#[test]
fn an_answer_in_front_of_its_request_is_paired_though_it_is_not_from_bits() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n\
        < 502 plain\n  Server: nginx\n  | <html><title>502 Bad Gateway</title></html>\n";
    let report = without(&[0], text);
    assert_eq!(told(&report), ["1 failed: unknown Fragment"]);
    let session = &report["sessions"][0];
    assert_eq!(session["diagnosis"]["cause"], "gateway-error");
    let answer = &session["exchanges"][1]["response"];
    assert!(answer["body_start"].as_str().unwrap().contains("502 Bad Gateway"), "{answer:#}");
}

#[test]
fn an_answer_in_front_of_its_request_is_listed_with_it() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 502 plain\n";
    let capture = pcap(&segments_without(&[0], text), Order::Little);
    let output = stdout(&run_on(&capture, &["http", "--format", "ndjson", "-"]));
    let rows: Vec<Value> = output.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let told = |row: &Value| (row["request"].is_object(), row["response"]["status"].as_u64());
    let expected = [(false, Some(200)), (true, Some(502))];
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);
}

#[test]
fn a_handshake_with_a_hole_ahead_of_it_opens_one_session() {
    let text = "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: NTLM\n\
        > CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAABAAAA\n\
        < 401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA\n\
        > CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAADAAAA\n< 200 session=1\n\
        > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    let report = without(&[0], text);
    let types = "Create-Session Create-Session Fragment Close-Session";
    assert_eq!(told(&report), [format!("1 completed: {types}")]);
    assert_eq!(report["sessions"][0]["exchanges"][0]["response"]["http_status"], 401);
}

#[test]
fn a_session_of_which_an_answer_is_lost_is_not_said_to_be_open_still() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n\
        > FRAGMENT 10-19/20\n< 500 error=0x8020001F context=0x5\n\
        > CREATE-SESSION\n< 200 session=2\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 200\n";
    let report = without(&[5], text);
    let types = [
        "1 incomplete: Create-Session Fragment Fragment",
        "2 completed: Create-Session Fragment Close-Session",
    ];
    assert_eq!(told(&report), types);
    assert_eq!(report["sessions"][1]["diagnosis"], Value::Null);
}

const UPLOAD: &str = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n";
const REST: &str = "> PING\n< 200\n> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n";
const WHOLE: &str = "1 completed: Create-Session Fragment Ping Fragment Close-Session";

#[test]
fn a_host_id_is_the_host_that_the_client_then_names() {
    for (named, host) in [
        ("2001:db8::82", "[2001:db8::82]"),
        ("node3.contoso.test:80", "node3.contoso.test"),
        ("node3.contoso.test", "Node3.contoso.test"),
    ] {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1 host={named}\n= server 192.0.2.83:80\n\
             = url http://{host}/upload/file.bin\n> PING\n< 200\n> CLOSE-SESSION\n< 200\n"
        );
        let expected = ["1 completed: Create-Session Ping Close-Session"];
        assert_eq!(told(&without(&[], &text)), expected, "{host}");
    }
}

#[test]
fn a_client_with_a_new_address_goes_on_with_its_session() {
    let text = format!("{UPLOAD}= client 203.0.113.9\n{REST}");
    assert_eq!(told(&without(&[], &text)), [WHOLE]);
}

#[test]
fn client_and_server_may_both_have_a_new_address_under_the_same_name() {
    let text = format!("{UPLOAD}= client 203.0.113.9\n= server 192.0.2.83:80\n{REST}");
    assert_eq!(told(&without(&[], &text)), [WHOLE]);
}

#[test]
fn the_same_id_under_another_name_at_other_addresses_is_another_session() {
    let text = format!(
        "{UPLOAD}= client 203.0.113.9\n= server 192.0.2.83:80\n= url http://other.test/upload/file.bin\n\
         > FRAGMENT 0-9/10\n< 200\n"
    );
    assert_eq!(told(&without(&[], &text)).len(), 2);
}

#[test]
fn pings_that_find_their_host_are_no_upload() {
    let text = format!("{UPLOAD}> CLOSE-SESSION\n< 200\n");
    let closed = "1 incomplete: Create-Session Fragment";
    assert_eq!(told(&without(&[], "> PING\n< 200\n")), [""; 0]);
    assert_eq!(
        told(&without(&[], &format!("{UPLOAD}= client 203.0.113.9\n> PING\n< 200\n"))),
        [closed]
    );
    assert_eq!(told(&without(&[], &format!("{text}> PING\n< 200\n"))).len(), 1);
    for (answer, outcome) in [("404 plain", "failed"), ("200 plain", "incomplete")] {
        let text = format!("> PING\n< {answer}\n");
        assert_eq!(told(&without(&[], &text)), [format!("- {outcome}: Ping")]);
    }
}

/// The report on the connections of a conversation as if they were open at the same time.
fn side_by_side(text: &str) -> Value {
    let mut connections: Vec<Vec<Record>> = Vec::new();
    for record in records(&transcript(text)) {
        let flow = record.flow().0;
        match connections.iter_mut().find(|known| known[0].flow().0 == flow) {
            Some(known) => known.push(record),
            None => connections.push(vec![record]),
        }
    }
    let longest = connections.iter().map(Vec::len).max().unwrap();
    let turns = (0..longest).flat_map(|turn| connections.iter().filter_map(move |c| c.get(turn)));
    let records: Vec<_> =
        (0..).zip(turns).map(|(at, r)| Record { nanos: at * 1_000_000, ..r.clone() }).collect();
    report(&[&pcap(&records, Order::Little)])
}

#[test]
fn uploads_that_begin_side_by_side_are_told_apart_by_the_ids_that_they_get() {
    let upload = |id: u32| {
        format!(
            "= connection\n> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: Basic\n> CREATE-SESSION\n\
             < 200 session={id}\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n"
        )
    };
    let report = side_by_side(&[1, 2, 3].map(upload).concat());
    let types = "Create-Session Create-Session Fragment Close-Session";
    assert_eq!(told(&report), [1, 2, 3].map(|id| format!("{id} completed: {types}")));
    for session in report["sessions"].as_array().unwrap() {
        let exchanges = session["exchanges"].as_array().unwrap();
        assert!(exchanges.iter().all(|e| e["connection"] == exchanges[0]["connection"]));
    }
}

#[test]
fn who_asks_while_another_waits_is_another_client_behind_the_same_address() {
    let refused = "= connection\n> CREATE-SESSION\n< 503 plain\n";
    let taken = "= connection\n> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    let whole = "1 completed: Create-Session Fragment Close-Session";
    let refusal = "- rejected: Create-Session";
    let side = |text: String| told(&side_by_side(&text));
    assert_eq!(side(format!("{refused}{taken}")), [refusal, whole]);
    assert_eq!(side(format!("{taken}{refused}")), [whole, refusal]);
    // One after the other, it is a second try.
    let tried = "1 completed: Create-Session Create-Session Fragment Close-Session";
    assert_eq!(told(&without(&[], &format!("{refused}{taken}"))), [tried]);
    for ended in ["! server closes", "! server resets", "! client closes"] {
        let text = format!("> CREATE-SESSION\n{ended}\n... 300 ms\n{taken}");
        assert_eq!(told(&without(&[], &text)), [tried], "{ended}");
    }
}

#[test]
fn a_create_for_another_host_is_no_second_try() {
    let create = |host: &str| format!("> CREATE-SESSION\n  Host: {host}\n< 503 plain\n");
    let count = |other: &str| told(&without(&[], &(create("a.test") + &create(other)))).len();
    assert_eq!((count("A.test"), count("b.test"), count("a.test:8080")), (1, 2, 2));
}

#[test]
fn creates_sent_one_behind_the_other_are_told_apart_too() {
    let text = "> CREATE-SESSION\n> CREATE-SESSION\n> CREATE-SESSION\n< 200 session=1\n< 200 session=2\n< 200 session=3\n\
                > CLOSE-SESSION\n< 200\n";
    assert_eq!(
        told(&without(&[], text)),
        [
            "1 incomplete: Create-Session",
            "2 incomplete: Create-Session",
            "3 completed: Create-Session Close-Session"
        ]
    );
}

const THREE: &str = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n> FRAGMENT 10-19/30\n< 200\n\
                     > FRAGMENT 20-29/30\n< 200\n> CLOSE-SESSION\n< 200\n";

#[test]
fn without_handshake_and_first_answer_the_next_ones_answer_what_they_answered() {
    let mut records = segments_without(&[1], THREE);
    records.drain(..records.iter().position(|record| !record.payload().is_empty()).unwrap());
    let report = report(&[&pcap(&records, Order::Little)]);
    let types = "Create-Session Fragment Fragment Fragment Close-Session";
    assert_eq!(told(&report), [format!("1 completed: {types}")]);
    let session = &report["sessions"][0];
    assert_eq!(session["exchanges"][0].get("response"), None);
    assert_eq!(session["fragments"][2]["next_offset"], 30);
    assert!(report["quality"]["lost_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn an_answer_that_was_sent_before_the_first_request_is_to_one_that_was_not_captured() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 received=2000\n\
                > FRAGMENT 2000-3999/4000\n< 200 received=4000\n> CLOSE-SESSION\n< 200\n";
    let mut records = segments_without(&[], text);
    let data: Vec<_> = (0..records.len()).filter(|at| !records[*at].payload().is_empty()).collect();
    // From the second half of the first Fragment on; its Ack is stored behind the head of the next one.
    records.swap(data[4], data[5]);
    records.drain(..data[3]);
    let report = report(&[&pcap(&records, Order::Little)]);
    let fragments = report["sessions"][0]["fragments"].as_array().unwrap();
    let next: Vec<_> = fragments.iter().map(|it| it["next_offset"].as_u64()).collect();
    assert_eq!(next, [Some(4_000)], "{:?}", told(&report));
    assert_eq!(report["sessions"][0]["diagnosis"], Value::Null);
}

#[test]
fn behind_a_hole_an_ack_of_bytes_is_not_that_of_a_create() {
    // The Ack of Create and the first of two segments of the Fragment are lost.
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200\n> FRAGMENT 2000-3999/4000\n< 200\n\
                > CLOSE-SESSION\n< 200\n";
    let report = without(&[1, 2], text);
    assert_eq!(told(&report), ["1 completed: Create-Session unknown Fragment Close-Session"]);
    assert_eq!(report["sessions"][0]["bytes_acknowledged"], 4_000);
}

#[test]
fn an_ack_of_bytes_that_follows_a_create_without_a_hole_is_taken_for_its_answer() {
    let report = without(&[], "> CREATE-SESSION\n< 200 session= protocol= received=10\n");
    assert_eq!(told(&report), ["- rejected: Create-Session"]);
}

#[test]
fn a_lost_leg_of_a_handshake_does_not_part_a_session() {
    let text = "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: NTLM\n\
                > CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAABAAAA\n< 401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA\n\
                > CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAADAAAA\n< 200 session=1\n\
                > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    for lost in [&[2][..], &[3], &[4], &[5], &[2, 3], &[4, 5], &[3, 4, 5], &[2, 3, 4, 5]] {
        let report = without(lost, text);
        let sessions = told(&report);
        assert_eq!(sessions.len(), 1, "{lost:?}: {sessions:?}");
        assert!(sessions[0].starts_with("1 completed: Create-Session"), "{lost:?}: {sessions:?}");
        assert!(sessions[0].ends_with(" Fragment Close-Session"), "{lost:?}: {sessions:?}");
    }
    // The client offered the same in the legs before.
    let answer = &without(&[4], text)["sessions"][0]["negotiation"];
    assert_eq!(answer["verdict"], "agreed");
}

#[test]
fn an_upload_is_not_closed_short_for_what_the_capture_lacks() {
    let outcome = |lost: &[usize]| {
        let report = without(lost, THREE);
        let session = &report["sessions"][0];
        let qualifiers = session["outcome_qualifiers"].as_array().map(|all| all.to_vec());
        (told(&report).join("; "), qualifiers.unwrap_or_default())
    };
    let (told, qualifiers) = outcome(&[6, 7]);
    assert_eq!(told, "1 completed: Create-Session Fragment Fragment Close-Session");
    assert_eq!(qualifiers, ["likely"]);
    // The server's last word came behind this hole.
    let short = THREE.replace("> FRAGMENT 20-29/30\n< 200\n", "");
    let report = without(&[2, 3], &short);
    assert_eq!(report["sessions"][0]["outcome_qualifiers"][0], "closed-short");
}

#[test]
fn an_answer_without_its_request_goes_where_the_ping_before_it_goes() {
    // The head of the Fragment behind the Ping is lost.
    let text = "> CREATE-SESSION\n< 200 session=1\n= client 203.0.113.9\n> PING\n< 200\n> FRAGMENT 0-9/10\n< 200\n\
                > CLOSE-SESSION\n< 200\n";
    let expected = ["1 completed: Create-Session Ping unknown Close-Session"];
    assert_eq!(told(&without(&[4], text)), expected);
}

#[test]
fn an_ack_of_bytes_shows_that_the_session_was_opened() {
    let text = "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: Basic\n> CREATE-SESSION\n  Authorization: Basic YTpi\n\
                < 200 session=1\n> FRAGMENT 0-9/20\n< 200\n! client resets\n= connection\n> FRAGMENT 10-19/20\n< 200\n\
                > CLOSE-SESSION\n< 200\n";
    let expected = ["1 completed: Create-Session unknown Fragment Close-Session"];
    assert_eq!(told(&without(&[2, 3, 4], text)), expected);
    let first = text.split("! client resets").next().unwrap();
    assert_eq!(told(&without(&[2, 3, 4], first)), ["- incomplete: Create-Session unknown"]);
}

/// A session opened with NTLM, in segments 0 to 5, then a Fragment in three, its Ack, Close and its Ack.
const NTLM: &str = "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: NTLM\n\
    > CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAABAAAA\n< 401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA\n\
    > CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAADAAAA\n< 200 session=1\n\
    > FRAGMENT 0-2999/3000\n< 200\n> CLOSE-SESSION\n< 200\n";

#[test]
fn an_upload_of_which_the_capture_lacks_segments_is_neither_rejected_nor_failed() {
    for mask in 0..1_u32 << 12 {
        let lost: Vec<usize> = (0..12).filter(|segment| mask >> segment & 1 == 1).collect();
        // Something must show that the client was let in.
        let shows = [4, 5, 6, 9, 10, 11].iter().any(|head| !lost.contains(head));
        let sessions = told(&without(&lost, NTLM));
        let bad = sessions.iter().any(|told| told.contains("rejected") || told.contains("failed"));
        assert!(!(bad && shows), "{lost:?}: {sessions:?}");
        assert!(lost.len() > 1 || sessions.len() == 1, "{lost:?}: {sessions:?}");
    }
}

#[test]
fn an_id_given_again_opens_another_session_although_its_create_was_lost() {
    let text =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n"
            .repeat(2);
    let rest = "Fragment Close-Session";
    assert_eq!(
        told(&without(&[6], &text)),
        [format!("1 completed: Create-Session {rest}"), format!("1 completed: unknown {rest}")]
    );
}

#[test]
fn an_answer_stored_ahead_of_its_request_is_paired_by_their_times() {
    for first in [0, 2, 4, 6, 8] {
        let mut records = segments_without(&[], THREE);
        let data: Vec<_> =
            (0..records.len()).filter(|at| !records[*at].payload().is_empty()).collect();
        records.swap(data[first], data[first + 1]);
        let report = report(&[&pcap(&records, Order::Little)]);
        let types = "Create-Session Fragment Fragment Fragment Close-Session";
        assert_eq!(told(&report), [format!("1 completed: {types}")], "{first}");
        let exchanges = report["sessions"][0]["exchanges"].as_array().unwrap();
        assert!(exchanges.iter().all(|exchange| exchange["response"].is_object()), "{first}");
    }
}

#[test]
fn an_answer_stamped_ahead_of_its_request_is_paired_by_what_it_acknowledges() {
    let types = "Create-Session Fragment Fragment Fragment Close-Session";
    let expected = [format!("1 completed: {types}")];
    for first in [0, 2, 4, 6, 8] {
        let mut records = segments_without(&[], THREE);
        let data: Vec<_> =
            (0..records.len()).filter(|at| !records[*at].payload().is_empty()).collect();
        records.swap(data[first], data[first + 1]);
        let (mut times, mut last): (Vec<_>, _) = (records.iter().map(|r| r.nanos).collect(), 0);
        times.sort_unstable();
        for (record, time) in records.iter_mut().zip(times) {
            last = time.max(last + 1);
            record.nanos = last;
        }
        let report = report(&[&pcap(&records, Order::Little)]);
        assert_eq!(told(&report), expected, "{first}");
        let exchanges = report["sessions"][0]["exchanges"].as_array().unwrap();
        assert!(exchanges.iter().all(|exchange| exchange["response"].is_object()), "{first}");
    }
}

#[test]
fn the_clock_of_the_other_direction_may_be_ahead_by_a_round_trip() {
    let records = segments_without(&[], THREE);
    let (mut server, mut client) = (records.clone(), records);
    server.retain(|record| record.flow().1);
    client.retain(|record| !record.flow().1);
    server.iter_mut().for_each(|record| record.nanos -= 500_000);
    let report = report(&[&pcap(&client, Order::Little), &pcap(&server, Order::Little)]);
    let types = "Create-Session Fragment Fragment Fragment Close-Session";
    assert_eq!(told(&report), [format!("1 completed: {types}")]);
}

#[test]
fn a_ping_before_a_create_whose_answer_is_stored_ahead_of_it_belongs_to_it() {
    let mut records = segments_without(&[], &format!("> PING\n< 200\n{THREE}"));
    let data: Vec<_> = (0..records.len()).filter(|at| !records[*at].payload().is_empty()).collect();
    records.swap(data[2], data[3]);
    let report = report(&[&pcap(&records, Order::Little)]);
    let types = "Ping Create-Session Fragment Fragment Fragment Close-Session";
    assert_eq!(told(&report), [format!("1 completed: {types}")]);
}

#[test]
fn what_a_proxy_passes_on_is_not_the_same_upload() {
    let requests = ["CREATE-SESSION", "FRAGMENT 0-9/10", "CLOSE-SESSION"];
    let told_by = |ends: &str, answer: &str| {
        ends.to_owned() + &requests.map(|request| format!("> {request}\n{answer}")).concat()
    };
    let front = told_by("= server 10.0.0.80:80\n", "... 1 s\n< 200 session=1\n");
    let front = pcap(&segments_without(&[], &front), Order::Little);
    // By the address that it was asked at, or by another one.
    for client in ["10.0.0.80", "10.0.9.9"] {
        let ends = format!("= client {client}\n= server 10.0.1.1:80\n");
        // The Create, its answer, or both are lost.
        for lost in [&[0][..], &[1], &[0, 1]] {
            let mut back = segments_without(lost, &told_by(&ends, "< 200 session=1\n... 1 s\n"));
            back.iter_mut().for_each(|record| record.nanos += 100_000_000);
            let sessions = told(&report(&[&front, &pcap(&back, Order::Little)]));
            assert_eq!(sessions.len(), 2, "{client} {lost:?}: {sessions:?}");
            assert_eq!(sessions[0], "1 completed: Create-Session Fragment Close-Session");
        }
    }
}

#[test]
fn no_burst_of_lost_frames_shifts_the_answers() {
    // Fragments of five segments each.
    let fragment = |start: u64| {
        format!("> FRAGMENT {start}-{}/20000\n< 200 received={}\n", start + 4_999, start + 5_000)
    };
    let fragments: String = (0..4).map(|number| fragment(number * 5_000)).collect();
    let text = format!("> CREATE-SESSION\n< 200 session=1\n{fragments}> CLOSE-SESSION\n< 200\n");
    let frames = records(&transcript(&text));
    for len in 1..=5 {
        for at in 3..frames.len() - len {
            let mut kept = frames.clone();
            kept.drain(at..at + len);
            let report = report(&[&pcap(&kept, Order::Little)]);
            let sessions = report["sessions"].as_array().unwrap();
            for exchange in
                sessions.iter().flat_map(|session| session["exchanges"].as_array().unwrap())
            {
                let end = exchange["request"]["content_range"]["end"].as_u64();
                let next = exchange["response"]["next_offset"].as_u64();
                if let (Some(end), Some(next)) = (end, next) {
                    assert_eq!(next, end + 1, "{len} frames from {at}");
                }
            }
        }
    }
}

#[test]
fn an_id_that_was_given_unseen_is_that_of_the_create_on_the_connection() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 413 session=1\n";
    // The answer, and the head of the Fragment.
    assert_eq!(told(&without(&[1, 2], text)), ["1 failed: Create-Session unknown"]);
}

#[test]
fn an_ack_that_counts_bytes_opens_nothing_even_with_an_id() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 session=1 received=2000\n\
                > FRAGMENT 2000-3999/4000\n< 200 received=4000\n> CLOSE-SESSION\n< 200\n";
    let types = "Create-Session unknown Fragment Close-Session";
    assert_eq!(told(&without(&[1, 2], text)), [format!("1 completed: {types}")]);
}

/// An upload whose file is not whole, then a request that the capture lacks and a refusal without BITS.
fn outcome_behind_a_lost(request: &str) -> String {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 received=2000\n";
    let text = format!("{text}{request}\n< 404 plain\n  Server: Microsoft-IIS/10.0\n");
    let heads = segments_without(&[], &text);
    let last = heads.iter().filter(|record| !record.payload().is_empty()).count() - 1;
    let lost: Vec<usize> = (5..last).collect();
    let report = without(&lost, &text);
    report["sessions"][0]["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn a_refusal_is_of_the_upload_only_if_the_hole_before_it_has_room_for_its_next_request() {
    assert_eq!(outcome_behind_a_lost("> FRAGMENT 2000-3999/4000"), "failed");
    assert_eq!(outcome_behind_a_lost("> GET http://server/favicon.ico"), "incomplete");
}

#[test]
fn of_replies_only_a_page_behind_what_may_be_the_ack_of_a_close_refuses_no_upload() {
    let outcome = |rest: &str| {
        let text =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 received=2000\n";
        let mut records = segments_without(&[], &format!("{text}{rest}< 404 plain\n"));
        records.retain(|record| record.flow().1);
        report(&[&pcap(&records, Order::Little)])["sessions"][0]["outcome"].clone()
    };
    let rest = "> FRAGMENT 2000-3999/4000\n< 200 received=4000\n> CLOSE-SESSION\n< 200\n> FRAGMENT 0-1999/2000\n";
    assert_eq!(outcome(rest), "incomplete");
    assert_eq!(outcome("> FRAGMENT 2000-3999/4000\n"), "failed");
}

/// A file of 4,000 bytes, its Close, and on a connection of its own a Close again; the Ack of the first Create is
/// segment 1.
fn closed_again(between: &str) -> String {
    format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 received=2000\n\
         > FRAGMENT 2000-3999/4000\n< 200 received=4000\n> CLOSE-SESSION\n< 200\n{between}\
         > CLOSE-SESSION\n< 500 error=0x8020001F context=0x5\n"
    )
}

#[test]
fn a_close_behind_a_hole_repeats_one_that_worked() {
    for between in ["", "! client closes\n! server closes\n= connection\n"] {
        let text = closed_again(between);
        // With the Ack of the first one, and without.
        for lost in [&[8][..], &[8, 9]] {
            let report = without(lost, &text);
            let session = &report["sessions"][0];
            let told = (&session["outcome"], &session["outcome_qualifiers"][0]);
            assert_eq!(told, (&"completed".into(), &"likely".into()), "{between}{lost:?}");
            assert_eq!(session["diagnosis"], Value::Null, "{between}{lost:?}");
        }
    }
}

#[test]
fn the_last_fragment_may_be_among_what_the_capture_lacks_of_another_connection() {
    let next = "! client closes\n! server closes\n= connection\n";
    let parts = [
        "> CREATE-SESSION\n< 200 session=1\n",
        "> FRAGMENT 0-1999/4000\n< 200 received=2000\n",
        "> FRAGMENT 2000-3999/4000\n< 200 received=4000\n",
        "> CLOSE-SESSION\n< 200\n",
    ];
    let text = parts.join(next);
    let outcome =
        |lost: &[usize], text: &str| without(lost, text)["sessions"][0]["outcome"].clone();
    assert_eq!(outcome(&[5, 6, 7], &text), "completed");
    // The body of it was captured, its head and its answer were not.
    assert_eq!(outcome(&[5, 7], &text), "completed");
    // Nothing but the end of its connection was.
    let mut records = segments_without(&[], &text);
    let data: Vec<_> = (0..records.len()).filter(|at| !records[*at].payload().is_empty()).collect();
    let handshake = 3;
    records.drain(data[5] - handshake..=data[7]);
    let outcome_of = |records: &[Record]| {
        report(&[&pcap(records, Order::Little)])["sessions"][0]["outcome"].clone()
    };
    assert_eq!(outcome_of(&records), "completed");
    let text = text.replace(parts[2], "> GET /\n< 200 plain\n");
    assert_eq!(outcome(&[5, 6], &text), "failed");
    // A connection of before that carried something else.
    let mut records = segments_without(&[], &text);
    let get = records.iter().position(|record| record.payload().starts_with(b"GET")).unwrap();
    records.drain(get - handshake..get);
    assert_eq!(outcome_of(&records), "failed");
}

#[test]
fn the_last_fragment_may_be_among_what_the_capture_lacks_ahead_of_another_request() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 received=2000\n\
                > FRAGMENT 2000-3999/4000\n< 200 received=4000\n> GET /reply\n< 200 plain\n\
                > CLOSE-SESSION\n< 200\n";
    for lost in [&[5][..], &[5, 7], &[5, 6, 7]] {
        assert_eq!(without(lost, text)["sessions"][0]["outcome"], "completed", "{lost:?}");
    }
}

/// A file in Fragments of some ranges in units of 2,000 bytes, of 8,000, each confirmed by its own end.
fn in_any_order(starts: &[u64]) -> String {
    let fragment = |start: &u64| {
        let (first, end) = (start * 2_000, start * 2_000 + 2_000);
        format!("> FRAGMENT {first}-{}/8000\n< 200 received={end}\n", end - 1)
    };
    let fragments: String = starts.iter().map(fragment).collect();
    format!("> CREATE-SESSION\n< 200 session=1\n{fragments}> CLOSE-SESSION\n< 200\n")
}

#[test]
fn of_fragments_in_any_order_only_those_that_were_sent_count() {
    let outcome = |lost: &[usize], starts: &[u64]| {
        let report = without(lost, &in_any_order(starts));
        let session = &report["sessions"][0];
        let told = format!("{} {}", session["outcome"], session["outcome_qualifiers"][0]);
        (told.replace('"', ""), session["bytes_acknowledged"].as_u64().unwrap())
    };
    assert_eq!(outcome(&[], &[2, 0, 3]), ("failed closed-short".to_owned(), 6_000));
    assert_eq!(outcome(&[], &[3, 0, 1, 2]), ("completed null".to_owned(), 8_000));
    // What is missing may have gone on a connection of which the capture has nothing.
    let text = in_any_order(&[2, 0, 3]).replace("> FRAGMENT 6000", "= connection\n> FRAGMENT 6000");
    assert_eq!(without(&[], &text)["sessions"][0]["outcome"], "completed");
    // The Ack of the first one, and its head.
    for lost in [4, 2] {
        assert_eq!(outcome(&[lost], &[3, 0, 1, 2]).0, "completed likely", "{lost}");
    }
}

#[test]
fn a_fragment_after_the_close_changes_nothing() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/2000\n< 200 received=2000\n> CLOSE-SESSION\n< 200\n\
                > FRAGMENT 2000-2009/2010\n< 500 error=0x8020001F context=0x5\n";
    // Nothing, the head of the Fragment, its Ack, the Close.
    for (lost, total) in
        [(&[][..], Some(2_000)), (&[2], None), (&[4], Some(2_000)), (&[5], Some(2_000))]
    {
        let report = without(lost, text);
        let session = &report["sessions"][0];
        assert_eq!(session["outcome"], "completed", "{lost:?}");
        assert_eq!(session["bytes_total"].as_u64(), total, "{lost:?}");
    }
}

#[test]
fn an_ack_that_counts_bytes_is_none_of_a_close() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/6000\n> FRAGMENT 2000-3999/6000\n\
                > FRAGMENT 4000-5999/6000\n> CLOSE-SESSION\n\
                < 200 received=2000\n< 200 received=4000\n< 200 received=6000\n< 200\n";
    for lost in [2, 4, 6] {
        let report = without(&[lost], text);
        let outcome = &report["sessions"][0]["outcome"];
        assert_eq!(outcome, "completed", "{lost}: {:?}", told(&report));
    }
}

#[test]
fn creates_refused_before_one_that_the_capture_lacks_are_of_its_session() {
    let text = "> CREATE-SESSION\n< 503 plain\n= connection\n> CREATE-SESSION\n< 200 session=1\n\
                > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    let types = "Create-Session unknown Fragment Close-Session";
    assert_eq!(told(&without(&[2], text)), [format!("1 completed: {types}")]);
}

#[test]
fn a_server_that_took_less_than_it_was_sent_has_less_whatever_the_close_was_answered() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-1999/4000\n< 200 received=2000\n\
                > FRAGMENT 2000-3999/4000\n< 200 received=3999\n> CLOSE-SESSION\n< 200\n";
    // All is there, or the first Ack is lost.
    for lost in [&[][..], &[4]] {
        let report = without(lost, text);
        assert_eq!(report["sessions"][0]["outcome_qualifiers"][0], "closed-short");
    }
}
