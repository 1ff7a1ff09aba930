use super::{Carrier, Event, Parser, Start};
use crate::at::At;
use crate::limits::Limits;
use crate::stream::{self, Carriage, Chunk, End as Ending, Side};
use crate::tls::KeyLog;

use Side::{Client, Server};

enum Do {
    Say(Side, u64, &'static str),
    /// What the server says with that many bytes of the client.
    Had(u64, &'static str),
    Lose(Side, u64),
    Fin(Side),
}
use Do::{Fin, Had, Lose, Say};

/// Runs the steps; `Say` has the number of its frame.
fn run(steps: &[Do]) -> Vec<String> {
    let (keys, limits) = (KeyLog::default(), Limits::default());
    let (mut parser, mut log) = (Parser::new(Carrier::default(), 0), Vec::new());
    for step in steps {
        let at = |frame| At { frame, ..At::default() };
        let data = |side, frame, acked, text: &'static str| {
            let (at, carriage) = (at(frame), Carriage::default());
            let bytes = text.as_bytes();
            stream::Event::Data(Chunk { at, side, offset: 0, acked, carriage, bytes })
        };
        let event = match *step {
            Say(side, frame, text) => data(side, frame, 0, text),
            Had(acked, text) => data(Server, 50, acked, text),
            Lose(side, len) => stream::Event::Gap { at: at(99), side, offset: 0, len },
            Fin(side) => stream::Event::End { at: at(99), side, why: Ending::Fin },
        };
        parser.push(&event, &keys, &limits, &mut |event| match event {
            Event::Head { exchange, head, .. } => log.push(match head.start {
                Start::Request { method, target } => format!("{exchange} {method} {target}"),
                Start::Response { status, .. } => format!("{exchange} {status}"),
            }),
            Event::End { exchange, side: Server, why, .. } => {
                log.push(format!("{exchange} {why:?}"))
            }
            _ => {}
        });
    }
    log
}

const A: &str = "GET /a HTTP/1.1\r\n\r\n";
const B: &str = "GET /b HTTP/1.1\r\n\r\n";
const NONE: &str = "HTTP/1.1 204 N\r\n\r\n";

#[test]
fn pipelined_requests_are_answered_in_order() {
    let log =
        run(&[Say(Client, 1, A), Say(Client, 2, B), Say(Server, 3, NONE), Say(Server, 4, NONE)]);
    assert_eq!(log, ["0 GET /a", "1 GET /b", "0 204", "0 Complete", "1 204", "1 Complete"]);
}

#[test]
fn a_response_without_length_ends_where_the_server_has_another_request() {
    const LONG: &str = "HTTP/1.1 400 N\r\n\r\n";
    let log = |acked| run(&[Say(Client, 1, A), Had(19, LONG), Had(acked, NONE)]);
    assert_eq!(log(19), ["0 GET /a", "0 400"]);
    assert_eq!(log(90), ["0 GET /a", "0 400", "0 Complete", "1 204", "1 Complete"]);
}

#[test]
fn interim_response_leaves_the_request_open() {
    let log =
        run(&[Say(Client, 1, A), Say(Server, 2, "HTTP/1.1 100 C\r\n\r\n"), Say(Server, 3, NONE)]);
    assert_eq!(log, ["0 GET /a", "0 100", "0 204", "0 Complete"]);
}

#[test]
fn response_to_head_has_no_body() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let log = run(&[Say(Client, 1, "HEAD / HTTP/1.1\r\n\r\n"), Say(Server, 2, head)]);
    assert_eq!(log, ["0 HEAD /", "0 200", "0 Complete"]);
}

#[test]
fn where_no_request_was_seen_a_response_ends_the_one_before() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
    let bare = "HTTP/1.1 200 OK\r\n\r\n";
    let log = run(&[Say(Server, 1, head), Say(Server, 2, bare), Say(Server, 3, NONE)]);
    assert_eq!(log, ["0 200", "0 Closed", "1 200", "1 Complete", "2 204", "2 Complete"]);
}

