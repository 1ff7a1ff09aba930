//! The program and the library against whole captures.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod annotate;
mod caps;
mod cli;
mod damage;
mod diagnose;
mod explain;
mod export;
mod extract;
mod found;
mod golden;
mod histories;
mod holes;
mod invariance;
mod network;
mod packed;
mod readme;
mod redact;
mod redacted;
mod report;
mod rings;
mod rivals;
mod rules;
mod secrets;
mod sinks;
mod snaplen;
mod splits;
mod stitch;
mod support;
mod tls;
