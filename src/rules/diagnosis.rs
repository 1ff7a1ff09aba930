//! One cause per upload that went wrong; the rest contributes.

use std::cmp::Reverse;

use super::origin::Origin;
use super::{Around, Diagnosis, Finding, Rule, Severity, cut, front, named, relay};
use crate::at::Span;
use crate::bits::{fields, hresult};
use crate::model::{Exchange, Outcome, Request, Response, Session};
use crate::stream::Side;

/// The diagnosis of a session; `None` for one that is healthy, cancelled, or merely cut by the capture.
pub fn of(session: &Session, around: &Around<'_>) -> Option<Diagnosis> {
    let ranked = ranked(session, &session.findings);
    let unseen = session.outcome == Outcome::Incomplete && session.is_half_seen();
    let needs_why = session.outcome.is_failure() || unseen;
    let &first = ranked.first().filter(|(rule, _)| !needs_why || tells_why(rule))?;
    let (rule, cause) = repeated(session, first).unwrap_or(first);
    let mut contributing: Vec<String> = Vec::new();
    for (_, finding) in &ranked {
        if finding.rule != cause.rule && !contributing.iter().any(|known| finding.rule == **known) {
            contributing.push(finding.rule.to_string());
        }
    }
    // What the network lost is nobody's answer.
    let lossy = rule.is_named("retransmission-heavy");
    let decisive = decisive(session, cause).filter(|_| !lossy);
    let answer =
        decisive.map_or_else(|| reply(session, cause), |exchange| exchange.response.as_ref());
    // A client that had closed the connection before did not hear it.
    let unheard = decisive.is_some_and(|exchange| {
        cut::cut_off(session, exchange).is_some() || may_be_erased(session, exchange)
    });
    let mended = decisive.is_some_and(|exchange| is_mended(session, exchange));
    let code = client_code(session, around, (rule, cause), answer.filter(|_| !unheard && !mended));
    Some(Diagnosis {
        cause: cause.rule.to_string(),
        confidence: cause.confidence,
        contributing,
        answered_by: match decisive {
            // Whatever name it bears, that is no Ack any more.
            Some(exchange) if rule.is_named("header-stripped") && exchange.succeeded() => {
                Origin::Proxy
            }
            Some(exchange) if front::is_of_bits(session, exchange) => Origin::BitsServer,
            Some(exchange) => around.origin(session, exchange),
            None => answer.map_or(Origin::Nobody, Origin::of_response),
        },
        answerable: cause.answerable.clone(),
        advice: cause.advice.clone(),
        confirm: cause.confirm.clone(),
        client_error: code.map(hresult::hex),
        client_log: code.map(hresult::in_words),
        summary: summary(rule, cause),
        frames: cause.frames.clone(),
    })
}

/// Rules that are believed up to here tell of repetition, loss and slowness around a failure: what was repeated failed
/// for a reason of its own.
const CIRCUMSTANCE: u8 = 15;

const fn tells_why(rule: &Rule) -> bool {
    rule.belief > CIRCUMSTANCE
}

/// What tells why the tries failed that `first` only counts, though the upload made up for it.
fn repeated<'f>(
    session: &'f Session,
    (rule, finding): (&Rule, &Finding),
) -> Option<(&'static Rule, &'f Finding)> {
    if !rule.is_named("retry-storm") {
        return None;
    }
    let of_a_try =
        |other: &&Finding| other.frames.first().is_some_and(|frame| finding.frames.contains(frame));
    let others = session.findings.iter().filter(of_a_try);
    let told = others.filter_map(|other| Some((named(&other.rule)?, other)));
    let errors = told.filter(|(rule, _)| tells_why(rule) && rule.severity == Severity::Error);
    errors.min_by_key(|(rule, _)| Reverse(rule.belief))
}

/// What findings explain of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// How it ended.
    pub end: bool,
    /// Frames of findings that are believed more than one that is to come, with their severities, in order.
    frames: Vec<(u64, Severity)>,
}

