//! Reports as text for people and as data for programs.

pub mod annotate;
pub mod aside;
pub mod community;
pub mod csv;
pub mod diagnosis;
pub mod document;
pub mod ecs;
pub mod events;
pub mod explain;
pub mod har;
pub mod html;
pub mod http;
pub mod json;
mod legend;
pub mod markdown;
pub mod ndjson;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod pcap;
pub mod pcapng;
pub mod redact;
pub mod rules;
pub mod sarif;
pub mod stix;
mod story;
pub mod style;
pub mod table;
pub mod tables;
pub mod text;
pub mod timeline;
pub mod tls;

pub use style::Style;
pub use text::Times;
