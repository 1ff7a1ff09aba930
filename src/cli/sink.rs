//! Sessions that are handed on as soon as they are over, so that they need not be kept.

use std::io;

use bitsleuth::export::document::Document;
use bitsleuth::export::redact::{self, Pseudonyms};
use bitsleuth::export::{json, stix};
use bitsleuth::model::Session;
use bitsleuth::observe::Observer;
use bitsleuth::rules::{Severity, worst_of};

use super::select::Select;

/// Takes the sessions that were selected, in the form they are asked for.
pub struct Sink<'a> {
    select: &'a Select,
    names: Option<&'a Pseudonyms>,
    pub form: Form<'a>,
    /// How many were not.
    pub unasked: usize,
    /// The worst of those that were.
    pub worst: Option<Severity>,
    /// What writing met.
    pub failed: io::Result<()>,
}

/// What becomes of a session.
pub enum Form<'a> {
    /// It is kept for the table.
    Table,
    /// It is packed for the document.
    Document(Document),
    /// It is written.
    Lines(json::Lines<'a>),
    /// It is written, as far as no other one wrote the same.
    Bundle(stix::Bundle<'a>),
}

impl<'a> Sink<'a> {
    /// One that took none yet.
    pub const fn new(select: &'a Select, names: Option<&'a Pseudonyms>, form: Form<'a>) -> Self {
        Self { select, names, form, unasked: 0, worst: None, failed: Ok(()) }
    }
}

impl Observer for Sink<'_> {
    fn session(&mut self, mut session: Session) -> Option<Session> {
        if self.failed.is_err() {
            return None;
        }
        if !self.select.keep(&session) {
            self.unasked += 1;
            return None;
        }
        self.worst = self.worst.max(worst_of(&session));
        if let (Some(names), false) = (self.names, matches!(self.form, Form::Table)) {
            redact::session(&mut session, names);
        }
        self.failed = match &mut self.form {
            // Named with the rest of the report.
            Form::Table => return Some(session),
            Form::Document(document) => document.add(&session),
            Form::Lines(lines) => lines.write(&session),
            Form::Bundle(bundle) => bundle.add(&session),
        };
        None
    }

    fn has_enough(&self) -> bool {
        self.failed.is_err()
    }
}
