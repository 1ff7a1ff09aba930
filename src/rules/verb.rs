//! Whether IIS refused the verb of an upload, not what it asks for.

use super::filtering::{self, Fault};
use super::{Around, Confidence, page};
use crate::at::At;
use crate::model::{Exchange, Request, Response};

/// What tells that a 404 is about the verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The answer says so: 404.6.
    Told,
    /// The virtual directory served another request.
    Served(At),
    /// The path is one of which the documented list of verbs lacks BITS_POST.
    Incoming,
    /// The virtual directory itself got another answer.
    Differs(u16, At),
}

impl Sign {
    /// The best sign that a 404 of IIS is about the verb.
    pub fn of(
        exchange: &Exchange,
        request: &Request,
        response: &Response,
        around: &Around<'_>,
    ) -> Option<Self> {
        match (filtering::fault(response), page::sub_status(response)) {
            (Some((Fault::Verb, _)), _) => return Some(Self::Told),
            (_, Some(_)) => return None,
            (_, None) => {}
        }
        let directory = around.directory(exchange.server, request);
        let served = directory.and_then(|directory| directory.success).map(Self::Served);
        let incoming = || {
            let path = request.target.to_ascii_lowercase();
            path.contains("ccm_incoming").then_some(Self::Incoming)
        };
        let differs = || {
            let (status, at) = directory?.other?;
            Some(Self::Differs(status, at))
        };
        served.or_else(incoming).or_else(differs)
    }

    /// How sure it makes.
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::Told => Confidence::Certain,
            Self::Served(_) | Self::Incoming => Confidence::Likely,
            Self::Differs(..) => Confidence::Possible,
        }
    }

    /// Whether it leaves no room for a directory without BITS.
    pub const fn is_enough(self) -> bool {
        matches!(self, Self::Told | Self::Served(_))
    }

    /// The words for it.
    pub fn words(self) -> String {
        match self {
            Self::Told => "and names the verb as denied".to_owned(),
            Self::Served(at) => {
                format!("though it served another request in frame {}", at.name())
            }
            Self::Incoming => "below CCM_Incoming".to_owned(),
            Self::Differs(status, at) => {
                format!("and a request for its directory with {status} in frame {}", at.name())
            }
        }
    }
}
