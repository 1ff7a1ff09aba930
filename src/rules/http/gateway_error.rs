//! The rule `gateway-error`.

use crate::model::{Exchange, Response, Session};
use crate::rules::origin::Origin;
use crate::rules::page::Reason::{Policy, Unreachable};
use crate::rules::{Confidence, Finding, Notes, course, front, gateways, look, page, wording};

rule! {
    /// A gateway or web server could not serve the request.
    ///
    /// A gateway got no usable answer from behind it: where it answered at once, the server is down, not reachable from
    /// it, or taken out by its health checks; where it took a while, the server may have closed the connection, or the
    /// gateway waits for a short time only. A web server says 503 of itself as well: it is being worked on, or was
    /// asked too much at once. A client takes it for a passing error and tries again later.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    ///   | <html><body><h1>503 Service Unavailable</h1>
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20 lost
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ! client closes
    /// ```
    /// It may have been one for something else:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > GET / lost
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ! client closes
    /// ```
    /// Some say so with 500:
    /// ```fires
    /// > CREATE-SESSION proxied
    /// < 500 plain
    ///   Server: tinyproxy/1.11.1
    ///   | <title>500 Unable to connect</title>
    /// ```
    /// ```silent
    /// > CREATE-SESSION proxied
    /// < 500 plain
    ///   Server: tinyproxy/1.11.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// ... 60 s
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    /// The server itself is busy:
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: lighttpd/1.4.20
    /// > FRAGMENT 0-9/20
    /// < 503 plain
    ///   Server: lighttpd/1.4.20
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: gobits/1
    /// > FRAGMENT 0-9/20
    /// < 503 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    ///
    /// Answerable: the gateway, or the server behind it
    /// Advice: Look at the servers behind the gateway: whether they run, can be reached from it, and answer there in HTTP; then at rules by which the gateway refuses answers.
    /// Confirm: The log of the gateway names the server and what went wrong there; that server's own log has the request only if it was reached.
    /// Reference: RFC 9110 15.6.3
    Error, belief 94, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let asked = look::stranger(exchange).filter(|_| look::is_answered(session, exchange));
    let asked = asked.map(|response| (response, look::wait_secs(exchange)));
    let Some((response, waited)) = asked.or_else(|| look::stranger_alone(session, exchange)) else {
        return;
    };
    let status = response.http_status;
    if !is_about_what_is_behind(session, exchange, response) || waited >= look::ROUND_TIMEOUT_SECS {
        return;
    }
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let who = front::told(session, exchange).unwrap_or_default();
    let who = format!("{who}{}", front::error(response));
    let usual = asked.filter(|_| look::knows_end(exchange));
    let usual = usual.and_then(|_| gateways::usual_before(session, exchange, response, waited));
    let mut message = if asked.is_some() {
        let after =
            look::knows_end(exchange).then(|| format!(" after {}", wording::lasting(waited)));
        format!("{who} answered the {} with {status}{}", exchange.kind, after.unwrap_or_default())
    } else {
        format!("{who} answered {} with {status}", wording::NOT_CAPTURED)
    };
    if let Some(usual) = usual {
        let usual = wording::lasting(usual.max(1e-3));
        message.push_str(&format!(", where no answer before took longer than {usual}"));
    }
    message.push_str(&says(response));
    message.push_str(&page::of_gateway(response));
    let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    let Some(finding) = finding else { return };
    let forbids = |(reason, _): &(_, _)| *reason == Policy;
    if let Some((_, words)) = page::reason(response).filter(forbids) {
        finding.message.push_str(&format!("; its page says \"{words}\""));
        front::turn(Some(finding), front::origin(session, exchange));
    } else if usual.is_some() {
        finding.advise(of_late(response));
    } else {
        if status == 503 {
            let queued = asked.is_some() && waited >= QUEUED_SECS;
            finding.advise(if queued { OF_QUEUE } else { OF_HEALTH });
        }
        turn_to_itself(session, exchange, response, finding);
    }
}

