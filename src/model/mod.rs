//! What was seen, as values: exchanges, and the sessions they add up to.

pub mod attempt;
mod body;
mod door;
mod ending;
pub mod exchange;
pub mod fold;
pub(crate) mod host;
pub(crate) mod index;
pub mod lookup;
pub mod negotiation;
pub mod notification;
pub(crate) mod order;
pub mod origin;
mod outcome;
pub mod ranges;
pub(crate) mod replaced;
pub mod report;
pub(crate) mod request;
mod response;
mod scattered;
pub mod session;
pub mod text;
pub mod tls;
mod tunnel;
pub(crate) mod unseen_close;
pub mod url;

pub use attempt::{Answer, Attempt};
pub(crate) use door::Door;
pub use exchange::{Exchange, Request, Response};
pub use lookup::Lookup;
pub use outcome::Outcome;
pub use report::{Downloads, Notifications, Report};
pub use session::Session;
pub use text::Text;
pub use tls::TlsConnection;
pub use tunnel::RefusedTunnel;
