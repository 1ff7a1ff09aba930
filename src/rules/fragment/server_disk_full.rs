//! The rule `server-disk-full`.

use crate::bits::hresult::{self, MISPRINTED};
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, course, look};

rule! {
    /// The server's disk or quota is full.
    ///
    /// The server answered `ERROR_DISK_FULL`, or the misprinted code that the specification gives for it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x5
    /// ```
    /// The same code with another status means that the application behind the server was too slow:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 408 error=0x80070112 context=0x7
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Free space on the volume of the upload directory, or raise the quota of the account that writes there.
    /// Confirm: The free space and the quota of that volume at this time; on Windows, event 2013 in the server's System log.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 90, needs Anything, Trouble
}

/// `ERROR_DISK_FULL`, `ERROR_HANDLE_DISK_FULL` and `ERROR_DISK_QUOTA_EXCEEDED` as HRESULTs ([MS-ERREF] 2.2).
const DISK_FULL: [u32; 3] = [0x8007_0070, 0x8007_0027, 0x8007_050F];

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|answer| !answer.is_of_application())
    else {
        return;
    };
    let Some(code) = response.error_value() else { return };
    let full = DISK_FULL.contains(&code)
        || code == MISPRINTED
            && response.http_status == 500
            && !look::may_be_of_application(response);
    if full {
        let code = hresult::hex(code);
        let message =
            format!("{} was answered {} with {code}", exchange.kind, response.http_status);
        let severity = course::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
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
