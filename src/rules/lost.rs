//! Sessions that a server does not know: how it says so, and what differs from the server that made them.

use jiff::fmt::rfc2822;

use crate::at::Timestamp;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Outcome, Request, Response, Session};
use crate::rules::{Severity, course, look, sender, wording};

/// Clocks of two answers that are further apart, in seconds, are two clocks: `Date` has whole seconds and may be cached
/// for one.
const CLOCK_SLACK_SECS: f64 = 5.0;

/// Clocks of two answers with more seconds between them may be one that was set, or that runs fast.
const CLOCK_RUNS_SECS: f64 = 900.0;

/// How a server says that it does not know a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// By the code for it.
    Said,
    /// In words, or with a code that means nothing where the packet is in order.
    Implied,
}

/// Whether an exchange says that the session is unknown. To a Cancel-Session the code for it is as good as success; a
/// Ping asks for none, and where the upload goes on none was lost.
pub fn of(session: &Session, exchange: &Exchange) -> Option<Loss> {
    let response = exchange.response.as_ref()?;
    let named = exchange.request.as_ref().is_some_and(|request| request.session_id.is_some());
    if exchange.says_lost() {
        let harmless = match exchange.kind {
            PacketType::CancelSession => true,
            PacketType::Ping => session.carried_on() > exchange.begins(),
            _ => false,
        };
        return (!harmless).then_some(Loss::Said);
    }
    (named && is_implied(session, exchange, response)).then_some(Loss::Implied)
}

/// Whether an exchange says that the session is unknown although nothing had ended it.
pub fn is_amid(session: &Session, exchange: &Exchange) -> bool {
    of(session, exchange).is_some()
        && !is_nameless(session, exchange)
        && !course::is_likely_over_before(session, exchange)
        && !may_follow_a_close(exchange)
        && !is_behind_possible_close(session, exchange)
}

/// Whether a request does not name its session although that has an id: no server can tell then which one is meant,
/// unless it took one like it before, or the session was lost by then.
pub fn is_nameless(session: &Session, exchange: &Exchange) -> bool {
    let excuses = |other: &Exchange| {
        if names_none(other) { other.succeeded() } else { other.says_lost() }
    };
    session.id.is_some() && names_none(exchange) && !course::ahead(session, exchange).any(excuses)
}

/// Whether a packet that must name its session ([MC-BUP] 2.2.1.2) does not.
pub fn names_none(exchange: &Exchange) -> bool {
    let kinds = [PacketType::Fragment, PacketType::CloseSession, PacketType::CancelSession];
    let lacks = |request: &Request| {
        request.session_id.as_deref().is_none_or(|id| canonical_id(id).is_empty())
    };
    kinds.contains(&exchange.kind) && look::whole_request(exchange).is_some_and(lacks)
}

/// Whether it may be a Close repeated after one that the capture lacks, which had worked: no server knows the session
/// then.
pub fn may_follow_a_close(exchange: &Exchange) -> bool {
    let request = exchange.request.as_ref();
    exchange.kind == PacketType::CloseSession && request.is_some_and(|request| request.after_gap)
}

/// Whether a Close that the capture lacks may have come ahead of it: an Ack there may be that of one as well as that of a
/// Ping, or the server had all of the file and it answers what was not captured.
pub fn is_behind_possible_close(session: &Session, exchange: &Exchange) -> bool {
    let had_all = session.bytes_total == Some(session.bytes_acknowledged);
    session.close_possible().is_some_and(|over| over < exchange.begins())
        || had_all && exchange.is_lost_unasked()
}

/// Whether a Close had done its work although its answer did not tell: the session that it closed is unknown to the
/// server when the client closes it again.
pub fn is_done_unheard(session: &Session, exchange: &Exchange) -> bool {
    let last = session.exchanges.last().filter(|last| last.says_lost());
    exchange.kind == PacketType::CloseSession
        && session.outcome == Outcome::Completed
        && last.is_some_and(|last| last.begins() > exchange.begins())
}

/// What a finding about a request without an answer is worth: as much as the rule says, a note where it was carried out
/// all the same.
pub fn unless_done(session: &Session, exchange: &Exchange, severity: Severity) -> Severity {
    if is_done_unheard(session, exchange) { Severity::Note } else { severity }
}

fn is_implied(session: &Session, exchange: &Exchange, response: &Response) -> bool {
    if response.http_status < 400 || response.is_cut() {
        return false;
    }
    let code = response.error_value();
    let in_words = !response.is_ack()
        && !response.is_challenge()
        && response.http_status != 403
        && tells(response);
    let in_order = is_in_order(exchange);
    let empty = response.is_ack() && response.http_status == 400 && code.is_none();
    in_words || empty && in_order && session.joined || is_vague_after_reconnect(session, exchange)
}

/// Whether a packet met 500 with the code 0x1, which means nothing, on a later connection than the first: home-made
/// servers may bind the session to the connection.
pub fn is_vague_after_reconnect(session: &Session, exchange: &Exchange) -> bool {
    let vague = |answer: &Response| answer.http_status == 500 && answer.error_value() == Some(1);
    let first = session.exchanges.first();
    exchange.response.as_ref().is_some_and(vague)
        && first.is_some_and(|first| first.connection != exchange.connection)
}

/// What pages say of a session that is unknown, in lower case; a redacted capture keeps these words.
const WORDS: [&str; 19] = [
    "no such",
    "no session",
    "no longer",
    "not found",
    "not find",
    "not exist",
    "n't exist",
    "not valid",
    "invalid",
    "bad session",
    "unknown",
    "unrecogni",
    "locate",
    "expired",
    "timed out",
    "timeout",
    "terminated",
    "lost",
    "gone",
];

/// So many bytes on either side, they stand beside the word.
const BESIDE: usize = 32;

