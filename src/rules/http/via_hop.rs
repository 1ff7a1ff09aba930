//! The rule `via-hop`.

use crate::model::{Exchange, Request, Response, Session};
use crate::rules::Notes;

rule! {
    /// The upload passes a proxy, gateway or balancer.
    ///
    /// Its fields name it; what it does to requests, answers and time-outs concerns the upload.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Via: 1.1 proxy.corp.test (squid/5.7)
    /// ```
    /// ```fires
    /// = url http://server/upload/a
    /// > CONNECT server:80
    /// < 200 plain
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: Have the name of the hop at hand: its log shows the same requests.
    /// Reference: RFC 9110 7.6.3
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut told: Vec<String> = Vec::new();
    for exchange in session.exchanges.iter().filter(|exchange| is_marked(exchange)) {
        let mut marks = exchange.request.as_ref().map_or_else(Vec::new, of_request);
        marks.extend(exchange.response.iter().flat_map(of_response));
        if exchange.tunnel {
            marks.push(format!("a tunnel through {}", exchange.server));
        }
        // What names the hop makes its other fields superfluous.
        if marks.iter().any(|mark| mark.starts_with("Via ")) {
            marks.retain(|mark| mark.contains(' '));
        }
        marks.dedup();
        marks.retain(|mark| !told.contains(mark));
        if !marks.is_empty() && told.len() < MARKS {
            notes.add(exchange.span(), marks.join(", "));
            told.append(&mut marks);
        }
    }
}

/// Whether a hop left any mark.
fn is_marked(exchange: &Exchange) -> bool {
    let of_request = |request: &Request| !request.hops.is_empty() || request.is_for_proxy();
    exchange.tunnel
        || exchange.request.as_ref().is_some_and(of_request)
        || exchange.response.as_ref().is_some_and(|response| !response.hops.is_empty())
}

/// Marks after which no more are told.
const MARKS: usize = 8;

fn of_request(request: &Request) -> Vec<String> {
    let mut marks: Vec<String> = request.hops.iter().map(|hop| mark(hop)).collect();
    if request.is_for_proxy() {
        marks.push("the whole URL in the request line".to_owned());
    }
    marks
}

fn of_response(response: &Response) -> Vec<String> {
    response.hops.iter().map(|hop| mark(hop)).collect()
}

/// A field as it is told: values that differ from request to request are left out.
fn mark(hop: &str) -> String {
    let (name, value) = hop.split_once(": ").unwrap_or((hop, ""));
    match name.to_ascii_lowercase().as_str() {
        "via" => return format!("Via \"{value}\""),
        "proxy-agent" | "x-served-by" => return format!("{name} \"{value}\""),
        _ => {}
    }
    name.to_owned()
}
