//! The rule `auth-no-credentials`.

use crate::model::{Door, Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Around, Notes, front, look, rounds};

rule! {
    /// The server asks for credentials that the job does not have.
    ///
    /// The upload ends on a 401, and the client never sent Authorization. That is no wrong password: BITS answers Basic and
    /// Digest only with credentials that were set on the job, NTLM and Negotiate also with the account that the job runs
    /// under where the job or a policy says so, and other schemes, such as Bearer, not at all: for these the application
    /// sends Authorization by itself. Where the 401 names no scheme, that is the server's fault.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 401 plain
    ///   Server: Microsoft-IIS/10.0
    ///   WWW-Authenticate: Negotiate
    ///   + WWW-Authenticate: NTLM
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// > CREATE-SESSION
    ///   Authorization: Basic Ym9iOng=
    /// < 200 session=1
    /// ```
    /// The capture ends before the client could answer:
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: Basic Ym9iOng=
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// ! client closes
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Set credentials on the job (SetCredentials, Set-BitsTransfer -Credential), or let the server take uploads to this URL without credentials.
    /// Confirm: The server's log has 401 and no user for this request; that of IIS has sub-status 2 as well.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Error, belief 81, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(last) = rounds::last_word(session, Door::Server) else { return };
    // IIS names its schemes unless it takes everybody for anonymous.
    let asks = match &*rounds::schemes(last) {
        "" if last.response.as_ref().is_some_and(rounds::is_iis) => return,
        "" if look::whole_answer(last).is_some() => " without WWW-Authenticate".to_owned(),
        "" => String::new(),
        schemes => format!(" asks for {schemes}"),
    };
    if last.request.is_some() && !Door::Server.may_have_been_tried(session) {
        let Some(confidence) = rounds::gave_up(session, around, last) else { return };
        let message = format!("401 for {}{asks}, and no credentials followed", last.kind);
        let finding = notes.note(notes.severity(), confidence, &[last.span()], message);
        let Some(finding) = finding else { return };
        if look::whole_answer(last).is_some_and(|answer| answer.challenges.is_empty()) {
            finding.turn_to(front::answerable(session, last)).advise(NO_CHALLENGE);
        } else if wants_token(last) {
            finding.advise(TOKEN);
        }
        if matches!(Origin::of(last), Origin::WebServer | Origin::Proxy) {
            finding.confirm_by(OTHER_LOG);
        }
    }
}

/// The schemes that BITS answers by itself ([MC-BUP] note 1).
const OWN: [&str; 5] = ["Basic", "Digest", "NTLM", "Negotiate", "Kerberos"];

/// Whether only schemes are on offer that BITS does not answer.
fn wants_token(challenged: &Exchange) -> bool {
    let offered = challenged.response.as_ref().map_or(&[][..], |answer| &answer.challenges);
    let own = |challenge: &String| {
        let scheme = challenge.split(' ').next().unwrap_or_default();
        OWN.iter().any(|own| own.eq_ignore_ascii_case(scheme))
    };
    !offered.is_empty() && !offered.iter().any(own)
}

/// What to do where credentials on the job would not be used.
const TOKEN: &str = "Have the application send Authorization with its token as a header of the job (SetCustomHeaders, Set-BitsTransfer -CustomHeaders): BITS does not use the job's credentials for this scheme.";

/// What to do where a client cannot know how to answer (RFC 9110 15.5.2).
const NO_CHALLENGE: &str = "Let the server name the schemes that it takes in WWW-Authenticate, as every 401 must, or see what takes that field away: without it a client does not answer. An application that has a token may send Authorization by itself, as a header of the job.";

/// What confirms it where neither IIS nor BITS asked.
const OTHER_LOG: &str = "The log of what answered, by the name that it gives itself, has 401 and no user for this request.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn only_iis_has_sub_statuses() {
        let confirm = |server: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 401 plain\n  Server: {server}\n  WWW-Authenticate: Basic realm=x\n! client closes"
            )).confirm.unwrap()
        };
        assert!(confirm("Microsoft-IIS/10.0").contains("sub-status"));
        assert!(!confirm("nginx/1.22.1").contains("sub-status"));
    }

    #[test]
    fn a_job_without_a_token_is_not_told_to_set_credentials() {
        let advice = |schemes: &str| {
            diagnosed(&format!("> CREATE-SESSION\n< 401 plain\n{schemes}! client closes"))
                .advice
                .unwrap()
        };
        let bearer = "  WWW-Authenticate: Bearer realm=x\n";
        assert!(advice(bearer).contains("as a header of the job"));
        let listed = "  WWW-Authenticate: Negotiate, NTLM, Basic realm=\"a, b\"\n";
        assert!(advice(listed).starts_with("Set credentials on the job"));
        let both = format!("{bearer}  + WWW-Authenticate: Basic realm=x\n");
        assert!(advice(&both).starts_with("Set credentials on the job"));
    }

    #[test]
    fn a_401_that_names_no_scheme_is_the_servers_to_mend() {
        let told =
            diagnosed("> CREATE-SESSION\n< 401 plain\n  Server: nginx/1.22.1\n! client closes");
        assert_eq!(told.cause, "auth-no-credentials");
        assert_ne!(told.answerable.as_deref(), Some("the client"));
        assert!(told.advice.unwrap().contains("WWW-Authenticate"));
        assert!(told.summary.contains("without WWW-Authenticate"), "{}", told.summary);
    }
}
