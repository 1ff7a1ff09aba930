//! Asks every rule, where the capture holds what it needs.

use super::{ALL, Check, Finding, Needs, Notes, Rule, Severity, diagnosis};
use crate::limits::Limits;
use crate::model::{Exchange, Report, Session};

/// Judges a report: fills in the findings and the diagnosis of each session, and the findings of the whole.
pub fn judge(report: &mut Report, limits: &Limits) {
    for session in &mut report.sessions {
        session.findings = session_findings(session, limits);
        session.diagnosis = diagnosis::of(session);
    }
    let mut findings = Vec::new();
    for rule in ALL {
        if let Check::Capture(check) = &rule.check {
            check(
                report,
                &mut Notes { rule, cap: limits.findings_per_rule, findings: &mut findings },
            );
        }
    }
    report.findings = findings;
}

fn session_findings(session: &Session, limits: &Limits) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in ALL {
        ask(
            rule,
            session,
            &mut Notes { rule, cap: limits.findings_per_rule, findings: &mut findings },
        );
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn ask(rule: &'static Rule, session: &Session, notes: &mut Notes<'_>) {
    if rule.needs == Needs::WholeSession && !is_whole(session) {
        return;
    }
    match &rule.check {
        Check::Session(check) => check(session, notes),
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
        Check::Capture(_) => {}
    }
}

fn exchange_is_whole(exchange: &Exchange) -> bool {
    let cut = |odd: &[String]| odd.iter().any(|odd| odd == "cut");
    exchange.request.as_ref().is_some_and(|request| !cut(&request.odd))
        && exchange.response.as_ref().is_some_and(|response| !response.is_cut())
}

/// Whether nothing of the session escaped the capture.
fn is_whole(session: &Session) -> bool {
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
