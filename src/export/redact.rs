//! Reports and captures that can leave the house: who and where become stable pseudonyms of the same length,
//! credentials and bodies go.

pub mod capture;
mod exchange;
mod half;
mod head;
mod kept;
mod names;
mod packet;
mod plain;
mod pseudonym;
mod report;
mod seen;
mod stream;
mod tls;
mod told;
mod v4;
mod v6;
mod words;

pub use pseudonym::Pseudonyms;
pub use report::{capture_name, heads, report, session};
