//! The rule `destination-not-found`.

use crate::at::Span;
use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::origin::Origin;
use crate::rules::session::folder_missing::is_told;
use crate::rules::{Around, Confidence, Notes, course, front};

rule! {
    /// The BITS server does not know the path.
    ///
    /// The server speaks BITS, so it is the URL that is wrong: a path that is not served, or an upload that the server
    /// does not expect.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 404
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Python/3.11 aiohttp/3.9
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/elsewhere/file.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Python/3.11 aiohttp/3.9
    /// ```
    /// It was served before:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: nginx/1.22.1
    /// > FRAGMENT 0-9/20
    /// < 200
    ///   Server: nginx/1.22.1
    /// ! server closes
    /// = connection
    /// > PING
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// It is the folder that is missing:
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 error=0x80070003 context=0x5
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Check the job's remote URL, its case included; BITS makes no folders on the server.
    /// Confirm: The server's own log for this request.
    /// Reference: RFC 9110 15.5.5
    Error, belief 92, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for exchange in session.exchanges.iter().filter(|one| one.kind.precedes_session()) {
        let (Some(request), Some(answer)) = (&exchange.request, &exchange.response) else {
            continue;
        };
        let (status, creates) = (answer.http_status, exchange.kind == PacketType::CreateSession);
        if !matches!(status, 404 | 405 | 501) || is_told(answer) {
            continue;
        }
        let severity = course::unless_recovered(session, exchange, notes.severity());
        let target = &request.target;
        if answer.is_ack() && status == 404 && creates {
            let message = format!("the BITS server answered 404 for \"{target}\"");
            notes.note(severity, Confidence::Certain, &[exchange.span()], message);
            continue;
        }
        if Origin::of_response(answer) != Origin::WebServer {
            continue;
        }
        let own = front::acknowledged(session, exchange).filter(|_| status == 404);
        let other = || around.opened_by_same(session, answer).filter(|_| creates);
        let own = own.map(|ack| ack.span.first);
        let Some(at) = own.or_else(|| Some(other()?.first)) else { continue };
        let message = format!(
            "{status} for \"{target}\", though the server spoke BITS in frame {}",
            at.name()
        );
        let finding =
            notes.note(severity, Confidence::Likely, &[exchange.span(), Span::at(at)], message);
        if let Some(finding) = finding.filter(|_| own.is_some()) {
            finding.turn_to("the server").advise(OF_CHANGE);
        }
    }
}

/// What to do where the path was served earlier in the same session.
const OF_CHANGE: &str = "Look at what changed on the server while the upload was under way: what it serves for this host and this path, and when its configuration was loaded.";
