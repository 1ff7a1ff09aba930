//! What the lengths of records say about what goes on inside.
//!
//! A BITS upload opens with a small request and a small answer (Create-Session), then sends Fragments, each a long
//! burst that a short answer follows. Other uploads look the same, so a shape makes it likely and never certain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stream::Side;

/// Bytes that a request or an answer without a body hardly exceeds.
const SMALL: u64 = 4 << 10;
/// Bytes that a request with a body exceeds and hardly any other does.
const BURST: u64 = 2 << 10;
/// Bytes sent up from which on the shape of a whole upload can be told from that of ordinary requests.
const TELLING: u64 = 16 << 10;

/// How the application data of a connection alternates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shape {
    /// The first request and its answer are small, 4 KiB at most each.
    pub small_opening: bool,
    /// Later runs of more than 2 KiB from the client with nothing from the server in between.
    pub bursts_up: u32,
    /// Bursts that the server answered with 4 KiB at most.
    pub short_answers: u32,
    /// Bytes of the longest burst, protection included.
    pub longest_burst: u64,
    /// How well this fits a BITS upload. It is a guess from lengths alone, no observation.
    pub bits_upload: Likelihood,
}

/// How well a shape fits.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Likelihood {
    /// More came down than went up, or hardly anything went up.
    #[default]
    Unlikely,
    /// It fits in part.
    Possible,
    /// It fits throughout; so do other uploads.
    Likely,
}

impl Likelihood {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlikely => "unlikely",
            Self::Possible => "possible",
            Self::Likely => "likely",
        }
    }
}

/// Runs of records in one direction.
#[derive(Debug, Default)]
pub(super) struct Runs {
    side: Option<Side>,
    run: u64,
    /// Runs of the client that ended, and the length of the last one.
    requests: u32,
    request: u64,
    answers: u32,
    small: (bool, bool),
    shape: Shape,
    up: u64,
    down: u64,
}

impl Runs {
    pub(super) fn record(&mut self, side: Side, len: usize) {
        // Before the client has said anything, the server only goes on with the handshake.
        if self.side.is_none() && side == Side::Server {
            return;
        }
        let len = len as u64;
        if self.side != Some(side) {
            self.end();
            (self.side, self.run) = (Some(side), 0);
        }
        self.run = self.run.saturating_add(len);
        let sum = if side == Side::Client { &mut self.up } else { &mut self.down };
        *sum = sum.saturating_add(len);
    }

    /// The shape so far; `None` before the first record of the client.
    pub(super) fn shape(&self) -> Option<Shape> {
        let mut now = Self { ..*self };
        now.end();
        now.shape.small_opening = now.small == (true, true);
        now.shape.bits_upload = now.likelihood();
        now.side.map(|_| now.shape)
    }

    fn end(&mut self) {
        let run = self.run;
        match self.side {
            Some(Side::Client) => {
                self.requests = self.requests.saturating_add(1);
                self.request = run;
                if self.requests == 1 {
                    self.small.0 = run <= SMALL;
                } else if run > BURST {
                    self.shape.bursts_up = self.shape.bursts_up.saturating_add(1);
                    self.shape.longest_burst = self.shape.longest_burst.max(run);
                }
            }
            Some(Side::Server) => {
                self.answers = self.answers.saturating_add(1);
                if self.answers == 1 {
                    self.small.1 = run <= SMALL;
                } else if self.request > BURST && run <= SMALL {
                    self.shape.short_answers = self.shape.short_answers.saturating_add(1);
                }
            }
            None => {}
        }
    }

    const fn likelihood(&self) -> Likelihood {
        let shape = &self.shape;
        if self.up < self.down || shape.bursts_up == 0 {
            return Likelihood::Unlikely;
        }
        // The last burst may still wait for its answer.
        let answered = shape.short_answers > 0 && shape.short_answers + 1 >= shape.bursts_up;
        if shape.small_opening && answered && self.up >= TELLING && self.up / 4 >= self.down {
            Likelihood::Likely
        } else {
            Likelihood::Possible
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(records: &[(Side, usize)]) -> Option<Shape> {
        let mut runs = Runs::default();
        records.iter().for_each(|&(side, len)| runs.record(side, len));
        runs.shape()
    }

    use Side::{Client as C, Server as S};

    #[test]
    fn small_opening_and_answered_bursts_are_likely_an_upload() {
        let shape = shape(&[
            (S, 3000),
            (C, 74),
            (C, 400),
            (S, 300),
            (C, 16_000),
            (C, 9000),
            (S, 250),
            (C, 300),
            (S, 99),
        ]);
        let expected = Shape {
            small_opening: true,
            bursts_up: 1,
            short_answers: 1,
            longest_burst: 25_000,
            bits_upload: Likelihood::Likely,
        };
        assert_eq!(shape, Some(expected));
    }

    #[test]
    fn download_is_unlikely_an_upload() {
        let shape = shape(&[(C, 400), (S, 90_000), (C, 5000), (S, 90_000)]);
        assert_eq!(shape.unwrap().bits_upload, Likelihood::Unlikely);
    }

    #[test]
    fn upload_without_an_opening_is_possible() {
        let shape = shape(&[(C, 40_000), (S, 300), (C, 40_000), (S, 300)]);
        assert_eq!(shape.unwrap().bits_upload, Likelihood::Possible);
    }

    #[test]
    fn handshake_of_the_server_alone_has_no_shape() {
        assert_eq!(shape(&[(S, 3000)]), None);
    }
}
