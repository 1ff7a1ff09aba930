//! What to do about a refusal, by what its answer names: whose matter it is, and advice for that.

use crate::model::{Exchange, Response, Session};
use crate::rules::completion::reply_url_too_long;
use crate::rules::page::{self, Reason};
use crate::rules::{Finding, filtering, front};

/// What to do where the request may be at fault, but was not captured.
const OF_UNSEEN: &str = "Capture the request, too: what it lacks or says may be the reason. The server's log at this time may name it.";

/// What to do where IIS names what its request filtering found fault with.
const OF_FILTERING: &str = "Allow it in the request filtering of this directory: headerLimits, filteringRules and the like, by the sub-status.";

/// What to do where the port speaks TLS.
const OF_TLS: &str =
    "Give the job a URL that begins with https: this port takes requests inside TLS only.";

/// What to do where a proxy takes exception to the URL.
const OF_URL: &str = "Set this proxy as the proxy of the client, which then sends whole URLs, or let this port of the proxy take requests as a server does (in Squid, accel or intercept).";

/// What confirms that it does.
const LOG_OF_PROXY: &str = "The access log of the proxy: the request with its URL as an error.";

/// Turns a finding about a refusal to whoever the answer shows it to be a matter of.
pub fn turn(
    finding: Option<&mut Finding>,
    session: &Session,
    exchange: &Exchange,
    response: &Response,
) {
    let Some(finding) = finding else { return };
    if filtering::fault(response).is_some() {
        finding.advise(OF_FILTERING);
    } else if asks_for_tls(response) {
        finding.turn_to("who gave the job its URL").advise(OF_TLS);
    } else if page::refuses_url(response) {
        finding
            .turn_to("who set the client's proxy, or the proxy")
            .advise(OF_URL)
            .confirm_by(LOG_OF_PROXY);
    } else if reply_url_too_long::may_be_so(session, exchange, response) {
        finding
            .turn_to("the server, or the application behind it")
            .advise(reply_url_too_long::ADVICE);
    } else {
        front::turn(Some(finding), front::origin(session, exchange));
    }
}

/// Turns a finding about a request of which the capture lacks something to the client, too, where the answer may be
/// about that.
pub fn turn_to_both(finding: &mut Finding, response: &Response) {
    if response.http_status < 500 {
        finding.turn_to("the server, or the client").advise(OF_UNSEEN);
    }
}

fn asks_for_tls(response: &Response) -> bool {
    page::reason(response).is_some_and(|(reason, _)| reason == Reason::Tls)
}
