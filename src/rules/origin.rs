//! Who answered: the most useful single fact about a refusal.

use super::{echo, page, product};
use crate::model::{Exchange, Request, Response};

pub use crate::model::origin::Origin;

impl Origin {
    /// Who answered an exchange. A refusal without a name is the proxy's where the request was addressed to one.
    pub fn of(exchange: &Exchange) -> Self {
        let Some(response) = &exchange.response else { return Self::Nobody };
        if is_by_asked_proxy(exchange, response) {
            Self::Proxy
        } else {
            Self::of_response(response)
        }
    }

    /// Who gave a response.
    pub fn of_response(response: &Response) -> Self {
        judge(response).0
    }

    /// Who answered an exchange, with the name that it gives itself; `None` without an answer.
    pub fn told(exchange: &Exchange) -> Option<String> {
        let response = exchange.response.as_ref()?;
        let nameless = is_by_asked_proxy(exchange, response);
        Some(if nameless { NAMELESS_PROXY.to_owned() } else { Self::describe(response) })
    }

    /// Who gave a response, with the name that it gives itself: `the proxy squid/5.7`.
    pub fn describe(response: &Response) -> String {
        let (origin, name) = judge(response);
        match (origin, name) {
            (Self::Proxy, Some(name)) => proxy(&name),
            (Self::Waf, Some(name)) => format!("the web application firewall {name}"),
            (Self::WebServer, Some(name)) => format!("the web server {name}"),
            (Self::WebServer, None) => "a web server without a name".to_owned(),
            (Self::Iis, Some(name)) => format!("{name} (before BITS)"),
            (Self::Unknown, Some(name)) => format!("{name} (whose answer is cut off)"),
            (origin, _) => origin.name().to_owned(),
        }
    }
}

/// Notes of an answer what it repeats of its request, and who gave it.
pub(crate) fn settle(exchange: &mut Exchange) {
    echo::note(exchange);
    let origin = Origin::of(exchange);
    exchange.response.iter_mut().for_each(|response| response.answered_by = Some(origin));
}

/// The words for a proxy that gives a name.
pub(super) fn proxy(name: &str) -> String {
    format!("the proxy {}", name.trim().chars().take(NAME).collect::<String>())
}

/// The words for a proxy that gives no name.
pub(super) const NAMELESS_PROXY: &str = "a proxy without a name";

fn is_by_asked_proxy(exchange: &Exchange, response: &Response) -> bool {
    let asked = exchange.request.as_ref().is_some_and(Request::is_for_proxy);
    asked && !exchange.tunnel && is_nameless_refusal(response)
}

/// Whether a request was refused as its method, syntax or sender may deserve it, by something that gives no name.
pub(super) fn is_nameless_refusal(response: &Response) -> bool {
    matches!(response.http_status, 400 | 403 | 405 | 501)
        && matches!(judge(response), (Origin::WebServer, None))
}

/// Characters of a name that are told; it is what the wire says.
const NAME: usize = 48;

fn server(response: &Response) -> Option<&str> {
    response.server.as_deref().map(str::trim).filter(|server| !server.is_empty())
}

/// The name in `Server`, as far as it is told.
fn own_name(response: &Response) -> Option<String> {
    server(response).map(|server| server.chars().take(NAME).collect())
}

/// The names by which whoever gave a response may be told.
pub(crate) fn names(response: &Response) -> impl Iterator<Item = String> {
    own_name(response).into_iter().chain(hop(response))
}

fn judge(response: &Response) -> (Origin, Option<String>) {
    if response.is_ack() {
        return (Origin::BitsServer, None);
    }
    let server = server(response);
    let told = own_name(response);
    let has = |text: &str| server.is_some_and(|server| server.to_ascii_lowercase().contains(text));
    if has("microsoft-httpapi") {
        let kernel = is_of_http_sys(response);
        return if kernel { (Origin::HttpSys, None) } else { (Origin::WebServer, told) };
    }
    if is_passed_on(response) {
        return (Origin::WebServer, Some(format!("behind {}", told.unwrap_or_default())));
    }
    if let Some((kind, name, in_server)) = product::named(response) {
        return (kind, told.filter(|_| in_server).or_else(|| Some(name.to_owned())));
    }
    if is_haproxy(response) {
        return (Origin::Proxy, Some("HAProxy".to_owned()));
    }
    if is_gateway(response) {
        return (Origin::Proxy, told.or_else(|| hop(response)));
    }
    if response.is_cut() {
        return (Origin::Unknown, told);
    }
    if has("microsoft-iis") {
        return (Origin::Iis, told);
    }
    match (&told, hop(response)) {
        (None, Some(hop)) => (Origin::Proxy, Some(hop)),
        _ => (Origin::WebServer, told),
    }
}

/// Whether http.sys itself may give an answer under its name; services without IIS bear that as well.
fn is_of_http_sys(response: &Response) -> bool {
    matches!(response.http_status, 400..=499 | 501 | 503 | 505) || page::is_of_http_sys(response)
}

