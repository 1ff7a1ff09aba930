//! The only module that reads: captures from files, standard input and interfaces.
//!
//! [`Reader`] takes one stream of packets apart, [`Merge`] orders several by time. Both lend each frame out of their
//! buffer until the next is asked for.

mod ahead;
mod batch;
pub(crate) mod blocks;
mod compressed;
mod error;
mod feed;
mod fetch;
mod filter;
mod foreign;
mod input;
mod interface;
#[cfg(feature = "live")]
pub mod live;
mod merge;
mod netmon;
mod open;
mod pcap;
mod pcapng;
mod reader;
mod record;
mod secrets;
mod snoop;
mod source;
mod window;

pub use compressed::Stream;
pub use error::Error;
pub use filter::Filter;
pub use input::{Input, Problem};
pub use merge::{Merge, name_of};
pub use open::open;
pub use reader::{Block, Reader};
pub use secrets::LateSecrets;

use crate::at::At;

/// A data link type, as in the pcap file header (tcpdump.org/linktypes.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

/// One captured frame, lent until the next one is read.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number and time.
    pub at: At,
    /// What its first bytes are.
    pub link: LinkType,
    /// The bytes captured.
    pub data: &'a [u8],
    /// Its length on the wire, at least `data.len()`.
    pub wire_len: u32,
    /// The comment a pcapng file holds for it.
    pub comment: Option<&'a str>,
}

/// What a capture yields.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// TLS secrets as lines of an NSS key log (pcapng decryption secrets block).
    Secrets(&'a [u8]),
}
