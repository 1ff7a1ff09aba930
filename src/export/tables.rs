//! A report as flat tables with typed columns: what CSV and Parquet have in common.

use serde::Serialize;

use crate::at::{At, Numbered, Timestamp};
use crate::bits::PacketType;
use crate::capture::Input;
use crate::model::session::Fragment;
use crate::model::{Exchange, Report, Session};
use crate::rules::Finding;

/// Which table of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// One row per upload.
    #[default]
    Sessions,
    /// One row per Fragment request.
    Fragments,
    /// One row per finding.
    Findings,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A count, an offset or a number of a frame.
    Integer,
    /// A measure.
    Number,
    /// A moment.
    Time,
    /// Yes or no.
    Flag,
}

/// One cell that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Integer`].
    Integer(u64),
    /// Of [`Kind::Number`].
    Number(f64),
    /// Of [`Kind::Time`].
    Time(Timestamp),
    /// Of [`Kind::Flag`].
    Flag(bool),
}

/// A column: its name, what it holds, and how it comes from a row.
#[derive(Debug)]
pub struct Column {
    /// Its name, in snake_case.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    of: fn(&Row<'_>) -> Option<Value>,
}

/// What a row is made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'r> {
    /// Place of the session in the report, from 1: what ties the tables together.
    number: Option<u64>,
    session: Option<&'r Session>,
    fragment: Option<&'r Fragment>,
    /// What carried the Fragment.
    exchange: Option<&'r Exchange>,
    finding: Option<&'r Finding>,
    captures: &'r [Input],
}

impl Row<'_> {
    /// The name of the capture that a frame is in, where there are several.
    fn capture(&self, at: At) -> Option<Value> {
        self.named(at.place())
    }

    /// The name of a capture by its place, where there are several.
    fn named(&self, place: u32) -> Option<Value> {
        let several = self.captures.len() > 1;
        let place = usize::try_from(place).ok().filter(|_| several)?;
        text(&self.captures.get(place)?.name)
    }
}

impl Column {
    /// The cell of a row; `None` where the report does not know.
    pub fn of(&self, row: &Row<'_>) -> Option<Value> {
        (self.of)(row)
    }
}

impl Table {
    /// Its columns in order.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Sessions => SESSIONS,
            Self::Fragments => FRAGMENTS,
            Self::Findings => FINDINGS,
        }
    }

    /// Its rows in the order of the report.
    pub fn rows(self, report: &Report) -> Box<dyn Iterator<Item = Row<'_>> + '_> {
        let sessions = (1_u64..).zip(&report.sessions).map(|(number, session)| Row {
            number: Some(number),
            session: Some(session),
            captures: &report.captures,
            ..Row::default()
        });
        match self {
            Self::Sessions => Box::new(sessions),
            Self::Fragments => Box::new(sessions.flat_map(|row| {
                let fragments = row.session.map_or(&[][..], |session| &session.fragments);
                let exchanges = row.session.into_iter().flat_map(carriers).map(Some);
                let both = fragments.iter().zip(exchanges.chain(std::iter::repeat(None)));
                both.map(move |(fragment, exchange)| Row {
                    fragment: Some(fragment),
                    exchange,
                    ..row
                })
            })),
            Self::Findings => {
                let captures = &report.captures[..];
                let outer = report.findings.iter().map(move |finding| Row {
                    finding: Some(finding),
                    captures,
                    ..Row::default()
                });
                Box::new(outer.chain(sessions.flat_map(|row| {
                    let findings = row.session.map_or(&[][..], |session| &session.findings);
                    findings.iter().map(move |finding| Row { finding: Some(finding), ..row })
                })))
            }
        }
    }
}

/// What carried the Fragments of a session, in their order.
fn carriers(session: &Session) -> impl Iterator<Item = &Exchange> {
    let asked = session.exchanges.iter().filter(|exchange| exchange.request.is_some());
    asked.filter(|exchange| exchange.kind == PacketType::Fragment)
}

fn text(value: impl ToString) -> Option<Value> {
    Some(Value::Text(value.to_string()))
}

fn maybe(value: Option<&str>) -> Option<Value> {
    value.map(|value| Value::Text(value.to_owned()))
}

/// The word that JSON has for a value.
fn word(value: impl Serialize) -> Option<Value> {
    maybe(serde_json::to_value(value).ok()?.as_str())
}

fn words(words: impl Iterator<Item = impl ToString>) -> Option<Value> {
    let words: Vec<String> = words.map(|word| word.to_string()).collect();
    (!words.is_empty()).then(|| Value::Text(words.join(" ")))
}

const fn number(frame: Numbered) -> Option<Value> {
    Some(Value::Integer(frame.0.frame))
}

fn label(frame: Numbered) -> Option<Value> {
    frame.0.label().map(Value::Text)
}

macro_rules! columns {
    ($($name:ident $kind:ident |$row:ident| $value:expr;)*) => {
        &[$(Column { name: stringify!($name), kind: Kind::$kind, of: |$row| $value },)*]
    };
}

