use super::*;
use crate::at::Numbered;
use crate::model::exchange::{RareResponse, Response};
use crate::transcript;

fn shown(report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    write(&mut out, report, style).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_session_reads_as_a_dialogue() {
    assert_eq!(
        shown(&samples::report(), &Style::default()),
        "\
… incomplete, interrupted   10.20.0.11 → 10.20.0.80:80   http://10.20.0.80/backup/backup.bak
  {1C34C8D4-0F42-49D1-A0D4-274383A65E8F}   Microsoft BITS/6.7\\x1b[2J
  protocol BITS 1.5 Upload Protocol, 1st of 1 offered
  2 730 of 40 960 B in 1 Fragment   401 ms   6.8 kB/s   2 connections

  0.000 333   4         → Create-Session   offers {7df0354d-249b-430f-820d-3d2a9bef4931} BITS 1.5 Upload Protocol
  0.000 647   6         ← Ack 200          chooses {7df0354d-…}, opens {1C34C8D4-…}
             ⋮ 400 ms   new connection, port 46950
  0.400 726   8–17      → Fragment         0–8191       █                     2 730 of 8 192 B seen
  0.401 054   18        ← Ack 200          next 8192

"
    );
}

#[test]
fn ascii_output_is_ascii() {
    let text = shown(&samples::report(), &Style { ascii: true, color: true, ..Style::default() });
    assert!(text.is_ascii());
    assert!(text.contains("8-17"));
}

#[test]
fn a_narrow_terminal_wraps_the_last_column() {
    let text = shown(&samples::report(), &Style { width: 80, ..Style::default() });
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn without_uploads_it_says_so() {
    let mut report = samples::report();
    report.sessions.clear();
    report.quality.tls_opaque = 2;
    assert_eq!(
        shown(&report, &Style::default()),
        "no BITS upload in 0 frames; 2 connections with TLS could not be decrypted\n"
    );
}

#[test]
fn a_capture_without_tcp_says_what_it_holds_instead() {
    let mut report = samples::report();
    report.sessions.clear();
    let capture = &mut report.captures[0];
    (capture.frames, report.quality.connections) = (5, 0);
    report.quality.skipped = [("link type 249".to_owned(), 3), ("not IP".to_owned(), 2)].into();
    let text = shown(&report, &Style::default());
    assert_eq!(
        text,
        "no BITS upload in 5 frames; no TCP connection was found in them: 3 link type 249, 2 not IP\n"
    );
    report.captures[0].filtered_frames = 5;
    let text = shown(&report, &Style::default());
    assert!(text.contains(" 0 of 5 frames that the filter lets pass; a filter sees "), "{text}");
    report.captures[0].filtered_frames = 0;
    report.quality.connections = 1;
    assert_eq!(shown(&report, &Style::default()), "no BITS upload in 5 frames\n");
}

#[test]
fn an_answer_from_elsewhere_is_told_apart() {
    let mut exchange = samples::create();
    exchange.response = Some(Response {
        packet_type: None,
        http_status: 401,
        protocol: None,
        session_id: None,
        server: Some("nginx".into()),
        rare: RareResponse { challenges: vec!["NTLM".into()], ..RareResponse::default() }.into(),
        ..exchange.response.unwrap()
    });
    let mut out = Vec::new();
    let style = Style { times: crate::export::Times::Epoch, ..Style::default() };
    write_exchange(&mut out, &exchange, true, &mut Clock::new(style.times, None), &style).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "\
10.20.0.11:46950 → 10.20.0.80:80
  1182200516.000333   4         → Create-Session   offers {7df0354d-249b-430f-820d-3d2a9bef4931} BITS 1.5 Upload Protocol
  1182200516.000647   6         ← HTTP 401         from the web server nginx, asks for NTLM
"
    );
}

#[test]
fn bytes_sent_again_and_a_missing_answer_are_told() {
    let mut report = samples::report();
    let mut again = samples::fragment();
    if let Some(request) = &mut again.request {
        request.body.bytes = 8192;
        request.body.complete = true;
    }
    again.response = None;
    report.sessions[0].exchanges.push(again);
    let text = shown(&report, &Style::default());
    let end: Vec<&str> = text.lines().rev().skip(1).take(2).collect();
    assert!(end[0].ends_with("⋮   no answer seen"), "{text}");
    assert!(end[1].ends_with("████                  2 730 B again"), "{text}");
}

#[test]
fn acknowledged_bytes_are_told_where_no_fragment_was_seen() {
    let mut report = samples::report();
    report.sessions[0].fragments.clear();
    report.sessions[0].bytes_total = None;
    let text = shown(&report, &Style::default());
    assert!(text.contains("  no Fragment seen, 8 192 B acknowledged   401 ms"), "{text}");
}

#[test]
fn a_range_that_ends_before_it_starts_is_told_as_written() {
    let mut report = samples::report();
    let last = report.sessions[0].exchanges.last_mut().unwrap();
    let range = crate::bits::fields::ContentRange::parse("bytes 49-0/50");
    last.request.as_mut().unwrap().content_range = Some(range);
    let text = shown(&report, &Style::default());
    assert!(text.contains("Content-Range \"bytes 49-0/50\""), "{text}");
}

#[test]
fn the_bits_server_may_answer_without_being_an_ack() {
    let mut report = samples::report();
    let session = &mut report.sessions[0];
    for exchange in &mut session.exchanges {
        exchange.response.as_mut().unwrap().server = Some("SimpleHTTP/0.6 Python/3.11.7".into());
    }
    let last = session.exchanges.last_mut().unwrap().response.as_mut().unwrap();
    (last.http_status, last.packet_type) = (500, None);
    let text = shown(&report, &Style::default());
    assert!(text.contains("from the BITS server SimpleHTTP/0.6 Python/3.11.7"), "{text}");
}

#[test]
fn a_fragment_without_body_has_no_bar() {
    let mut report = samples::report();
    let last = report.sessions[0].exchanges.last_mut().unwrap();
    last.request.as_mut().unwrap().body.bytes = 0;
    let text = shown(&report, &Style::default());
    assert!(!text.contains('█'), "{text}");
    assert!(text.contains("0 of 8 192 B seen"), "{text}");
}

#[test]
fn an_error_has_its_name_and_a_second_capture_its_number() {
    let mut report = samples::report();
    report.captures.push(crate::capture::Input::default());
    let session = &mut report.sessions[0];
    let response = session.exchanges[1].response.as_mut().unwrap();
    response.http_status = 500;
    response.next_offset = None;
    let rare = response.rare.edit();
    rare.error = Some(crate::model::exchange::ErrorCode {
        header: "BITS-Error-Code".into(),
        raw: "x8020001f".into(),
        value: Some(0x8020_001F),
        notation: None,
    });
    rare.error_context = Some("0x5".into());
    for at in [&mut response.span.first, &mut response.span.last] {
        (at.input, at.input_frame) = (2, 3);
    }
    let frame = Numbered(response.span.first);
    let request = session.exchanges[1].request.as_mut().unwrap();
    (request.span.first.input, request.span.last.input) = (1, 1);
    session.error = Some(crate::model::session::SessionError {
        http_status: 500,
        hresult: Some("0x8020001F".into()),
        symbol: Some("BG_E_SESSION_NOT_FOUND".into()),
        context: None,
        frame,
    });
    let text = shown(&report, &Style::default());
    assert!(text.contains("  error 500 0x8020001F BG_E_SESSION_NOT_FOUND, frame 2:3\n"), "{text}");
    assert!(text.contains("1:8–17"), "{text}");
    assert!(
        text.contains(
            "2:3       ← Ack 500          0x8020001F BG_E_SESSION_NOT_FOUND, context 0x5\n"
        ),
        "{text}"
    );
}

#[test]
fn where_the_ends_change_they_are_named() {
    let mut report = samples::report();
    let last = report.sessions[0].exchanges.last_mut().unwrap();
    last.server.set_ip([10, 20, 0, 81].into());
    let text = shown(&report, &Style::default());
    assert!(text.contains("   new connection, port 46950, to 10.20.0.81:80\n"), "{text}");
    let last = report.sessions[0].exchanges.last_mut().unwrap();
    last.client.set_ip([10, 20, 0, 12].into());
    let text = shown(&report, &Style::default());
    assert!(text.contains(", port 46950, from 10.20.0.12, to 10.20.0.81:80\n"), "{text}");
}

fn played(text: &str) -> String {
    shown(&transcript::analyse(&transcript::play(text).unwrap(), &mut ()), &Style::default())
}

#[test]
fn what_no_line_shows_is_told_where_it_passed() {
    let text = played(
        "> CREATE-SESSION\n< 200 session=1\n! client closes\n! server closes\n... 600 s\n! unanswered\n\
         ... 600 s\n! refused\n... 600 s\n= connection\n> FRAGMENT 0-19/20\n< 200\n\
         > CLOSE-SESSION\n< 200\n",
    );
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.contains("new conn")).collect();
    assert!(lines[1].contains("with 3 SYN in 9 s (frames 12, 14)   connect-timeout"), "{text}");
    assert!(lines[2].contains("with RST (frames 15, 16)   connect-refused"), "{text}");
    assert!(lines[3].contains("→ Fragment"), "{text}");
}

#[test]
fn a_fallback_time_out_stands_behind_its_host() {
    for (value, words) in
        [("110", "110 s"), ("4294967295", "never"), ("0x6E", "\"0x6E\""), ("never", "\"never\"")]
    {
        let text =
            played(&format!("> CREATE-SESSION\n< 200 session=1 host=node1 fallback={value}\n"));
        assert!(text.contains(&format!(", Host-Id node1, fallback {words}\n")), "{text}");
    }
}

#[test]
fn a_refusal_opens_nothing() {
    let text = played(
        "> CREATE-SESSION\n< 403 session=1 protocol={7df0354d-249b-430f-820d-3d2a9bef4931}\n",
    );
    assert!(text.contains("← Ack 403          names {7df0354d-…}, session 1"), "{text}");
}

#[test]
fn notifications_of_an_application_are_counted() {
    let told = "> POST /notify\n  BITS-Original-Request-URL: http://h/f\n";
    let text = played(&format!("{told}< 200 plain\n{told}< 500 plain\n"));
    assert!(
        text.ends_with(
            "; 2 notifications from a BITS server to its application, from frame 4 on, \
             answered 500 at worst\n"
        ),
        "{text}"
    );
}

#[test]
fn several_sessions_end_in_a_summary() {
    let mut report = samples::report();
    report.sessions.push(samples::session());
    let text = shown(&report, &Style::default());
    assert_eq!(text.lines().last(), Some("2 uploads, 2 incomplete; 1 client"));
}

#[test]
fn all_servers_that_got_bytes_are_named() {
    let head = |text: &str| {
        let report = transcript::analyse(&transcript::play(text).unwrap(), &mut ());
        shown(&report, &Style::default()).lines().next().unwrap_or_default().to_owned()
    };
    let begun = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n= server 10.0.0.9:81\n\
                 = connection\n> FRAGMENT 10-19/30\n< 200\n";
    assert!(head(begun).contains(":80 and 10.0.0.9:81   http"), "{}", head(begun));
    let third = "= server 10.0.0.10:80\n= connection\n> FRAGMENT 20-29/30\n< 200\n";
    let all = head(&format!("{begun}{third}"));
    assert!(all.contains(":80, 10.0.0.9:81 and 1 other server   http"), "{all}");
}

#[test]
fn a_slow_upload_is_not_said_to_stand_still() {
    let text = "> CREATE-SESSION\n< 200 session=1\n... 100 s\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    let report = transcript::analyse(&transcript::play(text).unwrap(), &mut ());
    let text = shown(&report, &Style::default());
    assert!(text.contains("   <1 B/s   "), "{text}");
}

#[test]
fn what_the_server_tells_the_application_stands_where_it_waits() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n... 3 s\n< 200\n... -2 s\n\
                = client 192.0.2.80\n= server 192.0.2.90:80\n> POST /app/notify.aspx\n\
                \x20 BITS-Original-Request-URL: http://server/upload/file.bin\n... 1 s\n< 500 plain\n";
    let mut analysis = crate::Analysis::new(crate::Options::default());
    for record in crate::transcript::play(text).unwrap() {
        analysis.push(&record.frame(), &mut ());
    }
    let report = analysis.finish(Vec::new(), &mut ());
    let text = shown(&report, &Style::default());
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(['→', '←']))
        .map(|(_, said)| said.trim())
        .collect();
    let [.., fragment, post, answer, ack] = lines.as_slice() else { panic!("{text}") };
    assert!(fragment.starts_with("Fragment"), "{text}");
    assert!(
        post.ends_with("from the server to the application at 192.0.2.90:80, without the file"),
        "{text}"
    );
    assert_eq!(*answer, "HTTP 500         of the application", "{text}");
    assert!(ack.starts_with("Ack 200"), "{text}");
}

#[test]
fn what_a_request_does_not_name_is_told() {
    let mut report = samples::report();
    let requests = report.sessions[0].exchanges.iter_mut().filter_map(|e| e.request.as_mut());
    for request in requests {
        request.session_id = None;
        request.supported_protocols = Some(",".into());
    }
    let text = shown(&report, &Style::default());
    assert!(text.contains("→ Create-Session   offers no protocol\n"), "{text}");
    assert!(text.lines().any(|line| line.contains("→ Fragment") && line.contains("no session id")));
}
