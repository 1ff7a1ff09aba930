//! Who asks for credentials, and whether they were brought (RFC 9110 11).

use super::{Exchange, Request, Session};

/// Who asks for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The server, with 401.
    Server,
    /// The proxy, with 407.
    Proxy,
}

impl Door {
    /// The status of its challenge.
    pub const fn status(self) -> u16 {
        match self {
            Self::Server => 401,
            Self::Proxy => 407,
        }
    }

    /// The scheme of the credentials that a request brings for it.
    pub fn scheme(self, request: &Request) -> Option<&str> {
        let brought = match self {
            Self::Server => request.authorization.as_deref(),
            Self::Proxy => request.proxy_authorization.as_deref(),
        };
        // The credentials themselves follow where they are shown.
        brought.map(|value| value.split(' ').next().unwrap_or(value))
    }

    /// Whether it did not let an exchange pass.
    pub fn stopped(self, exchange: &Exchange) -> bool {
        exchange.response.as_ref().is_some_and(|response| response.http_status == self.status())
    }

    /// Whether it saw a handshake to its end and refused: the first message of NTLM only asks for the challenge.
    pub fn refused(self, exchange: &Exchange) -> bool {
        let sent = exchange.request.as_ref().filter(|request| self.scheme(request).is_some());
        self.stopped(exchange) && sent.is_some_and(|request| request.ntlm != Some(1))
    }

    /// Whether the client brought credentials at any time, as far as the capture tells.
    pub fn may_have_been_tried(self, session: &Session) -> bool {
        let mut requests =
            session.exchanges.iter().filter_map(|exchange| exchange.request.as_ref());
        requests.any(|request| self.scheme(request).is_some() || request.is_cut())
    }

    /// Whether a client that waits to be asked brought credentials at any time: what comes ahead of the first
    /// challenge, or with it, has none.
    pub fn may_have_been_tried_when_asked(self, session: &Session) -> bool {
        let mut asked = false;
        session.exchanges.iter().any(|exchange| {
            let request = exchange.request.as_ref();
            let tried = request
                .is_some_and(|request| self.scheme(request).is_some() || asked && request.is_cut());
            asked |= self.stopped(exchange);
            tried
        })
    }
}
