//! The rule `folder-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Response, Session, url};
use crate::rules::origin::Origin;
use crate::rules::{Around, Confidence, Notes, course, filtering, look, page};

rule! {
    /// The folder for the file does not exist on the server.
    ///
    /// BITS writes into folders that are there and makes none. The server says so by its code, or uploads into other
    /// folders of the virtual directory work.
    ///
    /// ```fires
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/upload/missing/b.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x80070003 context=0x5
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10 lost
    /// < 404 error=0x80070003 context=0x5
    /// ! client closes
    /// ```
    /// It lacks all that the client sent:
    /// ```fires
    /// = sees server
    /// > CREATE-SESSION
    /// < 500 error=0x80070003 context=0x5
    /// ```
    /// ```silent
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/upload/bin/b.dat
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/upload/b.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Create the folder on the server, or correct the job's remote URL.
    /// Confirm: The physical path of the virtual directory lacks the folder.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 93, needs Anything, TroubledAround
}

/// `ERROR_PATH_NOT_FOUND`.
const PATH_NOT_FOUND: u32 = 0x8007_0003;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let folder = session.url.as_deref().map(url::folder);
    for exchange in &session.exchanges {
        let Some(answer) = exchange.response.as_ref() else { continue };
        let severity = course::unless_recovered(session, exchange, notes.severity());
        if is_told(answer) {
            let status = answer.http_status;
            let kind = match exchange.kind {
                PacketType::Unknown => "a request",
                ref kind => kind.name(),
            };
            let place = folder.map(|folder| format!(" into \"{folder}\"")).unwrap_or_default();
            let message = format!("{kind}{place} was answered {status} with 0x80070003");
            notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        } else if not_found(exchange, answer)
            && let Some(folder) = folder
            && let Some(other) = sibling(session, around, folder)
        {
            let message = format!("404 for \"{folder}\", though uploads into \"{other}\" work");
            notes.note(severity, Confidence::Likely, &[exchange.span()], message);
        }
    }
}

/// Whether the BITS server says so itself.
pub(in crate::rules) fn is_told(answer: &Response) -> bool {
    answer.error_value() == Some(PATH_NOT_FOUND) && !look::may_be_of_application(answer)
}

fn not_found(exchange: &Exchange, answer: &Response) -> bool {
    answer.http_status == 404
        && matches!(Origin::of_response(answer), Origin::BitsServer | Origin::Iis)
        && !is_filtered(exchange, answer)
        && (exchange.kind == PacketType::CreateSession || look::is_final(exchange))
}

/// Whether IIS hides such a path, be the folder there or not.
fn is_filtered(exchange: &Exchange, answer: &Response) -> bool {
    let path = || exchange.request.as_ref().and_then(|request| filtering::denied(&request.target));
    // Where its page gives a sub-status, this tells; 0 is a file that does not exist.
    let hides = || page::sub_status(answer).map_or_else(|| path().is_some(), |told| told != 0);
    Origin::of_response(answer) == Origin::Iis && hides()
}

/// Another folder of the same virtual directory that takes uploads, where this one takes none.
fn sibling<'a>(session: &Session, around: &Around<'a>, folder: &str) -> Option<&'a str> {
    let directory = url::virtual_directory(folder)?;
    let mut found = None;
    for brief in around.same_server(session).filter(|brief| brief.created) {
        let Some(other) = brief.url.as_deref() else { continue };
        if url::folder(other) == folder {
            return None;
        }
        if url::virtual_directory(other) == Some(directory) {
            found = Some(url::folder(other));
        }
    }
    found
}