impl Explained {
    /// What `findings` explain before `rule` is asked.
    pub(super) fn of(session: &Session, findings: &[Finding], rule: &Rule) -> Self {
        let ranked = ranked(session, findings);
        let all = findings
            .iter()
            .filter(|finding| named(&finding.rule).is_some_and(|other| other.belief > rule.belief));
        let mut frames: Vec<_> = all
            .flat_map(|finding| finding.frames.iter().map(|&frame| (frame, finding.severity)))
            .collect();
        frames.sort_unstable();
        Self { end: ranked.iter().any(|(rule, _)| tells_why(rule)), frames }
    }

    /// Whether one of at least this severity is about an exchange.
    pub fn covers(&self, exchange: &Exchange, severity: Severity) -> bool {
        let span = exchange.span();
        let start = self.frames.partition_point(|(frame, _)| *frame < span.first.frame);
        let behind = self.frames.get(start..).unwrap_or_default().iter();
        let mut within = behind.take_while(|(frame, _)| *frame <= span.last.frame);
        within.any(|(_, other)| *other >= severity)
    }
}

/// Those of `findings` that can explain the session, the most convincing first.
fn ranked<'f>(session: &Session, findings: &'f [Finding]) -> Vec<(&'static Rule, &'f Finding)> {
    let least = match session.outcome {
        Outcome::Cancelled => return Vec::new(),
        Outcome::Rejected | Outcome::Failed => Severity::Note,
        Outcome::Completed | Outcome::Incomplete => Severity::Warning,
    };
    let mut ranked: Vec<(&'static Rule, &Finding)> = findings
        .iter()
        .filter(|finding| finding.severity >= least)
        .filter_map(|finding| Some((named(&finding.rule)?, finding)))
        // A rule that found something harmless this time does not explain a failure.
        .filter(|(rule, finding)| {
            rule.belief > 0 && finding.severity >= rule.severity.min(Severity::Warning)
        })
        .collect();
    // Of findings of one rule, the one that the session ended on.
    let error = session.error.as_ref().map(|error| error.frame.0.frame);
    let answers = session.exchanges.iter().rev().filter_map(|exchange| exchange.response.as_ref());
    let answer =
        error.and_then(|frame| answers.map(|one| one.span).find(|one| one.first.frame == frame));
    ranked.sort_by_key(|(rule, finding)| {
        let ends = answer.is_some_and(|span| is_about(finding, span));
        (Reverse(rule.belief), !ends, finding.frames.first().copied())
    });
    ranked
}

/// What it means, and the words and frames that prove it.
fn summary(rule: &Rule, cause: &Finding) -> String {
    let title = rule.title().trim_end_matches('.');
    let frames = cause.frames_in_words().map_or_else(String::new, |words| format!(" ({words})"));
    format!("{title}: {}{frames}", cause.message)
}

/// Whether a finding has a frame of a message or an exchange.
fn is_about(finding: &Finding, span: Span) -> bool {
    finding.frames.iter().any(|frame| (span.first.frame..=span.last.frame).contains(frame))
}

/// The last exchange among the frames of a finding.
fn decisive<'a>(session: &'a Session, cause: &Finding) -> Option<&'a Exchange> {
    session.exchanges.iter().rev().find(|exchange| is_about(cause, exchange.span()))
}

/// The answer to the fetch of the reply, where a finding is about that.
fn reply<'a>(session: &'a Session, cause: &Finding) -> Option<&'a Response> {
    let response = session.reply.as_ref()?.response.as_deref()?;
    is_about(cause, response.span).then_some(response)
}

/// What the BITS client writes into its log: the code of the answer, else 0x80190000 and the HTTP status, else the
/// code of the network error. An upload that was completed leaves none, nor does what a proxy met in its stead.
fn client_code(
    session: &Session,
    around: &Around<'_>,
    (rule, cause): (&Rule, &Finding),
    answer: Option<&Response>,
) -> Option<u32> {
    if session.outcome == Outcome::Completed {
        return None;
    }
    let of_rule = || fields::hresult(rule.client_code()?).map(|(code, _)| code);
    if let Some(code) = cause.client_code.or_else(of_rule) {
        // Errors of Windows, the network's among them ([MS-ERREF] 2.1).
        let of_windows = hresult::win32(code).is_some();
        return (!of_windows || !relay::is_relayed(session, around)).then_some(code);
    }
    let response = answer.filter(|response| !response.is_success())?;
    let told = response.error_value().filter(|code| hresult::is_failure(*code));
    // Of a head that is cut, the code may be among what is missing.
    let status = (!response.is_cut()).then_some(hresult::of_status(response.http_status));
    told.or(status)
}

