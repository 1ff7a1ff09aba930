//! Who answered: the most useful single fact about a refusal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Exchange, Response};

/// Who gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A BITS server: only those set `BITS-Packet-Type: Ack`.
    BitsServer,
    /// IIS, before its BITS extension was asked.
    Iis,
    /// The kernel's HTTP driver, before IIS was asked.
    HttpSys,
    /// A proxy, gateway or load balancer.
    Proxy,
    /// A web application firewall.
    Waf,
    /// Another web server.
    WebServer,
    /// Nobody.
    Nobody,
}

impl Origin {
    /// The words for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BitsServer => "the BITS server",
            Self::Iis => "IIS, before BITS",
            Self::HttpSys => "http.sys, before IIS",
            Self::Proxy => "a proxy",
            Self::Waf => "a web application firewall",
            Self::WebServer => "another web server",
            Self::Nobody => "nobody",
        }
    }

    /// Who answered an exchange.
    pub fn of(exchange: &Exchange) -> Self {
        exchange.response.as_ref().map_or(Self::Nobody, Self::of_response)
    }

    /// Who gave a response.
    pub fn of_response(response: &Response) -> Self {
        if response.is_ack() {
            return Self::BitsServer;
        }
        let server = response.server.as_deref().unwrap_or_default().to_ascii_lowercase();
        let body = response.body_start.to_ascii_lowercase();
        let any = |text: &str, marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
        if server.contains("microsoft-httpapi") {
            Self::HttpSys
        } else if any(&body, &WAFS) || any(&server, &WAFS) {
            Self::Waf
        } else if any(&server, &PROXIES) || response.via.is_some() || is_haproxy(response) {
            Self::Proxy
        } else if server.contains("microsoft-iis") {
            Self::Iis
        } else {
            Self::WebServer
        }
    }
}

const WAFS: [&str; 6] = [
    "mod_security",
    "modsecurity",
    "bunkerweb",
    "request blocked",
    "web application firewall",
    "support id",
];
const PROXIES: [&str; 9] = [
    "squid",
    "haproxy",
    "envoy",
    "varnish",
    "traefik",
    "zscaler",
    "bluecoat",
    "awselb",
    "cloudflare",
];

/// HAProxy writes no Server field; its error pages have a form of their own.
fn is_haproxy(response: &Response) -> bool {
    response.server.is_none()
        && response.body_start.contains("<html><body><h1>")
        && response.http_status >= 400
}
