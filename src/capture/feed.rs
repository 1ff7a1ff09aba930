//! One input of several: what was read of it, and who reads on.

use super::ahead::Ahead;
use super::batch::{Batch, End};
use super::compressed::Stream;
use super::{Error, Input, Problem, Reader};
use crate::at::Timestamp;

/// One of several inputs.
pub(super) struct Source {
    pub feed: Feed,
    /// What was read last.
    pub batch: Batch,
    /// The place in it of the record at hand.
    pub place: usize,
    /// Whether it goes before others where frames have one time: the lowest does.
    pub rank: usize,
    pub input: Input,
}

/// Who reads an input.
pub(super) enum Feed {
    Here(Box<Reader<Stream>>),
    Ahead(Ahead),
    /// It is read to its end.
    None,
}

impl Source {
    pub fn new(feed: Feed, input: Input) -> Self {
        Self { feed, batch: Batch::default(), place: 0, rank: 0, input }
    }

    /// The time of the first frame, as far as was read.
    pub fn begins(&self) -> Option<Timestamp> {
        let mut places = self.place..self.batch.entries.len();
        places.find_map(|place| self.batch.facts(place)).map(|facts| facts.time)
    }

    /// Reads the next batch; false where there is none.
    #[inline(never)]
    pub fn read_on(&mut self, problems: &mut Vec<Problem>) -> bool {
        while self.batch.end.is_none() {
            match &mut self.feed {
                Feed::Here(reader) => reader.fill(&mut self.batch),
                Feed::Ahead(ahead) => ahead.fill(&mut self.batch),
                Feed::None => return false,
            }
            self.place = 0;
            if !self.batch.entries.is_empty() {
                return true;
            }
        }
        if !matches!(self.feed, Feed::None) {
            self.input = self.input();
            self.feed = Feed::None;
            if let Some(End::Broken(error)) = &self.batch.end {
                report(problems, &mut self.input, error);
            }
            self.batch = Batch::last();
        }
        false
    }

    /// What is known about it so far.
    pub fn input(&self) -> Input {
        let mut input = self.input.clone();
        if !matches!(self.feed, Feed::None) {
            (input.bytes, input.snaplen) = (self.batch.used(self.place), self.batch.snaplen);
            input.dropped_frames = self.batch.dropped;
        }
        input
    }
}

impl Feed {
    /// Leaves the reading to another thread from now on.
    pub fn read_ahead(&mut self) {
        if let Self::Here(reader) = std::mem::replace(self, Self::None) {
            *self = match Ahead::start(reader) {
                Ok(ahead) => Self::Ahead(ahead),
                Err(reader) => Self::Here(reader),
            };
        }
    }
}

/// Notes that an input was not read, or not to its end.
pub(super) fn report(problems: &mut Vec<Problem>, input: &mut Input, error: &Error) {
    let message = error.to_string();
    input.problem = Some(message.clone());
    input.failed = error.is_fatal();
    input.corrupt = error.leaves_doubt();
    problems.push(Problem { name: input.name.clone(), message, fatal: error.is_fatal() });
}
