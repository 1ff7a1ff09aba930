//! A session made by hand.

use std::net::SocketAddr;

use crate::at::{At, Span, Timestamp};
use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::capture::Input;
use crate::model::exchange::{Body, Exchange, Request, Response};
use crate::model::negotiation::Negotiation;
use crate::model::report::{Quality, Report, Tool};
use crate::model::session::{Client, Fragment, Server, Session};
use crate::model::{Outcome, Qualifier};
use crate::rare::Rare;

const ID: &str = "{1C34C8D4-0F42-49D1-A0D4-274383A65E8F}";

/// Frames of the first input; the time is in microseconds.
pub fn span(first: u32, last: u32, micros: i64) -> Span {
    let at = |frame: u32| At {
        frame: u64::from(frame),
        time: Timestamp::from_nanos(1_182_200_516_000_000_000 + micros * 1000),
        input: 0,
        input_frame: frame,
    };
    Span { first: at(first), last: at(last) }
}

pub fn create() -> Exchange {
    let request = Request {
        span: span(4, 4, 333),
        method: "BITS_POST".into(),
        supported_protocols: Some("{7df0354d-249b-430f-820d-3d2a9bef4931}".into()),
        body: Body { complete: true, ..Body::default() },
        ..Request::default()
    };
    let response = Response {
        protocol: Some("{7df0354d-249b-430f-820d-3d2a9bef4931}".into()),
        session_id: Some(ID.into()),
        ..ack(span(6, 6, 647))
    };
    exchange(PacketType::CreateSession, request, Some(response))
}

pub fn fragment() -> Exchange {
    let request = Request {
        span: span(8, 17, 400_726),
        method: "BITS_POST".into(),
        session_id: Some(ID.to_lowercase().into()),
        content_range: Some(ContentRange::parse("bytes 0-8191/40960")),
        body: Body { bytes: 2730, ..Body::default() },
        ..Request::default()
    };
    let response = Response { next_offset: Some(8192), ..ack(span(18, 18, 401_054)) };
    Exchange { connection: 2, ..exchange(PacketType::Fragment, request, Some(response)) }
}

pub fn ack(span: Span) -> Response {
    Response {
        span,
        http_status: 200,
        packet_type: Some("Ack".into()),
        body: Body { complete: true, ..Body::default() },
        ..Response::default()
    }
}

pub fn exchange(kind: PacketType, request: Request, response: Option<Response>) -> Exchange {
    Exchange {
        kind,
        connection: 1,
        client: SocketAddr::from(([10, 20, 0, 11], 46950)),
        server: SocketAddr::from(([10, 20, 0, 80], 80)),
        tls: false,
        tunnel: false,
        request: Some(request),
        response,
        rare: Rare::default(),
        inferred: false,
        number: 0,
    }
}

pub fn session() -> Session {
    let server = SocketAddr::from(([10, 20, 0, 80], 80));
    let (started, ended) = (span(1, 1, 0).first.time, span(18, 18, 401_054).last.time);
    Session {
        id: Some(ID.into()),
        outcome: Outcome::Incomplete,
        outcome_qualifiers: vec![Qualifier::Interrupted],
        joined: false,
        client: Client { address: [10, 20, 0, 11].into() },
        server: Server::from(server),
        url: Some("http://10.20.0.80/backup/backup.bak".into()),
        user_agent: Some("Microsoft BITS/6.7\x1b[2J".into()),
        content_name: None,
        negotiation: Some(Negotiation::of(&create())),
        host_id: None,
        host_id_fallback_timeout_seconds: None,
        reply_url: None,
        reply: None,
        notifications: Vec::new(),
        fragments: vec![Fragment::default()],
        bytes_total: Some(40960),
        bytes_sent: 2730,
        bytes_unique: 2730,
        bytes_acknowledged: 8192,
        file: None,
        error: None,
        started,
        ended,
        duration_seconds: ended.secs_since(started),
        superseded_by: None,
        diagnosis: None,
        findings: Vec::new(),
        connections: Vec::new(),
        exchanges: vec![create(), fragment()],
        exchanges_omitted: 0,
        lacks_end: false,
        lacks_beside: 0,
        weight: 0,
        index: crate::model::index::Index::default(),
    }
}

pub fn report() -> Report {
    Report {
        attempts: Vec::new(),
        tls_connections: Vec::new(),
        lookups: Vec::new(),
        downloads: None,
        notifications: None,
        findings: Vec::new(),
        schema: "bitsleuth.report".into(),
        schema_version: "1.0.0".into(),
        tool: Tool { name: "bitsleuth".into(), version: "0.1.0".into() },
        captures: vec![Input { name: "a.pcap".into(), ..Input::default() }],
        sessions: vec![session()],
        unasked: 0,
        quality: Quality::default(),
    }
}
