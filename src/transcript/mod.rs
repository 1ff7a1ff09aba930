//! Conversations as text, played as the frames that a capture of them would hold.
//!
//! The notation is that of the timeline: what rules are documented and tested with.
//!
//! ```text
//! > CREATE-SESSION
//! < 200 session=1
//! > FRAGMENT 0-9/20
//! < 200 received=10
//! ... 90 s
//! = connection
//! > PING
//! < 503 plain
//!   Server: nginx
//!   | no live upstreams
//! ! server resets ttl=40
//! ```
//!
//! `>` is the client's, `<` the server's. A request is a packet type or an HTTP method with its target; a response is a
//! status. Fields that a Windows client or an IIS server would write are filled in. Words behind them:
//!
//! | word | meaning |
//! |---|---|
//! | `proxied` | a request with the whole URL in its first line, as proxies are asked |
//! | `session=`, `name=`, `offers=` | `BITS-Session-Id`, `Content-Name`, `BITS-Supported-Protocols`; the id is kept for later |
//! | `session=`, `protocol=`, `received=`, `error=`, `context=`, `host=`, `fallback=`, `reply=` | the fields of an Ack |
//! | `plain` | a response that is not from BITS |
//! | `sent=` | how many bytes of the body cross the wire |
//! | `pace=` | seconds that the body takes |
//! | `held=` | seconds between the head and the body |
//! | `whole` | in one segment, as a network card that cuts segments itself shows it |
//! | `lost` | the capture lacks it, though it arrived |
//! | `dropped` | the capture has it, but it never arrived: nobody acknowledges it |
//!
//! Indented lines set a field (`Name: value`), take it away (`Name:`), add another one (`+ Name: value`) or add a line
//! of the body (`| text`). `...` waits, or sets the clock back by a negative time; `=` changes what follows:
//! `= connection`, `= client ADDRESS`, `= server ADDRESS:PORT`, `= url URL`, `= sees SIDE` (the tap sees `client`,
//! `server` or `both`); `= repeat N` plays all lines above N times more. `!` is TCP and names: `client resets`,
//! `server resets` (also `ttl=`, and `bare`, as one does that does not know the connection), `client closes`,
//! `server closes`, `client sends BYTES` (more of what came last, that nobody acknowledges), `again` (the last segment
//! is repeated), `again changed` (with another first byte), `again BYTES` (in pieces of so many), `mirrored` (the last
//! frame is captured twice), `too big MTU` (a router reports that the last segment does not fit), `unreachable CODE` (or
//! that there is no way for it), `refused` (a connection is answered by RST), `unanswered` (it is not answered),
//! `server stalls SECONDS`, `name NAME NXDOMAIN` (a look-up fails; so do `SERVFAIL`, `REFUSED`, `unanswered`,
//! `no-AAAA`; `found` does not).

mod line;
mod message;
mod names;
mod play;
mod wire;

use std::fmt;

use crate::at::At;
#[cfg(test)]
use crate::at::Timestamp;
use crate::capture::{Frame, LinkType};
#[cfg(test)]
use crate::{Analysis, Options, model::Report, observe::Observer};

pub use play::play;

/// A frame that a transcript was played as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number and time.
    pub at: At,
    /// An Ethernet frame.
    pub data: Vec<u8>,
}

impl Record {
    /// The frame as a capture would give it.
    pub fn frame(&self) -> Frame<'_> {
        let wire_len = u32::try_from(self.data.len()).unwrap_or(u32::MAX);
        Frame { at: self.at, link: LinkType(1), data: &self.data, wire_len, comment: None }
    }
}

/// The report on frames that transcripts were played as.
#[cfg(test)]
pub(crate) fn analyse(records: &[Record], observer: &mut impl Observer) -> Report {
    let mut analysis = Analysis::new(Options::default());
    records.iter().for_each(|record| analysis.push(&record.frame(), observer));
    analysis.finish(Vec::new(), observer)
}

/// The frames that a transcript is played as, those of which `is` holds stamped so many nanoseconds later, as another
/// tap would.
#[cfg(test)]
pub(crate) fn delayed(text: &str, nanos: i64, is: impl Fn(&[u8]) -> bool) -> Vec<Record> {
    let mut records = play(text).unwrap();
    for record in records.iter_mut().filter(|record| is(&record.data)) {
        record.at.time = Timestamp::from_nanos(record.at.time.nanos() + nanos);
    }
    records.sort_by_key(|record| record.at.time);
    for (record, number) in records.iter_mut().zip(1..) {
        record.at.frame = number;
    }
    records
}

/// What is wrong with a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for Error {}
