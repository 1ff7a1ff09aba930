//! The rule `upload-too-large`.

use crate::bits::fields::ContentRange;
use crate::bits::hresult::TOO_LARGE;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, course, look, wording};

rule! {
    /// The file, or one Fragment of it, is larger than the server allows.
    ///
    /// The server answered `BG_E_TOO_LARGE`. The specification gives that code for a Fragment in one place, for the file in
    /// others; IIS limits the file.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80200020 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 413 plain
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Raise BITSMaximumUploadSize on the virtual directory, or split the file.
    /// Confirm: BITSMaximumUploadSize of the virtual directory beside the length of the file.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 90, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    if response.error_value() == Some(TOO_LARGE) && !response.is_of_application() {
        let status = response.http_status;
        let mut message = format!("{} was answered {status} with BG_E_TOO_LARGE", exchange.kind);
        if let Some(total) = session.bytes_total {
            message.push_str(&format!("; the file has {}", wording::counted(total, "byte")));
        }
        if let Some(len) = look::range(exchange).and_then(ContentRange::len) {
            message.push_str(&format!(", the Fragment {len}"));
        }
        let severity = course::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_server_may_mean_the_fragment_or_the_file() {
        let told = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n  Server: gobits\n> FRAGMENT 0-9/20\n\
             < 500 error=0x80200020 context=0x5\n  Server: gobits\n",
        );
        assert!(
            told.summary.contains("the file has 20 bytes, the Fragment 10"),
            "{}",
            told.summary
        );
        assert!(told.advice.unwrap().contains("one Fragment"));
    }
}
