//! How gateways say that they gave up waiting, and the settings for how long they wait.

use crate::model::{Exchange, Response, Session};
use crate::rules::origin::Origin;
use crate::rules::{course, look};

/// A product, by a part of its name in lower case.
struct Gateway {
    name: &'static str,
    /// What it answers when it gives up, if not 504.
    says: u16,
    /// The setting for how long it waits.
    setting: &'static str,
}

const fn gateway(name: &'static str, says: u16, setting: &'static str) -> Gateway {
    Gateway { name, says, setting }
}

const GATEWAYS: [Gateway; 13] = [
    gateway("apachetrafficserver", 504, "`proxy.config.http.transaction_no_activity_timeout_out`"),
    gateway("apache", 502, "`ProxyTimeout`, or `timeout=` of `ProxyPass`"),
    gateway("haproxy", 504, "`timeout server`"),
    gateway("nginx", 504, "`proxy_read_timeout`"),
    gateway("openresty", 504, "`proxy_read_timeout`"),
    gateway("squid", 504, "`read_timeout`"),
    gateway("varnish", 503, "`first_byte_timeout`"),
    gateway("caddy", 502, "`response_header_timeout` of the transport"),
    gateway("envoy", 504, "`timeout` of the route"),
    gateway("awselb", 504, "the idle timeout of the load balancer"),
    gateway("microsoft-iis", 502, "the time-out of the proxy in Application Request Routing"),
    gateway("azure-application-gateway", 504, "the request time-out of the backend settings"),
    gateway("cloudflare", 524, "the read time-out of the zone"),
];

fn known(response: &Response) -> Option<&'static Gateway> {
    let name = Origin::describe(response).to_ascii_lowercase();
    GATEWAYS.iter().find(|gateway| name.contains(gateway.name))
}

impl Gateway {
    fn gave_up(&self, response: &Response) -> bool {
        response.http_status == 504 || response.http_status == self.says
    }
}

/// What Squid calls a server that it did not get through to.
const UNREACHED: [&str; 3] = ["ERR_CONNECT_FAIL", "ERR_CANNOT_FORWARD", "ERR_DNS_FAIL"];

/// The setting for how long the gateway waits that gave an answer, where it gives such a one when it gives up.
pub(super) fn setting(response: &Response) -> Option<&'static str> {
    if response.own_error().is_some_and(|own| UNREACHED.iter().any(|error| own.starts_with(error)))
    {
        return None;
    }
    known(response).filter(|gateway| gateway.gave_up(response)).map(|gateway| gateway.setting)
}

/// The longest wait for an answer before, in seconds, where a gateway answered so much later that it may have given up.
pub(super) fn usual_before(
    session: &Session,
    exchange: &Exchange,
    response: &Response,
    waited: f64,
) -> Option<f64> {
    let acked =
        course::ahead(session, exchange).take(course::LOOKED_AT).filter(|one| one.succeeded());
    let usual = acked.map(look::wait_secs).reduce(f64::max)?;
    let late = waited >= LATE_SECS && waited >= usual * FAR;
    let may_be = || known(response).is_none_or(|gateway| gateway.gave_up(response));
    (late && may_be()).then_some(usual)
}

/// No gateway has a shorter time-out, in seconds.
const LATE_SECS: f64 = 1.0;

/// So many times the longest wait before is no busy server.
const FAR: f64 = 20.0;
