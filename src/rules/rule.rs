//! What a rule is.

use std::sync::LazyLock;

use super::diagnosis::Explained;
use super::{Around, Notes, Seen, Severity};
use crate::model::{Exchange, Report, Session, Text};
use crate::stream::Connection;

/// One judgement.
#[derive(Debug)]
pub struct Rule {
    pub(super) module: &'static str,
    /// How much a finding matters.
    pub severity: Severity,
    /// How well it explains an upload that went wrong, from 0 (not at all) to 100: who answered and what they said
    /// comes before TCP, and TCP before the limits of the capture.
    pub belief: u8,
    /// What the capture must hold for the rule to say anything.
    pub needs: Needs,
    /// Its documentation as it stands in the source.
    pub docs: &'static str,
    /// What it says in notes, read when first asked for.
    pub(super) read: LazyLock<Read>,
    /// What it looks at.
    pub check: Check,
}

/// A rule's name and the notes in its documentation.
#[derive(Debug)]
pub(super) struct Read {
    pub id: Text,
    pub advice: Option<Text>,
    pub answerable: Option<Text>,
    client: Option<Text>,
    pub confirm: Option<Text>,
    pub reference: Option<Text>,
}

impl Read {
    pub fn of(module: &str, docs: &'static str) -> Self {
        let note = |name: &str| {
            let line = docs.lines().map(str::trim).find(|line| is_note(line, name))?;
            line.split_once(':').map(|(_, text)| text.trim().into())
        };
        Self {
            id: module.rsplit("::").next().unwrap_or(module).replace('_', "-").into(),
            advice: note("Advice"),
            answerable: note("Answerable"),
            client: note("Client"),
            confirm: note("Confirm"),
            reference: note("Reference"),
        }
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Check {
    /// Each TCP connection of each session.
    Connection(fn(&Connection, &mut Notes<'_>)),
    /// Each exchange of each session.
    Exchange(fn(&Session, &Exchange, &mut Notes<'_>)),
    /// Each exchange that did not go smoothly: without an answer, or with one that is no Ack of success or has an
    /// error.
    Trouble(fn(&Session, &Exchange, &mut Notes<'_>)),
    /// Each exchange that did not go smoothly, and what the capture shows around it.
    TroubleAround(fn(&Session, &Exchange, &Around<'_>, &mut Notes<'_>)),
    /// Each session.
    Session(fn(&Session, &mut Notes<'_>)),
    /// Each session and what the capture shows around it.
    Around(fn(&Session, &Around<'_>, &mut Notes<'_>)),
    /// Each session with an exchange that did not go smoothly.
    TroubledSession(fn(&Session, &mut Notes<'_>)),
    /// Each session with an exchange that did not go smoothly, and what the capture shows around it.
    TroubledAround(fn(&Session, &Around<'_>, &mut Notes<'_>)),
    /// Each session with an exchange that did not go smoothly, once all others were asked, and what these explain of
    /// it.
    Rest(fn(&Session, &Explained, &mut Notes<'_>)),
    /// Everything at once.
    Capture(fn(&Report, &Seen, &mut Notes<'_>)),
    /// Each session and what is around it, then everything at once for what belongs to no session.
    Anywhere(fn(Place<'_>, &mut Notes<'_>)),
}

/// What a rule that looks anywhere is shown.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// A session and what the capture shows around it.
    Session(&'a Session, &'a Around<'a>),
    /// Everything at once.
    Capture(&'a Report, &'a Seen),
}

/// What the capture must hold for a rule to say anything; the absence of a packet proves nothing where some are
/// missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing in particular.
    Anything,
    /// For a rule about exchanges: a request that shows what it is, and its answer, whatever is cut off either, on a
    /// connection that did not lose bytes of both sides.
    Answered,
    /// For a rule about exchanges: as [`Answered`](Self::Answered), and request and answer have whole heads.
    WholeExchange,
    /// The session from its Create-Session on, both directions, no bytes lost.
    WholeSession,
}

/// Notes that a rule's documentation may hold, each on a line of its own.
const NOTES: [&str; 5] = ["Advice", "Answerable", "Client", "Confirm", "Reference"];

impl Rule {
    /// Its name: that of its file, in kebab-case.
    pub fn id(&self) -> String {
        self.read.id.to_string()
    }

    /// Whether `id` is its name.
    pub fn is_named(&self, id: &str) -> bool {
        let file = self.module.rsplit("::").next().unwrap_or(self.module);
        let letters = |letter: u8| if letter == b'_' { b'-' } else { letter };
        file.bytes().map(letters).eq(id.bytes())
    }

    /// What it is about: the name of its folder.
    pub fn family(&self) -> &'static str {
        self.module.rsplit("::").nth(1).unwrap_or(self.module)
    }

    /// The first line of its documentation.
    pub fn title(&self) -> &'static str {
        self.docs.lines().next().unwrap_or_default().trim()
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.read.advice.as_deref()
    }

    /// Who can do something about it.
    pub fn answerable(&self) -> Option<&str> {
        self.read.answerable.as_deref()
    }

    /// The code in the log of a Windows client that runs into it, as `0x80072EE2`.
    pub fn client_code(&self) -> Option<&str> {
        self.read.client.as_deref()
    }

    /// What would confirm it.
    pub fn confirm(&self) -> Option<&str> {
        self.read.confirm.as_deref()
    }

    /// The clause it rests on.
    pub fn reference(&self) -> Option<&str> {
        self.read.reference.as_deref()
    }

    /// What it means: the paragraphs between the title and the first example, one a line.
    pub fn text(&self) -> Vec<String> {
        let mut paragraphs: Vec<String> = vec![String::new()];
        let lines = self.docs.lines().skip(1).map(str::trim);
        for line in lines.take_while(|line| !line.starts_with("```")) {
            let note = NOTES.iter().any(|name| is_note(line, name));
            match paragraphs.last_mut() {
                _ if note => {}
                Some(last) if !line.is_empty() => {
                    last.push_str(if last.is_empty() { "" } else { " " });
                    last.push_str(line);
                }
                _ => paragraphs.push(String::new()),
            }
        }
        paragraphs.retain(|paragraph| !paragraph.is_empty());
        paragraphs
    }

    /// Its examples of one kind, `fires` or `silent`, as transcripts.
    pub fn examples(&self, kind: &str) -> Vec<String> {
        let mut examples = Vec::new();
        let mut open: Option<String> = None;
        for line in self.docs.lines() {
            let line = line.strip_prefix(' ').unwrap_or(line);
            match (&mut open, line.trim().strip_prefix("```")) {
                (None, Some(word)) if word == kind => open = Some(String::new()),
                (None, _) => {}
                (Some(_), Some(_)) => examples.extend(open.take()),
                (Some(text), None) => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        examples
    }
}

fn is_note(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "))
}
