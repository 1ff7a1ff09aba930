//! The front door of the library: frames in, a report out.

use crate::capture::{Frame, Input};
use crate::engine::Engine;
use crate::limits::Limits;
use crate::model::Report;
use crate::model::attempt::Attempts;
use crate::model::report::Tool;
use crate::observe::Observer;
use crate::rules::{ALL, Rule, judge};
use crate::sessions::Sessions;

/// What an analysis is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The caps.
    pub limits: Limits,
    /// Hash the uploaded files.
    pub digest: bool,
    /// The rules to ask.
    pub rules: Vec<&'static Rule>,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits::default(), digest: false, rules: ALL.to_vec() }
    }
}

/// One analysis of one or several captures.
pub struct Analysis {
    engine: Engine,
    sessions: Sessions,
    attempts: Attempts,
    rules: Vec<&'static Rule>,
    limits: Limits,
}

impl Analysis {
    /// An analysis that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        let Options { limits, digest, rules } = options;
        Self {
            engine: Engine::new(limits.clone()),
            sessions: Sessions::new(limits.clone(), digest),
            attempts: Attempts::new(limits.attempts),
            rules,
            limits,
        }
    }

    /// Takes TLS secrets, as lines of an NSS key log.
    pub fn secrets(&mut self, text: &[u8]) {
        self.engine.secrets(text);
    }

    /// Takes a frame; `observer` learns what it completes.
    pub fn push(&mut self, frame: &Frame<'_>, observer: &mut impl Observer) {
        let sessions = &mut self.sessions;
        self.engine.push(frame, |connection, event| {
            observer.http(connection, &event);
            sessions.push(connection, &event, observer);
        });
        self.forget(observer);
    }

    /// Ends the analysis. `inputs` are the facts of what was read.
    pub fn finish(mut self, inputs: Vec<Input>, observer: &mut impl Observer) -> Report {
        let sessions = &mut self.sessions;
        self.engine.finish(|connection, event| {
            observer.http(connection, &event);
            sessions.push(connection, &event, observer);
        });
        self.forget(observer);
        let mut quality = self.engine.quality();
        quality.attempts_omitted = self.attempts.omitted();
        quality.exchanges_omitted = self.sessions.omitted();
        let (sessions, web) = self.sessions.finish();
        let mut report = Report {
            schema: "bitsleuth.report".to_owned(),
            schema_version: "1.0.0".to_owned(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            captures: inputs,
            quality,
            sessions,
            attempts: self.attempts.finish(),
            findings: Vec::new(),
        };
        judge(&mut report, &self.rules, &web, self.engine.last(), &self.limits);
        report
    }

    fn forget(&mut self, observer: &mut impl Observer) {
        while let Some(connection) = self.engine.closed() {
            observer.closed(&connection);
            self.attempts.closed(&connection);
            self.sessions.closed(connection);
        }
    }
}
