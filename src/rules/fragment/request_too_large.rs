//! The rule `request-too-large`.

use crate::bits::PacketType;
use crate::model::{Exchange, Outcome, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, front, look, other_server, wording};

rule! {
    /// A request was too large for the server, or for something on the way.
    ///
    /// A Windows client sends smaller Fragments then, but none under 5 KB: if that is refused too, the job fails.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-59999/60000
    /// < 413 plain
    ///   Server: nginx
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-59999/60000 lost
    /// < 413 plain
    ///   Server: nginx
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-59999/60000
    /// < 500 error=0x80200020 context=0x5
    /// ```
    ///
    /// Answerable: whoever answered
    /// Advice: Raise the body limit of the box that answered: IIS maxAllowedContentLength and uploadReadAheadSize, nginx client_max_body_size, Apache LimitRequestBody, ModSecurity SecRequestBodyLimit, Squid request_body_max_size.
    /// Confirm: The log of the box that answered: status 413 at this time.
    /// Reference: [MC-BUP] 3.1.5.2.4
    Error, belief 80, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.response.as_ref().is_none_or(|response| response.http_status != 413) {
        return;
    }
    let sized = exchange.content_length().is_some();
    let unsized_by_cut = !sized && look::whole_request(exchange).is_none();
    if exchange.kind == PacketType::Unknown || unsized_by_cut {
        return unknown(session, exchange, notes);
    }
    let size = length(exchange);
    let smaller = smaller(session, exchange, size);
    let who = front::answerer(session, exchange);
    let bytes = wording::counted(size, "byte");
    let mut message = format!("{who} refused a {} of {bytes} with 413", exchange.kind);
    // A BITS server may mean the file.
    if let Some(total) = session.bytes_total.filter(|_| look::is_by_bits(exchange)) {
        message.push_str(&format!(", of a file of {}", wording::counted(total, "byte")));
    }
    if let Some(passed) = smaller {
        message.push_str(&format!(", one of {passed} passed"));
    }
    // Smaller Fragments are the specified way out.
    let severity = course::unless_recovered(session, exchange, notes.severity());
    let finding = notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    let Some(finding) = finding else { return };
    finding.turn_to(front::answerable(session, exchange));
    if let Some(advice) = exchange.response.as_ref().and_then(advice) {
        finding.advise(advice);
    }
}

/// The length of the first packet of the same kind behind it that is shorter, and passed.
fn smaller(session: &Session, exchange: &Exchange, size: u64) -> Option<u64> {
    // Of many that are refused, each would look for one in vain.
    course::recovered(session, exchange).then_some(())?;
    course::after(session, exchange)
        .filter(|later| later.kind == exchange.kind && later.succeeded())
        .map(length)
        .find(|passed| *passed < size)
}

/// What to do where the answer tells of whose settings it is.
fn advice(answer: &Response) -> Option<String> {
    let name = answer.server.as_deref().unwrap_or_default().to_ascii_lowercase();
    let known = LIMITS.iter().find(|(product, _)| name.starts_with(product));
    match known {
        Some((_, limit)) => Some(format!("Raise the body limit of what answered: {limit}.")),
        None if answer.is_ack() => {
            Some("Raise the limit that this server sets for requests, or for files.".into())
        }
        None if other_server::is_named_otherwise(answer) => {
            Some("Raise the limit that the server which answered sets for request bodies.".into())
        }
        None => None,
    }
}

/// The settings that limit bodies, by the start of `Server`.
const LIMITS: [(&str, &str); 5] = [
    ("microsoft-iis", "IIS maxAllowedContentLength and uploadReadAheadSize"),
    ("nginx", "nginx client_max_body_size"),
    ("openresty", "nginx client_max_body_size"),
    (
        "apache",
        "Apache LimitRequestBody, or ModSecurity SecRequestBodyLimit and SecRequestBodyNoFilesLimit",
    ),
    ("squid", "Squid request_body_max_size"),
];

/// What was refused is not known where the capture lacks the request or the end of its head.
fn unknown(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    // It may be a packet that no upload depends on.
    let unclear = exchange.is_unclear() && session.outcome == Outcome::Incomplete;
    let severity = if unclear || course::goes_on(session, exchange) {
        Severity::Note
    } else {
        notes.severity()
    };
    let who = front::answerer(session, exchange);
    let message = format!("{who} refused a request with 413");
    let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    if let Some(finding) = finding {
        finding.turn_to(front::answerable(session, exchange));
    }
}

fn length(exchange: &Exchange) -> u64 {
    exchange
        .request
        .as_ref()
        .map_or(0, |request| request.content_length.unwrap_or(request.body.bytes))
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::origin::Origin;
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn a_smaller_fragment_that_passes_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-99/100\n< 413 plain\n\
             > FRAGMENT 0-49/100\n< 200";
        assert_eq!(severity("request-too-large", text), Some(Note));
    }

    #[test]
    fn what_wrote_its_name_over_that_of_the_server_is_a_proxy() {
        let by = |server: &str| {
            let own = format!("  Server: {server}\n");
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n{own}> FRAGMENT 0-99/100\n< 413 plain\n{own}"
            ))
        };
        let (proxy, own) = (by("nginx/1.22.1"), by("lighttpd/1.4.20"));
        assert_eq!(proxy.answered_by, Origin::Proxy);
        assert_eq!(proxy.answerable.as_deref(), Some("the proxy"));
        assert_eq!(own.answered_by, Origin::BitsServer);
        assert_eq!(own.answerable.as_deref(), Some("the server"));
    }

    #[test]
    fn the_limit_is_that_of_the_product_that_answered() {
        let advice = |answer: &str| {
            let text =
                format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-99/100\n< 413 {answer}\n");
            diagnosed(&text).advice.unwrap()
        };
        let nginx = "Raise the body limit of what answered: nginx client_max_body_size.";
        assert_eq!(advice("plain\n  Server: nginx/1.22.1"), nginx);
        assert!(advice("plain\n  Server: Apache/2.4.71").contains("SecRequestBodyLimit"));
        assert!(advice("error=0\n  Server: gobits").contains("or for files"));
        assert!(advice("plain").contains("IIS"));
    }

    #[test]
    fn an_equal_one_excuses_it_where_it_passes_later() {
        let text = |before, later| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-99/300\n< {before}\n\
             > FRAGMENT 0-99/300\n< {later}"
            )
        };
        let severity = |before, later| severity("request-too-large", &text(before, later));
        assert_eq!(severity("413 plain", "200"), Some(Note));
        assert_eq!(severity("502 plain", "413 plain"), Some(Error));
    }
}
