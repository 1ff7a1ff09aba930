//! A capture with pseudonyms: TCP alone, in plain IP packets, made anew from what is known to be harmless.

use std::io::{self, Write};

use super::kept::Kept;
use super::packet;
use super::pseudonym::Pseudonyms;
use super::stream::Follower;
use crate::at::At;
use crate::capture::{Frame, LinkType};
use crate::export::pcapng::Writer;
use crate::limits::Limits;
use crate::packet::{Decoder, Packet};

/// IPv4 and IPv6 without a link layer.
const RAW: LinkType = LinkType(101);

/// What was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Frames that hold no TCP segment.
    pub frames: u64,
    /// Connections with TLS, whose content is gone.
    pub tls: u64,
}

/// Reads a capture for the first time.
pub struct First<'p> {
    decoder: Decoder,
    follower: Follower<'p>,
    limits: Limits,
    pseudonyms: &'p Pseudonyms,
    last: At,
    /// Bytes of the longest packet that will be written.
    longest: u32,
}

/// Writes it, frame by frame, when it is read again.
pub struct Second<'p, W: Write> {
    decoder: Decoder,
    /// Finds out the connections anew.
    follower: Follower<'p>,
    kept: Kept,
    pseudonyms: &'p Pseudonyms,
    writer: Writer<W>,
    left: Left,
}

impl<'p> First<'p> {
    /// Knows nothing yet.
    pub fn new(pseudonyms: &'p Pseudonyms, limits: &Limits) -> Self {
        Self {
            decoder: Decoder::new(limits),
            follower: Follower::new(pseudonyms, limits),
            limits: limits.clone(),
            pseudonyms,
            last: At::default(),
            longest: 0,
        }
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: &Frame<'_>) {
        self.last = frame.at;
        if let Ok(Packet::Tcp(segment)) = self.decoder.push(frame) {
            self.longest = self.longest.max(packet::len(&segment));
            self.follower.push(&segment);
        }
    }

    /// The second reading, which writes to `out`. `snaplen` is that of the capture, where it is known.
    ///
    /// # Errors
    ///
    /// Where nothing can be written.
    pub fn second<W: Write>(self, out: W, snaplen: Option<u32>) -> io::Result<Second<'p, W>> {
        // Fragments put together may be longer than any of them.
        let snaplen = snaplen.filter(|stated| self.longest <= *stated);
        let kept = self.follower.finish(self.last);
        Ok(Second {
            decoder: Decoder::new(&self.limits),
            follower: Follower::new(self.pseudonyms, &self.limits),
            left: Left { tls: kept.tls, frames: 0 },
            kept,
            pseudonyms: self.pseudonyms,
            writer: Writer::new(out, snaplen)?,
        })
    }
}

impl<W: Write> Second<'_, W> {
    /// Takes the same frame again; `written` gets what becomes of it, under the same number.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn push(&mut self, frame: &Frame<'_>, written: impl FnOnce(&Frame<'_>)) -> io::Result<()> {
        let Ok(Packet::Tcp(segment)) = self.decoder.push(frame) else {
            self.left.frames += 1;
            return Ok(());
        };
        let before = self.follower.repeats(&segment);
        let connection = self.follower.push(&segment);
        let after = self.follower.repeats(&segment);
        let mut payload = self.kept.payload(connection, &segment);
        if after.0 > before.0 {
            differ(&mut payload, after.1.saturating_sub(before.1));
        }
        let (from, to) = (self.pseudonyms.socket(segment.from), self.pseudonyms.socket(segment.to));
        let Some((data, wire_len)) = packet::build(&segment, from, to, &payload) else {
            self.left.frames += 1;
            return Ok(());
        };
        self.writer.packet(RAW, frame.at.time, &data, wire_len, &[])?;
        let frame = Frame { at: frame.at, link: RAW, data: &data, wire_len, comment: None };
        written(&frame);
        Ok(())
    }

    /// What was left out.
    pub fn finish(self) -> Left {
        self.left
    }
}

/// Makes the first `len` bytes of a segment differ from those that came before, which are the ones that count.
fn differ(payload: &mut [u8], len: u64) {
    payload.iter_mut().zip(0..len).for_each(|(byte, _)| *byte ^= 1);
}
