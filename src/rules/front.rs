//! Who answered, in view of the session: an answer may come from something else than what answered before, from what
//! stands in front of the server, or from another server.
//!
//! [`Origin::of`] goes by the answer alone, [`origin`] by what answered before as well, and `Around::origin` also by
//! what the same address answered to ordinary requests. In words, [`told`] gives `the proxy squid/5.7`, [`by`] the same
//! behind ` by ` with the error, [`answerer`] `a proxy (Server "squid/5.7")`, and [`quoted`] ` by "squid/5.7"`.

use crate::model::{Exchange, Response, Session};
use crate::rules::origin::{self, Origin};
use crate::rules::{Finding, course, look, page};

/// Where that stands which gave an answer, seen from the BITS server of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It answered on a connection on which the BITS server had answered: it stands between.
    Between,
    /// It answered on a connection on which the BITS server never did.
    Elsewhere,
}

/// Where an answer came from that is not from BITS, and names another product than the Acks before it did; or no
/// product, on a connection on which they named IIS, which names itself in all that it says.
pub fn stands(session: &Session, exchange: &Exchange) -> Option<Stands> {
    let name = refuser(exchange)?;
    let mut place = None;
    // Whether it answered on the connection that is looked at, too.
    let (mut connection, mut met) = (exchange.connection, true);
    for other in course::ahead(session, exchange).take(course::LOOKED_AT) {
        if other.connection != connection {
            connection = other.connection;
            met = connection == exchange.connection;
        }
        let Some(ack) = other.response.as_ref().filter(|answer| answer.is_ack()) else {
            let again = || refuser(other).is_some_and(|other| other.eq_ignore_ascii_case(name));
            met = met || other.server == exchange.server && again();
            continue;
        };
        let own = product(ack)?;
        let same = own.eq_ignore_ascii_case(if name.is_empty() { IIS } else { name });
        if same != name.is_empty() {
            return None;
        }
        place = if met { Some(Stands::Between) } else { place.or(Some(Stands::Elsewhere)) };
    }
    place.filter(|place| !name.is_empty() || *place == Stands::Between)
}

const IIS: &str = "Microsoft-IIS";

/// The product that a refusal names which is not from BITS; empty where it names none and bears nothing of BITS or
/// http.sys.
fn refuser(exchange: &Exchange) -> Option<&str> {
    let refuses = |answer: &&Response| !answer.is_ack() && answer.refuses();
    let response = look::whole_answer(exchange).filter(refuses)?;
    let by_server =
        || look::bears_bits(response) || response.error.is_some() || page::is_of_http_sys(response);
    let seen = !response.body_start.is_empty() || response.content_length == Some(0);
    let nameless = || seen && response.server.is_none() && !by_server();
    product(response).or_else(|| nameless().then_some(""))
}

/// Whether a web server answered that stands between the client and the BITS server: that of another product, or one
/// whose name the Acks bear although it has no BITS of its own.
pub fn is_between(session: &Session, exchange: &Exchange) -> bool {
    let between = || stands(session, exchange) == Some(Stands::Between);
    let passes = || {
        exchange.response.as_ref().is_some_and(is_relay)
            && acknowledged(session, exchange).is_some()
    };
    named(session, exchange) == Origin::WebServer && (between() || passes())
}

/// The Ack before an answer that is not from BITS which came from the same address under the same `Server`: what
/// answered knows the verb, and served BITS.
pub fn acknowledged<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Response> {
    let answer = exchange.response.as_ref().filter(|answer| !answer.is_ack())?;
    let name = answer.server.as_deref()?;
    course::ahead(session, exchange).find_map(|other| {
        let same = |ack: &&Response| match ack.server.as_deref() {
            Some(server) => ack.is_ack() && server == name,
            // The name may be cut off.
            None => ack.is_ack() && ack.is_cut(),
        };
        let ack = other.response.as_ref().filter(same)?;
        (other.server == exchange.server).then_some(ack)
    })
}

/// Whether nginx answered, or what is made of it: it writes its own name over that of the server behind it.
pub fn is_relay(answer: &Response) -> bool {
    let product = product(answer).unwrap_or_default();
    RELAYS.iter().any(|name| product.eq_ignore_ascii_case(name))
}

const RELAYS: [&str; 5] = ["nginx", "openresty", "tengine", "angie", "freenginx"];

/// Whether the BITS server itself gave an answer that is no Ack: under the name that it gave in an Ack before, with
/// nothing between.
pub fn is_own(session: &Session, exchange: &Exchange) -> bool {
    named(session, exchange) == Origin::WebServer
        && acknowledged(session, exchange).is_some()
        && !is_between(session, exchange)
}

/// Whether the answer is the BITS server's [own](is_own), or bears what BITS alone writes: something took its packet
/// type away.
pub fn is_of_bits(session: &Session, exchange: &Exchange) -> bool {
    let bears = |answer: &Response| look::bears_bits(answer) || answer.accepts();
    let bears = exchange.response.as_ref().is_some_and(bears);
    let by_web = || matches!(named(session, exchange), Origin::WebServer | Origin::Iis);
    is_own(session, exchange) || (bears || is_unmarked(session, exchange)) && by_web()
}

