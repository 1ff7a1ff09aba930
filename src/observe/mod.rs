//! What watches an analysis: digests of files, listings, a library user's own code.

pub(crate) mod digest;
pub mod extract;
pub(crate) mod hashing;
pub mod heads;
pub mod listing;

use crate::http;
use crate::model::{Exchange, Session};
use crate::stream::Connection;

/// Watches an analysis as it goes. Every method has a default that does nothing.
pub trait Observer {
    /// An HTTP event, BITS or not.
    fn http(&mut self, _connection: &Connection, _event: &http::Event<'_>) {}

    /// An exchange of the upload protocol is over: its answer is, and its request as far as that was captured.
    fn exchange(&mut self, _exchange: &Exchange) {}

    /// A connection is over; no event of it follows.
    fn closed(&mut self, _connection: &Connection) {}

    /// A session is over, or nothing more is expected of it, and it has been judged. What is returned is kept for the
    /// report; by default all are.
    fn session(&mut self, session: Session) -> Option<Session> {
        Some(session)
    }

    /// Whether reading on is of no use, as when nobody takes what the observer writes any more.
    fn has_enough(&self) -> bool {
        false
    }
}

impl Observer for () {}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn http(&mut self, connection: &Connection, event: &http::Event<'_>) {
        (**self).http(connection, event);
    }

    fn exchange(&mut self, exchange: &Exchange) {
        (**self).exchange(exchange);
    }

    fn closed(&mut self, connection: &Connection) {
        (**self).closed(connection);
    }

    fn session(&mut self, session: Session) -> Option<Session> {
        (**self).session(session)
    }

    fn has_enough(&self) -> bool {
        (**self).has_enough()
    }
}
