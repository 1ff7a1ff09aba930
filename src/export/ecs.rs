//! Events with the field names of the Elastic Common Schema 8.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Map, Value, json};

use super::community;
use super::events::{Form, id_of, time_of};
use super::json::without_null;
use crate::at::{At, Timestamp};
use crate::bits::{PacketType, hresult};
use crate::capture::Input;
use crate::model::{Exchange, Outcome, Report, Request, Response, Session, url};
use crate::rules::{Finding, Severity, named};

/// The version whose field names are used.
const VERSION: &str = "8.17.0";

/// `bits.transaction`, `bits.session` and `bits.finding` events, told apart by `event.dataset`. What ECS has no name
/// for is under `bits`.
#[derive(Clone, Debug, Default)]
pub struct Ecs {
    captures: Vec<String>,
}

impl Ecs {
    /// With the names of the inputs: of several, each event tells the one it begins in.
    pub const fn of(captures: Vec<String>) -> Self {
        Self { captures }
    }

    /// The name of an input by its place; `None` where there is only one.
    fn capture(&self, place: Option<u32>) -> Option<&str> {
        let several = self.captures.len() > 1;
        let place = place.filter(|_| several).and_then(|place| usize::try_from(place).ok())?;
        self.captures.get(place).map(String::as_str)
    }

    fn log(&self, doc: &mut Object, place: Option<u32>, level: Option<&str>) {
        let file = json!({"path": self.capture(place)});
        doc.insert("log".into(), json!({"level": level, "file": file}));
    }
}

impl Form for Ecs {
    fn inputs(&mut self, captures: &[Input]) {
        self.captures = captures.iter().map(|input| input.name.clone()).collect();
    }

    fn exchange(&self, exchange: &Exchange, session: Option<&Session>) -> Value {
        let span = exchange.span();
        let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
        let outcome =
            response.map_or("unknown", |r| if r.is_success() { "success" } else { "failure" });
        let mut event = event("event", "bits.transaction", &["connection", "protocol"], outcome);
        event.insert("action".into(), json!(action(&exchange.kind)));
        lasted(&mut event, span.first.time, span.last.time);
        let mut doc = document(span.first.time, event);
        self.log(&mut doc, Some(span.first.place()), None);
        ends(&mut doc, exchange.client, exchange.server, exchange.tls);
        let agent = request.and_then(|request| request.user_agent.as_deref());
        asked(&mut doc, request.and_then(|request| url_or_path(exchange, request)), agent);
        doc.insert("http".into(), http(request, response));
        let id = session.and_then(|session| session.id.as_deref()).or_else(|| id_of(exchange));
        doc.insert("bits".into(), bits(exchange, id));
        without_null(Value::Object(doc))
    }

    fn session(&self, session: &Session) -> Value {
        let mut event =
            event("event", "bits.session", &["connection", "end"], outcome(session.outcome));
        event.insert("action".into(), json!("upload"));
        let reason = session.diagnosis.as_ref().map(|diagnosis| diagnosis.summary.as_str());
        event.insert("reason".into(), json!(reason));
        lasted(&mut event, session.started, session.ended);
        let mut doc = document(session.ended, event);
        self.log(&mut doc, session.span().map(|span| span.first.place()), None);
        whose(&mut doc, session);
        doc.insert("related".into(), json!({"ip": addresses(session)}));
        doc.insert("file".into(), file(session));
        doc.insert("bits".into(), json!({
            "session_id": session.id, "outcome": session.outcome.name(), "host_id": session.host_id,
            "protocol": session.negotiation.as_ref().map(|negotiation| json!({
                "offered": negotiation.offered.iter().map(|offer| &offer.guid).collect::<Vec<_>>(),
                "chosen": negotiation.selected.as_ref().map(|offer| &offer.guid),
                "verdict": negotiation.verdict,
            })),
            "bytes": {"total": session.bytes_total, "sent": session.bytes_sent,
                      "acknowledged": session.bytes_acknowledged},
            "error": session.error.as_ref().map(|error| json!({
                "code": error.hresult, "symbol": error.symbol, "context": error.context,
            })),
        }));
        doc.insert(
            "threat".into(),
            json!({
                "framework": "MITRE ATT&CK",
                "technique": {"id": ["T1197"], "name": ["BITS Jobs"],
                              "reference": ["https://attack.mitre.org/techniques/T1197/"]},
            }),
        );
        without_null(Value::Object(doc))
    }

