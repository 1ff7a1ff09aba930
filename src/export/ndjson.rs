//! Events as lines of JSON, told apart by `event_type`.

use serde_json::{Value, json};

use super::events::{Form, id_of};
use crate::model::{Exchange, Report, Session};
use crate::rules::Finding;

/// `start`, then `exchange`, `session` and `finding` in any number, then `end`. Their keys are those of the report,
/// with `event_type`, `timestamp` and `session_id` in addition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ndjson;

impl Form for Ndjson {
    fn start(&self) -> Option<Value> {
        let tool = json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")});
        Some(json!({
            "event_type": "start", "schema": "bitsleuth.events", "schema_version": "1.0.0", "tool": tool,
        }))
    }

    fn exchange(&self, exchange: &Exchange, session: Option<&Session>) -> Value {
        let id = session.and_then(|session| session.id.as_deref()).or_else(|| id_of(exchange));
        let time = exchange.span().first.time;
        event("exchange", json!(time), id, json!(exchange))
    }

    fn session(&self, session: &Session) -> Value {
        let bare = Session { exchanges: Vec::new(), findings: Vec::new(), ..session.clone() };
        let mut fields = json!(bare);
        if let Some(fields) = fields.as_object_mut() {
            fields.remove("exchanges");
            fields.remove("findings");
        }
        event("session", json!(session.ended), session.id.as_deref(), fields)
    }

    fn finding(&self, finding: &Finding, session: Option<&Session>, report: &Report) -> Value {
        let time = super::events::time_of(finding, session, report);
        event(
            "finding",
            json!(time),
            session.and_then(|session| session.id.as_deref()),
            json!(finding),
        )
    }

    fn end(&self, report: &Report) -> Option<Value> {
        Some(json!({"event_type": "end", "captures": report.captures, "quality": report.quality}))
    }
}

fn event(kind: &str, time: Value, id: Option<&str>, mut fields: Value) -> Value {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("event_type".to_owned(), json!(kind));
        if !time.is_null() {
            fields.insert("timestamp".to_owned(), time);
        }
        if let Some(id) = id {
            fields.insert("session_id".to_owned(), json!(id));
        }
    }
    fields
}
