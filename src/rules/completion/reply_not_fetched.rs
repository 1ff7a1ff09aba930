//! The rule `reply-not-fetched`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// The session was closed without fetching the reply.
    ///
    /// The server deletes the reply when the session is closed. The fetch may have gone where the capture does not
    /// reach; clients other than Windows may not want it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 200 plain
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// A client looks for it in the Acks to Fragments only:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200 reply=/replies/1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: See whether the job is an upload-reply job, and whether the client reaches the host of the reply URL.
    /// Confirm: The server's log: whether there is a GET of the reply before the close.
    /// Reference: [MC-BUP] 3.2.5.2.7
    Warning, belief 13, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(url) = session.reply_url.as_deref().filter(|_| session.reply.is_none()) else {
        return;
    };
    let named = |one: &Exchange| {
        let ack = one.response.as_ref().filter(|_| one.kind.may_be_fragment());
        ack.is_some_and(|ack| ack.reply_url.is_some())
    };
    if !session.exchanges.iter().any(named) {
        return;
    }
    let Some(close) = session.first_success(&PacketType::CloseSession) else { return };
    // Over TLS elsewhere, a fetch would not be seen.
    let hidden = url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
    let sure = look::claims_windows(session) && !hidden;
    let severity = if sure { notes.severity() } else { Severity::Note };
    let message = "closed without a GET of the reply that was named".to_owned();
    notes.note(severity, Confidence::Likely, &[close.span()], message);
}

#[cfg(test)]
mod tests {
    use crate::model::session::Reply;
    use crate::transcript;

    #[test]
    fn a_fetch_may_be_stored_ahead_of_what_names_the_reply() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200 reply=/replies/1\n\
                    > GET /replies/1\n< 200 plain\n> CLOSE-SESSION\n< 200\n";
        let names = |data: &[u8]| data.windows(14).any(|bytes| bytes == b"BITS-Reply-URL");
        let by_server = |data: &[u8]| data[34..36] == 80_u16.to_be_bytes();
        let late = [
            transcript::delayed(text, 500_000, names),
            transcript::delayed(text, 2_000_000_000, by_server),
        ];
        for records in late {
            let report = transcript::analyse(&records, &mut ());
            let session = &report.sessions[0];
            assert!(session.reply.as_ref().is_some_and(Reply::is_fetched), "{:?}", session.reply);
            assert!(session.findings.iter().all(|found| found.rule != "reply-not-fetched"));
        }
    }
}
