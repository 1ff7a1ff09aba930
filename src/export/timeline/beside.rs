//! What is said beside an upload, in words: the fetching of its reply, and what the server tells the application behind
//! it.

use super::words::{Said, answer, tone};
use crate::export::style::Tone;
use crate::export::text;
use crate::model::Response;
use crate::model::notification::{Mode, Notification};
use crate::model::session::Reply;
use crate::rules::origin::Origin;

/// The line of the request for a reply.
pub(in crate::export) fn fetch(reply: &Reply) -> Said {
    let what = match (reply.head, reply.get) {
        (true, true) => "HEAD, GET",
        (true, false) => "HEAD",
        (false, _) => "GET",
    };
    Said {
        what: what.to_owned(),
        detail: "the reply".to_owned(),
        tone: Tone::Strong,
        aside: Tone::Plain,
    }
}

/// Only the ranges asked for (RFC 9110 15.3.7).
const PARTIAL_CONTENT: u16 = 206;

/// The line of the answer to that request.
pub(in crate::export) fn fetched(response: &Response) -> Said {
    let good = response.is_success();
    let mut parts = Vec::new();
    match response.content_length.filter(|_| good) {
        Some(length) if response.http_status == PARTIAL_CONTENT => {
            parts.push(format!("{} of the reply", text::bytes(length)));
        }
        Some(length) => parts.push(format!("the reply has {}", text::bytes(length))),
        None if !good => parts.push(format!("from {}", Origin::describe(response))),
        None => {}
    }
    parts.extend(response.location.as_ref().map(|location| format!("points to {location}")));
    if !response.challenges.is_empty() {
        parts.push(format!("asks for {}", response.challenges.join(" or ")));
    }
    let tone = if good { Tone::Good } else { tone(response) };
    Said { what: answer(response), detail: parts.join(", "), tone, aside: Tone::Plain }
}

/// The line of what a server tells the application behind it.
pub(in crate::export) fn notification(one: &Notification) -> Said {
    let file = match one.mode {
        Mode::ByReference => "with the path of the file",
        Mode::ByValue => "with the file itself",
        Mode::Unknown => "without the file",
    };
    Said {
        what: "POST".to_owned(),
        detail: format!("from the server to the application at {}, {file}", one.application),
        tone: Tone::Strong,
        aside: Tone::Plain,
    }
}

/// The line of the answer to that.
pub(in crate::export) fn notified(one: &Notification) -> Option<Said> {
    let status = one.http_status?;
    let good = status == 200;
    let mut parts = vec!["of the application".to_owned()];
    parts.extend(one.static_reply_url.as_ref().map(|url| format!("the reply is at {url}")));
    if good {
        let copy = if one.copy_to_destination { "the file is" } else { "the file is not" };
        parts.push(format!("{copy} to be kept at the destination"));
    }
    let tone = if good { Tone::Good } else { Tone::Bad };
    Some(Said {
        what: format!("HTTP {status}"),
        detail: parts.join(", "),
        tone,
        aside: Tone::Plain,
    })
}
