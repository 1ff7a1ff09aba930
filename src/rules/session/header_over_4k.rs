//! The rule `header-over-4k`.

use crate::model::{Exchange, Request, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Finding, Notes, Severity, course};

rule! {
    /// A header value is longer than the 4,096 bytes that a BITS server takes.
    ///
    /// The limit is per value. Long names, long lists of protocols and cookies of a balancer exceed it. A Kerberos ticket
    /// in Authorization does too, but BITS documents the limit for its own headers, and http.sys has one for all of them.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   Content-Name: x*5000
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   Cookie: x*70
    ///   Authorization: Negotiate YII*5000
    /// < 400 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Content-Name: x*4096
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: Negotiate YII*2000
    /// < 200 session=1
    /// ```
    /// As long a value had passed:
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: Negotiate YII*2000
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    ///   Authorization: Negotiate YII*2000
    /// < 400 error=0x80070057 context=0x5
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Shorten the value: the file's name, cookies, custom headers; for a Kerberos ticket, the user's group memberships.
    /// Confirm: The log of what answered, at this time.
    /// Reference: [MC-BUP] 2.2.1
    Error, belief 96, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let (Some(request), Some(answer)) = (&exchange.request, &exchange.response) else { return };
    let Some(field) = request.long_field.as_deref() else { return };
    let refused = !answer.is_success();
    if refused && course::ahead(session, exchange).any(|earlier| passed_with(earlier, request)) {
        return;
    }
    let own = field.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("bits-"))
        || field.eq_ignore_ascii_case("Content-Name");
    let (severity, confidence, what) = match answer.http_status {
        400 | 431 if own => (notes.severity(), Confidence::Certain, "refused"),
        400 | 431 => (notes.severity(), Confidence::Likely, "refused"),
        200 | 201 if own && !session.outcome.is_failure() => {
            (Severity::Note, Confidence::Certain, "accepted")
        }
        _ => return,
    };
    let message = format!(
        "\"{field}\" has a value of {} bytes, {what} with {}",
        request.longest_value, answer.http_status
    );
    let finding = notes.note(severity, confidence, &[exchange.span()], message);
    turn(finding, field, Origin::of_response(answer));
}

/// Turns a finding to the field that is too long, and to who found it so.
fn turn(finding: Option<&mut Finding>, field: &str, who: Origin) {
    let Some(finding) = finding else { return };
    let known = ADVICE.iter().find(|(name, _)| name.eq_ignore_ascii_case(field));
    if let Some((_, advice)) = known {
        finding.advise(*advice);
    }
    if who == Origin::HttpSys {
        finding.confirm_by(HTTPERR);
    }
}

/// What to do about the fields that are known to grow.
const ADVICE: [(&str, &str); 4] = [
    (
        "BITS-Supported-Protocols",
        "Let the client offer fewer GUIDs: that of the upload protocol is enough.",
    ),
    ("Content-Name", "Shorten the file's name, or leave the field out: servers make no use of it."),
    ("Cookie", "Delete the cookies of this server at the client, or set fewer or shorter ones."),
    (
        "Authorization",
        "For a Kerberos ticket, put the user into fewer groups; or raise the limits of what answered, of http.sys \
         MaxFieldLength and MaxRequestBytes.",
    ),
];

const HTTPERR: &str =
    "The error log of http.sys (HTTPERR) at this time: FieldLength or RequestLength.";

/// Whether an exchange succeeded with as long a value of the same field as `request` has.
fn passed_with(exchange: &Exchange, request: &Request) -> bool {
    let as_long = |other: &Request| {
        let same = other.long_field.as_deref().zip(request.long_field.as_deref());
        same.is_some_and(|(one, two)| one.eq_ignore_ascii_case(two))
            && other.longest_value >= request.longest_value
    };
    exchange.succeeded() && exchange.request.as_ref().is_some_and(as_long)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn the_field_and_who_refused_it_say_what_to_do() {
        let told = |field: &str, answer: &str| {
            let text = format!("> CREATE-SESSION\n  {field}: x*5000\n< {answer}\n");
            let diagnosis = diagnosed(&text);
            (diagnosis.advice.unwrap(), diagnosis.confirm.unwrap())
        };
        let (name, own) = told("Content-Name", "400 error=0x80070057 context=0x5");
        assert!(name.starts_with("Shorten the file's name") && own.starts_with("The log of what"));
        let kernel = "400 plain\n  Server: Microsoft-HTTPAPI/2.0";
        let (cookie, httperr) = told("Cookie", kernel);
        assert!(cookie.contains("cookies") && httperr.contains("FieldLength"));
    }
}