    fn finding(&self, finding: &Finding, session: Option<&Session>, report: &Report) -> Value {
        let kind = if finding.severity > Severity::Note { "alert" } else { "event" };
        let mut event = event(kind, "bits.finding", &["info"], "unknown");
        event.insert("severity".into(), json!(finding.severity as u8 + 1));
        event.insert("reason".into(), json!(finding.message));
        let mut doc = document(time_of(finding, session, report).unwrap_or_default(), event);
        if let Some(session) = session {
            whose(&mut doc, session);
        }
        let rule = named(&finding.rule);
        doc.insert("message".into(), json!(finding.message));
        let place = finding.proof.first().map(At::place).or(finding.input);
        self.log(&mut doc, place, Some(finding.severity.name()));
        doc.insert(
            "rule".into(),
            json!({
                "id": finding.rule, "name": rule.map(|rule| rule.title()),
                "category": rule.map(|rule| rule.family()), "reference": finding.reference,
            }),
        );
        doc.insert(
            "bits".into(),
            json!({
                "session_id": session.and_then(|session| session.id.as_ref()),
                // Elsewhere `frames` is an object, and a field of an index has one type.
                "finding": {"frames": finding.frames, "frame_labels": labels(&finding.proof)},
            }),
        );
        without_null(Value::Object(doc))
    }
}

/// Frames as they are looked up, where there are several captures.
fn labels(proof: &[At]) -> Option<Vec<String>> {
    let labels: Vec<String> = proof.iter().filter_map(At::label).collect();
    (!labels.is_empty()).then_some(labels)
}

type Object = Map<String, Value>;

fn document(time: Timestamp, event: Object) -> Object {
    let mut doc = Object::new();
    doc.insert("@timestamp".into(), json!(time));
    doc.insert("ecs".into(), json!({"version": VERSION}));
    doc.insert("event".into(), Value::Object(event));
    doc
}

fn event(kind: &str, dataset: &str, types: &[&str], outcome: &str) -> Object {
    let mut event = Object::new();
    event.insert("kind".into(), json!(kind));
    event.insert("category".into(), json!(["network"]));
    event.insert("type".into(), json!(types));
    event.insert("module".into(), json!("bits"));
    event.insert("dataset".into(), json!(dataset));
    event.insert("outcome".into(), json!(outcome));
    event
}

/// From the earlier to the later of two times: the clock may have gone back between them.
fn lasted(event: &mut Object, one: Timestamp, other: Timestamp) {
    let (start, end) = (one.min(other), one.max(other));
    event.insert("start".into(), json!(start));
    event.insert("end".into(), json!(end));
    event.insert("duration".into(), json!(end.since(start)));
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "success",
        Outcome::Rejected | Outcome::Failed => "failure",
        Outcome::Cancelled | Outcome::Incomplete => "unknown",
    }
}

fn action(kind: &PacketType) -> String {
    kind.name().to_ascii_lowercase()
}

/// Both ends of a connection, and what ties them together.
fn ends(doc: &mut Object, client: SocketAddr, server: SocketAddr, tls: bool) {
    let end = |at: SocketAddr| json!({"ip": at.ip(), "port": at.port(), "address": at.ip()});
    for (name, at) in
        [("source", client), ("client", client), ("destination", server), ("server", server)]
    {
        doc.insert(name.to_owned(), end(at));
    }
    let family = if server.is_ipv4() { "ipv4" } else { "ipv6" };
    doc.insert(
        "network".into(),
        json!({
            "transport": "tcp", "protocol": "http", "type": family,
            "community_id": community::id(client, server),
        }),
    );
    doc.insert("tls".into(), json!(tls.then(|| json!({"established": true}))));
}

