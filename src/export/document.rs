//! The report as one document, of any number of sessions: those that are over wait in packed form for the end of the
//! capture, when the document can begin.

mod blocks;
mod indented;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Serializer;

use super::json::Spelled;
use crate::at::Timestamp;
use crate::model::{Report, Session};
use blocks::{Block, Unpacked};
use indented::Indented;

/// Bytes packed together: enough for sessions to have much in common, few enough to be unpacked for one of them.
const BLOCK: usize = 128 << 10;

/// The member of a report that the sessions are put into.
const PLACE: &str = "\n  \"sessions\": [";

/// Sessions for a document, packed.
#[derive(Default)]
pub struct Document {
    /// Made for the first block: most captures do not fill one.
    packer: Option<zstd::bulk::Compressor<'static>>,
    blocks: Vec<Block>,
    /// The block being filled, and with how many.
    filling: Vec<u8>,
    filled: usize,
    places: Vec<Place>,
}

/// Where a session is, and where it belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    order: (Timestamp, u64),
    block: usize,
    start: u32,
    end: u32,
}

impl Document {
    /// Takes a session, in any order.
    ///
    /// # Errors
    ///
    /// Where it cannot be packed.
    pub fn add(&mut self, session: &Session) -> io::Result<()> {
        let start = self.filling.len();
        // Two levels down, in the list of the report.
        let layout = Indented::at(2);
        session.serialize(&mut Serializer::with_formatter(&mut self.filling, layout))?;
        self.filled += 1;
        let offset = |at: usize| u32::try_from(at).map_err(io::Error::other);
        self.places.push(Place {
            order: session.order(),
            block: self.blocks.len(),
            start: offset(start)?,
            end: offset(self.filling.len())?,
        });
        if self.filling.len() >= BLOCK { self.pack() } else { Ok(()) }
    }

    /// Makes a block of what was filled.
    fn pack(&mut self) -> io::Result<()> {
        let mut packer = match self.packer.take() {
            Some(packer) => packer,
            None => zstd::bulk::Compressor::new(1)?,
        };
        let packed = packer.compress(&self.filling)?.into();
        self.blocks.push(Block { packed, len: self.filling.len(), left: self.filled });
        self.filling.clear();
        self.filled = 0;
        self.packer = Some(packer);
        Ok(())
    }

    /// Writes the document: the report with the sessions that were added, by the time they began. Sessions that the
    /// report has itself are left out.
    ///
    /// # Errors
    ///
    /// Where `out` fails.
    pub fn write(self, out: &mut dyn Write, report: Report) -> io::Result<()> {
        let Self { packer, blocks, filling, mut places, .. } = self;
        drop(packer);
        places.sort_unstable();
        let mut unpacked = Unpacked::new(blocks, filling)?;
        let mut out = Spelled::new(out);
        let sessions = |out: &mut Spelled<'_>| {
            for (number, place) in places.iter().enumerate() {
                out.write_all(if number == 0 { b"\n    " } else { b",\n    " })?;
                let range = place.start as usize..place.end as usize;
                out.write_all(unpacked.session(place.block, range)?)?;
            }
            if places.is_empty() { Ok(()) } else { out.write_all(b"\n  ") }
        };
        let mut frame = Frame { out: &mut out, head: Vec::new(), sessions: Some(sessions) };
        let report = Report { sessions: Vec::new(), ..report };
        report.serialize(&mut Serializer::with_formatter(&mut frame, Indented::at(0)))?;
        if frame.sessions.is_some() {
            return Err(io::ErrorKind::NotFound.into());
        }
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// Passes on the document without sessions, and puts them in.
struct Frame<'o, 'w, F> {
    out: &'o mut Spelled<'w>,
    /// What came before the place of the sessions.
    head: Vec<u8>,
    /// Writes them, once.
    sessions: Option<F>,
}

impl<F: FnOnce(&mut Spelled<'_>) -> io::Result<()>> Write for Frame<'_, '_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.sessions.is_none() {
            return self.out.write(bytes);
        }
        self.head.extend_from_slice(bytes);
        // Lines do not break within strings: this is the member and nothing else.
        if self.head.ends_with(PLACE.as_bytes())
            && let Some(sessions) = self.sessions.take()
        {
            self.out.write_all(&std::mem::take(&mut self.head))?;
            sessions(self.out)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::json;
    use crate::export::timeline::samples;

    #[test]
    fn a_document_is_the_report_whatever_the_order_of_its_sessions() {
        let report = samples::report();
        let mut sessions: Vec<Session> = (0..1000)
            .map(|number| {
                let mut session = samples::session();
                session.started = Timestamp::from_nanos(number * 1_000_000_000);
                session.id = Some(format!("{number}\x7f{}", "x".repeat(8000)).into());
                session
            })
            .collect();
        let mut document = Document::default();
        for number in 0..sessions.len() {
            document.add(&sessions[number * 77 % sessions.len()]).unwrap();
        }
        assert!(document.blocks.len() > blocks::AT_HAND);
        let (mut expected, mut out) = (Vec::new(), Vec::new());
        json::write(&mut expected, &Report { sessions: sessions.clone(), ..report.clone() })
            .unwrap();
        document.write(&mut out, report.clone()).unwrap();
        assert!(out == expected);
        sessions.clear();
        let (mut expected, mut out) = (Vec::new(), Vec::new());
        json::write(&mut expected, &Report { sessions, ..report.clone() }).unwrap();
        Document::default().write(&mut out, report).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(expected).unwrap());
    }
}
