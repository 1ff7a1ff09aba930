//! A report with pseudonyms. Everything in the model is named here, so that what is added to it cannot be forgotten.

use super::exchange;
use super::head;
use super::names::{Names, Slot};
use super::pseudonym::Pseudonyms;
use super::tls;
use crate::capture::Input;
use crate::model::negotiation::{Negotiation, Offer};
use crate::model::notification::Notification;
use crate::model::session::{Client, File, Reply, Server, SessionError};
use crate::model::{Attempt, Lookup, Report, Session};
use crate::observe::heads::Heads;
use crate::rules::{Diagnosis, Finding, named};
use crate::stream::{Connection, Icmp};
use std::sync::Arc;

/// Replaces who and where in a report; what rules say is gone through too. Digests go: they tell a known file.
pub fn report(report: &mut Report, pseudonyms: &Pseudonyms) {
    let names = &mut Names::new(pseudonyms);
    let Report {
        schema: _,
        schema_version: _,
        tool: _,
        captures,
        sessions,
        unasked: _,
        attempts,
        tls_connections,
        lookups,
        downloads: _,
        notifications: _,
        findings,
        quality: _,
    } = report;
    (1..).zip(captures).for_each(|(number, input)| capture(number, input, names));
    attempts.iter_mut().for_each(|attempt| attempted(attempt, names));
    lookups.iter_mut().for_each(|lookup| looked_up(lookup, names));
    tls_connections.iter_mut().for_each(|connection| tls::connection(connection, names));
    sessions.iter_mut().for_each(|session| facts(session, names));
    // Sentences come last: a name in one may be from anywhere.
    sessions.iter_mut().for_each(|session| sentences(session, names));
    findings.iter_mut().for_each(|finding| found(finding, names));
}

