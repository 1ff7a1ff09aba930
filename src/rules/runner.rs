//! Asks every rule, where the capture holds what it needs.

use std::cell::Cell;

use super::around::{Around, Sight, handshakes_of};
use super::diagnosis::{self, Explained};
use super::history::{History, canonical};
use super::{
    Check, Finding, Needs, Notes, Place, Rule, Seen, Severity, address, cite, look, other_server,
    relay, rounds, uncaptured,
};
use crate::at::{At, Span};
use crate::limits::Limits;
use crate::model::{Door, Exchange, RefusedTunnel, Report, Response, Session};

/// Judges sessions one by one, in the order in which they end, and the capture at last.
#[derive(Debug)]
pub struct Judge {
    rules: Vec<&'static Rule>,
    /// The rules that have something to ask a session without trouble.
    smooth: Vec<&'static Rule>,
    history: History,
    seen: Seen,
    findings_per_rule: usize,
    /// Findings beyond that cap.
    omitted: Cell<u64>,
}

impl Judge {
    /// One that asks `rules`.
    pub fn new(rules: Vec<&'static Rule>, limits: &Limits) -> Self {
        Self {
            smooth: rules.iter().filter(|rule| speaks_of_smooth(rule)).copied().collect(),
            rules,
            history: History::default(),
            seen: Seen::default(),
            findings_per_rule: limits.findings_per_rule,
            omitted: Cell::new(0),
        }
    }

    /// Fills in the findings and the diagnosis of a session.
    pub fn session(&mut self, session: &mut Session, sight: &Sight<'_>) {
        let uploads = &self.history.uploads(session, sight.open);
        let handshakes = &handshakes_of(session, sight.tls).collect::<Vec<_>>();
        let (id, url) = (canonical(session), session.url.clone());
        let around = Around {
            history: &self.history,
            uploads,
            id: id.as_ref(),
            host: url.as_deref().and_then(address::host_and_port),
            handshakes,
            sight: *sight,
        };
        // What was confirmed on the other side of a proxy came from the server on this one.
        let other = around.other_side(session);
        if other.is_some_and(|other| Some(other.acknowledged) == other.total) {
            session.tell_whole_elsewhere();
        }
        let mut findings = self.findings(session, &around);
        other_server::reword(session, &mut findings);
        relay::reword(session, &around, &mut findings);
        session.findings = findings;
        session.diagnosis = diagnosis::of(session, &around);
        self.seen.add_handshakes(handshakes);
        self.seen.add_uncaptured(uncaptured::of(session, &around));
        self.history.add(session, id);
        self.seen.add(session);
    }

    /// Takes in tunnels for BITS that were refused; where credentials were asked for, those with the connection closed
    /// upon it, those asked for time after time, and those that had the time to come by `end`.
    pub fn tunnels(&mut self, refused: &[RefusedTunnel], end: At) {
        let over = |one: &&RefusedTunnel| {
            !Door::Proxy.stopped(&one.exchange)
                || one.is_over
                || one.tries >= rounds::MANY
                || rounds::has_given_up(&one.exchange, end)
        };
        self.seen.tunnels = refused.iter().filter(over).cloned().collect();
    }

    /// Takes in how many requests of BITS are cut within their first line, and their frames.
    pub const fn beheaded(&mut self, requests: Option<(u64, Span)>) {
        self.seen.beheaded = requests;
    }

    /// Takes in where the capture lacks bytes, which counts where it lacks none of uploads.
    pub fn lost_in(&mut self, span: Option<Span>) {
        self.seen.lost_in = self.seen.lost_in.or(span);
    }

    /// Fills in the findings of the whole.
    pub fn capture(&self, report: &mut Report) {
        let mut findings = Vec::new();
        for rule in &self.rules {
            let notes = &mut self.notes(rule, &mut findings);
            match &rule.check {
                Check::Capture(check) => check(report, &self.seen, notes),
                Check::Anywhere(check) => check(Place::Capture(report, &self.seen), notes),
                _ => {}
            }
        }
        report.findings = findings;
        report.quality.findings_omitted = self.omitted.get();
    }

