//! What people are told.

use super::*;
use crate::transcript;

fn report(text: &str) -> Report {
    transcript::analyse(&transcript::play(text).unwrap(), &mut ())
}

fn head(text: &str) -> String {
    headline(&report(text), Severity::Warning, true)
}

#[test]
fn what_is_to_be_known_of_an_upload_that_went_well_has_a_line() {
    let report = report(
        "> CREATE-SESSION\n  Authorization: Basic Ym9iOng=\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n\
         > CLOSE-SESSION\n< 200\n",
    );
    let mut out = Vec::new();
    write(&mut out, &report, &Style::default(), Detail::Usual, Severity::Error, true).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        (lines[0], lines.len()),
        ("1 upload, nothing wrong with the transfer; 1 finding besides", 3),
        "{text}"
    );
    assert!(lines[2].starts_with("  besides     warning: Basic credentials"), "{text}");
    assert!(lines[2].ends_with("basic-over-cleartext"), "{text}");
}

#[test]
fn where_the_capture_lacks_bytes_nothing_is_wrong_as_far_as_it_shows() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20 lost\n< 200\n\
                > CLOSE-SESSION\n< 200\n";
    assert_eq!(
        head(text),
        "1 upload, nothing wrong as far as captured; 1 finding outside the uploads"
    );
}

#[test]
fn a_lost_upload_is_told_with_the_one_that_carries_it_on() {
    let report = report(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n\
         > CREATE-SESSION\n< 200 session=2\n> FRAGMENT 0-19/20 session=2\n< 200\n\
         > CLOSE-SESSION session=2\n< 200\n",
    );
    let mut out = Vec::new();
    write(&mut out, &report, &Style::default(), Detail::Usual, Severity::Error, true).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\n  carried on as 2, completed\n"), "{text}");
    let mut out = Vec::new();
    crate::export::markdown::write(&mut out, &report).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\n- carried on as: 2, completed\n"), "{text}");
}

#[test]
fn nobody_is_told_only_where_an_answer_is_missing() {
    let told = |text: &str| {
        let report = report(text);
        let session = &report.sessions[0];
        answerer(session, session.diagnosis.as_ref().unwrap())
    };
    let lossy = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-999/1000\n! again\n! again\n! again\n\
                 < 200\n> CLOSE-SESSION\n< 200\n";
    assert_eq!(told(lossy), None);
    let silent =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 30 s\n! client closes\n";
    assert_eq!(told(silent), Some("nobody"));
}

#[test]
fn an_upload_without_an_end_is_not_said_to_be_well() {
    let begun = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n";
    assert_eq!(head(begun), "1 upload, incomplete as far as the capture shows");
    let ended = format!("{begun}> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n");
    assert_eq!(head(&ended), "1 upload, nothing wrong");
    let other = begun.replace("session=1", "session=2");
    let both = format!("{ended}= url http://server/upload/b.bin\n{other}");
    assert_eq!(
        head(&both),
        "2 uploads: 1 incomplete as far as the capture shows, 1 with nothing wrong"
    );
    let mut out = Vec::new();
    let style = Style { width: 60, ..Style::default() };
    write(&mut out, &report(&both), &style, Detail::Usual, Severity::Error, true).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("2 uploads: 1 incomplete as far as the capture shows, 1\n  with"),
        "{text}"
    );
    let agent = "a".repeat(30);
    let failed = begun
        .replace("10-19", "0-9")
        .replace("CREATE-SESSION\n", &format!("CREATE-SESSION\n  User-Agent: {agent} {agent}\n"))
        + "> FRAGMENT 10-19/20\n< 500 error=0x8020001F context=0x5\n";
    let mut out = Vec::new();
    write(&mut out, &report(&failed), &style, Detail::Usual, Severity::Error, true).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(&format!("{agent}\n  {agent}\n")), "{text}");
}

