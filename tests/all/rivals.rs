//! Uploads side by side, where the capture lacks messages of them.

use crate::stitch::{told, without};

/// Uploads of one client that take turns, each request with `between` before it. Segments with data, from 0: a Create
/// of each with its answer, a Fragment of each in two segments with its answer, another one, a Close with its answer.
fn turns(between: &str, files: u32) -> String {
    let say = |file: u32, what: &str, answer: &str| {
        let id = if what == "CREATE-SESSION" { String::new() } else { format!(" session={file}") };
        format!("{between}= url http://server/upload/{file}\n> {what}{id}\n< 200{answer}\n")
    };
    let mut text = String::new();
    for file in 1..=files {
        text += &say(file, "CREATE-SESSION", &format!(" session={file}"));
    }
    for (range, next) in [("0-1999", 2_000), ("2000-3999", 4_000)] {
        for file in 1..=files {
            text += &say(file, &format!("FRAGMENT {range}/4000"), &format!(" received={next}"));
        }
    }
    for file in 1..=files {
        text += &say(file, "CLOSE-SESSION", "");
    }
    text
}

const SEGMENTS: usize = 4 + 4 * 3 + 4;

#[test]
fn no_upload_is_called_failed_for_a_message_of_either_that_the_capture_lacks() {
    for between in ["", "! client closes\n! server closes\n= connection\n"] {
        let text = turns(between, 2);
        for one in 0..SEGMENTS {
            let sessions = told(&without(&[one], &text));
            assert_eq!(sessions.len(), 2, "{between}{one}: {sessions:?}");
            for other in one..SEGMENTS {
                let sessions = told(&without(&[one, other], &text));
                let bad = sessions.iter().any(|t| t.contains("failed") || t.contains("rejected"));
                // Nothing of the last Fragment is left then.
                let gone = !between.is_empty() && matches!((one, other), (10, 12) | (13, 15));
                assert!(!bad || gone, "{between}{one}, {other}: {sessions:?}");
            }
        }
    }
}

#[test]
fn an_answer_goes_to_the_upload_that_its_range_carries_on() {
    // The head of the last Fragment of either.
    let [first, second] = [10, 13].map(|head| told(&without(&[head], &turns("", 2))));
    let (all, short) = ("Fragment Fragment Close-Session", "Fragment unknown Close-Session");
    let told = |one: &str, two: &str| {
        [1, 2]
            .map(|id| format!("{id} completed: Create-Session {}", if id == 1 { one } else { two }))
    };
    assert_eq!(first, told(short, all));
    assert_eq!(second, told(all, short));
}

#[test]
fn the_id_of_a_request_tells_its_upload_whatever_the_answer_was_taken_for() {
    // The head of a Fragment: what follows on the connection is answered before it is read.
    let text = turns("", 3);
    for head in [6, 9, 12, 15, 18, 21] {
        for upload in told(&without(&[head], &text)) {
            assert!(upload.ends_with("Close-Session"), "{head}: {upload}");
            assert_eq!(upload.matches("Close-Session").count(), 1, "{head}: {upload}");
        }
    }
}

#[test]
fn an_upload_that_is_closed_had_its_last_byte_confirmed_at_another_address() {
    // The head of the last Fragment, from a client that moved and moves back.
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n= client 203.0.113.9\n> PING\n< 200\n\
                > FRAGMENT 10-19/20\n< 200\n= client 10.0.0.5\n> PING\n< 200\n> CLOSE-SESSION\n< 200\n";
    let types = "Create-Session Fragment Ping unknown Ping Close-Session";
    assert_eq!(told(&without(&[6], text)), [format!("1 completed: {types}")]);
}
