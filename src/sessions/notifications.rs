//! What BITS servers tell the applications behind them of uploads ([MC-BUP] 3.3), by ordinary requests.

use std::collections::VecDeque;

use super::Message;
use crate::bits::decode;
use crate::bits::protocol;
use crate::bits::secrets::Secrets;
use crate::http::Head;
use crate::model::notification::{Mode, Notification};
use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Counted, Notifications, Session};

/// Notifications that wait for their session to be over, the latest ones.
const KEPT: usize = 256;

/// The most notifications that one session is given.
const GIVEN: usize = 16;

/// Bytes kept of a path or URL.
const LONGEST: usize = 1 << 10;

/// Names of the field for the path of the file, in the specification and on the wire, and of that for the reply.
const REQUEST_PATHS: [&str; 2] = ["BITS-Request-DataFile-Name", "BITS-Request-DataEntity-Name"];
const RESPONSE_PATHS: [&str; 2] = ["BITS-Response-DataFile-Name", "BITS-Response-DataEntity-Name"];

/// The notifications of a capture.
#[derive(Default)]
pub(super) struct Notified {
    latest: VecDeque<Told>,
    counted: Option<Counted>,
    worst_http_status: Option<u16>,
}

struct Told {
    connection: u64,
    exchange: u32,
    value: Notification,
}

impl Notified {
    /// Notes an ordinary request, if it is one.
    pub fn ask(&mut self, message: &Message<'_>, secrets: Secrets) {
        let Message { connection, exchange, span, head } = *message;
        let Some(original_url) = url(head, "BITS-Original-Request-URL", secrets) else { return };
        let request_path = path(head, REQUEST_PATHS);
        let response_path = path(head, RESPONSE_PATHS);
        let mode = match head.content_length {
            _ if request_path.is_some() => Mode::ByReference,
            Some(1..) => Mode::ByValue,
            _ => Mode::Unknown,
        };
        let named = [&request_path, &response_path].into_iter().flatten();
        let session_id = named.filter_map(|path| session_in(path)).next();
        Counted::count(&mut self.counted, &span);
        if self.latest.len() >= KEPT {
            self.latest.pop_front();
        }
        let value = Notification {
            server: connection.client,
            application: connection.server,
            request: span,
            original_url,
            mode,
            session_id: session_id.map(str::to_owned),
            request_path,
            response_path,
            response: None,
            http_status: None,
            static_reply_url: None,
            copy_to_destination: false,
        };
        self.latest.push_back(Told { connection: connection.id, exchange, value });
    }

    /// Notes the answer to an ordinary request, if that was one.
    pub fn answer(&mut self, message: &Message<'_>, status: u16, secrets: Secrets) {
        let Message { connection, exchange, span, head } = *message;
        let is_asked =
            |one: &&mut Told| one.connection == connection.id && one.exchange == exchange;
        let Some(told) = self.latest.iter_mut().rev().find(is_asked).filter(|_| status >= 200)
        else {
            return;
        };
        self.worst_http_status = self.worst_http_status.max(Some(status));
        told.value.response = Some(span);
        told.value.http_status = Some(status);
        told.value.static_reply_url = url(head, "BITS-Static-Response-URL", secrets);
        told.value.copy_to_destination = head.field("BITS-Copy-File-To-Destination").is_some();
    }

    /// How many there are.
    pub fn all(&self) -> Option<Notifications> {
        let counted = self.counted.clone()?;
        Some(Notifications { counted, worst_http_status: self.worst_http_status })
    }

    /// Takes out those that are about a session: in its time they name it, or its URL while its server keeps the client
    /// waiting.
    pub fn take(&mut self, session: &Session) -> Vec<Notification> {
        let all = std::mem::take(&mut self.latest);
        let mut own = Vec::new();
        for told in all {
            if own.len() < GIVEN && is_about(&told.value, session) {
                own.push(told.value);
            } else {
                self.latest.push_back(told);
            }
        }
        own.sort_by_key(|one| one.request.first.time);
        own
    }
}

fn is_about(one: &Notification, session: &Session) -> bool {
    let time = one.request.first.time;
    if time < session.started || time.secs_since(session.ended) > CLIENT_WAITS_SECS {
        return false;
    }
    let id = session.id.as_deref().map(protocol::canonical_id);
    let mut paths = [&one.request_path, &one.response_path].into_iter().flatten();
    let is_in = |id: &str, path: &str| parts(path).any(|part| protocol::canonical_id(part) == id);
    if id.is_some_and(|id| paths.any(|path| is_in(&id, path))) {
        return true;
    }
    // Whoever names another session means that.
    !one.session_id.as_ref().is_some_and(|named| named.starts_with('{')) && names_url(one, session)
}