/// Whether a page says in its own words that a session is unknown.
fn tells(response: &Response) -> bool {
    let page = response.own_words();
    let page = page.as_bytes();
    memchr::memmem::find_iter(page, "session").any(|at| {
        let (from, to) = (at.saturating_sub(BESIDE), page.len().min(at + "session".len() + BESIDE));
        let around = page.get(from..to).unwrap_or_default();
        WORDS.iter().any(|words| memchr::memmem::find(around, words.as_bytes()).is_some())
    })
}

fn is_in_order(exchange: &Exchange) -> bool {
    let length = exchange.content_length();
    match exchange.kind {
        PacketType::CloseSession | PacketType::CancelSession => length == Some(0),
        _ => exchange.range().is_some_and(|range| range.valid),
    }
}

/// The Create-Session that made the session.
pub fn creator<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Exchange> {
    first(session, exchange, &PacketType::CreateSession)
}

/// The first exchange that shows who knew the session: its Create-Session, else a Fragment that was accepted.
pub fn maker<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Exchange> {
    creator(session, exchange).or_else(|| first(session, exchange, &PacketType::Fragment))
}

/// Seconds since the last Create-Session or Fragment that succeeded.
pub fn idle_secs(session: &Session, exchange: &Exchange) -> Option<f64> {
    let last = progress(session, exchange)?;
    Some(exchange.span().first.time.secs_since(last.span().last.time))
}

/// The last Create-Session or Fragment that succeeded before an exchange.
pub fn progress<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Exchange> {
    course::ahead(session, exchange).find(|other| {
        matches!(other.kind, PacketType::CreateSession | PacketType::Fragment) && other.succeeded()
    })
}

/// The first exchange of a kind that succeeded, where it came before another exchange.
fn first<'a>(session: &'a Session, exchange: &Exchange, kind: &PacketType) -> Option<&'a Exchange> {
    let frame = exchange.begins();
    let first = session.first_success(kind);
    first.filter(|first| first.begins() < frame)
}

/// What differs between the servers that gave two answers, as `what A, then B`.
pub fn changes(session: &Session, made: &Exchange, lost: &Exchange) -> Vec<String> {
    let (Some(first), Some(then)) = (&made.response, &lost.response) else { return Vec::new() };
    let mut changes = Vec::new();
    // Of proxies there may be several: which of them was asked says nothing of the server.
    let direct = !made.is_by_proxy() && !lost.is_by_proxy();
    if direct && made.server != lost.server {
        changes.push(format!("address {}, then {}", made.server, lost.server));
    }
    // What was asked before BITS, a proxy for instance, calls itself something else.
    if first.is_ack() && then.is_ack() {
        let texts = [
            ("Server", first.server.as_deref(), then.server.as_deref()),
            ("Via", first.via.as_deref(), then.via.as_deref()),
        ];
        for (name, one, two) in texts {
            if let (Some(one), Some(two)) = (one, two)
                && one != two
                && (direct || name == "Server")
            {
                changes.push(format!("{name} \"{one}\", then \"{two}\""));
            }
        }
    }
    let apart =
        progress(session, lost).and_then(|last| clocks_apart(last.response.as_ref()?, then));
    if let Some(secs) = apart {
        changes.push(format!("its clock differs by {}", wording::lasting(secs)));
    }
    let ttl = |exchange: &Exchange| {
        let side = &session.connection(exchange.connection)?.server_side;
        (side.ttl_first > 0).then_some(side.ttl_first)
    };
    if direct
        && let (Some(one), Some(two)) = (ttl(made), ttl(lost))
        && one.abs_diff(two) > sender::TTL_SLACK
    {
        changes.push(format!("TTL {one}, then {two}"));
    }
    changes
}

/// By how many seconds the clocks of two answers differ, where they must be two.
fn clocks_apart(first: &Response, then: &Response) -> Option<f64> {
    let secs = (clock_error(first)? - clock_error(then)?).abs();
    // Where time goes back, it is the clock of the capture that was set.
    let between = then.span.first.time.secs_since(first.span.first.time);
    let two = secs > CLOCK_SLACK_SECS && (0.0..CLOCK_RUNS_SECS).contains(&between);
    two.then_some(secs)
}

/// By how many seconds the clock of an answer differs from that of the capture.
pub(super) fn clock_error(response: &Response) -> Option<f64> {
    let date = rfc2822::parse(response.date.as_deref()?).ok()?.timestamp();
    let nanos = i64::try_from(date.as_nanosecond()).ok()?;
    Some(Timestamp::from_nanos(nanos).secs_since(response.span.first.time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::report;

    /// What the answer to a Fragment under a URL says of the session.
    fn said(url: &str, answer: &str) -> Option<Loss> {
        let text = format!(
            "= url http://server{url}\n> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< {answer}\n"
        );
        let session = report(&text).sessions.remove(0);
        of(&session, session.exchanges.last().unwrap())
    }

    #[test]
    fn a_page_tells_of_a_session_in_words_of_its_own() {
        let implied = |page: &str| said("/up/a", &format!("500 plain\n  | {page}")).is_some();
        assert!(implied("No such session: 1") && implied("Session 1 not found"));
        assert!(!implied("The session bean threw an exception in a.b.C"));
        let echo = "404 plain\n  | The requested URL /sessions/a was not found on this server";
        assert_eq!((said("/sessions/a", echo), said("/b", echo)), (None, Some(Loss::Implied)));
    }

    #[test]
    fn who_asks_for_credentials_or_forbids_tells_nothing_of_a_session() {
        let page = "plain\n  | <title>Your session has expired</title>";
        assert_eq!(said("/up/a", &format!("401 {page}")), None);
        assert_eq!(said("/up/a", &format!("403 {page}")), None);
    }
}
