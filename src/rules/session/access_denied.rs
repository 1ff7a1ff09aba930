//! The rule `access-denied`.

use crate::bits::PacketType;
use crate::bits::hresult::{self, ACCESS_DENIED};
use crate::model::{Exchange, Response, Session};
use crate::rules::origin::Origin;
use crate::rules::{Around, Confidence, Notes, course, front, look, wording};

rule! {
    /// Access was denied.
    ///
    /// The account that the server acts for, the one that logged on or the anonymous one, may not change the physical
    /// folder; or the file exists and may not be overwritten. Write permission on the virtual directory plays no part.
    /// Where a proxy or a web server in front says so, it is their rules that deny it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// A proxy that had passed other packets of the session:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 403 plain
    ///   Server: squid/5.7
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 plain
    ///   Server: squid/5.7
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 lost
    /// < 403 error=0x80070005 context=0x5
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 501 error=0x80070005 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 403 error=0x80070005 context=0x7
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Give the account that the server acts for (who logged on, else the anonymous one, such as IUSR; for a share that of Connect As) Change permission on the physical folder; if the file is there already, allow that it is overwritten (BITSAllowOverwrites).
    /// Confirm: The IIS log names the user of this request; Process Monitor on the server names the file that was denied.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 84, needs Anything, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(answer) = &exchange.response else { return };
    let (status, who) = (answer.http_status, around.origin(session, exchange));
    let asked = exchange.request.is_some();
    let confidence = match who {
        Origin::BitsServer if denied_by_bits(answer) && asked && !answer.is_cut() => {
            Confidence::Certain
        }
        // What was denied is not known, or the code that is cut off may say something else.
        Origin::BitsServer if denied_by_bits(answer) => Confidence::Likely,
        Origin::Iis if status == 403 && !answer.is_cut() && asked => Confidence::Likely,
        // What opens a session may be refused for its verb.
        Origin::Proxy | Origin::WebServer
            if status == 403 && is_within_session(session, exchange) =>
        {
            Confidence::Likely
        }
        _ => return,
    };
    let code =
        answer.error_value().map_or(String::new(), |code| format!(" with {}", hresult::hex(code)));
    let what = wording::asked(exchange);
    let by = match who {
        Origin::BitsServer | Origin::Iis => format!(" by {}", who.name()),
        _ => front::by(session, exchange),
    };
    let message = format!("{what} was answered {status}{code}{by}");
    let severity = if asked {
        course::unless_recovered(session, exchange, notes.severity())
    } else {
        course::unless_made_good(session, exchange, notes.severity())
    };
    let finding = notes.note(severity, confidence, &[exchange.span()], message);
    match finding {
        Some(finding) if who == Origin::Iis => {
            finding.advise(OF_IIS).confirm_by(LOG_OF_IIS);
        }
        Some(finding) if who == Origin::WebServer => {
            finding.advise(OF_WEB_SERVER).confirm_by(LOG_OF_WEB_SERVER);
        }
        finding => front::turn(finding, who),
    }
}

/// What to do where IIS denied it before it asked BITS: for want of rights on the disk it answers 401.3.
const OF_IIS: &str = "Read the sub-status in the IIS log: 403.4 wants https, 403.6 another client address, 403.7, 403.13, 403.16 and 403.17 a client certificate that is valid, 403.1 to 403.3 rights of the directory's handlers.";
const LOG_OF_IIS: &str = "The IIS log: sc-substatus of this request.";

/// What to do where another web server than IIS denied it.
const OF_WEB_SERVER: &str =
    "Look at the access rules of the web server that answered, for this path and this client.";
const LOG_OF_WEB_SERVER: &str =
    "The error log of that web server names the rule that denied this request.";

/// Whether it is a packet of a session that is open, and all of its heads were captured.
fn is_within_session(session: &Session, exchange: &Exchange) -> bool {
    let within = matches!(
        exchange.kind,
        PacketType::Fragment | PacketType::CloseSession | PacketType::CancelSession
    ) || front::acknowledged(session, exchange).is_some();
    within && look::is_whole(session, exchange)
}

fn denied_by_bits(answer: &Response) -> bool {
    let code = answer.error_value();
    let status = answer.http_status;
    let denied = status == 403 && code.is_none_or(|code| code == ACCESS_DENIED)
        || code == Some(ACCESS_DENIED) && status >= 400 && status != 501 && !answer.is_challenge();
    denied && !answer.is_of_application()
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn iis_in_front_of_bits_denies_by_its_own_rules() {
        let advice = |answer: &str| {
            diagnosed(&format!("> CREATE-SESSION\n< {answer}\n  Server: Microsoft-IIS/10.0\n"))
                .advice
                .unwrap()
        };
        assert!(advice("403 plain").contains("sub-status"));
        assert!(advice("403 error=0x80070005 context=0x5").contains("Change permission"));
    }
}