/// What a request names: its path alone where the capture lacks the host.
fn url_or_path<'a>(exchange: &Exchange, request: &'a Request) -> Option<Cow<'a, str>> {
    let path = || Some(url::path_of(request)).filter(|path| path.starts_with('/'));
    url::of(exchange, request).map(|url| url.text().into()).or_else(|| path().map(Cow::from))
}

/// What was asked for, and by which program.
fn asked(doc: &mut Object, url: Option<Cow<'_, str>>, agent: Option<&str>) {
    doc.insert("url".into(), json!(url.map(|url| url_fields(&url))));
    doc.insert("user_agent".into(), json!({"original": agent}));
}

/// All addresses of a session: it may go on with another server, or from another address.
fn addresses(session: &Session) -> BTreeSet<IpAddr> {
    let ends = session.exchanges.iter().flat_map(|one| [one.client.ip(), one.server.ip()]);
    ends.chain([session.client.address, session.server.address]).collect()
}

/// What a session tells of its ends.
fn whose(doc: &mut Object, session: &Session) {
    if let Some(exchange) = session.exchanges.first() {
        ends(doc, exchange.client, exchange.server, exchange.tls);
    }
    asked(doc, session.url_or_path().map(Cow::from), session.user_agent.as_deref());
}

fn file(session: &Session) -> Value {
    let file = session.file.as_ref();
    let name = session
        .content_name
        .as_deref()
        .or_else(|| session.url.as_deref()?.rsplit('/').next().filter(|name| !name.is_empty()));
    json!({
        "name": name, "size": file.map(|file| file.size),
        "hash": {"sha256": file.and_then(|file| file.sha256.as_ref())},
    })
}

fn http(request: Option<&Request>, response: Option<&Response>) -> Value {
    let minor = request.map(|r| r.minor_version).or(response.map(|r| r.minor_version));
    json!({
        "version": minor.map(|minor| format!("1.{minor}")),
        "request": request.map(|request| json!({
            "method": request.method, "body": {"bytes": request.body.bytes},
        })),
        "response": response.map(|response| json!({
            "status_code": response.http_status, "mime_type": response.content_type,
            "body": {"bytes": response.body.bytes},
        })),
    })
}

fn url_fields(full: &str) -> Value {
    if full.starts_with('/') {
        return json!({"path": full});
    }
    let scheme = full.split_once("://").map_or("", |(scheme, _)| scheme);
    let (domain, port) = url::host_and_port(full);
    let path = url::path_within(full);
    json!({"full": full, "scheme": scheme, "path": path, "port": port, "domain": domain})
}

fn bits(exchange: &Exchange, id: Option<&str>) -> Value {
    let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
    let range = request.and_then(|request| request.content_range.as_ref());
    let code = response.and_then(Response::error_value);
    json!({
        "packet_type": exchange.kind.name(), "session_id": id,
        "range": range.map(|range| json!({"start": range.start, "end": range.end, "total": range.total})),
        "received_offset": response.and_then(|response| response.next_offset),
        "protocol": {
            "offered": request.and_then(|request| request.supported_protocols.as_deref()).map(
                |raw| crate::bits::protocol::offers(raw).map(str::to_owned).collect::<Vec<_>>()),
            "chosen": response.and_then(|response| response.protocol.as_ref()),
        },
        "host_id": response.and_then(|response| response.host_id.as_ref()),
        "error": {
            "code": code.map(hresult::hex), "symbol": code.and_then(hresult::symbol),
            "context": response.and_then(|response| response.error_context.as_ref()),
        },
        "frames": {
            "request": request.map(|request| request.span.first.frame),
            "request_label": request.and_then(|request| request.span.first.label()),
            "response": response.map(|response| response.span.first.frame),
            "response_label": response.and_then(|response| response.span.first.label()),
        },
    })
}