const SESSIONS: &[Column] = columns! {
    session Integer |r| r.number.map(Value::Integer);
    session_id Text |r| maybe(r.session?.id.as_deref());
    outcome Text |r| text(r.session?.outcome.name());
    outcome_qualifiers Text |r| words(r.session?.outcome_qualifiers.iter().map(|it| it.name()));
    started Time |r| Some(Value::Time(r.session?.started));
    ended Time |r| Some(Value::Time(r.session?.ended));
    duration_seconds Number |r| Some(Value::Number(r.session?.duration_seconds));
    client_address Text |r| text(r.session?.client.address);
    server_address Text |r| text(r.session?.server.address);
    server_port Integer |r| Some(Value::Integer(r.session?.server.port.into()));
    server_host Text |r| maybe(r.session?.server.host.as_deref());
    url Text |r| maybe(r.session?.url.as_deref());
    user_agent Text |r| maybe(r.session?.user_agent.as_deref());
    content_name Text |r| maybe(r.session?.content_name.as_deref());
    host_id Text |r| maybe(r.session?.host_id.as_deref());
    reply_url Text |r| maybe(r.session?.reply_url.as_deref());
    protocol_selected Text |r| text(&r.session?.negotiation.as_ref()?.selected.as_ref()?.guid);
    protocols_offered Integer |r| {
        Some(Value::Integer(r.session?.negotiation.as_ref()?.offered.len() as u64))
    };
    fragments Integer |r| Some(Value::Integer(r.session?.fragments.len() as u64));
    bytes_total Integer |r| r.session?.bytes_total.map(Value::Integer);
    bytes_sent Integer |r| Some(Value::Integer(r.session?.bytes_sent));
    bytes_unique Integer |r| Some(Value::Integer(r.session?.bytes_unique));
    bytes_acknowledged Integer |r| Some(Value::Integer(r.session?.bytes_acknowledged));
    file_whole Flag |r| Some(Value::Flag(r.session?.file.as_ref()?.whole));
    file_sha256 Text |r| maybe(r.session?.file.as_ref()?.sha256.as_deref());
    error_http_status Integer |r| {
        Some(Value::Integer(r.session?.error.as_ref()?.http_status.into()))
    };
    error_hresult Text |r| maybe(r.session?.error.as_ref()?.hresult.as_deref());
    error_symbol Text |r| maybe(r.session?.error.as_ref()?.symbol.as_deref());
    error_frame Integer |r| number(r.session?.error.as_ref()?.frame);
    diagnosis_cause Text |r| text(&r.session?.diagnosis.as_ref()?.cause);
    diagnosis_answered_by Text |r| word(r.session?.diagnosis.as_ref()?.answered_by);
    diagnosis_client_error Text |r| maybe(r.session?.diagnosis.as_ref()?.client_error.as_deref());
    diagnosis_summary Text |r| text(&r.session?.diagnosis.as_ref()?.summary);
    superseded_by Text |r| maybe(r.session?.superseded_by.as_deref());
    error_frame_label Text |r| label(r.session?.error.as_ref()?.frame);
    capture Text |r| r.capture(r.session?.span()?.first);
    error_capture Text |r| r.capture(r.session?.error.as_ref()?.frame.0);
};

const FRAGMENTS: &[Column] = columns! {
    session Integer |r| r.number.map(Value::Integer);
    session_id Text |r| maybe(r.session?.id.as_deref());
    range_start Integer |r| r.fragment?.start.map(Value::Integer);
    range_end Integer |r| r.fragment?.end.map(Value::Integer);
    range_total Integer |r| r.fragment?.total.map(Value::Integer);
    http_status Integer |r| r.fragment?.http_status.map(|status| Value::Integer(status.into()));
    next_offset Integer |r| r.fragment?.next_offset.map(Value::Integer);
    request_frame Integer |r| number(r.fragment?.request_frame);
    response_frame Integer |r| number(r.fragment?.response_frame?);
    request_frame_label Text |r| label(r.fragment?.request_frame);
    response_frame_label Text |r| label(r.fragment?.response_frame?);
    client_address Text |r| text(r.exchange?.client.ip());
    server_address Text |r| text(r.exchange?.server.ip());
    server_port Integer |r| Some(Value::Integer(r.exchange?.server.port().into()));
    capture Text |r| r.capture(r.fragment?.request_frame.0);
};

const FINDINGS: &[Column] = columns! {
    session Integer |r| r.number.map(Value::Integer);
    session_id Text |r| maybe(r.session?.id.as_deref());
    rule Text |r| text(&r.finding?.rule);
    severity Text |r| text(r.finding?.severity.name());
    confidence Text |r| text(r.finding?.confidence.name());
    message Text |r| text(&r.finding?.message);
    frames Text |r| words(r.finding?.frames.iter());
    reference Text |r| maybe(r.finding?.reference.as_deref());
    advice Text |r| maybe(r.finding?.advice.as_deref());
    frame_labels Text |r| words(r.finding?.proof.iter().filter_map(At::label));
    capture Text |r| {
        let finding = r.finding?;
        r.named(finding.proof.first().map(At::place).or(finding.input)?)
    };
};
