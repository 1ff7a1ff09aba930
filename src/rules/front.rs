//! Answers inside a session that come from something else than what answered before: what stands in front of the
//! server, or another server.

use crate::model::{Exchange, Response, Session};
use crate::rules::origin::{self, Origin};
use crate::rules::{Finding, look};

/// What gave an answer, seen from the BITS server of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It answered on a connection on which the BITS server had answered: it stands between.
    Between,
    /// It answered on a connection on which the BITS server never did.
    Elsewhere,
}

/// Where an answer came from that is not from BITS, and names another product than the Acks before it did.
pub fn of(session: &Session, exchange: &Exchange) -> Option<Place> {
    let response = look::stranger(exchange).filter(|response| !response.is_success())?;
    let name = product(response)?;
    let mut place = None;
    let acks = look::ahead(session, exchange)
        .filter_map(|other| Some((other, other.response.as_ref().filter(|ack| ack.is_ack())?)));
    for (other, ack) in acks {
        if product(ack)?.eq_ignore_ascii_case(name) {
            return None;
        }
        let same = other.connection == exchange.connection;
        place = if same { Some(Place::Between) } else { place.or(Some(Place::Elsewhere)) };
    }
    place
}

/// Whether a web server answered that stands between the client and the BITS server.
pub fn is_between(session: &Session, exchange: &Exchange) -> bool {
    Origin::of(exchange) == Origin::WebServer && of(session, exchange) == Some(Place::Between)
}

/// Who answered an exchange, with the name that it gives itself; `None` without an answer.
pub fn told(session: &Session, exchange: &Exchange) -> Option<String> {
    let server = exchange.response.as_ref()?.server.as_deref();
    let between = server.filter(|_| is_between(session, exchange));
    between.map(origin::proxy).or_else(|| Origin::told(exchange))
}

/// The same as ` by …`, with what it says of the error, behind an answer that is not from BITS; nothing for one that is.
pub fn by(session: &Session, exchange: &Exchange) -> String {
    let Some(response) = exchange.response.as_ref().filter(|answer| !answer.is_ack()) else {
        return String::new();
    };
    let who = told(session, exchange).unwrap_or_default();
    format!(" by {who}{}", error(response))
}

/// The same as ` by "…"`, by the name that an answer bears: of a refused tunnel, that is the proxy's.
pub fn quoted(answer: Option<&Response>) -> String {
    let name = answer.and_then(|answer| answer.server.as_deref().or(answer.via.as_deref()));
    name.map_or_else(String::new, |name| format!(" by \"{name}\""))
}

/// What a proxy says of the error, as ` (…)`.
pub fn error(response: &Response) -> String {
    response.own_error().map_or_else(String::new, |error| format!(" ({error})"))
}

/// Who answered an exchange.
pub fn origin(session: &Session, exchange: &Exchange) -> Origin {
    if is_between(session, exchange) { Origin::Proxy } else { Origin::of(exchange) }
}

/// Turns a finding about the server to what answered in its place, where that is a proxy or a firewall.
pub fn turn(finding: Option<&mut Finding>, who: Origin) {
    let name = match who {
        Origin::Proxy => "the proxy",
        Origin::Waf => "the firewall",
        _ => return,
    };
    let Some(finding) = finding else { return };
    finding.answerable = Some(name.into());
    let advice = format!(
        "Look at the rules and limits of {name} for this request: it answered, not the BITS server."
    );
    finding.advice = Some(advice.into());
    let confirm =
        format!("The log of {name} holds the request with this status; the server's log lacks it.");
    finding.confirm = Some(confirm.into());
}

/// The product that `Server` begins with, without its version.
fn product(response: &Response) -> Option<&str> {
    let server = response.server.as_deref()?.trim();
    server.split(['/', ' ']).next().filter(|name| !name.is_empty())
}