#[test]
fn a_body_may_quote_a_response_where_the_request_was_seen() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n";
    let log = run(&[Say(Client, 1, A), Say(Server, 2, head), Say(Server, 3, NONE)]);
    assert_eq!(log, ["0 GET /a", "0 200", "0 Complete"]);
}

#[test]
fn the_line_behind_the_last_chunk_may_be_missing() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
    let log =
        run(&[Say(Client, 1, A), Say(Server, 2, chunked), Say(Client, 3, B), Say(Server, 4, NONE)]);
    assert_eq!(log, ["0 GET /a", "0 200", "1 GET /b", "0 Complete", "1 204", "1 Complete"]);
}

#[test]
fn body_without_length_ends_with_the_connection() {
    let log = run(&[Say(Client, 1, A), Say(Server, 2, "HTTP/1.0 200 OK\r\n\r\nabc"), Fin(Server)]);
    assert_eq!(log, ["0 GET /a", "0 200", "0 Complete"]);
}

#[test]
fn gap_within_a_counted_body_does_not_end_it() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab";
    let log =
        run(&[Say(Client, 1, A), Say(Server, 2, head), Lose(Server, 5), Say(Server, 3, "yz")]);
    assert_eq!(log, ["0 GET /a", "0 200", "0 Complete"]);
}

#[test]
fn gap_within_a_chunk_does_not_end_the_body_but_one_over_its_end_does() {
    let begun = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab";
    let rest = |lost, text| {
        let log = run(&[
            Say(Client, 1, A),
            Say(Server, 2, begun),
            Lose(Server, lost),
            Say(Server, 3, text),
            Say(Client, 4, B),
            Say(Server, 5, NONE),
        ]);
        log.into_iter().skip(2).collect::<Vec<_>>()
    };
    let next = ["1 GET /b", "1 204", "1 Complete"];
    assert_eq!(rest(5, "yz\r\n0\r\n\r\n"), [&["0 Complete"][..], &next].concat());
    assert_eq!(rest(8, "\n0\r\n\r\n"), [&["0 Lost"][..], &next].concat());
}

#[test]
fn what_is_no_chunk_ends_the_body() {
    for broken in ["\r\n", "g\r\n", "11111111111111111\r\n", "1\r\nab"] {
        let answer: String =
            ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", broken].concat();
        let log = run(&[Say(Client, 1, A), Say(Server, 2, answer.leak())]);
        assert_eq!(log, ["0 GET /a", "0 200", "0 Lost"], "{broken:?}");
    }
}

#[test]
fn head_behind_the_rest_of_a_lost_message_is_found() {
    let log =
        run(&[Say(Client, 1, A), Lose(Server, 50), Say(Server, 2, "x\nHTTP/1.1 204 N\r\n\r\n")]);
    assert_eq!(log, ["0 GET /a", "0 204", "0 Complete"]);
}

#[test]
fn head_behind_the_rest_of_a_text_in_two_segments_is_found() {
    let log = run(&[
        Lose(Client, 9),
        Say(Client, 1, "plain text"),
        Say(Client, 2, "\nx\nGET /a HTTP/1.1\r\n\r\n"),
    ]);
    assert_eq!(log, ["0 GET /a"]);
}

#[test]
fn head_cut_off_is_reported_with_its_first_line() {
    assert_eq!(run(&[Say(Client, 1, "GET /a HTTP/1.1\r\nHo"), Lose(Client, 9)]), ["0 GET /a"]);
}

#[test]
fn connect_opens_a_tunnel_for_http() {
    let log = run(&[
        Say(Client, 1, "CONNECT h:80 HTTP/1.1\r\n\r\n"),
        Say(Server, 2, "HTTP/1.1 200 OK\r\n\r\n"),
        Say(Client, 3, A),
    ]);
    assert_eq!(log, ["0 CONNECT h:80", "0 200", "0 Complete", "1 GET /a"]);
}

#[test]
fn so_it_does_where_the_answer_is_stored_ahead_of_it() {
    let log = run(&[
        Say(Server, 2, "HTTP/1.1 200 OK\r\n\r\n"),
        Say(Client, 1, "CONNECT h:80 HTTP/1.1\r\n\r\n"),
        Say(Client, 3, A),
    ]);
    assert_eq!(log, ["0 200", "0 CONNECT h:80", "0 Complete", "1 GET /a"]);
}

