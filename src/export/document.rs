//! The report as one document, of any number of sessions: those that are over wait in packed form for the end of the
//! capture, when the document can begin.

use std::collections::VecDeque;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::json::Spelled;
use crate::at::Timestamp;
use crate::model::{Report, Session};

/// Bytes packed together: enough for sessions to have much in common, few enough to be unpacked for one of them.
const BLOCK: usize = 256 << 10;

/// Blocks kept unpacked while the document is written: sessions end in about the order in which they begin.
const AT_HAND: usize = 4;

/// The member of a report that the sessions are put into.
const PLACE: &str = "\n  \"sessions\": [";

/// Sessions for a document, packed.
pub struct Document {
    packer: zstd::bulk::Compressor<'static>,
    blocks: Vec<Box<[u8]>>,
    /// The block being filled.
    filling: Vec<u8>,
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
    /// One without sessions.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it.
    pub fn new() -> io::Result<Self> {
        let packer = zstd::bulk::Compressor::new(1)?;
        Ok(Self { packer, blocks: Vec::new(), filling: Vec::new(), places: Vec::new() })
    }

    /// Takes a session, in any order.
    ///
    /// # Errors
    ///
    /// Where it cannot be packed.
    pub fn add(&mut self, session: &Session) -> io::Result<()> {
        let start = self.filling.len();
        // Two levels down, in the list of the report.
        let mut formatter = PrettyFormatter::new();
        formatter.begin_array(&mut io::sink())?;
        formatter.begin_array(&mut io::sink())?;
        session.serialize(&mut Serializer::with_formatter(&mut self.filling, formatter))?;
        let offset = |at: usize| u32::try_from(at).map_err(io::Error::other);
        self.places.push(Place {
            order: session.order(),
            block: self.blocks.len(),
            start: offset(start)?,
            end: offset(self.filling.len())?,
        });
        if self.filling.len() >= BLOCK {
            self.blocks.push(self.packer.compress(&self.filling)?.into());
            self.filling.clear();
        }
        Ok(())
    }

    /// Writes the document: the report with the sessions that were added, by the time they began. Sessions that the
    /// report has itself are left out.
    ///
    /// # Errors
    ///
    /// Where `out` fails.
    pub fn write(mut self, out: &mut dyn Write, report: Report) -> io::Result<()> {
        let frame = serde_json::to_string_pretty(&Report { sessions: Vec::new(), ..report })?;
        // Lines do not break within strings: this is the member and nothing else.
        let place = frame.find(PLACE).ok_or(io::ErrorKind::NotFound)? + PLACE.len();
        let (head, tail) = frame.split_at(place);
        self.places.sort_unstable();
        let mut out = Spelled::new(out);
        out.write_all(head.as_bytes())?;
        let places = std::mem::take(&mut self.places);
        let mut unpacked = Unpacked { document: &self, at_hand: VecDeque::new() };
        for (number, place) in places.iter().enumerate() {
            out.write_all(if number == 0 { b"\n    " } else { b",\n    " })?;
            out.write_all(unpacked.session(place)?)?;
        }
        if !places.is_empty() {
            out.write_all(b"\n  ")?;
        }
        out.write_all(tail.as_bytes())?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// Blocks unpacked as they are needed.
struct Unpacked<'d> {
    document: &'d Document,
    at_hand: VecDeque<(usize, Vec<u8>)>,
}

impl Unpacked<'_> {
    fn session(&mut self, place: &Place) -> io::Result<&[u8]> {
        let range = place.start as usize..place.end as usize;
        let Some(packed) = self.document.blocks.get(place.block) else {
            return Ok(self.document.filling.get(range).unwrap_or_default());
        };
        if !self.at_hand.iter().any(|(block, _)| *block == place.block) {
            if self.at_hand.len() >= AT_HAND {
                self.at_hand.pop_front();
            }
            let block = zstd::stream::decode_all(&**packed)?;
            self.at_hand.push_back((place.block, block));
        }
        let block = self.at_hand.iter().find(|(block, _)| *block == place.block);
        Ok(block.and_then(|(_, block)| block.get(range)).unwrap_or_default())
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
                session.id = Some(format!("{number}\x7f"));
                session
            })
            .collect();
        let mut document = Document::new().unwrap();
        for number in 0..sessions.len() {
            document.add(&sessions[number * 77 % sessions.len()]).unwrap();
        }
        assert!(document.blocks.len() > AT_HAND);
        let (mut expected, mut out) = (Vec::new(), Vec::new());
        json::write(&mut expected, &Report { sessions: sessions.clone(), ..report.clone() })
            .unwrap();
        document.write(&mut out, report.clone()).unwrap();
        assert!(out == expected);
        sessions.clear();
        let (mut expected, mut out) = (Vec::new(), Vec::new());
        json::write(&mut expected, &Report { sessions, ..report.clone() }).unwrap();
        Document::new().unwrap().write(&mut out, report).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(expected).unwrap());
    }
}
