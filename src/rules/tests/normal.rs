//! What is normal in real traffic although the specification's words are others: no rule may make more of it than it
//! is.

use super::fired;
use crate::rules::Severity;

/// No finding above `most` on a transcript.
fn at_most(most: Severity, text: &str) {
    let loud: Vec<_> = fired(text).into_iter().filter(|(_, severity)| *severity > most).collect();
    assert!(loud.is_empty(), "{loud:?} on\n{text}");
}

/// An upload in one Fragment, with `more` between it and Close-Session.
fn upload(more: &str) -> String {
    format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000\n< 200\n{more}> CLOSE-SESSION\n< 200\n"
    )
}

#[test]
fn acks_need_not_carry_the_session_id_nor_pings() {
    at_most(Severity::Note, &upload("> PING\n< 200\n"));
}

#[test]
fn packet_types_in_capitals_are_fine() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n  BITS-Packet-Type: CREATE-SESSION\n< 200 session=1\n  BITS-Packet-Type: ACK\n\
         > FRAGMENT 0-9/10\n  BITS-Packet-Type: FRAGMENT\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn the_misprinted_header_is_no_more_than_a_note() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n  BITS-Packet-Type:\n  BITS-Package-Type: Create-Session\n< 200 session=1\n\
         > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn error_headers_on_success_are_no_more_than_a_note() {
    let ping = "> PING\n< 200\n  BITS-Error-Code: 1\n  BITS-Error-Context: 0x5\n";
    at_most(Severity::Note, &upload(ping));
}

#[test]
fn a_missing_content_name_is_nothing() {
    assert!(fired(&upload("")).iter().all(|(id, _)| id != "content-name-invalid"));
}

#[test]
fn a_201_is_success() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 201 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 201",
    );
}

#[test]
fn a_session_id_may_be_any_text() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 200 session=-1573829\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn an_accepted_overlap_is_no_more_than_a_note() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000\n< 200\n\
         > FRAGMENT 8000-19999/20000\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn the_reply_url_of_iis_is_fetched_in_another_spelling() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n\
         < 200 reply=BITS-Sessions\\Replies\\{1}\\response.bin\n\
         > GET /upload/BITS-Sessions/Replies/%7B1%7D/response.bin\n< 200 plain\n  | reply\n\
         > CLOSE-SESSION\n< 200",
    );
}

#[test]
fn one_416_and_a_fragment_at_the_offset_it_names_is_recovery() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000\n< 500 error=0x8007000E context=0x5\n\
         = connection\n> PING\n< 200\n> FRAGMENT 10000-19999/20000\n< 416 received=0 error=0x0 context=0x5\n\
         > FRAGMENT 0-9999/20000\n< 200\n> FRAGMENT 10000-19999/20000\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn authentication_rounds_that_succeed_are_nothing() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 401 plain\n  Server: Microsoft-IIS/10.0\n  WWW-Authenticate: Negotiate\n\
         > CREATE-SESSION\n  Authorization: Negotiate TlRMTVNTUAABAAAA\n< 401 plain\n\
         \x20 WWW-Authenticate: Negotiate TlRMTVNTUAACAAAA\n\
         > CREATE-SESSION\n  Authorization: Negotiate TlRMTVNTUAADAAAA\n< 200 session=1\n\
         > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn a_refusal_that_did_not_last_is_recovery_where_the_capture_lacks_its_end() {
    let findings = fired(
        "> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n> CREATE-SESSION lost\n< 200 session=1 lost\n\
         > FRAGMENT 0-9/10 session=1\n< 200\n> CLOSE-SESSION session=1\n< 200",
    );
    assert!(findings.contains(&("access-denied".to_owned(), Severity::Note)), "{findings:?}");
}

#[test]
fn a_refusal_that_did_not_last_is_recovery() {
    for refusal in [
        "503 plain\n  Server: Microsoft-HTTPAPI/2.0",
        "400 plain\n  Server: Microsoft-HTTPAPI/2.0",
        "403 plain\n  | The requested URL was rejected. Your support ID is: 7",
        "403 plain\n  Server: Microsoft-IIS/10.0",
        "403 error=0x80070005 context=0x5",
        "500 error=0x80070070 context=0x5",
        "500 error=0x80200020 context=0x5",
        "502 plain\n  Server: nginx",
    ] {
        let again = format!("< {refusal}\n... 600 s\n= connection\n> ");
        let fragment = "FRAGMENT 0-9999/10000\n";
        let rest = "< 200\n> CLOSE-SESSION\n< 200";
        let mid = "> CREATE-SESSION\n< 200 session=1\n> ";
        at_most(Severity::Note, &format!("{mid}{fragment}{again}PING\n< 200\n> {fragment}{rest}"));
        let create = "CREATE-SESSION\n";
        let opened = format!("> {create}{again}{create}< 200 session=1\n");
        at_most(Severity::Note, &format!("{opened}> {fragment}{rest}"));
    }
    let page = "200 plain\n  Content-Type: text/html\n  | <html><title>Please log in</title>";
    at_most(Severity::Note, &upload(&format!("> PING\n< {page}\n> PING\n< 200\n")));
}

#[test]
fn a_cancel_makes_nothing_good() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 503 plain\n  \
                Server: Microsoft-HTTPAPI/2.0\n> CANCEL-SESSION\n< 200";
    assert!(fired(text).contains(&("app-pool-down".to_owned(), Severity::Error)));
}

#[test]
fn a_pause_of_hours_and_a_fin_after_the_last_ack_are_nothing() {
    at_most(
        Severity::Note,
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000\n< 200\n! server closes\n... 5 h\n\
         = connection\n> PING\n< 200\n> FRAGMENT 10000-19999/20000\n< 200\n> CLOSE-SESSION\n< 200",
    );
}

#[test]
fn a_reset_after_the_last_ack_is_nothing() {
    at_most(Severity::Note, &format!("{}! client resets\n", upload("")));
}

#[test]
fn a_range_with_capitals_or_another_sign_is_no_more_than_a_note() {
    for range in ["Bytes 0-9/10", "bytes=0-9/10", "bytes  0-9/10"] {
        at_most(
            Severity::Note,
            &format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n  Content-Range: {range}\n< 200\n\
                 > CLOSE-SESSION\n< 200"
            ),
        );
    }
}

#[test]
fn a_capture_that_merely_ends_accuses_nobody() {
    for text in [
        "> CREATE-SESSION",
        "> CREATE-SESSION\n< 200 session=1",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=3000",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000\n< 200",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000\n< 200\n> CLOSE-SESSION",
        "= connection\n> FRAGMENT 0-9999/20000 session=1\n< 200",
    ] {
        at_most(Severity::Note, text);
    }
}

#[test]
fn what_the_capture_missed_is_not_held_against_anybody() {
    for text in [
        "> CREATE-SESSION\n< 200 session=1 lost\n> FRAGMENT 0-9/10 session=1\n< 200\n> CLOSE-SESSION\n< 200",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000 lost\n< 200 received=10000\n> CLOSE-SESSION\n< 200",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000\n< 200 lost\n> CLOSE-SESSION\n< 200",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000\n< 200\n> CLOSE-SESSION\n< 200 lost",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200 lost\n> FRAGMENT 10-19/20 lost\n\
         < 200 received=20\n> CLOSE-SESSION\n< 200",
    ] {
        let loud: Vec<_> = fired(text)
            .into_iter()
            .filter(|(id, severity)| *severity > Severity::Note && id != "capture-gap")
            .collect();
        assert!(loud.is_empty(), "{loud:?} on\n{text}");
    }
}
