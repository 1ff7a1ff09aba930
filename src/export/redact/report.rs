//! A report with pseudonyms.

use std::collections::BTreeMap;
use std::ops::Deref;

use super::head;
use super::pseudonym::{Pseudonyms, Stay};
use crate::model::{Exchange, Report, Request, Response, Session};
use crate::observe::heads::Heads;
use crate::rules::Finding;

/// Shortest text that is looked for in messages.
const SHORTEST: usize = 3;

/// Texts that were replaced, by length: in messages the longest go first.
type Seen = BTreeMap<(std::cmp::Reverse<usize>, String), String>;

/// Replaces who and where in a report; what rules say is gone through too. Digests go: they tell a known file.
pub fn report(report: &mut Report, pseudonyms: &Pseudonyms) {
    let mut all = Seen::new();
    for (number, input) in (1..).zip(&mut report.captures) {
        replace(&mut input.name, format!("capture {number}"), &mut all);
        input.problem = None;
    }
    for attempt in &mut report.attempts {
        let (client, server) = (attempt.client, attempt.server);
        attempt.client = pseudonyms.address(client);
        attempt.server = pseudonyms.socket(server);
        note(&client.to_string(), attempt.client.to_string(), &mut all);
        note(&server.ip().to_string(), attempt.server.ip().to_string(), &mut all);
    }
    for lookup in &mut report.lookups {
        let client = lookup.client;
        lookup.client = pseudonyms.address(client);
        note(&client.to_string(), lookup.client.to_string(), &mut all);
        let name = pseudonyms.text(&lookup.name);
        replace(&mut lookup.name, name, &mut all);
    }
    for session in &mut report.sessions {
        all.extend(everything(session, pseudonyms));
    }
    report.findings.iter_mut().for_each(|finding| told(finding, pseudonyms, &all));
}

/// Replaces the same in one session.
pub fn session(session: &mut Session, pseudonyms: &Pseudonyms) {
    everything(session, pseudonyms);
}

fn everything(session: &mut Session, pseudonyms: &Pseudonyms) -> Seen {
    let mut seen = Seen::new();
    whole(session, pseudonyms, &mut seen);
    session.findings.iter_mut().for_each(|finding| told(finding, pseudonyms, &seen));
    if let Some(diagnosis) = &mut session.diagnosis {
        diagnosis.summary = said(&diagnosis.summary, pseudonyms, &seen);
    }
    seen
}

/// Replaces the same in raw heads.
pub fn heads(heads: &mut Heads, pseudonyms: &Pseudonyms) {
    heads.each(&mut |head| {
        head.line = head::first_line(pseudonyms, &head.line);
        for (name, value) in &mut head.fields {
            *value = head::value(pseudonyms, name, value);
            *name = head::name(pseudonyms, name);
        }
    });
}

fn whole(session: &mut Session, pseudonyms: &Pseudonyms, seen: &mut Seen) {
    let texts = [
        &mut session.id,
        &mut session.url,
        &mut session.content_name,
        &mut session.server.host,
        &mut session.superseded_by,
    ];
    texts.into_iter().for_each(|slot| option(slot, pseudonyms, seen));
    option(&mut session.host_id, pseudonyms, seen);
    option(&mut session.reply_url, pseudonyms, seen);
    products(&mut session.user_agent, pseudonyms);
    if let Some(negotiation) = &mut session.negotiation {
        for offer in negotiation.offered.iter_mut().chain(&mut negotiation.selected) {
            offer.guid = head::value(pseudonyms, "BITS-Protocol", &offer.guid).into();
        }
    }
    if let Some(file) = &mut session.file {
        file.sha256 = None;
    }
    let (client, server) = (session.client.address, session.server.address);
    session.client.address = pseudonyms.address(client);
    session.server.address = pseudonyms.address(server);
    note(&client.to_string(), session.client.address.to_string(), seen);
    note(&server.to_string(), session.server.address.to_string(), seen);
    for connection in &mut session.connections {
        connection.client = pseudonyms.socket(connection.client);
        connection.server = pseudonyms.socket(connection.server);
    }
    session.exchanges.iter_mut().for_each(|exchange| one(exchange, pseudonyms, seen));
}

