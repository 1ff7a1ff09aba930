//! One event a line, written as things happen.

use std::io::{self, Write};

use serde_json::Value;

use super::json;
use crate::at::Timestamp;
use crate::capture::Input;
use crate::model::{Exchange, Report, Session};
use crate::observe::Observer;
use crate::rules::Finding;

/// What the lines look like.
pub trait Form {
    /// Takes the inputs in, once they are known for good.
    fn inputs(&mut self, _captures: &[Input]) {}
    /// The first line, if there is one.
    fn start(&self) -> Option<Value> {
        None
    }
    /// A request with its answer, or one that none came to. `session` where it is known.
    fn exchange(&self, exchange: &Exchange, session: Option<&Session>) -> Value;
    /// A session at its end, without its exchanges and findings.
    fn session(&self, session: &Session) -> Value;
    /// A finding, about a session or about the whole capture.
    fn finding(&self, finding: &Finding, session: Option<&Session>, report: &Report) -> Value;
    /// The last line, if there is one.
    fn end(&self, _report: &Report) -> Option<Value> {
        None
    }
}

/// Writes a line for every exchange once it is answered, and the rest at the end.
pub struct Events<W: Write, F> {
    out: W,
    form: F,
    live: bool,
    result: io::Result<()>,
}

impl<W: Write, F: Form> Events<W, F> {
    /// Writes to `out`. Unless `live`, exchanges wait for the end, when it is known what session each belongs to.
    pub fn new(out: W, form: F, live: bool) -> Self {
        let start = form.start();
        let mut events = Self { out, form, live, result: Ok(()) };
        start.iter().for_each(|line| events.put(line));
        events
    }

    /// Writes what was not written yet: sessions, findings, and exchanges without an answer.
    ///
    /// # Errors
    ///
    /// The first that writing met, now or before.
    pub fn finish(mut self, report: &Report) -> io::Result<()> {
        self.form.inputs(&report.captures);
        for session in &report.sessions {
            for exchange in &session.exchanges {
                if !self.live || exchange.response.is_none() {
                    let line = self.form.exchange(exchange, Some(session));
                    self.put(&line);
                }
            }
            let line = self.form.session(session);
            self.put(&line);
            for finding in &session.findings {
                let line = self.form.finding(finding, Some(session), report);
                self.put(&line);
            }
        }
        for finding in &report.findings {
            let line = self.form.finding(finding, None, report);
            self.put(&line);
        }
        self.form.end(report).iter().for_each(|line| self.put(line));
        self.result
    }

    fn put(&mut self, line: &Value) {
        if self.result.is_ok() {
            let out = &mut self.out;
            // Flushed line by line: who reads a pipe wants to know now.
            self.result = json::write_line(out, line).and_then(|()| out.flush());
        }
    }
}

impl<W: Write, F: Form> Observer for Events<W, F> {
    fn exchange(&mut self, exchange: &Exchange) {
        if self.live {
            let line = self.form.exchange(exchange, None);
            self.put(&line);
        }
    }

    fn has_enough(&self) -> bool {
        self.result.is_err()
    }
}

/// The session id that an exchange itself names.
pub(super) fn id_of(exchange: &Exchange) -> Option<&str> {
    let asked = exchange.request.as_ref().and_then(|request| request.session_id.as_deref());
    let given = exchange.response.as_ref().and_then(|response| response.session_id.as_deref());
    asked.or(given).filter(|id| !id.is_empty())
}

/// When a finding happened: at the first frame that proves it, else at the end of its session or of the capture.
pub(super) fn time_of(
    finding: &Finding,
    session: Option<&Session>,
    report: &Report,
) -> Option<Timestamp> {
    let proven = finding.proof.first().map(|at| at.time);
    let ended = session.map(|session| session.ended);
    proven.or(ended).or_else(|| report.captures.iter().filter_map(|input| input.last).max())
}
