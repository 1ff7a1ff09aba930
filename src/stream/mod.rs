//! TCP: each direction's bytes in order, whatever the network and the capture did to them.

mod ahead;
mod connection;
mod copies;
mod ending;
mod flow;
mod flows;
mod half;
mod ids;
mod mirror;
mod part;
mod pool;
mod recent;
mod repeats;
mod resent;
mod reuse;
mod side_facts;
mod subject;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod vain;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::At;

pub use connection::{Connection, Icmp, Reset};
pub use resent::{Resent, Stall};
pub use side_facts::{SideFacts, ZeroWindow};
pub use table::Table;

/// One end of a connection. The client is who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Who opened the connection.
    Client,
    /// Who accepted it.
    Server,
}

impl Side {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The other end.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Bytes in order, from exactly one frame.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The frame they came in.
    pub at: At,
    /// Who sent them.
    pub side: Side,
    /// Their offset in this direction's stream, from 0.
    pub offset: u64,
    /// How far their sender had the stream of the other direction; 0 where that is not known.
    pub acked: u64,
    /// What carries them, where `acked` counts something else than `offset` does.
    pub carriage: Carriage,
    /// The bytes; never empty.
    pub bytes: &'a [u8],
}

/// What carries bytes of a stream, as the records of TLS do: offsets count what is inside, acknowledgements what is
/// around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carriage {
    /// How far the carrying stream is ahead of their offset.
    pub shift: u64,
    /// Bytes that carrying adds to each piece.
    pub extra: u64,
}

impl Chunk<'_> {
    /// Where they begin in the stream that carries them, as `acked` counts.
    pub const fn place(&self) -> u64 {
        self.offset.saturating_add(self.carriage.shift)
    }

    /// Those behind the first `len`.
    pub fn behind(self, len: usize) -> Self {
        let bytes = self.bytes.get(len..).unwrap_or_default();
        Self { offset: self.offset.saturating_add(len as u64), bytes, ..self }
    }
}

/// What a direction of a connection yields; offsets never go back, and data and gaps leave no room between them.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Bytes.
    Data(Chunk<'a>),
    /// Bytes that the capture lacks.
    Gap {
        /// The frame that showed that they will not come.
        at: At,
        /// Who sent them.
        side: Side,
        /// Offset of the first one missing.
        offset: u64,
        /// How many are missing; above 0.
        len: u64,
    },
    /// This direction ended; nothing follows on it.
    End {
        /// The frame that ended it.
        at: At,
        /// Whose direction.
        side: Side,
        /// How it ended.
        why: End,
    },
}

impl Event<'_> {
    /// Whose direction it is of.
    pub const fn side(&self) -> Side {
        match *self {
            Self::Data(Chunk { side, .. }) | Self::Gap { side, .. } | Self::End { side, .. } => {
                side
            }
        }
    }

    /// As if it were of the other side.
    fn turned(self) -> Self {
        match self {
            Self::Data(chunk) => Self::Data(Chunk { side: chunk.side.other(), ..chunk }),
            Self::Gap { at, side, offset, len } => {
                Self::Gap { at, side: side.other(), offset, len }
            }
            Self::End { at, side, why } => Self::End { at, side: side.other(), why },
        }
    }
}

/// How a direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// FIN.
    Fin,
    /// RST, by either side.
    Reset,
    /// Superseded: a new connection began between the same ports.
    Reused,
    /// Forgotten, as the oldest idle one, to stay under a cap.
    Forgotten,
    /// The capture ended.
    Capture,
}

/// Who takes the events of connections and keeps a `T` with each; closures can.
pub trait Owner<T> {
    /// Takes one event.
    fn event(&mut self, connection: &mut Connection, state: &mut T, event: &Event<'_>) -> Verdict;

    /// Whether a connection whose events were all taken may still yield something, so that it should be kept.
    fn waits(&self, _state: &T) -> bool {
        false
    }

    /// Whether `kept` connections that wait, of those that are over, are too many.
    fn keeps_too_many(&self, _kept: usize) -> bool {
        true
    }

    /// Goes on with a connection that waits; the `last` time, since it is about to be forgotten or no longer kept.
    fn resume(&mut self, _connection: &mut Connection, _state: &mut T, _last: bool) {}
}

impl<T, F> Owner<T> for F
where
    F: FnMut(&mut Connection, &mut T, &Event<'_>) -> Verdict,
{
    #[inline(always)]
    fn event(&mut self, connection: &mut Connection, state: &mut T, event: &Event<'_>) -> Verdict {
        self(connection, state, event)
    }
}

/// What the owner of a connection wants after an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// More.
    #[default]
    Go,
    /// The roles are the wrong way round: swap them and deliver this event again. Granted once per connection.
    Swap,
    /// Nothing more of this connection; it is only counted.
    Ignore,
}