fn one(exchange: &mut Exchange, pseudonyms: &Pseudonyms, seen: &mut Seen) {
    let (client, server) = (exchange.client.ip(), exchange.server.ip());
    exchange.client = pseudonyms.socket(exchange.client);
    exchange.server = pseudonyms.socket(exchange.server);
    note(&client.to_string(), exchange.client.ip().to_string(), seen);
    note(&server.to_string(), exchange.server.ip().to_string(), seen);
    if let Some(request) = &mut exchange.request {
        asked(request, pseudonyms, seen);
    }
    if let Some(response) = &mut exchange.response {
        answered(response, pseudonyms, seen);
    }
}

fn asked(request: &mut Request, pseudonyms: &Pseudonyms, seen: &mut Seen) {
    let target = pseudonyms.text(&request.target);
    replace(&mut request.target, target, seen);
    for slot in [&mut request.host, &mut request.session_id, &mut request.content_name] {
        option(slot, pseudonyms, seen);
    }
    if let Some(offers) = &mut request.supported_protocols {
        *offers = head::value(pseudonyms, "BITS-Supported-Protocols", offers).into();
    }
    products(&mut request.user_agent, pseudonyms);
    if let Some(rare) = request.rare.as_mut() {
        option(&mut rare.user, pseudonyms, seen);
        products(&mut rare.via, pseudonyms);
        rare.hops.iter_mut().for_each(|hop| *hop = pseudonyms.map(hop, Stay::Products));
        rare.file_type = None;
    }
}

fn answered(response: &mut Response, pseudonyms: &Pseudonyms, seen: &mut Seen) {
    option(&mut response.session_id, pseudonyms, seen);
    if let Some(choice) = &mut response.protocol {
        *choice = head::value(pseudonyms, "BITS-Protocol", choice).into();
    }
    products(&mut response.server, pseudonyms);
    response.reason = pseudonyms.map(&response.reason, Stay::Products).into();
    if let Some(rare) = response.rare.as_mut() {
        for slot in [&mut rare.host_id, &mut rare.reply_url, &mut rare.location] {
            option(slot, pseudonyms, seen);
        }
        products(&mut rare.via, pseudonyms);
        rare.hops.iter_mut().for_each(|hop| *hop = pseudonyms.map(hop, Stay::Products));
        rare.body_start = pseudonyms.map(&rare.body_start, Stay::Products);
    }
}

/// Replaces a text that names no product by itself.
fn option<T: Slot>(slot: &mut Option<T>, pseudonyms: &Pseudonyms, seen: &mut Seen) {
    if let Some(text) = slot {
        let other = pseudonyms.text(text);
        replace(text, other, seen);
    }
}

/// Replaces what is no name of a product.
fn products<T: Slot>(slot: &mut Option<T>, pseudonyms: &Pseudonyms) {
    if let Some(text) = slot {
        *text = pseudonyms.map(text, Stay::Products).into();
    }
}

fn replace<T: Slot>(text: &mut T, other: String, seen: &mut Seen) {
    note(text, other.clone(), seen);
    *text = other.into();
}

/// A text that another can be put in the place of.
trait Slot: Deref<Target = str> + From<String> {}

impl<T: Deref<Target = str> + From<String>> Slot for T {}

/// Remembers what became of a text, and of the words in it.
fn note(text: &str, other: String, seen: &mut Seen) {
    if text.len() >= SHORTEST && text != other {
        seen.insert((std::cmp::Reverse(text.len()), text.to_owned()), other);
    }
}

fn told(finding: &mut Finding, pseudonyms: &Pseudonyms, seen: &Seen) {
    finding.message = said(&finding.message, pseudonyms, seen);
}

/// A sentence of ours in which texts of the wire are quoted.
fn said(sentence: &str, pseudonyms: &Pseudonyms, seen: &Seen) -> String {
    let mut out = sentence.to_owned();
    for ((_, text), other) in seen {
        if out.contains(text.as_str()) {
            out = out.replace(text.as_str(), other);
        }
    }
    quoted(&out, pseudonyms)
}

/// Texts in quotation marks are the wire's and may be of any field; words of products stay.
fn quoted(sentence: &str, pseudonyms: &Pseudonyms) -> String {
    let parts = sentence.split('"').enumerate();
    let parts: Vec<String> =
        parts
            .map(|(place, part)| {
                if place % 2 == 1 { pseudonyms.map(part, Stay::Products) } else { part.to_owned() }
            })
            .collect();
    parts.join("\"")
}