/// Whether the server reset the connection behind its answer to half a request, before the client acknowledged that: the
/// client, which still sends, may see nothing but the reset (RFC 9112 9.6).
fn may_be_erased(session: &Session, exchange: &Exchange) -> bool {
    let half = exchange.request.as_ref().is_some_and(Request::lacks_body_in_time);
    half && session.connection(exchange.connection).is_some_and(|connection| {
        let reset = connection.reset.is_some_and(|reset| reset.side == Side::Server);
        reset && connection.server_side.unacked() > 0
    })
}

/// Whether a client makes an answer good by itself, and not by asking for the same again.
fn is_mended(session: &Session, exchange: &Exchange) -> bool {
    let status = |one: &Exchange| one.response.as_ref().map(|response| response.http_status);
    let same = |one: &&Exchange| status(one) == status(exchange) && one.range() == exchange.range();
    exchange.is_mended_by_client() && session.exchanges.iter().filter(same).nth(1).is_none()
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{diagnosed, report};

    #[test]
    fn a_reset_may_be_all_that_a_client_sees_of_an_answer_to_half_a_request() {
        let code = |sent: &str, answer: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000{sent}\n< 400 plain{answer}\n! server resets\n"
            );
            diagnosed(&text).client_error
        };
        assert_eq!(code(" sent=4000", " dropped"), None);
        assert_eq!(code(" sent=4000", "").as_deref(), Some("0x80190190"));
        assert_eq!(code("", " dropped").as_deref(), Some("0x80190190"));
    }

    #[test]
    fn an_ack_without_its_fields_is_what_a_proxy_made_of_it() {
        let report = report(
            "> CREATE-SESSION\n< 200 plain\n  Server: Microsoft-IIS/10.0\n  Via: 1.1 filter.corp.test\n",
        );
        let diagnosis = report.sessions[0].diagnosis.as_ref().unwrap();
        assert_eq!(diagnosis.cause, "header-stripped");
        assert_eq!(diagnosis.answered_by, super::Origin::Proxy);
    }

    #[test]
    fn what_the_client_mends_by_itself_is_in_no_log() {
        let code = |rest: &str| {
            let text = format!("> CREATE-SESSION\n< 200 session=1\n{rest}\n");
            report(&text).sessions[0].diagnosis.as_ref().unwrap().client_error.clone()
        };
        assert_eq!(code("> FRAGMENT 10-19/20\n< 416 received=0"), None);
        assert_eq!(code("> FRAGMENT 0-59999/60000\n< 413 plain"), None);
        let again =
            code("> FRAGMENT 0-59999/60000\n< 413 plain\n> FRAGMENT 0-59999/60000\n< 413 plain");
        assert_eq!(again.as_deref(), Some("0x8019019D"));
        let least = code("> FRAGMENT 0-4999/60000\n< 413 plain");
        assert_eq!(least.as_deref(), Some("0x8019019D"));
    }

    #[test]
    fn of_refusals_with_long_pages_the_last_is_the_cause() {
        let page = format!("< 413 plain\n  | {}", "x".repeat(5_000));
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-59999/60000\n{page}\n> FRAGMENT 0-4999/60000\n{page}\n"
        );
        let report = report(&text);
        let diagnosis = report.sessions[0].diagnosis.as_ref().unwrap();
        assert!(diagnosis.summary.contains("of 5000 bytes"), "{}", diagnosis.summary);
        assert_eq!(diagnosis.client_error.as_deref(), Some("0x8019019D"));
    }

    #[test]
    fn what_turned_out_harmless_is_no_cause() {
        let report = report("> CREATE-SESSION\n< 501 plain http=1.0\n");
        let session = &report.sessions[0];
        assert!(session.findings.iter().any(|finding| finding.rule == "http-version-not-11"));
        assert_eq!(session.diagnosis.as_ref().unwrap().cause, "verb-rejected-by-server");
    }
}