fn names_url(one: &Notification, session: &Session) -> bool {
    session.url.as_ref().is_some_and(|url| url.eq_ignore_ascii_case(&one.original_url))
        && session
            .exchanges
            .iter()
            .any(|exchange| exchange.server.ip() == one.server.ip() && one.is_within(exchange))
}

fn url(head: &Head<'_>, name: &str, secrets: Secrets) -> Option<String> {
    let value = head.field(name)?;
    Some(secrets.target(decode::text(value.get(..LONGEST).unwrap_or(value))))
}

fn path(head: &Head<'_>, names: [&str; 2]) -> Option<String> {
    let value = names.iter().find_map(|name| head.field(name))?;
    // Its backslashes are what they look like.
    Some(String::from_utf8_lossy(value.get(..LONGEST).unwrap_or(value)).into_owned())
}

/// The parts of a path, the last one first.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit(['\\', '/'])
}

/// The session that a path names: `...\BITS-Sessions\Requests\{id}\...` ([MC-BUP] 4.2).
fn session_in(path: &str) -> Option<&str> {
    let mut parts = parts(path);
    let mut id = parts.next()?;
    for part in parts {
        if ["Requests", "Replies"].iter().any(|folder| part.eq_ignore_ascii_case(folder)) {
            return Some(id).filter(|id| !id.is_empty());
        }
        id = part;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Analysis, Options, transcript};

    /// What is told of an upload of which the server told the application behind it by `request`, and the answer.
    fn told(request: &str, answer: &str) -> Vec<Notification> {
        let text = format!(
            "> CREATE-SESSION\n< 200 session={{a1}}\n> FRAGMENT 0-9/10\n... 9 s\n< 200\n\
             > CLOSE-SESSION\n< 200\n... -8 s\n= client 192.0.2.80\n= server 192.0.2.90:80\n\
             > POST /app/notify.aspx\n{request}\n{answer}\n"
        );
        let mut analysis = Analysis::new(Options::default());
        for record in transcript::play(&text).unwrap() {
            analysis.push(&record.frame(), &mut ());
        }
        let report = analysis.finish(Vec::new(), &mut ());
        report.sessions.into_iter().flat_map(|session| session.notifications).collect()
    }

    const URL: &str = "  BITS-Original-Request-URL: http://server/upload/file.bin";

    #[test]
    fn paths_name_the_session() {
        let file = r"c:\requests\BITS-Sessions\Requests\{A1}\requestfile.bin";
        let request = format!("{URL}\n  BITS-Request-DataFile-Name: {file}");
        let answer = "< 200 plain\n  BITS-Static-Response-URL: http://server/done\n\
                      \x20 BITS-Copy-File-To-Destination: 1";
        let all = told(&request, answer);
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(one.session_id.as_deref(), Some("{A1}"));
        assert_eq!((one.mode, one.request_path.as_deref()), (Mode::ByReference, Some(file)));
        assert_eq!((one.http_status, one.copy_to_destination), (Some(200), true));
        assert_eq!(one.static_reply_url.as_deref(), Some("http://server/done"));
        let other = request.replace("A1", "A2");
        assert_eq!(told(&other, "< 200 plain"), []);
    }

    #[test]
    fn a_folder_may_have_the_name_of_another() {
        for file in [r"c:\inetpub\Requests\file.bin", r"d:\bits\{a1}\file.bin"] {
            let request = format!("{URL}\n  BITS-Request-DataFile-Name: {file}");
            assert_eq!(told(&request, "< 200 plain").len(), 1, "{file}");
        }
    }

    #[test]
    fn each_is_told_of_one_session() {
        let upload = "= url http://server/other.bin\n> CREATE-SESSION\n< 200 session={a1}\n\
                      > CLOSE-SESSION\n< 200\n= connection\n";
        let file = r"c:\BITS-Sessions\Requests\{a1}\file";
        let request = format!("{URL}\n  BITS-Request-DataFile-Name: {file}\n");
        let after =
            format!("< 200 plain\n= client 10.0.0.9\n= server 192.0.2.80:80\n{}", upload.repeat(9));
        assert_eq!(told(&request, &after).len(), 1);
    }

    #[test]
    fn without_a_path_the_url_and_the_time_tell_the_session() {
        let all = told(URL, "");
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((one.mode, one.response), (Mode::Unknown, None));
        assert_eq!(told(&URL.replace("file.bin", "other.bin"), "< 200 plain"), []);
    }
}