/// Replaces the same in one session.
pub fn session(session: &mut Session, pseudonyms: &Pseudonyms) {
    let mut names = Names::new(pseudonyms);
    facts(session, &mut names);
    sentences(session, &names);
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

/// What the input of a number, from 1, is called.
pub fn capture_name(number: usize) -> String {
    format!("capture {number}")
}

fn capture(number: usize, input: &mut Input, names: &mut Names<'_>) {
    let Input {
        name,
        format: _,
        compression: _,
        frames: _,
        filtered_frames: _,
        dropped_frames: _,
        bytes: _,
        first: _,
        last: _,
        cut_frames: _,
        snaplen: _,
        longest: _,
        link_types: _,
        problem,
        failed: _,
        corrupt: _,
    } = input;
    names.becomes(name, capture_name(number));
    *problem = None;
}

fn attempted(attempt: &mut Attempt, names: &Names<'_>) {
    let Attempt { client, server, answer: _, icmp, tries: _, syns: _, span: _, first: _ } = attempt;
    if let Some(Icmp { from, .. }) = icmp {
        names.address(from);
    }
    names.address(client);
    names.socket(server);
}

fn looked_up(lookup: &mut Lookup, names: &mut Names<'_>) {
    let Lookup { client, name, failure: _, tries: _, span: _, first: _ } = lookup;
    names.address(client);
    names.text(name);
}

/// All of a session but its sentences.
fn facts(session: &mut Session, names: &mut Names<'_>) {
    let Session {
        id,
        outcome: _,
        outcome_qualifiers: _,
        joined: _,
        client: Client { address: client },
        server: Server { address: server, port: _, host },
        url,
        user_agent,
        content_name,
        negotiation,
        host_id,
        host_id_fallback_timeout_seconds: _,
        reply_url,
        reply,
        notifications,
        fragments: _,
        bytes_total: _,
        bytes_sent: _,
        bytes_unique: _,
        bytes_acknowledged: _,
        file,
        error,
        started: _,
        ended: _,
        duration_seconds: _,
        superseded_by,
        diagnosis: _,
        findings: _,
        connections,
        exchanges,
        exchanges_omitted: _,
        lacks_end: _,
        lacks_beside: _,
        weight: _,
        index: _,
    } = session;
    names.address(client);
    names.address(server);
    names.texts([id, url, content_name, host, superseded_by].into_iter().flatten());
    names.texts([host_id, reply_url].into_iter().flatten());
    names.products(user_agent);
    negotiation.iter_mut().for_each(|negotiation| negotiated(negotiation, names));
    if let Some(File { size: _, sha256, whole: _, missing: _ }) = file {
        *sha256 = None;
    }
    if let Some(SessionError { http_status: _, hresult: _, symbol: _, context, frame: _ }) = error {
        names.field("BITS-Error-Context", context);
    }
    if let Some(Reply { request: _, head: _, get: _, http_status: _, response: Some(response) }) =
        reply
    {
        exchange::response(response, names);
    }
    notifications.iter_mut().for_each(|notification| notified(notification, names));
    connections.iter_mut().for_each(|one| connected(Arc::make_mut(one), names));
    exchanges.iter_mut().for_each(|exchange| exchange::exchange(exchange, names));
}

fn notified(notification: &mut Notification, names: &mut Names<'_>) {
    let Notification {
        server,
        application,
        request: _,
        original_url,
        mode: _,
        request_path,
        response_path,
        session_id,
        response: _,
        http_status: _,
        static_reply_url,
        copy_to_destination: _,
    } = notification;
    names.socket(server);
    names.socket(application);
    names.text(original_url);
    let texts = [request_path, response_path, session_id, static_reply_url];
    names.texts(texts.into_iter().flatten());
}

fn negotiated(negotiation: &mut Negotiation, names: &mut Names<'_>) {
    let Negotiation { offered, selected, selected_index: _, verdict: _ } = negotiation;
    for Offer { guid, name: _, duplicate_of: _ } in offered.iter_mut().chain(selected) {
        names.field("BITS-Protocol", [guid]);
    }
}

/// What is not listed is numbers and times.
fn connected(connection: &mut Connection, names: &mut Names<'_>) {
    let Connection { client, server, tls, icmp, .. } = connection;
    names.socket(client);
    names.socket(server);
    if let Some(facts) = tls {
        tls::facts(facts, names);
    }
    if let Some(Icmp { from, .. }) = icmp {
        names.address(from);
    }
}

fn sentences(session: &mut Session, names: &Names<'_>) {
    session.findings.iter_mut().for_each(|finding| found(finding, names));
    session.diagnosis.iter_mut().for_each(|diagnosis| diagnosed(diagnosis, names));
}

fn found(finding: &mut Finding, names: &Names<'_>) {
    let Finding {
        rule,
        severity: _,
        confidence: _,
        message,
        frames: _,
        proof: _,
        input: _,
        reference: _,
        advice,
        confirm,
        answerable,
        client_code: _,
    } = finding;
    names.sentence(message);
    advised(rule, [advice, confirm, answerable], names);
}

fn diagnosed(diagnosis: &mut Diagnosis, names: &Names<'_>) {
    let Diagnosis {
        cause,
        confidence: _,
        contributing: _,
        answered_by: _,
        answerable,
        advice,
        confirm,
        client_error: _,
        client_log: _,
        summary,
        frames: _,
    } = diagnosis;
    names.sentence(summary);
    advised(cause, [advice, confirm, answerable], names);
}

/// Replaces names in what is to be done, and by whom; what a rule always says has none.
fn advised(rule: &str, texts: [&mut Option<impl Slot>; 3], names: &Names<'_>) {
    let own = named(rule).map(|rule| [rule.advice(), rule.confirm(), rule.answerable()]);
    for (text, own) in texts.into_iter().zip(own.unwrap_or_default()) {
        if let Some(text) = text.as_mut().filter(|text| Some(&***text) != own) {
            names.sentence(text);
        }
    }
}
