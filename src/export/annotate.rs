//! What is written beside the packets of a capture.

use std::net::SocketAddr;

use hashbrown::HashMap;

use super::style::Style;
use super::text::escape;
use super::timeline::{Words, beside};
use crate::at::Span;
use crate::capture::Frame;
use crate::limits::Limits;
use crate::model::{Report, Session};
use crate::packet::{Decoder, Packet, Skip};
use crate::rules::Finding;

/// The comments on the frames of one capture, and which frames belong to an upload.
pub struct Notes {
    decoder: Decoder,
    by_frame: HashMap<u64, Vec<String>>,
    /// What each direction said, in the order of the first frames.
    said: HashMap<(SocketAddr, SocketAddr), Vec<Message>>,
    /// First and last frame of the connections with uploads.
    connections: HashMap<(SocketAddr, SocketAddr), Vec<(u64, u64)>>,
}

/// A message that may take several frames.
struct Message {
    first: u64,
    last: u64,
    name: String,
}

impl Notes {
    /// The comments that a report of one capture gives.
    pub fn new(report: &Report, limits: &Limits) -> Self {
        let mut notes = Self {
            decoder: Decoder::new(limits),
            by_frame: HashMap::default(),
            said: HashMap::default(),
            connections: HashMap::default(),
        };
        for session in &report.sessions {
            notes.messages(session);
            notes.beside(session);
            session.findings.iter().for_each(|finding| notes.finding(finding));
            for connection in session.connections() {
                let frames = (connection.first.frame, connection.last.frame);
                let known = notes.connections.entry(key(connection.client, connection.server));
                known.or_default().push(frames);
            }
        }
        report.findings.iter().for_each(|finding| notes.finding(finding));
        notes.said.values_mut().for_each(|said| said.sort_by_key(|message| message.first));
        notes
    }

    /// The comments on a frame, and whether it belongs to a connection with an upload. To be asked for every frame, in
    /// order. An IP fragment that is not the last of its packet counts as belonging.
    pub fn of(&mut self, frame: &Frame<'_>) -> (Vec<String>, bool) {
        let number = frame.at.frame;
        let mut comments = self.by_frame.remove(&number).unwrap_or_default();
        let (from, to, data) = match self.decoder.push(frame) {
            Ok(Packet::Tcp(segment)) => (segment.from, segment.to, !segment.payload.is_empty()),
            Ok(Packet::Icmp(error)) => (error.quoted_from, error.quoted_to, false),
            Ok(Packet::Udp(_)) => return (comments, false),
            Err(reason) => return (comments, reason == Skip::Fragment),
        };
        if data {
            comments.extend(continued(self.said.get(&(from, to)), number));
        }
        let ours = self.is_ours(from, to, number);
        (comments, ours)
    }

    fn is_ours(&self, from: SocketAddr, to: SocketAddr, frame: u64) -> bool {
        let known = self.connections.get(&key(from, to));
        known.is_some_and(|known| {
            known.iter().any(|(first, last)| (*first..=*last).contains(&frame))
        })
    }

    fn messages(&mut self, session: &Session) {
        let mut words = Words::of(session, Style::default());
        let id = session.id.as_deref().map_or_else(String::new, |id| format!(", session {id}"));
        let text = |what: &str, detail: &str| format!("{}{id}", with_detail(what, detail));
        for exchange in &session.exchanges {
            if let Some(request) = &exchange.request {
                let said = words.request(exchange, request);
                let ends = (exchange.client, exchange.server);
                self.message(ends, request.span, &text(&said.what, &said.plain()), &said.what);
            }
            if let Some(response) = &exchange.response {
                let said = words.response(exchange, response);
                let what = format!("{} to {}", said.what, exchange.kind);
                let ends = (exchange.server, exchange.client);
                self.message(ends, response.span, &text(&what, &said.plain()), &what);
            }
        }
    }

    /// What is said of a session on other connections than its own.
    fn beside(&mut self, session: &Session) {
        if let Some(reply) = &session.reply {
            let request = beside::fetch(reply);
            self.comment(reply.request, &with_detail(&request.what, &request.detail));
            if let Some(response) = &reply.response {
                let said = beside::fetched(response);
                let what = format!("{} to {}", said.what, request.what);
                self.comment(response.span, &with_detail(&what, &said.detail));
            }
        }
        for one in &session.notifications {
            let ends = (one.server, one.application);
            let request = beside::notification(one);
            let name = format!("{} to the application", request.what);
            self.message(ends, one.request, &with_detail(&request.what, &request.detail), &name);
            if let Some((span, said)) = one.response.zip(beside::notified(one)) {
                let what = format!("{} to {}", said.what, request.what);
                self.comment(span, &with_detail(&what, &said.detail));
            }
            let last = one.response.map_or(one.request.last, |span| span.last);
            let known = self.connections.entry(key(one.server, one.application));
            known.or_default().push((one.request.first.frame, last.frame));
        }
    }

    fn comment(&mut self, span: Span, text: &str) {
        let comments = self.by_frame.entry(span.first.frame).or_default();
        comments.push(format!("BITS {}", escape(text)));
    }

    fn message(&mut self, ends: (SocketAddr, SocketAddr), span: Span, text: &str, name: &str) {
        self.comment(span, text);
        let (first, last) = (span.first.frame, span.last.frame);
        if first < last {
            let name = format!("BITS {}, from frame {first} on", escape(name));
            self.said.entry(ends).or_default().push(Message { first, last, name });
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let text =
            format!("{} {}: {}", finding.severity.name(), finding.rule, escape(&finding.message));
        for frame in &finding.frames {
            self.by_frame.entry(*frame).or_default().push(text.clone());
        }
    }
}

fn with_detail(what: &str, detail: &str) -> String {
    if detail.is_empty() { what.to_owned() } else { format!("{what}: {detail}") }
}

/// The message that a later frame carries on.
fn continued(said: Option<&Vec<Message>>, frame: u64) -> Option<String> {
    let said = said?;
    let before = said.partition_point(|message| message.first < frame);
    let holds = |message: &&Message| message.last >= frame;
    // Messages of one direction follow each other; pipelined ones may share a frame.
    said.get(before.saturating_sub(2)..before)?
        .iter()
        .rev()
        .find(holds)
        .map(|message| message.name.clone())
}

fn key(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript;

    #[test]
    fn what_is_said_on_other_connections_is_told_too() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n... 3 s\n< 200\n... -2 s\n\
                    = client 192.0.2.80\n= server 192.0.2.90:80\n> POST /app/notify.aspx\n\
                    \x20 BITS-Original-Request-URL: http://server/upload/file.bin\n... 1 s\n< 500 plain\n";
        let records = transcript::play(text).unwrap();
        let mut notes = Notes::new(&transcript::analyse(&records, &mut ()), &Limits::default());
        let told: Vec<(String, bool)> = records
            .iter()
            .flat_map(|record| {
                let (comments, ours) = notes.of(&record.frame());
                comments.into_iter().map(move |comment| (comment, ours))
            })
            .filter(|(comment, _)| comment.contains("applica"))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "BITS POST: from the server to the application at 192.0.2.90:80, without the file"
                        .to_owned(),
                    true
                ),
                ("BITS HTTP 500 to POST: of the application".to_owned(), true),
            ]
        );
    }
}
