//! Traffic analyser and packet dissector for BITS, the Background Intelligent Transfer Service.
//!
//! ```text
//!  files, standard input, interfaces          a library user's frames
//!                  │                                     │
//!           capture::Reader ─── Frame, Secrets ──────────┤
//!                                                        ▼
//!  Engine     packet   Frame → Segment              link, tunnels, IP, TCP
//!             stream   Segment → stream::Event      order, overlap, loss
//!             layer    → http::Event                HTTP, or TLS and again
//!                                                        ▼
//!  Analysis   sessions → model::Exchange, Session   a request and its answer, one upload
//!             rules    → findings, diagnosis
//!             observe  → files, digests             what is made while bodies go by
//!                                                        ▼
//!             Report → export                       timeline, table, JSON, …
//! ```
//!
//! [`bits`] decodes the fields of the upload protocol, [`model`] holds what was seen. Only [`capture`], the files of
//! [`observe`] and [`export`] do input or output, and no layer copies what it can lend.

pub mod analysis;
pub mod at;
pub mod bits;
pub mod capture;
mod dns;
pub mod engine;
pub mod explain;
pub mod export;
mod hex;
pub mod http;
pub mod layer;
pub mod limits;
pub mod model;
pub mod observe;
pub mod packet;
pub mod rare;
pub mod rules;
pub mod sessions;
mod sides;
pub mod stream;
pub mod tls;
pub mod transcript;

pub use analysis::{Analysis, Options};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
