//! The front door of the library: frames in, a report out.

use crate::bits::secrets::Secrets;
use crate::capture::{Frame, Input};
use crate::engine::Engine;
use crate::http::{Event, Listener};
use crate::limits::Limits;
use crate::model::attempt::Attempts;
use crate::model::report::Tool;
use crate::model::tls::TlsConnections;
use crate::model::{Report, Session};
use crate::observe::Observer;
use crate::rules::hosts::needed;
use crate::rules::{ALL, Judge, Rule, Sight};
use crate::sessions::Sessions;
use crate::stream::Connection;
use crate::tls::KeyLog;

/// What an analysis is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The caps.
    pub limits: Limits,
    /// Hash the uploaded files.
    pub digest: bool,
    /// The rules to ask.
    pub rules: Vec<&'static Rule>,
    /// What becomes of credentials in heads and URLs.
    pub secrets: Secrets,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            digest: false,
            rules: ALL.to_vec(),
            secrets: Secrets::default(),
        }
    }
}

/// One analysis of one or several captures.
pub struct Analysis {
    engine: Engine,
    sessions: Sessions,
    attempts: Attempts,
    judge: Judge,
    /// The sessions that are over and go into the report.
    kept: Vec<Session>,
    tls: TlsConnections,
}

impl Analysis {
    /// An analysis that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        let Options { limits, digest, rules, secrets } = options;
        Self {
            attempts: Attempts::new(limits.attempts),
            tls: TlsConnections::new(limits.tls_connections, limits.tls_ordinary),
            judge: Judge::new(rules, &limits),
            engine: Engine::new(limits.clone()),
            sessions: Sessions::new(limits, digest, secrets),
            kept: Vec::new(),
        }
    }

    /// The secrets and keys that open TLS, to add to them.
    pub const fn keys(&mut self) -> &mut KeyLog {
        self.engine.keys()
    }

    /// Whether any connection waits for its keys.
    pub fn waits_for_keys(&self) -> bool {
        self.engine.waits_for_keys()
    }

    /// Takes a frame; `observer` learns what it completes.
    #[inline(always)]
    pub fn push(&mut self, frame: &Frame<'_>, observer: &mut impl Observer) {
        self.engine.push(frame, &mut Feed { sessions: &mut self.sessions, observer });
        if self.engine.has_closed() {
            self.hand_on_closed(observer);
        }
        if self.sessions.may_be_due(self.engine.last()) {
            self.hand_out(observer);
        }
    }

    /// Ends the analysis. `inputs` are the facts of what was read.
    pub fn finish(mut self, inputs: Vec<Input>, observer: &mut impl Observer) -> Report {
        while self.end_connection(observer) {
            self.hand_on_closed(observer);
        }
        self.sessions.finish();
        self.hand_out(observer);
        // Not by a copy of half of them.
        self.kept.sort_by_cached_key(Session::order);
        let mut quality = self.engine.quality();
        quality.attempts_omitted = self.attempts.omitted();
        quality.exchanges_omitted = self.sessions.omitted();
        quality.sessions_forgotten = self.sessions.forgotten();
        quality.late_messages = self.sessions.late();
        quality.tls_omitted = self.tls.omitted();
        let mut report = Report {
            schema: "bitsleuth.report".to_owned(),
            schema_version: "1.0.0".to_owned(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            captures: inputs,
            quality,
            sessions: self.kept,
            unasked: 0,
            attempts: self.attempts.finish(),
            lookups: self.engine.lookups(),
            tls_connections: self.tls.finish(),
            downloads: self.sessions.web().downloads().cloned(),
            notifications: self.sessions.notifications(),
            findings: Vec::new(),
        };
        self.judge.tunnels(self.sessions.refused_tunnels(), self.engine.last());
        self.judge.beheaded(self.sessions.beheaded());
        self.judge.lost_in(self.engine.lost_in());
        self.judge.capture(&mut report);
        report
    }

    /// Ends the connection that began first; false when there is none.
    fn end_connection(&mut self, observer: &mut impl Observer) -> bool {
        self.engine.finish(&mut Feed { sessions: &mut self.sessions, observer })
    }

    /// Tells whoever follows connections of those that are over.
    fn hand_on_closed(&mut self, observer: &mut impl Observer) {
        while let Some(connection) = self.engine.closed() {
            observer.closed(&connection);
            self.attempts.closed(&connection);
            self.tls.closed(&connection);
            self.sessions.closed(&connection, observer);
        }
    }

    /// Judges the sessions of which nothing more is expected, and hands them over.
    fn hand_out(&mut self, observer: &mut impl Observer) {
        let (engine, now) = (&self.engine, self.engine.last());
        while let Some(mut session) = self.sessions.due(now, |id| engine.connection(id)) {
            let facts = |id| engine.connection(id);
            let open = self.sessions.open_of(&session, facts);
            let legs = self.sessions.legs_of(&session, &open, facts);
            let lookups = engine.lookups_of(&needed(&session));
            self.judge.session(
                &mut session,
                &Sight {
                    open: &open,
                    legs: &legs,
                    attempts: self.attempts.so_far(),
                    lookups: &lookups,
                    tls: &self.tls,
                    web: self.sessions.web(),
                    end: now,
                },
            );
            let weight = session.weight;
            match observer.session(session) {
                Some(mut session) => {
                    session.slim();
                    self.sessions.hold(session.size());
                    self.kept.push(session);
                }
                None => self.sessions.release(weight),
            }
        }
    }
}

/// Tells the observer of HTTP events, then the sessions.
struct Feed<'a, O> {
    sessions: &'a mut Sessions,
    observer: &'a mut O,
}

impl<O: Observer> Listener for Feed<'_, O> {
    #[inline(always)]
    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        self.observer.http(connection, event);
        self.sessions.push(connection, event, self.observer);
    }

    fn ended(&mut self, connection: &Connection) {
        self.sessions.ended(connection);
    }
}
