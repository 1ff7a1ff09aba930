//! The rule `server-not-bits`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::stripped::Stripped;
use crate::rules::{Around, Confidence, Notes, course, front, look, page};

rule! {
    /// A web server answered in place of BITS.
    ///
    /// Most likely it does what it does with any request for this URL and knows nothing of uploads: the wrong host, the
    /// wrong path, or a site in front of the right one. A 403 or 406 may as well be that of a rule about verbs or of a
    /// firewall inside the server, in front of BITS.
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
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let message = format!(
            "{} answered the {} with {status} and without BITS-Packet-Type",
            Origin::describe(response),
            exchange.kind
        );
        let by_rule = matches!(status, 403 | 406);
        let sure = if by_rule { Confidence::Possible } else { Confidence::Likely };
        let finding = notes.note(severity, sure, &[exchange.span()], message);
        if let Some(finding) = finding.filter(|_| by_rule) {
            finding.advise(OF_RULES).confirm_by(LOG_OF_RULES);
        }
    }
}

/// What to do about a status that rules refuse with.
const OF_RULES: &str = "Look at the rules of the web server that answered: limits of methods for this path (LimitExcept, limit_except), and security rules such as ModSecurity's. If none forbids BITS_POST, check that host, port and path of the URL lead to the directory that has BITS uploads enabled.";
const LOG_OF_RULES: &str = "The error log of that web server names the rule; without one, the log of the intended server lacks the request.";

#[cfg(test)]
mod tests {
    use crate::rules::Confidence::{Likely, Possible};
    use crate::rules::tests::diagnosed;

    #[test]
    fn what_rules_refuse_with_may_be_theirs() {
        let told = |status: u16| {
            let text = format!("> CREATE-SESSION\n< {status} plain\n  Server: Apache/2.4.71\n");
            let diagnosis = diagnosed(&text);
            (diagnosis.confidence, diagnosis.advice.unwrap().contains("ModSecurity"))
        };
        assert_eq!(
            [403, 406, 410].map(told),
            [(Possible, true), (Possible, true), (Likely, false)]
        );
    }
}