/// Whether a success without a packet type is from what opened the session: that wrote what BITS alone writes, under
/// the same name, and no packet type either.
pub fn is_unmarked(session: &Session, exchange: &Exchange) -> bool {
    let bare = |answer: &&Response| {
        answer.is_success() && answer.packet_type.is_none() && !page::is_page(answer)
    };
    let Some(answer) = exchange.response.as_ref().filter(bare) else { return false };
    let opened = |other: &Exchange| {
        let same = |open: &Response| open.server == answer.server && look::bears_bits(open);
        other.server == exchange.server && other.response.as_ref().filter(bare).is_some_and(same)
    };
    session.exchanges.iter().take(OPENING).any(opened)
}

/// A session is opened within so many packets, whatever rounds of authentication it takes.
const OPENING: usize = 16;

/// Whether the server itself answered, and not through a hop: IIS in front of its own BITS, or the BITS server under
/// its own name.
pub fn is_by_server(session: &Session, exchange: &Exchange) -> bool {
    let tells_of_hop = |answer: &Response| answer.via.is_some() || !answer.hops.is_empty();
    let passed = exchange.response.as_ref().is_some_and(tells_of_hop);
    let iis = Origin::of(exchange) == Origin::Iis && stands(session, exchange).is_none();
    !passed && (iis || is_own(session, exchange))
}

/// Whether IIS answered where another product serves BITS, so that it does not stand in front of its own.
fn is_other_iis(session: &Session, exchange: &Exchange) -> bool {
    Origin::of(exchange) == Origin::Iis && stands(session, exchange).is_some()
}

/// Who answered an exchange, with the name that it gives itself; `None` without an answer.
pub fn told(session: &Session, exchange: &Exchange) -> Option<String> {
    let server = exchange.response.as_ref()?.server.as_deref();
    let between = is_between(session, exchange)
        .then(|| server.map_or_else(|| origin::NAMELESS_PROXY.to_owned(), origin::proxy));
    let own = || server.filter(|_| is_of_bits(session, exchange));
    if is_other_iis(session, exchange) {
        return server.map(|server| format!("the web server {server}"));
    }
    between
        .or_else(|| Some(format!("{} {}", Origin::BitsServer.name(), own()?)))
        .or_else(|| Origin::told(exchange))
}

/// Who answered as ` by …`, with what it says of the error; nothing for an answer from BITS.
pub fn by(session: &Session, exchange: &Exchange) -> String {
    let Some(response) = exchange.response.as_ref().filter(|answer| !answer.is_ack()) else {
        return String::new();
    };
    let who = told(session, exchange).unwrap_or_default();
    format!(" by {who}{}", error(response))
}

/// Who answered as ` by "…"`, by the name that an answer bears: of a refused tunnel, that is the proxy's.
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
    if is_between(session, exchange) { Origin::Proxy } else { named(session, exchange) }
}

/// Who answered by the answer alone, but that a service without IIS bears the name of http.sys: its Acks do, too.
fn named(session: &Session, exchange: &Exchange) -> Origin {
    let bare = |answer: &Response| !page::is_of_http_sys(answer);
    let serves = || {
        exchange.response.as_ref().is_some_and(bare) && acknowledged(session, exchange).is_some()
    };
    match Origin::of(exchange) {
        Origin::HttpSys if serves() => Origin::WebServer,
        who => who,
    }
}

/// The words for who answered, with what it says of itself; none without an answer.
pub fn answerer(session: &Session, exchange: &Exchange) -> String {
    let Some(response) = &exchange.response else { return String::new() };
    let own = response.server.as_ref().map(|server| format!("Server \"{server}\""));
    let via = response.via.as_ref().map(|via| format!("Via \"{via}\""));
    let marks: Vec<String> = [own, via].into_iter().flatten().collect();
    let who = match origin(session, exchange) {
        Origin::WebServer | Origin::Iis if is_of_bits(session, exchange) => Origin::BitsServer,
        who => who,
    };
    let name = if is_other_iis(session, exchange) { "IIS" } else { who.name() };
    match (marks.join(", "), name.strip_suffix(')')) {
        (marks, _) if marks.is_empty() => name.to_owned(),
        (marks, Some(front)) => format!("{front}; {marks})"),
        (marks, None) => format!("{name} ({marks})"),
    }
}

/// Who can do something about an answer: who gave it.
pub fn answerable(session: &Session, exchange: &Exchange) -> &'static str {
    match origin(session, exchange) {
        Origin::Proxy => "the proxy",
        Origin::Waf => "the firewall",
        Origin::WebServer if !is_of_bits(session, exchange) => "the web server that answered",
        Origin::BitsServer | Origin::Iis | Origin::HttpSys | Origin::WebServer => "the server",
        Origin::Unknown | Origin::Nobody => "whoever answered",
    }
}

