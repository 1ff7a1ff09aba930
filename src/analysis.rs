//! The front door of the library: frames in, a report out.

use crate::capture::{Frame, Input};
use crate::engine::Engine;
use crate::limits::Limits;
use crate::model::attempt::Attempts;
use crate::model::report::Tool;
use crate::model::{Report, TlsConnection};
use crate::observe::Observer;
use crate::rules::{ALL, Rule, judge};
use crate::sessions::Sessions;
use crate::stream::Connection;
use crate::tls::RsaKeyError;

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
    tls: Vec<TlsConnection>,
    tls_omitted: u64,
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
            tls: Vec::new(),
            tls_omitted: 0,
            rules,
            limits,
        }
    }

    /// Takes TLS secrets, as lines of an NSS key log.
    pub fn secrets(&mut self, text: &[u8]) {
        self.engine.secrets(text);
    }

    /// As [`Self::secrets`], of a file of this name.
    pub fn secrets_from(&mut self, source: &str, text: &[u8]) {
        self.engine.secrets_from(source, text);
    }

    /// Takes a server's RSA private key in PEM form, for TLS whose only secret it is.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] where there is no such key.
    pub fn rsa_key(&mut self, pem: &[u8]) -> Result<(), RsaKeyError> {
        self.engine.rsa_key(pem)
    }

    /// Whether connections wait for keys: what more of them there are should be given now.
    pub fn waits_for_keys(&self) -> bool {
        self.engine.waits_for_keys()
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
        quality.tls_omitted = self.tls_omitted;
        let (sessions, web) = self.sessions.finish();
        let end = self.engine.last();
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
            tls_connections: self.tls,
            lookups: self.engine.lookups(),
            findings: Vec::new(),
        };
        judge(&mut report, &self.rules, &web, end, &self.limits);
        report
    }

    fn keep_tls(&mut self, connection: &Connection) {
        match TlsConnection::of(connection) {
            Some(_) if self.tls.len() >= self.limits.tls_connections => self.tls_omitted += 1,
            Some(facts) => self.tls.push(facts),
            None => {}
        }
    }

    fn forget(&mut self, observer: &mut impl Observer) {
        while let Some(connection) = self.engine.closed() {
            observer.closed(&connection);
            self.attempts.closed(&connection);
            self.keep_tls(&connection);
            self.sessions.closed(connection);
        }
    }
}