    fn notes<'a>(&'a self, rule: &'static Rule, findings: &'a mut Vec<Finding>) -> Notes<'a> {
        Notes { rule, cap: self.findings_per_rule, omitted: &self.omitted, findings }
    }

    fn findings(&self, session: &Session, around: &Around<'_>) -> Vec<Finding> {
        let shown = Shown::of(session);
        let mut findings = Vec::new();
        let rules = if shown.troubled.is_empty() { &self.smooth } else { &self.rules };
        for rule in rules {
            ask(rule, &shown, around, &mut self.notes(rule, &mut findings));
        }
        for rule in rules {
            if let Check::Rest(check) = rule.check {
                let explained = Explained::of(session, &findings, rule);
                check(session, &explained, &mut self.notes(rule, &mut findings));
            }
        }
        findings.iter_mut().for_each(|finding| cite::answer(session, finding));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }
}

/// A session as rules are shown it.
struct Shown<'s> {
    session: &'s Session,
    whole: bool,
    exchanges: Vec<Part<'s>>,
    /// Those that did not go smoothly.
    troubled: Vec<Part<'s>>,
}

/// An exchange, and how much of it was captured.
#[derive(Clone, Copy)]
struct Part<'s> {
    exchange: &'s Exchange,
    answered: bool,
    whole: bool,
}

impl<'s> Part<'s> {
    fn of(session: &Session, exchange: &'s Exchange) -> Self {
        let answered = look::is_answered(session, exchange);
        Self { exchange, answered, whole: answered && look::has_whole_heads(exchange) }
    }

    /// Whether the capture holds as much of it as a rule needs.
    const fn suits(&self, needs: Needs) -> bool {
        match needs {
            Needs::Answered => self.answered,
            Needs::WholeExchange => self.whole,
            Needs::Anything | Needs::WholeSession => true,
        }
    }
}

impl<'s> Shown<'s> {
    fn of(session: &'s Session) -> Self {
        let part = |exchange| Part::of(session, exchange);
        let exchanges: Vec<_> = session.exchanges.iter().map(part).collect();
        let troubled = exchanges.iter().filter(|part| !is_smooth(part.exchange)).copied().collect();
        Self { session, whole: session.is_whole(), exchanges, troubled }
    }
}

/// Whether a rule may have something to say of a session in which all went smoothly.
const fn speaks_of_smooth(rule: &Rule) -> bool {
    !matches!(
        rule.check,
        Check::Trouble(_)
            | Check::TroubleAround(_)
            | Check::TroubledSession(_)
            | Check::TroubledAround(_)
            | Check::Rest(_)
            | Check::Capture(_)
    )
}

fn is_smooth(exchange: &Exchange) -> bool {
    let smooth =
        |answer: &Response| answer.is_success() && answer.is_ack() && answer.error.is_none();
    exchange.response.as_ref().is_some_and(smooth)
}

fn ask(rule: &'static Rule, shown: &Shown<'_>, around: &Around<'_>, notes: &mut Notes<'_>) {
    if rule.needs == Needs::WholeSession && !shown.whole {
        return;
    }
    let session = shown.session;
    let heard = |part: &&Part<'_>| part.suits(rule.needs);
    let exchanges = shown.exchanges.iter().filter(heard).map(|part| part.exchange);
    let troubled = shown.troubled.iter().filter(heard).map(|part| part.exchange);
    match &rule.check {
        Check::Connection(check) => {
            session.connections().for_each(|connection| check(connection, notes));
        }
        Check::Exchange(check) => exchanges.for_each(|exchange| check(session, exchange, notes)),
        Check::Trouble(check) => troubled.for_each(|exchange| check(session, exchange, notes)),
        Check::TroubleAround(check) => {
            troubled.for_each(|exchange| check(session, exchange, around, notes));
        }
        Check::Session(check) | Check::TroubledSession(check) => check(session, notes),
        Check::Around(check) | Check::TroubledAround(check) => check(session, around, notes),
        Check::Anywhere(check) => check(Place::Session(session, around), notes),
        Check::Rest(_) | Check::Capture(_) => {}
    }
}

/// The worst severity in a report.
pub fn worst(report: &Report) -> Option<Severity> {
    let of_capture = report.findings.iter().map(|finding| finding.severity).max();
    report.sessions.iter().map(worst_of).max().flatten().max(of_capture)
}

/// The worst severity of a session: an upload that was rejected or failed is an error, whatever was found of it.
pub fn worst_of(session: &Session) -> Option<Severity> {
    let failed = session.outcome.is_failure().then_some(Severity::Error);
    session.findings.iter().map(|finding| finding.severity).max().max(failed)
}