/// A gateway that says 503 so late, in seconds, may have let the request wait for its turn.
const QUEUED_SECS: f64 = 1.0;

/// What to do where a gateway has no server to ask.
const OF_HEALTH: &str = "Look at the servers behind the gateway: whether they run, and whether its health checks, by which it leaves servers out, ask for a path that answers.";

/// What to do where it may have been waiting for one.
const OF_QUEUE: &str = "Look at the servers behind the gateway and at its health checks, and, as it took a while, at its limits: how many connections a server may have, and how long a request waits for one (HAProxy maxconn, timeout queue).";

/// The title of the page, where that is more than the status, and when to come again.
fn says(response: &Response) -> String {
    let page = page::own_title(response).filter(|_| response.own_error().is_none());
    let page = page.map(|title| format!("the page \"{}\"", wording::short(title)));
    let again = response.retry_after.as_deref();
    let again = again.map(|after| format!("Retry-After \"{}\"", wording::short(after)));
    let words: Vec<String> = [page, again].into_iter().flatten().collect();
    if words.is_empty() { String::new() } else { format!(", with {}", words.join(" and ")) }
}

/// What to do where the gateway may have given up.
fn of_late(response: &Response) -> String {
    let setting =
        gateways::setting(response).map_or_else(String::new, |setting| format!(" ({setting})"));
    format!(
        "So late an answer may be a time-out of the gateway{setting}: raise that above 300 s for this path, and see what kept the server busy. Else the server closed the connection, or could not be reached."
    )
}

/// Turns a finding to what answered, where that may speak of itself: nothing tells that it failed to reach what is behind.
fn turn_to_itself(
    session: &Session,
    exchange: &Exchange,
    response: &Response,
    finding: &mut Finding,
) {
    let web = response.http_status == 503 && Origin::of_response(response) == Origin::WebServer;
    let who = match front::origin(session, exchange) {
        Origin::Proxy if web => "the proxy that answered, or the server behind it",
        _ if web => "the web server that answered, or the server behind it",
        _ => return,
    };
    finding.turn_to(who).advise(OF_ITSELF).confirm_by(LOG_OF_ITSELF);
}

/// What to do about 503 that may be about what answered.
const OF_ITSELF: &str = "Look at the configuration of what answered: a maintenance page, a limit of requests, connections or time, or a \
     server behind it that is down.";
const LOG_OF_ITSELF: &str =
    "The error log of what answered names the limit, or the server behind it that failed.";

