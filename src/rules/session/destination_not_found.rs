//! The rule `destination-not-found`.

use crate::at::At;
use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::session::folder_missing::is_told;
use crate::rules::{Around, Confidence, Notes, look};

rule! {
    /// The BITS server does not know the path.
    ///
    /// The server speaks BITS, so it is the URL that is wrong: a path that is not served, or an upload that the server does not
    /// expect.
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
    let creates = |exchange: &&Exchange| exchange.kind == PacketType::CreateSession;
    for exchange in session.exchanges.iter().filter(creates) {
        let (Some(request), Some(answer)) = (&exchange.request, &exchange.response) else {
            continue;
        };
        if answer.http_status != 404 || is_told(answer) {
            continue;
        }
        let severity = look::unless_recovered(session, exchange, notes.severity());
        let target = &request.target;
        if answer.is_ack() {
            let message = format!("the BITS server answered 404 for \"{target}\"");
            notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        } else if Origin::of_response(answer) == Origin::WebServer
            && let Some(at) = spoke_bits(session, around, exchange)
        {
            let message = format!(
                "404 for \"{target}\", though the server spoke BITS in frame {}",
                at.name()
            );
            notes.note(severity, Confidence::Likely, &[exchange.span()], message);
        }
    }
}

/// Where the same software on the same server opened a session before.
fn spoke_bits(session: &Session, around: &Around<'_>, exchange: &Exchange) -> Option<At> {
    let software = exchange.response.as_ref().and_then(|answer| answer.server.as_deref());
    let mut earlier = around.same_server(session);
    earlier
        .rfind(|brief| brief.created && brief.software.as_deref() == software)
        .map(|brief| brief.first)
}