fn told(text: &str, detail: Detail) -> String {
    let mut out = Vec::new();
    write(&mut out, &report(text), &Style::default(), detail, Severity::Error, true).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_upload_that_was_cancelled_after_an_error_is_told_with_what_to_do() {
    let text = "> CREATE-SESSION\n< 200 session=1 protocol={11111111-2222-3333-4444-555555555555}\n\
                > CANCEL-SESSION\n< 200\n";
    let usual = told(text, Detail::Usual);
    assert!(usual.contains("\n  found       error: the server chose"), "{usual}");
    assert!(usual.contains("\n              → Mend the server"), "{usual}");
    let brief = told(text, Detail::Brief);
    assert!(brief.contains("  wrong-guid-selected: the server chose"), "{brief}");
}

#[test]
fn what_made_the_cause_more_than_once_is_counted() {
    let odd = |kind: &str| format!("> {kind}\n< 400 error=0x80070057 context=0x5\n");
    let text = format!("> CREATE-SESSION\n< 200 session=1\n{}{}", odd("RESUME"), odd("SUSPEND"));
    let usual = told(&text, Detail::Usual);
    assert!(
        usual.contains("unknown-packet-type, certain; 1 more like it (frames 8, 10)"),
        "{usual}"
    );
}

#[test]
fn what_no_upload_shows_is_told_in_brief_too() {
    let mut report = report("! refused\n");
    report.findings[0].severity = Severity::Error;
    let mut out = Vec::new();
    write(&mut out, &report, &Style::default(), Detail::Brief, Severity::Error, true).unwrap();
    let brief = String::from_utf8(out).unwrap();
    assert!(brief.starts_with("✘ capture  connect-refused: "), "{brief}");
}

#[test]
fn what_fails_by_the_level_asked_for_is_told() {
    let report = report(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n",
    );
    let told = |detail: Detail, least: Severity| {
        let mut out = Vec::new();
        write(&mut out, &report, &Style::default(), detail, least, true).unwrap();
        String::from_utf8(out).unwrap()
    };
    let notes = told(Detail::Usual, Severity::Note);
    assert!(notes.starts_with("1 upload, nothing wrong with the transfer; "), "{notes}");
    assert!(notes.contains("note: 10 bytes sent over http"), "{notes}");
    assert!(!told(Detail::Usual, Severity::Error).contains("note: "));
    let brief = told(Detail::Brief, Severity::Note);
    assert!(brief.contains("cleartext-sensitive: 10 bytes"), "{brief}");
    assert!(!told(Detail::Brief, Severity::Error).contains("cleartext"), "{brief}");
}

#[test]
fn notes_are_told_with_what_to_do_where_there_is_no_upload() {
    let usual = told("! refused\n", Detail::Usual);
    assert!(usual.contains("note: "), "{usual}");
    assert!(usual.contains("\n              → See whether the service runs"), "{usual}");
}

#[test]
fn an_upload_on_both_sides_of_a_proxy_is_said_to_be_one() {
    let upload = "> CREATE-SESSION\n< 200 session={11111111-2222-3333-4444-555555555555}\n... 2 s\n\
                  > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    let text = format!("{upload}... -1 s\n= client 10.0.9.1\n= server 10.0.9.80:80\n{upload}");
    assert!(
        head(&text).starts_with("2 uploads (1 of them seen on both sides of a proxy or NAT), "),
        "{}",
        head(&text)
    );
    let mut out = Vec::new();
    crate::export::table::write(&mut out, &report(&text), &Style::default()).unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(
        table.ends_with("\n\n2 uploads, 1 of them seen on both sides of a proxy or NAT\n"),
        "{table}"
    );
    assert_eq!(head(upload), "1 upload, nothing wrong");
}

#[test]
fn what_only_some_rules_were_asked_is_not_called_sound() {
    let mut out = Vec::new();
    let (style, least) = (Style::default(), Severity::Error);
    let good =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
    write(&mut out, &report(good), &style, Detail::Usual, least, false).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("1 upload, nothing found by the rules that were asked"), "{text}");
}

#[test]
fn frames_that_several_share_are_named_once() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 500 error=0x80070005 context=0x5\n\
                > FRAGMENT 0-9/30\n< 500 error=0x80070005 context=0x5\n";
    let mut session = report(text).sessions.remove(0);
    let diagnosis = session.diagnosis.clone().unwrap();
    let like = |one: &&Finding| *one.rule == *diagnosis.cause && one.frames != diagnosis.frames;
    let other = session.findings.iter().find(like).cloned().unwrap();
    session.findings.push(other.clone());
    let more = more_of(&session, &diagnosis);
    assert_eq!(more, format!("; 2 more like it ({})", other.frames_in_words().unwrap()));
}
