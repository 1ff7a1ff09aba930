//! The rule `uploads-not-enabled`.

use crate::bits::PacketType;
use crate::bits::hresult::ACCESS_DENIED;
use crate::model::{Exchange, Response, Session};
use crate::rules::history::Brief;
use crate::rules::http::webdav_conflict;
use crate::rules::origin::Origin;
use crate::rules::verb::Sign;
use crate::rules::{Around, Confidence, Notes, filtering, look, page, wording};

rule! {
    /// BITS uploads are not enabled for this directory.
    ///
    /// IIS 6 says so with 501 and access denied. Later versions answer as for any file that does not exist, without a word
    /// from the BITS extension: the extension is not installed, not enabled for the virtual directory, or the URL leads
    /// past it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 501 error=0x80070005 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION lost
    /// < 501 error=0x80070005 context=0x5
    /// ```
    /// One node of a farm is without BITS:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = server 192.0.2.81:80
    /// > FRAGMENT 0-9/20
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// They were switched off amid an upload:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// The length may be the reason:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20000
    /// < 200
    /// > FRAGMENT 10-19999/20000
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.6 - Not Found</title>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.8 - Not Found</title>
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.4 - Not Found</title>
    /// ```
    /// ```silent
    /// > GET /upload/a.txt
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/upload/missing/file.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: See whether the URL leads where it should and BITS is installed (Install-WindowsFeature BITS-IIS-Ext); enable uploads on the virtual directory, on its BITS page in IIS Manager or by EnableBITSUploads of its ADSI object (IIS 6 metabase compatibility); check its handler mappings.
    /// Confirm: The IIS log: BITS_POST with this status and its sub-status.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 87, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for exchange in &session.exchanges {
        let Some(answer) = &exchange.response else { continue };
        let (status, asked) = (answer.http_status, exchange.request.is_some());
        let said = status == 501 && answer.error_value() == Some(ACCESS_DENIED);
        let opens = exchange.kind == PacketType::CreateSession && !spoke_bits(session, exchange);
        let bare = matches!(status, 404 | 405 | 501)
            && asked
            && !answer.is_cut()
            && Origin::of_response(answer) == Origin::Iis
            && webdav_conflict::sign(answer).is_none()
            && filtering::fault(answer).is_none()
            && !is_about_verb(exchange, around);
        let never = (opens || is_other_node(session, exchange)) && !around.takes_uploads(session);
        let server = answer.server.as_deref().unwrap_or("IIS");
        let severity = look::unless_recovered(session, exchange, notes.severity());
        if said {
            let sure = if asked { Confidence::Certain } else { Confidence::Likely };
            let what = wording::asked(exchange);
            let message = format!("{what} was answered 501 and access denied");
            notes.note(severity, sure, &[exchange.span()], message);
        } else if bare && never {
            let message =
                format!("{} was answered {status} by \"{server}\" without BITS", exchange.kind);
            notes.note(severity, Confidence::Likely, &[exchange.span()], message);
        } else if bare
            && page::sub_status(answer).is_none()
            && (took_its_like(session, exchange) || took_its_url(exchange, around))
        {
            let message = format!(
                "{} was answered {status} by \"{server}\" without BITS, which took one before",
                exchange.kind
            );
            let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
            if let Some(finding) = finding {
                finding.advice = Some(SWITCHED_OFF.into());
            }
        }
    }
}

/// What to do where the server took uploads before.
const SWITCHED_OFF: &str = "Find out what changed at the server at this time: BITS uploads were switched off for the virtual \
     directory, its handler mappings changed, IIS was restarted and its worker process was not recycled since, or a node of \
     a farm that lacks BITS answers at this address too.";

/// Whether it is certain enough that IIS refused the verb.
fn is_about_verb(exchange: &Exchange, around: &Around<'_>) -> bool {
    let sign = || {
        let (request, answer) = exchange.request.as_ref().zip(exchange.response.as_ref())?;
        (answer.http_status == 404).then(|| Sign::of(exchange, request, answer, around))?
    };
    sign().is_some_and(Sign::is_enough)
}

/// Whether a session that is open was asked for at an address where BITS never answered it.
fn is_other_node(session: &Session, exchange: &Exchange) -> bool {
    let acked = |other: &&Exchange| other.response.as_ref().is_some_and(Response::is_ack);
    let mut acks = look::ahead(session, exchange).filter(acked).peekable();
    exchange.kind == PacketType::Fragment
        && acks.peek().is_some()
        && acks.all(|other| other.server.ip() != exchange.server.ip())
}

/// Whether BITS took a Fragment of the session at the same address before that was as long as this one at least.
fn took_its_like(session: &Session, exchange: &Exchange) -> bool {
    let len = |exchange: &Exchange| exchange.request.as_ref().and_then(|it| it.content_length);
    let like = |other: &Exchange| {
        let by_bits = other.response.as_ref().is_some_and(Response::is_ack);
        look::succeeded_fragment(other)
            && by_bits
            && other.server == exchange.server
            && len(other) >= len(exchange)
    };
    exchange.kind == PacketType::Fragment && look::ahead(session, exchange).any(like)
}

/// Whether BITS opened a session at the same address for the URL of this Create before.
fn took_its_url(exchange: &Exchange, around: &Around<'_>) -> bool {
    let here = |brief: &&Brief| brief.created && brief.server == exchange.server;
    exchange.kind == PacketType::CreateSession && around.uploads.iter().any(here)
}

/// Whether BITS answered for the same URL before.
fn spoke_bits(session: &Session, exchange: &Exchange) -> bool {
    let acked = session.acked();
    acked.is_some_and(|acked| acked < exchange.span().first.frame)
}
