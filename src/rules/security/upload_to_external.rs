//! The rule `upload-to-external`.

use crate::model::{Outcome, Session};
use crate::rules::{Around, Confidence, Notes, Severity, address, wording};

rule! {
    /// The file goes to an address of the public Internet.
    ///
    /// Uploads by BITS mostly stay inside an organisation; who takes data out by BITS hides in traffic that is expected
    /// (MITRE ATT&CK T1197). An archive that goes out whole to a bare address weighs more.
    ///
    /// ```fires
    /// = server 93.184.216.34:80
    /// = url http://files.example.com/in/a.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// = server 192.168.7.80:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// = server 100.64.0.9:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Advice: Compare the host with those that uploads are expected to go to; on the client, `bitsadmin /list /allusers /verbose` names the owner of the job.
    /// Confirm: Event 59 in the client's BITS-Client log holds the same URL; event 3 names the process that made the job.
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let host = around.host.map(|(host, _)| host);
    let literal = host.and_then(address::literal);
    let target = literal.unwrap_or(session.server.address);
    if session.bytes_sent == 0 || !address::is_public(target) {
        return;
    }
    let Some(span) = session.span() else { return };
    let kind = session
        .exchanges
        .iter()
        .find_map(|exchange| exchange.request.as_ref()?.file_type.as_deref());
    let archive = kind.is_some_and(|kind| PACKED.contains(&kind));
    let leaves =
        !address::is_public(session.client.address) && session.outcome == Outcome::Completed;
    let telling = literal.is_some() && archive && leaves;
    let severity = if telling { Severity::Warning } else { Severity::Note };
    let message = format!(
        "the upload of {} of \"{}\"{} goes to {target}",
        wording::counted(session.bytes_unique, "byte"),
        session.content_name.as_deref().or(session.url.as_deref()).unwrap_or_default(),
        kind.map(|kind| format!(" ({kind})")).unwrap_or_default()
    );
    notes.note(severity, Confidence::Certain, &[span], message);
}

/// What data is packed into before it is taken out.
const PACKED: [&str; 5] = [
    "application/zip",
    "application/x-7z-compressed",
    "application/vnd.rar",
    "application/gzip",
    "application/zstd",
];
