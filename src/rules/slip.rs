//! Slips of a client, which a server may mind or not, and requests that are refused although none shows.

use crate::bits::fields::VALUE_LIMIT;
use crate::bits::hresult::{self, INVALID_ARGUMENT};
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Exchange, Response, Session};
use crate::rules::{Severity, course, look};

/// What a finding about a slip of the client is worth: as much as the rule says where the packet was not taken, for
/// what may be that, a note where the server did not mind, took an earlier packet with the `same` slip, or a later one.
pub fn if_refused(
    session: &Session,
    exchange: &Exchange,
    severity: Severity,
    same: impl Fn(&Exchange) -> bool,
) -> Severity {
    let mut earlier = course::ahead(session, exchange).take(course::LOOKED_AT);
    let minded = is_called_malformed(exchange) || exchange.succeeded() && !is_taken(exchange);
    match minded && !earlier.any(|earlier| is_taken(earlier) && same(earlier)) {
        true => course::unless_recovered(session, exchange, severity),
        false => Severity::Note,
    }
}

/// Whether it was answered with success, and the server does not ask for the same bytes again.
fn is_taken(exchange: &Exchange) -> bool {
    let next = exchange.response.as_ref().and_then(|answer| answer.next_offset);
    let again = next.zip(exchange.place()).is_some_and(|(next, start)| next <= start);
    exchange.succeeded() && !again
}

/// Codes that say no more than that something is wrong: of arguments, of what is not supported, of nothing at all.
const VAGUE: [u32; 4] = [INVALID_ARGUMENT, 0x8007_0032, 0x8000_4005, 0x8000_FFFF];

/// Whether it was refused for what may be its form: with a status that says so or nothing ([MC-BUP] 2.2.1.2, RFC 9110
/// 15.5 and 15.6.2), without a code of another meaning.
fn is_called_malformed(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_some_and(|answer| {
        matches!(answer.http_status, 400 | 404..=406 | 411 | 415 | 416 | 422 | 500 | 501)
            && !is_refused_otherwise(exchange)
    })
}

/// Whether the server says what it refused the packet for, and that is not its form.
pub fn is_refused_otherwise(exchange: &Exchange) -> bool {
    let means_else = |code| !VAGUE.contains(&code) && hresult::symbol(code).is_some();
    look::refusal(exchange).is_some_and(|answer| {
        answer.error_value().is_some_and(means_else) || answer.is_of_application()
    })
}

/// Whether a Create-Session was refused as malformed where neither its fields nor its URL tell why.
pub fn is_refused_for_nothing(session: &Session, exchange: &Exchange) -> bool {
    let file = session.url.as_deref().is_some_and(|url| !url.ends_with('/') && names_file(url));
    let refused = look::refused_create(exchange).is_some_and(is_invalid_argument);
    file && refused && may_be_about_the_url(exchange)
}

/// Whether it says no more than that the request is not in order.
pub fn is_invalid_argument(answer: &Response) -> bool {
    answer.http_status == 400 && answer.error_value() == Some(INVALID_ARGUMENT)
}

/// Whether nothing else of the request explains a refusal as malformed.
pub fn may_be_about_the_url(exchange: &Exchange) -> bool {
    let negotiation = Negotiation::of(exchange);
    let about_offers = match negotiation.verdict {
        Verdict::RefusedAlthoughKnown => negotiation.offered.len() > 1,
        verdict => verdict != Verdict::RefusedOther,
    };
    exchange.request.as_ref().is_some_and(|request| {
        !about_offers
            && request.longest_value <= VALUE_LIMIT as u64
            && request.content_length == Some(0)
            && request.content_length_raw.is_empty()
    })
}

/// Whether the last part of a URL looks like the name of a file, by its extension.
pub fn names_file(url: &str) -> bool {
    url.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::severity;

    #[test]
    fn a_slip_counts_where_the_server_minds_it() {
        let odd = |answer: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n  Content-Range: bytes=0-9/20\n< {answer}\n"
            );
            severity("content-range-invalid", &text)
        };
        for minded in
            ["400", "416 received=0", "500 error=0x80004005 context=0x5", "200 received=0"]
        {
            assert_eq!(odd(minded), Some(Error), "{minded}");
        }
        for other in ["200 received=10", "502 plain", "500 error=0x8020001F context=0x5"] {
            assert_eq!(odd(other), Some(Note), "{other}");
        }
    }

    #[test]
    fn a_slip_that_the_client_makes_good_is_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n  Content-Range: bytes 0-10/20\n\
             < 400 error=0x80070057 context=0x5\n> FRAGMENT 0-9/20\n< 200";
        assert_eq!(severity("length-range-mismatch", text), Some(Note));
    }
}
