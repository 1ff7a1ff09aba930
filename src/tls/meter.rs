//! Counts the records of both directions by their headers, whatever becomes of what is in them.

use crate::at::At;
use crate::stream::{Event, Side};

use super::facts::{Facts, Traffic};
use super::record::{APPLICATION_DATA, HEADER, record_len};
use super::shape::Runs;

/// Counts what goes by.
#[derive(Debug, Default)]
pub(super) struct Meter {
    client: Lane,
    server: Lane,
    runs: Runs,
}

impl Meter {
    /// Takes in what came on the connection.
    pub(super) fn push(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match *event {
            Event::Data(chunk) => {
                let (side, at) = (chunk.side, chunk.at);
                let lane = match side {
                    Side::Client => &mut self.client,
                    Side::Server => &mut self.server,
                };
                let (runs, before) = (&mut self.runs, facts.traffic(side).application_records);
                lane.data(chunk.bytes, |kind, len| {
                    facts.traffic(side).count(at, kind, len);
                    if kind == APPLICATION_DATA {
                        runs.record(side, len);
                    }
                });
                if facts.traffic(side).application_records != before {
                    facts.shape = self.runs.shape();
                }
            }
            Event::Gap { side: Side::Client, len, .. } => self.client.gap(len),
            Event::Gap { side: Side::Server, len, .. } => self.server.gap(len),
            Event::End { .. } => {}
        }
    }
}

impl Traffic {
    fn count(&mut self, at: At, kind: u8, len: usize) {
        self.records += 1;
        self.bytes = self.bytes.saturating_add((HEADER + len) as u64);
        if kind == APPLICATION_DATA {
            self.application_records += 1;
            self.application_bytes = self.application_bytes.saturating_add(len as u64);
            self.application_first.get_or_insert(at);
            self.application_last = Some(at);
        }
    }
}

/// Where one direction stands.
#[derive(Debug, Default)]
struct Lane {
    header: [u8; HEADER],
    /// Bytes of the header that have come.
    have: usize,
    /// Bytes of the body, and those of them still to come.
    body: (usize, usize),
    /// A gap took a header along: wait for a segment that begins with one.
    lost: bool,
}

impl Lane {
    fn data(&mut self, mut bytes: &[u8], mut each: impl FnMut(u8, usize)) {
        if self.lost && record_len(bytes).is_none() {
            return;
        }
        self.lost = false;
        while !bytes.is_empty() {
            if self.have < HEADER {
                if let (Some(slot), Some(first)) =
                    (self.header.get_mut(self.have), bytes.split_off_first())
                {
                    *slot = *first;
                }
                self.have += 1;
                if self.have == HEADER && !self.begin() {
                    return;
                }
                continue;
            }
            let part = self.body.1.min(bytes.len());
            bytes = bytes.get(part..).unwrap_or_default();
            self.body.1 -= part;
            if self.body.1 == 0 {
                each(self.header[0], self.body.0);
                self.have = 0;
            }
        }
    }

    /// Reads the header; false if it is none.
    fn begin(&mut self) -> bool {
        let len = record_len(&self.header).map(|len| len - HEADER);
        (self.lost, self.body) = (len.is_none(), (len.unwrap_or(0), len.unwrap_or(0)));
        if self.lost {
            self.have = 0;
        }
        !self.lost
    }

    /// Counts a record with a hole in it as none.
    fn gap(&mut self, len: u64) {
        let within =
            usize::try_from(len).ok().filter(|&len| self.have == HEADER && len < self.body.1);
        match within {
            Some(len) => self.body.1 -= len,
            None => (self.lost, self.have) = (true, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(lane: &mut Lane, bytes: &[u8]) -> Vec<(u8, usize)> {
        let mut seen = Vec::new();
        lane.data(bytes, |kind, len| seen.push((kind, len)));
        seen
    }

    const TWO: [u8; 13] = [22, 3, 3, 0, 2, 1, 2, 23, 3, 3, 0, 1, 9];

    #[test]
    fn records_count_however_they_are_split() {
        for split in 1..TWO.len() {
            let (mut lane, (a, b)) = (Lane::default(), TWO.split_at(split));
            let seen = [lens(&mut lane, a), lens(&mut lane, b)].concat();
            assert_eq!(seen, [(22, 2), (23, 1)]);
        }
    }

    #[test]
    fn gap_over_a_header_waits_for_the_next_segment_that_begins_with_one() {
        let mut lane = Lane::default();
        assert_eq!(lens(&mut lane, &TWO[..6]), []);
        lane.gap(1);
        assert_eq!(lens(&mut lane, &[9, 9]), []);
        assert_eq!(lens(&mut lane, &TWO[7..]), [(23, 1)]);
    }
}
