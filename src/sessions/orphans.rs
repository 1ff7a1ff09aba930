//! Answers to requests that the capture lacks.

use super::assign::Asked;
use super::open::{Number, Open};
use super::{Link, Sessions};
use crate::at::Span;
use crate::bits::protocol::canonical_id;
use crate::bits::{PacketType, decode};
use crate::http::{Head, Start};
use crate::model::exchange::Exchange;
use crate::model::rare::Rare;
use crate::stream::Connection;

impl Sessions {
    /// Whether a response behind a hole cannot answer the request that is the next: it is an Ack that opens no session,
    /// and that is a Create ([MC-BUP] 2.2.3.2). What it answers was lost.
    pub(super) fn is_anothers(&mut self, connection: u64, exchange: u32, head: &Head<'_>) -> bool {
        let succeeds = matches!(head.start, Start::Response { status: 200 | 201, .. });
        let has = |name| head.field(name).is_some();
        let opens = has("BITS-Protocol") || has("BITS-Session-Id");
        if !head.after_gap || !succeeds || !has("BITS-Packet-Type") || opens {
            return false;
        }
        let Some(link) = self.link(connection, exchange).copied() else { return false };
        let asked = self.open.get(link.session).and_then(|open| open.exchanges.get(link.index));
        asked.is_some_and(|asked| asked.kind == PacketType::CreateSession)
    }

    /// Whether the response that was seen before a Create is an Ack of bytes: it answers a later request.
    pub(super) fn is_of_a_lost(&self, request: &Exchange, link: &Link) -> bool {
        let seen = self.open.get(link.session).and_then(|open| open.exchanges.get(link.index));
        request.kind == PacketType::CreateSession && seen.is_some_and(Exchange::confirms_bytes)
    }

    /// A response whose request the capture lacks.
    pub(super) fn orphan(
        &mut self,
        connection: &Connection,
        exchange: u32,
        span: Span,
        head: &Head<'_>,
    ) {
        let response = decode::response(head, span, self.secrets, &mut self.words);
        let value = Exchange {
            kind: PacketType::Unknown,
            connection: connection.id,
            client: connection.client,
            server: connection.server,
            tls: head.carrier.tls,
            tunnel: head.carrier.tunnel,
            request: None,
            response: Some(response),
            rare: Rare::default(),
            inferred: true,
        };
        let last = self.connections.get(&connection.id).and_then(|channel| channel.last);
        let session = self.assign_orphan(&value, last);
        self.keep(session, value, exchange, None);
    }

    /// The session of a response whose request was not seen.
    fn assign_orphan(&mut self, exchange: &Exchange, last: Option<Number>) -> Number {
        let asked = &Asked::of(exchange);
        let response = exchange.response.as_ref();
        let id = response.and_then(|response| response.session_id.as_deref()).map(canonical_id);
        let creates = response.is_some_and(|response| response.protocol.is_some());
        let at = exchange.span().last;
        let known = id.as_deref().and_then(|id| {
            // Who gives an id again has forgotten the session that had it.
            let goes_on = |open: &Open| !creates || !open.is_over();
            let open = self.open.of_id(id, |open| open.has_client(asked) && goes_on(open));
            open.or_else(|| self.open.graves.find(id, asked, at).filter(|_| !creates))
        });
        let found = match (id, creates) {
            (_, true) => known.or_else(|| last.filter(|last| self.is_challenged(*last))),
            (Some(_), _) => known,
            (None, false) => last.or_else(|| {
                self.find(asked, |open| {
                    open.has_client(asked) && open.has_server(asked) && !open.is_over()
                })
            }),
        };
        self.join(found, asked, at)
    }
}
