//! Asks every rule, where the capture holds what it needs.

use super::around::{Around, History};
use super::{Check, Finding, Needs, Notes, Rule, Severity, diagnosis};
use crate::at::At;
use crate::limits::Limits;
use crate::model::{Exchange, Report, Session};
use crate::sessions::Web;

/// Judges a report whose capture ended at `end` by some rules: fills in the findings and the diagnosis of each session, and the
/// findings of the whole.
pub fn judge(report: &mut Report, rules: &[&'static Rule], web: &Web, end: At, limits: &Limits) {
    let mut history = History::default();
    let mut order: Vec<usize> = (0..report.sessions.len()).collect();
    order.sort_by_key(|place| report.sessions.get(*place).map(|session| session.ended));
    for place in order {
        let Some(session) = report.sessions.get_mut(place) else { continue };
        let around = Around {
            history: &history,
            attempts: &report.attempts,
            lookups: &report.lookups,
            tls: &report.tls_connections,
            web,
            end,
        };
        session.findings = session_findings(session, rules, &around, limits);
        session.diagnosis = diagnosis::of(session);
        history.add(session);
    }
    let mut findings = Vec::new();
    for rule in rules {
        if let Check::Capture(check) = &rule.check {
            check(report, &mut notes(rule, limits, &mut findings));
        }
    }
    report.findings = findings;
}

fn notes<'a>(rule: &'static Rule, limits: &Limits, findings: &'a mut Vec<Finding>) -> Notes<'a> {
    Notes { rule, cap: limits.findings_per_rule, findings }
}

fn session_findings(
    session: &Session,
    rules: &[&'static Rule],
    around: &Around<'_>,
    limits: &Limits,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules {
        ask(rule, session, around, &mut notes(rule, limits, &mut findings));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn ask(rule: &'static Rule, session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if rule.needs == Needs::WholeSession && !is_whole(session) {
        return;
    }
    match &rule.check {
        Check::Connection(check) => {
            session.connections.iter().for_each(|connection| check(connection, notes));
        }
        Check::Exchange(check) => {
            let whole = |exchange: &&Exchange| {
                rule.needs != Needs::WholeExchange || exchange_is_whole(exchange)
            };
            session
                .exchanges
                .iter()
                .filter(whole)
                .for_each(|exchange| check(session, exchange, notes));
        }
        Check::Session(check) => check(session, notes),
        Check::Around(check) => check(session, around, notes),
        Check::Capture(_) => {}
    }
}

fn exchange_is_whole(exchange: &Exchange) -> bool {
    let cut = |odd: &[String]| odd.iter().any(|odd| odd == "cut");
    exchange.request.as_ref().is_some_and(|request| !cut(&request.odd))
        && exchange.response.as_ref().is_some_and(|response| !response.is_cut())
}

/// Whether nothing of the session escaped the capture.
pub(super) fn is_whole(session: &Session) -> bool {
    let lost = |connection: &crate::stream::Connection| {
        [&connection.client_side, &connection.server_side]
            .iter()
            .any(|side| side.lost_by_capture > 0 || side.cut > 0)
    };
    !session.joined
        && !session
            .connections
            .iter()
            .any(|connection| lost(connection) || connection.is_one_sided())
}

/// The worst severity in a report.
pub fn worst(report: &Report) -> Option<Severity> {
    let all =
        report.findings.iter().chain(report.sessions.iter().flat_map(|session| &session.findings));
    all.map(|finding| finding.severity).max()
}
