//! Follows the connections of a capture, and finds out what of their streams may stay.

use super::half::{Found, Half, Keeper};
use super::kept::{self, Kept};
use super::pseudonym::Pseudonyms;
use crate::at::At;
use crate::http::{Carrier, Parser};
use crate::layer::Layer;
use crate::limits::Limits;
use crate::packet::Segment;
use crate::stream::{Chunk, Connection, Event, Side, Table, Verdict};
use crate::tls::KeyLog;

/// Follows all connections.
pub(super) struct Follower<'p> {
    table: Table<Talk>,
    limits: Limits,
    keys: KeyLog,
    pseudonyms: &'p Pseudonyms,
    kept: Kept,
}

/// One connection.
#[derive(Default)]
struct Talk {
    layer: Layer,
    client: Half,
    server: Half,
}

impl<'p> Follower<'p> {
    pub fn new(pseudonyms: &'p Pseudonyms, limits: &Limits) -> Self {
        // None will come, so that nothing waits for them.
        let mut keys = KeyLog::default();
        keys.complete();
        Self {
            table: Table::new(limits),
            limits: limits.clone(),
            keys,
            pseudonyms,
            kept: Kept::default(),
        }
    }

    /// How many segments between two endpoints came again with other bytes, and how many bytes came again at all.
    pub fn repeats(&mut self, segment: &Segment<'_>) -> (u32, u64) {
        let id = self.table.find(segment.from, segment.to);
        let connection = id.and_then(|id| self.table.connection(id));
        let sides = connection.into_iter().flat_map(|both| [&both.client_side, &both.server_side]);
        sides.fold((0, 0), |(differing, bytes), side| {
            (differing + side.differing, bytes + side.retransmitted_bytes)
        })
    }

    /// Takes a segment and tells its connection.
    pub fn push(&mut self, segment: &Segment<'_>) -> u64 {
        let Self { table, limits, keys, pseudonyms, kept } = self;
        let mut hand = |connection: &mut Connection, talk: &mut Talk, event: &Event<'_>| {
            follow(connection, talk, *event, Some(segment), (keys, limits, pseudonyms), kept)
        };
        let id = table.push(segment, &mut hand);
        if !segment.payload.is_empty() {
            self.kept.note(id, segment);
        }
        self.forget();
        id
    }

    /// Ends all connections: heads cut off by the end of the capture count too.
    pub fn finish(mut self, last: At) -> Kept {
        let Self { table, limits, keys, pseudonyms, kept } = &mut self;
        let mut hand = |connection: &mut Connection, talk: &mut Talk, event: &Event<'_>| {
            follow(connection, talk, *event, None, (keys, limits, pseudonyms), kept)
        };
        while table.finish(last, &mut hand) {}
        self.forget();
        self.kept.finish();
        self.kept
    }

    fn forget(&mut self) {
        while let Some((_, talk)) = self.table.closed() {
            self.kept.tls += u64::from(talk.layer.tls().is_some());
        }
    }
}

type Tools<'t> = (&'t KeyLog, &'t Limits, &'t Pseudonyms);

fn follow(
    connection: &mut Connection,
    talk: &mut Talk,
    event: Event<'_>,
    segment: Option<&Segment<'_>>,
    tools: Tools<'_>,
    kept: &mut Kept,
) -> Verdict {
    if connection.midstream && talk.layer.is_backwards(&event) {
        return Verdict::Swap;
    }
    let (keys, limits, pseudonyms) = tools;
    match event {
        Event::Data(chunk) => {
            kept.anchor(connection, &chunk, segment);
            if matches!(talk.layer, Layer::Detect(_)) && !talk.detect(&chunk, keys, limits) {
                return Verdict::Go;
            }
            if !matches!(talk.layer, Layer::Http(_)) {
                return if talk.layer.is_opaque(false) { Verdict::Ignore } else { Verdict::Go };
            }
            let key = kept::key(connection, chunk.side);
            talk.take(&event, chunk.side, (keys, limits), &mut Keeper { key, pseudonyms, kept });
        }
        Event::Gap { side, .. } | Event::End { side, .. } => {
            let key = kept::key(connection, side);
            talk.take(&event, side, (keys, limits), &mut Keeper { key, pseudonyms, kept });
            talk.half(side).interrupt();
        }
    }
    Verdict::Go
}

impl Talk {
    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Looks for HTTP, whose parser is then given the chunk anew.
    fn detect(&mut self, chunk: &Chunk<'_>, keys: &KeyLog, limits: &Limits) -> bool {
        self.layer.push(&Event::Data(*chunk), keys, limits, &mut |_| {});
        if matches!(self.layer, Layer::Http(_)) {
            self.layer = Layer::Http(Box::new(Parser::new(Carrier::default(), 0)));
            return true;
        }
        false
    }

    /// Takes an event of `side`, and sorts its bytes by what they lead to.
    fn take(
        &mut self,
        event: &Event<'_>,
        side: Side,
        (keys, limits): (&KeyLog, &Limits),
        keeper: &mut Keeper<'_>,
    ) {
        let (offset, bytes) = match event {
            Event::Data(chunk) => (chunk.offset, chunk.bytes),
            Event::Gap { .. } | Event::End { .. } => (0, &[][..]),
        };
        let mut found = Vec::new();
        let mut note = |event: crate::http::Event<'_>| found.extend(Found::of(&event, side, bytes));
        self.layer.push(event, keys, limits, &mut note);
        self.half(side).sort(&found, offset, bytes, keeper);
    }
}
