//! The rule `head-too-large`.

use crate::model::{Exchange, Request, Response, Session};
use crate::rules::origin::Origin;
use crate::rules::page::{self, Reason};
use crate::rules::{Confidence, Notes, course, front, look, wording};

rule! {
    /// The URL or the header of a request was too long for what answered.
    ///
    /// Servers and proxies limit the first line, each field, and all of them together. They answer 414 or 431, or 400
    /// with a page that tells.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 414 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 431 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Server: nginx/1.22.1
    ///   | <center>Request Header Or Cookie Too Large</center>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// A value beyond what any BITS server takes is told of by itself:
    /// ```silent
    /// > CREATE-SESSION
    ///   Content-Name: x*5000
    /// < 431 plain
    /// ```
    ///
    /// Answerable: the client, or whoever answered
    /// Advice: Look for fields that have grown (cookies, tickets, what software on the way adds), or raise the limit of what answered: nginx large_client_header_buffers, Apache LimitRequestFieldSize, Tomcat maxHttpHeaderSize, Node --max-http-header-size.
    /// Confirm: The error log of what answered, at this time; a request with a short header, or a short URL, passes.
    /// Reference: RFC 6585 5, RFC 9110 15.5.15
    Error, belief 91, needs Answered, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some((request, response)) = exchange.request.as_ref().zip(look::stranger(exchange)) else {
        return;
    };
    let Some(what) = too_large(request, response) else { return };
    if front::origin(session, exchange) == Origin::HttpSys {
        return;
    }
    let mut message = format!(
        "{} answered the {} with {}; {what}",
        front::answerer(session, exchange),
        exchange.kind,
        response.http_status
    );
    if let Some((Reason::Header, words)) = page::reason(response) {
        message.push_str(&format!("; its page says \"{words}\""));
    }
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    if let Some(finding) = finding.filter(|_| response.http_status == 414) {
        finding.turn_to("who set up the job, or whoever answered").advise(OF_URL);
    }
}

/// What to do about a URL that is too long.
const OF_URL: &str = "Give the job a URL with a shorter path, or raise the limit of what answered: nginx large_client_header_buffers, Apache LimitRequestLine, gunicorn limit_request_line, maxUrl of request filtering in IIS, UrlSegmentMaxLength of http.sys.";

/// What of a request was too large, where an answer says so.
fn too_large(request: &Request, response: &Response) -> Option<String> {
    let by_page = || page::reason(response).is_some_and(|(reason, _)| reason == Reason::Header);
    let bytes = |bytes: u64| wording::counted(bytes, "byte");
    match response.http_status {
        414 => Some(format!("the URL has {}", bytes(request.target.len() as u64))),
        // `header-over-4k` tells of such a value.
        _ if request.long_field.is_some() => None,
        status if status == 431 || status == 400 && by_page() => {
            Some(format!("its longest value has {}", bytes(request.longest_value)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_long_url_is_a_matter_of_the_job() {
        let diagnosis = diagnosed("> CREATE-SESSION\n< 414 plain\n  Server: WEBrick/1.8.1\n");
        assert_eq!(diagnosis.cause, "head-too-large");
        assert!(diagnosis.summary.contains("; the URL has "), "{}", diagnosis.summary);
        assert!(diagnosis.answerable.unwrap().starts_with("who set up the job"));
        assert!(diagnosis.advice.unwrap().contains("maxUrl"));
        let header = diagnosed("> CREATE-SESSION\n< 431 plain\n");
        assert!(header.summary.contains("; its longest value has "), "{}", header.summary);
    }
}
