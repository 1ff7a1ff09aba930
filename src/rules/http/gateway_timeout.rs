//! The rule `gateway-timeout`.

use crate::model::{Exchange, Session};
use crate::rules::completion::request_timeout;
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, course, front, gateways, look, page, wording};

rule! {
    /// A gateway gave up waiting for the server behind it.
    ///
    /// Its time-out is shorter than what the server may take: five minutes where an application must answer a notification.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// ... 60 s
    /// < 504 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20 lost
    /// ... 60 s
    /// < 504 plain
    ///   Server: nginx/1.22.1
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// The gateway waits for the client:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 2 s
    /// < 504 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// ... 12 s
    /// < 503 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    ///
    /// Answerable: the gateway
    /// Advice: Raise the gateway's time-out for this path above 300 s (`proxy_read_timeout`, `timeout server`, idle timeout), then see what keeps the server busy.
    /// Confirm: The server's log shows the request with a time taken above the gateway's time-out.
    /// Reference: RFC 9110 15.6.5
    Error, belief 95, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let asked = look::stranger(exchange).filter(|_| look::is_answered(session, exchange));
    let alone = || look::stranger_alone(session, exchange).map(|(response, _)| response);
    let Some(response) = asked.or_else(alone) else { return };
    let (status, waited) = (response.http_status, look::wait_secs(exchange));
    let timed = look::knows_end(exchange);
    let own = status == 503 && front::is_by_server(session, exchange);
    let late = timed && matches!(status, 502 | 503) && !own && waited >= look::ROUND_TIMEOUT_SECS;
    if !late && !matches!(status, 504 | 524) || Origin::of_response(response) == Origin::HttpSys {
        return;
    }
    // It waited for the client: no server can answer half a request.
    if request_timeout::is_starved(session, exchange) {
        return;
    }
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let who = format!("{}{}", Origin::describe(response), front::error(response));
    let mut message = if asked.is_some() {
        let after =
            if timed { format!(" after {}", wording::lasting(waited)) } else { String::new() };
        format!("{who} answered the {} with {status}{after}", exchange.kind)
    } else {
        format!("{who} answered {} with {status}", wording::NOT_CAPTURED)
    };
    message.push_str(&page::of_gateway(response));
    let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    if let Some((finding, setting)) = finding.zip(gateways::setting(response)) {
        finding.advise(format!(
            "Raise the gateway's time-out for this path above 300 s: {setting}. Then see what keeps the server busy."
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn the_time_out_is_that_of_the_product_that_answered() {
        let told = |answer: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n< 504 plain\n{answer}"
            ))
        };
        let squid = told("  Server: squid/5.7\n  X-Squid-Error: ERR_READ_TIMEOUT 0\n");
        assert!(squid.summary.contains("squid/5.7 (ERR_READ_TIMEOUT 0)"), "{}", squid.summary);
        assert!(squid.advice.unwrap().contains("300 s: `read_timeout`."));
        let page = "  | <html><body><h1>504 Gateway Time-out</h1>\n  | The server didn't respond in time.\n";
        let haproxy = told(page);
        assert!(haproxy.summary.contains("its page says \"The server didn't respond in time\""));
        assert!(haproxy.advice.unwrap().contains("300 s: `timeout server`."));
        assert!(told("  Server: edge\n").advice.unwrap().contains("idle timeout"));
    }
}