#[test]
fn request_from_an_earlier_frame_belongs_to_the_response_before_it() {
    let log =
        run(&[Say(Server, 2, NONE), Say(Client, 1, A), Say(Client, 3, B), Say(Server, 4, NONE)]);
    assert_eq!(log, ["0 204", "0 Complete", "0 GET /a", "1 GET /b", "1 204", "1 Complete"]);
}

#[test]
fn a_response_to_head_has_no_body_where_it_comes_before_its_request() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let log = run(&[
        Say(Server, 2, head),
        Say(Client, 1, "HEAD / HTTP/1.1\r\n\r\n"),
        Say(Server, 4, NONE),
        Say(Client, 3, A),
    ]);
    let first = ["0 200", "0 HEAD /", "0 Complete"];
    assert_eq!(log[..3], first);
    assert_eq!(log[3..], ["1 204", "1 Complete", "1 GET /a"]);
}

#[test]
fn next_response_ends_a_body_without_length() {
    let log = run(&[
        Say(Client, 1, A),
        Say(Server, 2, "HTTP/1.1 200 OK\r\n\r\nabc"),
        Say(Client, 3, B),
        Say(Server, 4, NONE),
    ]);
    assert_eq!(log, ["0 GET /a", "0 200", "1 GET /b", "0 Complete", "1 204", "1 Complete"]);
}

#[test]
fn body_refused_before_it_was_sent_does_not_swallow_the_next_request() {
    let post = "POST /p HTTP/1.1\r\nContent-Length: 500\r\n\r\n";
    let refusal = "HTTP/1.1 413 L\r\nContent-Length: 0\r\n\r\n";
    let log = run(&[Say(Client, 1, post), Say(Server, 2, refusal), Say(Client, 3, A)]);
    assert_eq!(log, ["0 POST /p", "0 413", "0 Complete", "1 GET /a"]);
}

#[test]
fn a_body_that_was_not_asked_for_is_not_what_the_next_packet_is() {
    const WAITS: &str =
        "BITS_POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 60\r\n\r\n";
    const NEXT: &str = "BITS_POST /b HTTP/1.1\r\n\r\n";
    let log = run(&[Say(Client, 1, WAITS), Say(Client, 2, NEXT)]);
    assert_eq!(log, ["0 BITS_POST /a", "1 BITS_POST /b"]);
    let asked = Say(Server, 2, "HTTP/1.1 100 C\r\n\r\n");
    let log = run(&[Say(Client, 1, WAITS), asked, Say(Client, 3, NEXT)]);
    assert_eq!(log, ["0 BITS_POST /a", "0 100"]);
}

#[test]
fn a_request_without_version_is_one_line() {
    let log = run(&[Say(Client, 1, "GET /a\r\n"), Say(Server, 2, "<html>")]);
    assert_eq!(log, ["0 GET /a"]);
}

#[test]
fn a_response_that_is_shorter_than_told_ends_where_the_next_begins() {
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort";
    let log =
        run(&[Say(Client, 1, A), Say(Server, 2, short), Say(Client, 3, B), Say(Server, 4, NONE)]);
    assert_eq!(log, ["0 GET /a", "0 200", "1 GET /b", "0 Closed", "1 204", "1 Complete"]);
}

#[test]
fn a_body_that_quotes_a_response_stays_a_body() {
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\nshort";
    let log = run(&[
        Say(Client, 1, A),
        Say(Client, 2, B),
        Say(Server, 3, start),
        Say(Server, 4, NONE),
        Say(Server, 5, NONE),
    ]);
    assert_eq!(log, ["0 GET /a", "1 GET /b", "0 200", "0 Complete", "1 204", "1 Complete"]);
}

#[test]
fn a_body_that_is_shorter_than_told_ends_where_the_next_request_begins() {
    let short = "POST /s HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort";
    let log = run(&[Say(Client, 1, short), Say(Server, 2, NONE), Say(Client, 3, A)]);
    assert_eq!(log, ["0 POST /s", "0 204", "0 Complete", "1 GET /a"]);
}