/// Turns a finding about the server to what answered in its place, where that is a proxy or a firewall.
pub fn turn(finding: Option<&mut Finding>, who: Origin) {
    let name = match who {
        Origin::Proxy => "the proxy",
        Origin::Waf => "the firewall",
        _ => return,
    };
    let Some(finding) = finding else { return };
    let advice = format!(
        "Look at the rules and limits of {name} for this request: it answered, not the BITS server."
    );
    let confirm = format!(
        "The log of {name} holds the request with this status. The server's log lacks it, unless {name} put a page of its own over the server's answer."
    );
    finding.turn_to(name).advise(advice).confirm_by(confirm);
}

/// The product that `Server` begins with, without its version.
fn product(response: &Response) -> Option<&str> {
    let server = response.server.as_deref()?.trim();
    server.split(['/', ' ']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::report;

    fn last_told(text: &str) -> String {
        let report = report(text);
        let session = &report.sessions[0];
        told(session, session.exchanges.last().unwrap()).unwrap()
    }

    #[test]
    fn a_service_without_iis_bears_the_name_of_http_sys() {
        let after = |ack: &str, page: &str| {
            let name = "  Server: Microsoft-HTTPAPI/2.0\n";
            last_told(&format!(
                "> CREATE-SESSION\n< 200 session=1\n{ack}> FRAGMENT 0-9/10\n< 400 plain\n{name}{page}"
            ))
        };
        let own = "  Server: Microsoft-HTTPAPI/2.0\n";
        let page = "  | <p>HTTP Error 400. The request is badly formed.</p>\n";
        assert_eq!(after(own, ""), "the BITS server Microsoft-HTTPAPI/2.0");
        assert_eq!(after(own, page), "http.sys (before IIS)");
        assert_eq!(after("  Server: Microsoft-IIS/10.0\n", ""), "http.sys (before IIS)");
    }

    #[test]
    fn iis_is_before_bits_only_where_bits_is_its_own() {
        let of_bits = "> CREATE-SESSION\n< 200 session=1\n  BITS-Packet-Type:\n  Server: Microsoft-IIS/10.0\n";
        assert_eq!(last_told(of_bits), "the BITS server Microsoft-IIS/10.0");
        let other = "> CREATE-SESSION\n< 200 session=1\n  Server: gobits/1\n\
                     > FRAGMENT 0-9/10\n< 404 plain\n  Server: Microsoft-IIS/10.0\n";
        assert_eq!(last_told(other), "the web server Microsoft-IIS/10.0");
        let own = "> CREATE-SESSION\n< 404 plain\n  Server: Microsoft-IIS/10.0\n";
        assert_eq!(last_told(own), "Microsoft-IIS/10.0 (before BITS)");
    }

    #[test]
    fn what_refuses_under_no_name_on_a_connection_of_iis_stands_between() {
        let after = |server: &str, rest: &str| {
            last_told(&format!("> CREATE-SESSION\n< 200 session=1\n  Server: {server}\n{rest}"))
        };
        let refused = "> FRAGMENT 0-9/20\n< 503 plain\n  | <title>Down for maintenance</title>\n";
        let iis = "Microsoft-IIS/10.0";
        assert_eq!(after(iis, refused), "a proxy without a name");
        assert_eq!(after("gobits/1", refused), "a web server without a name");
        let elsewhere = format!("= connection\n{refused}");
        assert_eq!(after(iis, &elsewhere), "a web server without a name");
        assert_eq!(after(iis, &format!("{refused}{elsewhere}")), "a proxy without a name");
        let kernel = refused.replace("Down for maintenance", "HTTP Error 503. Unavailable");
        assert_eq!(after(iis, &kernel), "a web server without a name");
        let of_bits = "> FRAGMENT 0-9/20\n< 500 error=0x80070005 context=0x5\n  BITS-Packet-Type:\n  Server:\n";
        assert_eq!(after(iis, of_bits), "a web server without a name");
    }

    #[test]
    fn what_stands_between_does_so_on_the_next_connection_too() {
        let too_large = "> FRAGMENT 0-5999/20000\n< 413 plain\n  Server: Apache/2.4.71\n";
        let text =
            format!("> CREATE-SESSION\n< 200 session=1\n  Server: Microsoft-IIS/10.0\n{too_large}");
        assert_eq!(last_told(&text), "the proxy Apache/2.4.71");
        assert_eq!(
            last_told(&format!("{text}= connection\n{too_large}")),
            "the proxy Apache/2.4.71"
        );
        let elsewhere = text.replace("> FRAG", "= connection\n> FRAG");
        assert_eq!(last_told(&elsewhere), "the web server Apache/2.4.71");
    }

    #[test]
    fn answers_without_any_field_are_from_what_opened_the_session_without_a_type() {
        let bare = "  BITS-Packet-Type:\n  Server: nginx/1.22.1\n";
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n{bare}> FRAGMENT 0-9/20\n< 200 plain\n  Server: nginx/1.22.1\n"
        );
        assert_eq!(last_told(&text), "the BITS server nginx/1.22.1");
        assert_eq!(
            last_told(&text.replace("< 200 plain", "< 404 plain")),
            "the web server nginx/1.22.1"
        );
    }
}
