//! Reports as text for people and as data for programs.

pub mod diagnosis;
pub mod http;
pub mod json;
pub mod sarif;
pub mod style;
pub mod table;
pub mod text;
pub mod timeline;
pub mod tls;

pub use style::Style;
pub use text::Times;
