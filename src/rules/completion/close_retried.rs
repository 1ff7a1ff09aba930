//! The rule `close-retried`.

use crate::bits::PacketType;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, course, front, look, lost, unanswered, wording};

rule! {
    /// The session was closed more than once.
    ///
    /// The answer was lost, or was a 5xx: then clients try again. A server that does not know the session any more when it is
    /// closed again had closed it the first time, unless it refused that.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 500 error=0x80004005 context=0x5
    /// ... 600 s
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// The answer was lost on the way:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200 dropped
    /// ... 5 s
    /// = connection
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// Nothing was lost:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CLOSE-SESSION
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// The capture lacks the first answer:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200 lost
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// An authentication round is no retry:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 401 plain
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// The first leg of a handshake was not captured:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// = connection
    /// > CLOSE-SESSION lost
    /// < 401 plain
    ///   WWW-Authenticate: NTLM
    /// > CLOSE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CLOSE-SESSION
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 200
    /// ```
    ///
    /// Answerable: the server, or the network where the answer was lost
    /// Advice: See whether the file is in its place on the server, and what became of the first Close-Session: in the server's log, and on the way.
    /// Reference: [MC-BUP] 3.2.5.2.7
    Warning, belief 12, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let counts = |exchange: &&Exchange| {
        let challenged = exchange.response.as_ref().is_some_and(Response::is_challenge);
        let unseen = exchange.response.is_none() && !unanswered::is_so(session, exchange);
        exchange.kind == PacketType::CloseSession
            && exchange.request.is_some()
            && !look::may_be_anothers(exchange)
            && !challenged
            && !unseen
            && course::closed_before(session, exchange).is_none()
    };
    let mut all: Vec<&Exchange> = session.exchanges.iter().filter(counts).collect();
    all.sort_by_key(|exchange| exchange.begins());
    leave_out_legs(&mut all);
    let [first, .., last] = all.as_slice() else { return };
    let secs = last.span().first.time.secs_since(first.span().first.time);
    let answer = match &first.response {
        Some(response) => {
            let who = front::by(session, first);
            format!("the first one was answered {}{who}", response.http_status)
        }
        None => "the first one was not answered".to_owned(),
    };
    let unheard = lost::is_done_unheard(session, first);
    let done = if unheard { "; the last one shows that the session was closed" } else { "" };
    let message = format!(
        "Close-Session was sent {} times in {}; {answer}{done}",
        all.len(),
        wording::lasting(secs)
    );
    let spans: Vec<_> = all.iter().map(|exchange| exchange.span()).collect();
    let finding = notes.note(notes.severity(), Confidence::Certain, &spans, message);
    let refused = first.response.as_ref().is_some_and(|answer| !answer.is_success());
    if let Some(finding) = finding.filter(|_| refused) {
        finding.turn_to(front::answerable(session, first)).advise(OF_ANSWER);
    }
}

/// Leaves out each Close that was sent and answered while another one waited: the leg behind a proxy, and no retry. They come
/// in the order of their first frames.
fn leave_out_legs(all: &mut Vec<&Exchange>) {
    let last = |one: &Exchange| one.span().last.frame;
    let mut longest: Option<&Exchange> = None;
    all.retain(|close| {
        if close.response.is_none() {
            return true;
        }
        let outer = longest.filter(|one| last(close) < last(one));
        if outer.is_none() {
            longest = Some(close);
        }
        outer.is_none_or(|one| one.connection == close.connection)
    });
}

/// What to do where the first one was refused: no answer was lost.
const OF_ANSWER: &str = "See whether the file is in its place on the server, and why the first Close-Session was refused: in the log of what answered.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;
    use crate::transcript;

    #[test]
    fn one_within_the_wait_of_another_is_the_leg_behind_a_proxy() {
        let fired = |back: &str| {
            let text = format!(
                "> FRAGMENT 0-9/10 session=1\n< 200\n> CLOSE-SESSION\n... 4 s\n< 200\n... {back} s\n= connection\n\
                 > CLOSE-SESSION\n< 200\n"
            );
            let mut records = transcript::play(&text).unwrap();
            records.sort_by_key(|record| record.at.time);
            for (record, number) in records.iter_mut().zip(1..) {
                record.at.frame = number;
            }
            let report = transcript::analyse(&records, &mut ());
            assert_eq!(report.sessions[0].exchanges.len(), 3);
            let mut findings = report.sessions[0].findings.iter();
            findings.any(|finding| finding.rule == "close-retried")
        };
        assert!(!fired("-3"));
    }

    #[test]
    fn where_the_first_one_was_refused_no_answer_was_lost() {
        let who = |first: &str| {
            let opened = "> CREATE-SESSION\n< 200 session=1\n  Server: Microsoft-IIS/10.0\n";
            let report = report(&format!(
                "{opened}> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n{first}... 5 s\n= connection\n\
                 > CLOSE-SESSION\n< 200\n"
            ));
            let mut findings = report.sessions[0].findings.iter();
            let retried = findings.find(|finding| finding.rule == "close-retried").unwrap();
            retried.answerable.as_deref().unwrap().to_owned()
        };
        assert_eq!(who("< 405 plain\n  Server: nginx\n"), "the proxy");
        assert_eq!(who("< 500 error=0x80004005 context=0x5\n"), "the server");
        assert!(who("! client closes\n").contains("was lost"));
        assert!(who("< 200 dropped\n").contains("was lost"));
    }

    #[test]
    fn a_session_is_told_as_closed_only_where_no_answer_denies_that() {
        let told = |first: &str| {
            let report = report(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n{first}\
                 = connection\n> CLOSE-SESSION\n< 500 error=0x8020001F context=0x5\n"
            ));
            let mut findings = report.sessions[0].findings.iter();
            let retried = findings.find(|finding| finding.rule == "close-retried").unwrap();
            retried.message.contains("the session was closed")
        };
        assert!(told("! client closes\n") && !told("< 404\n"));
    }
}
