//! The rule `server-not-bits`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::stripped::Stripped;
use crate::rules::{Around, Confidence, Notes, front, look, page};

rule! {
    /// The answer is that of a web server without BITS.
    ///
    /// It does what it does with any request for this URL and knows nothing of uploads: the wrong host, the wrong path,
    /// or a site in front of the right one. A 403 may as well be that of a rule about verbs or of a firewall whose
    /// pages look like the server's.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: Apache/2.4.57
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Content-Type: text/html
    ///   | <html><title>Please log in</title>
    /// ```
    /// It passed the protocol on before:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: nginx/1.22.1
    /// > PING
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: whoever configured the job, or the server
    /// Advice: Check that host, port and path of the URL lead to the directory that has BITS uploads enabled, and that no rule there forbids BITS_POST.
    /// Confirm: The log of the intended server lacks the request.
    /// Reference: [MC-BUP] 2.2.3
    Error, belief 90, needs Answered, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    if front::acknowledged(session, exchange).is_some() {
        return;
    }
    let (who, status) = (around.origin(session, exchange), response.http_status);
    let success = response.is_success()
        && !page::is_page(response)
        && !look::bears_bits(response)
        && Stripped::of(session, exchange, around).is_none();
    let refuses =
        who == Origin::WebServer && matches!(status, 403 | 406 | 409 | 410 | 415 | 422 | 423 | 451);
    if success && who != Origin::Waf || refuses {
        let severity = look::unless_made_good(session, exchange, notes.severity());
        let message = format!(
            "{} answered the {} with {status} and without BITS-Packet-Type",
            Origin::describe(response),
            exchange.kind
        );
        let sure = if status == 403 { Confidence::Possible } else { Confidence::Likely };
        notes.note(severity, sure, &[exchange.span()], message);
    }
}
