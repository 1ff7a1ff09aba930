//! The rule `server-disk-full`.

use crate::bits::hresult::{self, MISPRINTED};
use crate::model::{Exchange, Session};
use crate::rules::Confidence::{Certain, Likely};
use crate::rules::page::{self, Reason};
use crate::rules::{Notes, course, front, look, wording};

rule! {
    /// The server's disk or quota is full.
    ///
    /// The server answered `ERROR_DISK_FULL`, or the misprinted code that the specification gives for it; others than
    /// IIS say 507, or tell it in the page of an error.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 507 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 plain
    ///   | System.IO.IOException: There is not enough space on the disk.
    /// ```
    /// The same code with another status means that the application behind the server was too slow:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 408 error=0x80070112 context=0x7
    /// ```
    /// Its own code tells another reason:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 507 error=0x80070005 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Free space on the volume of the upload directory, or raise the quota of the account that writes there.
    /// Confirm: The free space and the quota of that volume at this time; on Windows, event 2013 in the server's System log.
    /// Reference: [MC-BUP] 2.2.1.2, RFC 4918 11.5
    Error, belief 90, needs Anything, Trouble
}

/// `ERROR_DISK_FULL`, `ERROR_HANDLE_DISK_FULL` and `ERROR_DISK_QUOTA_EXCEEDED` as HRESULTs ([MS-ERREF] 2.2).
const DISK_FULL: [u32; 3] = [0x8007_0070, 0x8007_0027, 0x8007_050F];

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|answer| !answer.is_of_application())
    else {
        return;
    };
    let status = response.http_status;
    let full = |code: &u32| {
        DISK_FULL.contains(code)
            || *code == MISPRINTED && status == 500 && !look::may_be_of_application(response)
    };
    let page = page::reason(response).filter(|(reason, _)| *reason == Reason::Full);
    let (with, sure) = match (response.error_value(), page) {
        (Some(code), _) if full(&code) => (format!(" with {}", hresult::hex(code)), Certain),
        (None, _) if status == 507 => (front::by(session, exchange), Certain),
        (None, Some((_, words))) if status >= 500 => {
            (format!("{}; its page says \"{words}\"", front::by(session, exchange)), Likely)
        }
        _ => return,
    };
    let severity = course::unless_recovered(session, exchange, notes.severity());
    let message = format!("{} was answered {status}{with}", wording::asked(exchange));
    let finding = notes.note(severity, sure, &[exchange.span()], message);
    if response.error_value().is_none() {
        front::turn(finding, front::origin(session, exchange));
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Error;
    use crate::rules::tests::severity;

    #[test]
    fn earlier_bytes_that_pass_again_make_nothing_good() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n\
             < 500 error=0x80070070 context=0x5\n> FRAGMENT 0-9/20\n< 200";
        assert_eq!(severity("server-disk-full", text), Some(Error));
    }
}