fn is_about_what_is_behind(session: &Session, exchange: &Exchange, response: &Response) -> bool {
    match (response.http_status, Origin::of_response(response)) {
        (_, Origin::HttpSys) => false,
        (503, _) if front::is_by_server(session, exchange) => false,
        (502 | 503 | 520..=523 | 525..=530, _) => true,
        (500, Origin::Proxy) => {
            page::reason(response).is_some_and(|(reason, _)| reason == Unreachable)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn who_sends_fragments_later_was_let_in_though_no_answer_was_captured() {
        let text = "> CREATE-SESSION\n< 503 plain\n  Server: nginx\n... 10 min\n= connection\n\
                    > CREATE-SESSION\n< 200 session=1 lost\n";
        let sent = format!("{text}> FRAGMENT 0-9/20\n< 200 lost\n");
        assert_eq!(severity("gateway-error", text), Some(Error));
        assert_eq!(severity("gateway-error", &sent), Some(Note));
    }

    #[test]
    fn a_policy_that_refuses_is_not_a_server_that_is_down() {
        let told = |answer: &str| diagnosed(&format!("> CREATE-SESSION\n< {answer}\n"));
        let page = "  | <h1>Web Page Blocked</h1> blocked in accordance with company policy.";
        let blocked = told(&format!("503 plain\n{page}"));
        assert!(blocked.summary.contains("its page says \"in accordance with company policy\""));
        assert_eq!(blocked.answerable.as_deref(), Some("the proxy"));
        assert!(blocked.advice.unwrap().starts_with("Look at the rules and limits of the proxy"));
    }

    #[test]
    fn the_page_and_when_to_come_again_are_quoted() {
        let summary = |page: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n  Server: Microsoft-IIS/10.0\n> FRAGMENT 0-9/20\n\
                 < 503 plain\n  Retry-After: 30\n  | <title>{page}</title>\n"
            ))
            .summary
        };
        let told = ", with the page \"Down for maintenance\" and Retry-After \"30\"";
        assert!(summary("Down for maintenance").contains(told));
        assert!(summary("503 Service Unavailable").contains(", with Retry-After \"30\""));
    }

    #[test]
    fn an_answer_far_later_than_those_before_may_be_a_time_out() {
        let told = |wait: &str, answer: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n{wait}< {answer}\n"
            ))
        };
        let page = "  | <title>502 Proxy Error</title> Reason: Error reading from remote server\n";
        let apache = told("... 2 s\n", &format!("502 plain\n  Server: Apache/2.4\n{page}"));
        assert_eq!(apache.cause, "gateway-error");
        let said = ", where no answer before took longer than 1 ms; its page says \"Error reading from remote server\"";
        assert!(apache.summary.contains(said), "{}", apache.summary);
        assert!(apache.advice.unwrap().contains("time-out of the gateway (`ProxyTimeout`"));
        let varnish = "503 plain\n  Server: Varnish\n";
        assert!(told("... 2 s\n", varnish).advice.unwrap().contains("first_byte_timeout"));
        assert!(told("", varnish).advice.unwrap().contains("health checks"));
        // It has 504 for that.
        let haproxy = "503 plain\n  | <html><body><h1>503 Service Unavailable</h1>\n";
        assert!(told("... 3 s\n", haproxy).advice.unwrap().contains("health checks"));
        assert!(told("... 3 s\n", haproxy).advice.unwrap().contains("timeout queue"));
        assert!(!told("", haproxy).advice.unwrap().contains("timeout queue"));
    }

    #[test]
    fn an_answer_to_half_a_request_is_not_timed_from_its_end() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n\
                    < 502 plain\n  Server: nginx/1.22.1\n! client sends 6000\n";
        let summary = diagnosed(text).summary;
        assert!(summary.contains("nginx/1.22.1 answered the Fragment with 502 ("), "{summary}");
    }

    #[test]
    fn a_web_server_may_say_503_of_itself() {
        let told = |answer: &str| diagnosed(&format!("> CREATE-SESSION\n< {answer}\n"));
        let own = told("503 plain\n  Server: nginx/1.22.1");
        assert!(own.summary.starts_with("A gateway or web server could not serve the request:"));
        assert!(own.advice.unwrap().contains("a maintenance page"));
        let between = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n  Server: nginx/1.22.1\n\
             > FRAGMENT 0-9/20\n< 503 plain\n  Server: nginx/1.22.1\n",
        );
        assert!(between.summary.contains("the proxy nginx/1.22.1 answered"), "{}", between.summary);
        assert_eq!(
            between.answerable.as_deref(),
            Some("the proxy that answered, or the server behind it")
        );
        let gateway = told("502 plain\n  Server: nginx/1.22.1").advice.unwrap();
        assert!(gateway.starts_with("Look at the servers behind the gateway"), "{gateway}");
    }

    #[test]
    fn a_web_server_without_a_name_may_speak_of_itself_and_only_503_is_about_health_checks() {
        let advice =
            |answer: &str| diagnosed(&format!("> CREATE-SESSION\n< {answer}\n")).advice.unwrap();
        let go = "503 plain\n  | <html><head><title>Timeout</title></head><body><h1>Timeout</h1>";
        assert!(advice(go).contains("a limit of requests, connections or time"));
        let haproxy =
            |title: &str| format!("{} plain\n  | <html><body><h1>{title}</h1>", &title[..3]);
        assert!(advice(&haproxy("503 Service Unavailable")).contains("health checks"));
        assert!(!advice(&haproxy("502 Bad Gateway")).contains("health checks"));
    }
}