/// Envoy puts its own name over that of the server behind it, but then says how long that one took.
fn is_passed_on(response: &Response) -> bool {
    let behind = "x-envoy-upstream-service-time:";
    response
        .hops
        .iter()
        .any(|hop| hop.get(..behind.len()).is_some_and(|front| front.eq_ignore_ascii_case(behind)))
}

/// HAProxy writes no Server field; its error pages have a form of their own.
fn is_haproxy(response: &Response) -> bool {
    let page = format!("<html><body><h1>{}", response.http_status);
    response.server.is_none()
        && response.http_status >= 400
        && response.body_start.starts_with(&page)
}

/// 407 is for proxies only, 502 and 504 are for gateways (RFC 9110 15.5.8, 15.6.3, 15.6.5); Apache uses 503 for a
/// server that it cannot reach.
fn is_gateway(response: &Response) -> bool {
    let apache = || response.server.as_deref().is_some_and(|server| server.starts_with("Apache"));
    matches!(response.http_status, 407 | 502 | 504) || response.http_status == 503 && apache()
}

/// The last hop by its `Via`, preferring the comment that names the product (RFC 9110 7.6.3).
pub(super) fn hop(response: &Response) -> Option<String> {
    let last = response.via.as_deref()?.rsplit(',').next()?.trim();
    let comment = last.split_once('(').and_then(|(_, rest)| rest.split(')').next());
    let name = comment.or_else(|| last.split_ascii_whitespace().nth(1)).unwrap_or(last);
    (!name.is_empty()).then(|| name.chars().take(NAME).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A response of `status`, `Name: value` fields and the start of a body.
    fn response(status: u16, fields: &[&str], body: &str) -> Response {
        let mut response = Response { http_status: status, ..Response::default() };
        response.rare.edit().body_start = body.to_owned();
        for field in fields {
            let (name, value) = field.split_once(": ").unwrap();
            match name {
                "Server" => response.server = Some(value.into()),
                "Via" => {
                    response.rare.edit().via = Some(value.to_owned());
                    response.rare.edit().hops.push((*field).to_owned());
                }
                "Reason" => response.reason = value.into(),
                "BITS-Packet-Type" => response.packet_type = Some(value.into()),
                _ => response.rare.edit().hops.push((*field).to_owned()),
            }
        }
        response
    }

    fn said(status: u16, fields: &[&str], body: &str) -> String {
        Origin::describe(&response(status, fields, body))
    }

    #[test]
    fn an_ack_is_from_the_bits_server_through_any_proxy() {
        let ack = ["BITS-Packet-Type: Ack", "Server: squid/5.7", "Via: 1.1 p (squid/5.7)"];
        assert_eq!(said(200, &ack, ""), "the BITS server");
    }

    #[test]
    fn microsoft_s_layers_are_told_apart() {
        let httpapi = said(503, &["Server: Microsoft-HTTPAPI/2.0"], "<h2>Service Unavailable</h2>");
        assert_eq!(httpapi, "http.sys (before IIS)");
        let service = said(500, &["Server: Microsoft-HTTPAPI/2.0"], "");
        assert_eq!(service, "the web server Microsoft-HTTPAPI/2.0");
        let iis = said(404, &["Server: Microsoft-IIS/10.0"], "<title>404 - File not found</title>");
        assert_eq!(iis, "Microsoft-IIS/10.0 (before BITS)");
        let tmg = "Reason: Forbidden ( Forefront TMG denied the specified URL. )";
        assert_eq!(said(403, &[tmg, "Via: 1.1 TMG01"], ""), "the proxy Microsoft TMG");
        let front = ["Server: Microsoft-Azure-Application-Gateway/v2"];
        let name = "Microsoft-Azure-Application-Gateway/v2";
        assert_eq!(said(502, &front, ""), format!("the proxy {name}"));
        assert_eq!(said(403, &front, ""), "the web application firewall Azure WAF");
    }

    #[test]
    fn proxies_name_themselves_in_server() {
        let server = |name: &str, status| said(status, &[&format!("Server: {name}")], "");
        assert_eq!(server("squid/5.7", 403), "the proxy squid/5.7");
        assert_eq!(server("envoy", 400), "the proxy envoy");
        assert_eq!(server("Varnish", 405), "the proxy Varnish");
        assert_eq!(server("awselb/2.0", 503), "the proxy awselb/2.0");
        assert_eq!(server("BigIP", 302), "the proxy BigIP");
        assert_eq!(server("cloudflare", 520), "the proxy cloudflare");
        assert_eq!(server("Zscaler/6.2", 403), "the proxy Zscaler/6.2");
        assert_eq!(server("AkamaiGHost", 501), "the proxy AkamaiGHost");
        assert_eq!(server("CloudFront", 403), "the proxy CloudFront");
        assert_eq!(server("tinyproxy/1.11.1", 400), "the proxy tinyproxy/1.11.1");
    }

    #[test]
    fn proxies_without_a_server_field_are_known_by_their_pages() {
        let page = |status, body: &str| said(status, &[], body);
        let haproxy = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available";
        assert_eq!(page(503, haproxy), "the proxy HAProxy");
        let netscaler = "<html><body><b>Http/1.1 Service Unavailable</b></body> </html>";
        assert_eq!(page(503, netscaler), "the proxy Citrix NetScaler");
        assert_eq!(page(503, "no available server"), "the proxy Traefik");
        let sg = "<TITLE>Access Denied</TITLE> Access Denied (policy_denied)";
        assert_eq!(page(403, sg), "the proxy Blue Coat ProxySG");
        let palo = "<h1>Web Page Blocked</h1><p>Access to the web page was blocked in accordance with company policy.";
        assert_eq!(page(503, palo), "the proxy Palo Alto firewall");
        assert_eq!(page(400, "Invalid header received from client.\r\n"), "the proxy Privoxy");
        let forti = "<title>Web Filter Violation</title> FortiGuard Intrusion Prevention";
        assert_eq!(page(403, forti), "the proxy FortiGate");
    }

    #[test]
    fn proxies_are_known_by_via_where_nothing_else_names_the_author() {
        let via = |value: &str| said(403, &[&format!("Via: {value}")], "");
        assert_eq!(
            via("1.1 gw01 (McAfee Web Gateway 7.8.2.9.0.25114)"),
            "the proxy McAfee Web Gateway"
        );
        assert_eq!(via("1.1 edge1.corp.test"), "the proxy edge1.corp.test");
        assert_eq!(via("1.0 a (x), 1.1 b (Acme/3)"), "the proxy Acme/3");
    }

    #[test]
    fn a_server_s_answer_through_a_proxy_is_the_server_s() {
        let via = "Via: 1.1 p (squid/5.7)";
        assert_eq!(said(405, &["Server: nginx/1.22.1", via], ""), "the web server nginx/1.22.1");
        let iis = said(404, &["Server: Microsoft-IIS/8.5", via], "");
        assert_eq!(iis, "Microsoft-IIS/8.5 (before BITS)");
        let envoy = ["Server: envoy", "x-envoy-upstream-service-time: 3"];
        assert_eq!(Origin::of_response(&response(405, &envoy, "")), Origin::WebServer);
    }

    #[test]
    fn a_web_server_with_a_gateway_s_status_is_a_gateway() {
        let nginx = |status| said(status, &["Server: nginx/1.22.1"], "");
        assert_eq!(nginx(504), "the proxy nginx/1.22.1");
        assert_eq!(nginx(502), "the proxy nginx/1.22.1");
        assert_eq!(nginx(405), "the web server nginx/1.22.1");
        let apache = ["Server: Apache/2.4.57 (Debian)"];
        assert_eq!(said(503, &apache, ""), "the proxy Apache/2.4.57 (Debian)");
        let body = "<p>The proxy server received an invalid\r\nresponse from an upstream server";
        assert_eq!(said(500, &apache, body), "the proxy Apache mod_proxy");
    }

    #[test]
    fn who_asks_for_a_logon_at_a_proxy_is_one() {
        assert_eq!(said(407, &[], ""), "a proxy");
        assert_eq!(said(407, &["Server: Apache/2.4.57"], ""), "the proxy Apache/2.4.57");
    }

    #[test]
    fn firewalls_are_known_by_their_block_pages() {
        let page = |fields: &[&str], status, body: &str| {
            let response = response(status, fields, body);
            assert_eq!(Origin::of_response(&response), Origin::Waf, "{body}");
            Origin::describe(&response)
        };
        let asm = "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. \
                   Please consult with your administrator.<br><br>Your support ID is: 1234";
        assert!(page(&[], 200, asm).ends_with("F5 ASM"));
        let crs = "<p>An appropriate representation could not be found. This error was generated by Mod_Security.</p>";
        assert!(page(&["Server: Apache"], 406, crs).ends_with("ModSecurity"));
        assert!(
            page(&["Server: nginx"], 405, "<title>405 | BunkerWeb</title>").ends_with("BunkerWeb")
        );
        let imperva = "<iframe src=\"/_Incapsula_Resource?CWUDNSAI=9\">Request unsuccessful. Incapsula incident ID: 1";
        assert!(page(&["X-Iinfo: 1-2-3"], 403, imperva).ends_with("Imperva"));
        assert!(
            page(&["Server: awselb/2.0"], 403, "<center><h1>403 Forbidden").ends_with("AWS WAF")
        );
        let blocked = "<title>Attention Required! | Cloudflare</title>";
        assert!(page(&["Server: cloudflare"], 403, blocked).ends_with("Cloudflare"));
    }

    #[test]
    fn what_gives_no_name_is_a_web_server_without_one() {
        assert_eq!(said(401, &[], ""), "a web server without a name");
        assert_eq!(said(501, &[], "<h1>Not Implemented</h1>"), "a web server without a name");
        assert_eq!(said(500, &["Server: Mono-HTTPAPI/1.0"], ""), "the web server Mono-HTTPAPI/1.0");
    }
}
