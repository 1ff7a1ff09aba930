//! The rule `header-syntax-odd`.

use crate::model::{Exchange, Odd, Request, Response, Session};
use crate::rules::{Notes, wording};

rule! {
    /// Heads are not written as HTTP and BITS ask.
    ///
    /// They were understood all the same; other software may read them differently. BITS-Package-Type is a misprint of the
    /// specification for BITS-Packet-Type.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   + BITS-Session-Id: a
    ///   + BITS-Session-Id: b
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   Host:
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Packet-Type:
    ///   BITS-Package-Type: Create-Session
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   + X-Custom: a
    ///   + X-Custom: b
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: whoever wrote them
    /// Advice: Write each field once, under its name, on one line that ends in CR LF, and Host in every request.
    /// Reference: RFC 9112 5
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let plain = session.exchanges.iter().all(|exchange| {
        exchange.request.as_ref().is_none_or(|it| it.odd.is_empty() && !is_for_no_host(it))
            && exchange.response.as_ref().is_none_or(|response| response.odd.is_empty())
    });
    if plain {
        return;
    }
    for (odd, words) in FORMS {
        tell(session, notes, words, |it| it.odd.contains(&odd), |it| it.odd.contains(&odd));
    }
    tell(session, notes, "no Host", is_for_no_host, |_| false);
}

/// Notes what `is` so of requests, or `was` of responses, where it first is.
fn tell(
    session: &Session,
    notes: &mut Notes<'_>,
    words: &str,
    is: impl Fn(&Request) -> bool,
    was: impl Fn(&Response) -> bool,
) {
    let request = |exchange: &&Exchange| exchange.request.as_ref().is_some_and(&is);
    let response = |exchange: &&Exchange| exchange.response.as_ref().is_some_and(&was);
    let either = |exchange: &&Exchange| request(exchange) || response(exchange);
    let Some(first) = session.exchanges.iter().find(either) else { return };
    let counts = [
        (session.exchanges.iter().filter(request).count(), "request"),
        (session.exchanges.iter().filter(response).count(), "response"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| wording::counted(count, noun))
        .collect();
    let mut message = format!("{words} in {}", counts.join(" and "));
    if words == TWICE {
        message.push_str(&format!(": behind the first, which counts here, {}", repeats(session)));
    }
    notes.add(first.span(), message);
}

/// The lines that repeat a field in the first request, and in the first response, that has such.
fn repeats(session: &Session) -> String {
    let some = |lines: &&Vec<String>| !lines.is_empty();
    let requests = session.exchanges.iter().filter_map(|one| one.request.as_ref());
    let responses = session.exchanges.iter().filter_map(|one| one.response.as_ref());
    let request = requests.map(|request| &request.repeated).find(some);
    let response = responses.map(|response| &response.repeated).find(some);
    let lines = request.into_iter().chain(response).flatten();
    lines.map(|line| format!("\"{line}\"")).collect::<Vec<_>>().join(" and ")
}

/// Whether a request lacks the field that each of HTTP/1.1 must have (RFC 9112 3.2).
fn is_for_no_host(request: &Request) -> bool {
    request.host.is_none() && request.minor_version > 0 && !request.is_cut()
}

const TWICE: &str = "a field twice that may stand but once";

/// The oddities of a head, in words.
const FORMS: [(Odd, &str); 6] = [
    (Odd::BareLf, "lines that end in LF alone"),
    (Odd::Folded, "folded lines"),
    (Odd::Nul, "NUL bytes"),
    (Odd::BadLines, "lines that are no field"),
    (Odd::Repeated, TWICE),
    (Odd::PackageType, "BITS-Package-Type for BITS-Packet-Type"),
];

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn what_is_repeated_is_told_with_what_counts() {
        let text = "> CREATE-SESSION\n< 200 session=a\n  + BITS-Session-Id: b\n";
        let session = report(text).sessions.remove(0);
        let odd = session.findings.iter().find(|one| one.rule == "header-syntax-odd").unwrap();
        assert_eq!(
            odd.message,
            "a field twice that may stand but once in 1 response: behind the first, which counts here, \
             \"BITS-Session-Id: b\""
        );
        assert_eq!(session.id.as_deref(), Some("a"));
    }
}
