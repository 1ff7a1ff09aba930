//! The rule `notification-timeout`.

use crate::bits::PacketType;
use crate::bits::hresult::{self, MISPRINTED, TIMED_OUT};
use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, wording};

rule! {
    /// The application behind the server did not answer in time.
    ///
    /// The server gives it five minutes, BITS 1.5 thirty seconds. The client sends the last Fragment again, so the
    /// application may get the same upload twice.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ... 300 s
    /// < 408 error=0x80070112 context=0x7
    /// ```
    /// The same code means a full disk, too; an application that is not told before the file is there is not slow amid it:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070112 context=0x7
    /// ```
    /// Something else lost patience with the client:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 408 plain
    /// ```
    ///
    /// Answerable: the application behind the server
    /// Advice: Let the application at BITSServerNotificationURL answer within five minutes, and expect the same upload twice.
    /// Confirm: The log of that application: how long it worked on this upload.
    /// Reference: [MC-BUP] 3.3.6
    Error, belief 89, needs Anything, Trouble
}

/// The time that BITS 1.5 gives the application, the shortest that there is ([MC-BUP] 3.3.2).
const SHORTEST_SECS: f64 = 30.0;

/// So long may it take until the server says that its five minutes are over.
const LATE_SECS: f64 = 30.0;

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::refusal(exchange) else { return };
    let fragment = exchange.kind.may_be_fragment();
    let Some(confidence) = confidence(exchange, response).filter(|_| fragment) else { return };
    let (status, waited) = (response.http_status, look::wait_secs(exchange));
    let which =
        if look::is_final(exchange) { "the last Fragment" } else { "a Fragment amid the file" };
    let message = match exchange.kind {
        PacketType::Fragment => format!(
            "{which} was answered {status} after {} of waiting for the application",
            wording::lasting(waited)
        ),
        _ => format!("{} was answered {status} for the application", wording::NOT_CAPTURED),
    };
    let severity = match confidence {
        Confidence::Possible if status != 408 => Severity::Note,
        _ if course::recovered(session, exchange) => Severity::Warning,
        _ => notes.severity(),
    };
    notes.note(severity, confidence, &[exchange.span()], message);
}

/// How sure it is that the application was too slow: by the status or code for it, else by how long the server waited, unless
/// the code is a status of the application, which answered then.
fn confidence(exchange: &Exchange, response: &Response) -> Option<Confidence> {
    let of_application = response.is_of_application();
    let code = response.error_value();
    let waited = look::wait_secs(exchange).round();
    let by_status = response.http_status == 408;
    let is_last = look::is_final(exchange);
    // The application hears of a file that is there, not of a part of it.
    let amid = look::range(exchange).is_some() && !is_last;
    let by_code = code == Some(MISPRINTED) && of_application;
    if by_status && (by_code || response.is_ack() && is_last) {
        return Some(if amid { Confidence::Possible } else { Confidence::Certain });
    }
    // Without the status for it, the code may as well mean a full disk.
    if by_code && !amid {
        let in_vain = waited >= SHORTEST_SECS || exchange.request.is_none();
        return Some(if in_vain { Confidence::Likely } else { Confidence::Possible });
    }
    let late = waited - CLIENT_WAITS_SECS;
    let answered = code.and_then(hresult::status).is_some();
    let by_time = (0.0..=LATE_SECS).contains(&late) && !answered;
    // The server may hand on that it waited in vain.
    let told = code == Some(TIMED_OUT);
    (of_application && is_last && (by_time || told)).then_some(Confidence::Likely)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;
    use crate::rules::{Confidence, Diagnosis};

    fn diagnosis(range: &str, secs: u32, answer: &str) -> Diagnosis {
        diagnosed(&format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT {range}\n... {secs} s\n< {answer} context=0x7\n"
        ))
    }

    fn told(range: &str, secs: u32, answer: &str) -> String {
        diagnosis(range, secs, answer).summary
    }

    #[test]
    fn the_wait_or_a_code_that_says_so_tells_it_too() {
        let slow = "the application behind the server did not answer in time";
        let is_slow =
            |secs, answer| told("0-9/10", secs, answer).to_ascii_lowercase().starts_with(slow);
        assert!(is_slow(300, "500 error=0x80004005"));
        assert!(is_slow(30, "500 error=0x80072EE2"));
        assert!(!is_slow(30, "500 error=0x80004005"));
        // It answered itself.
        assert!(!is_slow(300, "500 error=0x801901F4"));
    }

    #[test]
    fn a_fragment_amid_the_file_is_not_called_the_last() {
        let amid = ("0-9/20", "a Fragment amid the file was", Confidence::Possible);
        let last = ("10-19/20", "the last Fragment was", Confidence::Certain);
        for (range, which, confidence) in [amid, last] {
            let told = diagnosis(range, 1, "408 error=0x80070112");
            assert!(told.summary.contains(which), "{}", told.summary);
            assert_eq!(told.confidence, confidence);
        }
    }

    #[test]
    fn of_the_code_that_means_a_full_disk_too_the_wait_decides() {
        let cause = |secs| diagnosis("0-9/10", secs, "500 error=0x80070112").cause;
        assert_eq!(cause(1), "remote-application-failed");
        assert_eq!(cause(30), "notification-timeout");
    }
}
