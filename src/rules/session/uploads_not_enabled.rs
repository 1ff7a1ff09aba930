//! The rule `uploads-not-enabled`.

use crate::bits::PacketType;
use crate::bits::hresult::ACCESS_DENIED;
use crate::model::{Exchange, Response, Session};
use crate::rules::history::Brief;
use crate::rules::http::webdav_conflict;
use crate::rules::origin::Origin;
use crate::rules::verb::Sign;
use crate::rules::{Around, Confidence, Notes, course, filtering, look, page, wording};

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
        if answer.http_status == 501 && answer.error_value() == Some(ACCESS_DENIED) {
            tell_denied(session, exchange, notes);
        } else if is_of_iis_alone(exchange, answer, around) {
            judge(session, exchange, answer, around, notes);
        }
    }
}

/// Notes that BITS itself says so.
fn tell_denied(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let severity = course::unless_recovered(session, exchange, notes.severity());
    let asked = exchange.request.is_some();
    let sure = if asked { Confidence::Certain } else { Confidence::Likely };
    let message = format!("{} was answered 501 and access denied", wording::asked(exchange));
    notes.note(severity, sure, &[exchange.span()], message);
}

/// Whether IIS answered as it does where nothing takes the request up, and names no other reason.
fn is_of_iis_alone(exchange: &Exchange, answer: &Response, around: &Around<'_>) -> bool {
    matches!(answer.http_status, 404 | 405 | 501)
        && exchange.request.is_some()
        && !answer.is_cut()
        && Origin::of_response(answer) == Origin::Iis
        && webdav_conflict::sign(answer).is_none()
        && filtering::fault(answer).is_none()
        && !is_about_verb(exchange, around)
}

/// Notes an answer of IIS alone where BITS never answered, or took the like before.
fn judge(
    session: &Session,
    exchange: &Exchange,
    answer: &Response,
    around: &Around<'_>,
    notes: &mut Notes<'_>,
) {
    let opens = exchange.kind == PacketType::CreateSession && !spoke_bits(session, exchange);
    let never = (opens || is_other_node(session, exchange)) && !around.takes_uploads(session);
    let took = page::sub_status(answer).is_none()
        && (took_its_like(session, exchange) || took_its_url(exchange, around));
    if !never && !took {
        return;
    }
    let severity = course::unless_recovered(session, exchange, notes.severity());
    let server = answer.server.as_deref().unwrap_or("IIS");
    let mut message = format!(
        "{} was answered {} by \"{server}\" without BITS",
        exchange.kind, answer.http_status
    );
    if !never {
        message.push_str(", which took one before");
    }
    let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    if let Some(finding) = finding.filter(|_| !never) {
        finding.advise(SWITCHED_OFF);
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
    let mut acks =
        course::ahead(session, exchange).filter(|other| look::is_by_bits(other)).peekable();
    exchange.kind == PacketType::Fragment
        && acks.peek().is_some()
        && acks.all(|other| other.server.ip() != exchange.server.ip())
}

/// Whether BITS took a Fragment of the session at the same address before that was as long as this one at least.
fn took_its_like(session: &Session, exchange: &Exchange) -> bool {
    let like = |other: &Exchange| {
        look::succeeded_fragment(other)
            && look::is_by_bits(other)
            && other.server == exchange.server
            && other.content_length() >= exchange.content_length()
    };
    exchange.kind == PacketType::Fragment && course::ahead(session, exchange).any(like)
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
