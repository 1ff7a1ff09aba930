//! One cause per upload that went wrong; the rest contributes.

use super::origin::Origin;
use super::{ALL, Diagnosis, Finding, Severity};
use crate::bits::hresult;
use crate::model::{Outcome, Session};

/// The diagnosis of a session; `None` for one that is healthy, cancelled, or merely cut by the capture.
pub fn of(session: &Session) -> Option<Diagnosis> {
    let least = match session.outcome {
        Outcome::Cancelled => return None,
        Outcome::Rejected | Outcome::Failed => Severity::Note,
        Outcome::Completed | Outcome::Incomplete => Severity::Warning,
    };
    let mut ranked: Vec<(u8, &Finding)> = session
        .findings
        .iter()
        .filter(|finding| finding.severity >= least)
        .map(|finding| (belief(finding), finding))
        .filter(|(belief, _)| *belief > 0)
        .collect();
    ranked.sort_by_key(|(belief, finding)| {
        (std::cmp::Reverse(*belief), finding.frames.first().copied())
    });
    let (_, cause) = ranked.first()?;
    let mut contributing: Vec<String> = Vec::new();
    for (_, finding) in &ranked {
        if finding.rule != cause.rule && !contributing.contains(&finding.rule) {
            contributing.push(finding.rule.clone());
        }
    }
    let decisive = session.exchanges.iter().rev().find(|exchange| {
        cause.frames.iter().any(|frame| {
            exchange.span().first.frame <= *frame && *frame <= exchange.span().last.frame
        })
    });
    Some(Diagnosis {
        cause: cause.rule.clone(),
        contributing,
        answered_by: decisive.map_or(Origin::Nobody, Origin::of),
        client_error: client_error(session, cause),
        summary: cause.message.clone(),
    })
}

fn belief(finding: &Finding) -> u8 {
    ALL.iter().find(|rule| rule.id() == finding.rule).map_or(0, |rule| rule.belief)
}

/// What the BITS client writes into its log: the code of the answer, else 0x80190000 and the HTTP status, else the
/// code of the network error.
fn client_error(session: &Session, cause: &Finding) -> Option<String> {
    const CANNOT_CONNECT: u32 = 0x8007_2EFD;
    const TIMEOUT: u32 = 0x8007_2EE2;
    const CONNECTION_ABORTED: u32 = 0x8007_2EFE;
    if let Some(error) = &session.error {
        let http = || hresult::hex(0x8019_0000 | u32::from(error.http_status));
        return Some(error.hresult.clone().unwrap_or_else(http));
    }
    if session.outcome == Outcome::Completed {
        return None;
    }
    match cause.rule.as_str() {
        "response-timeout" | "request-abandoned" => Some(hresult::hex(TIMEOUT)),
        rule if rule.starts_with("tcp-reset") => Some(hresult::hex(CONNECTION_ABORTED)),
        rule if rule.starts_with("connect-") => Some(hresult::hex(CANNOT_CONNECT)),
        _ => None,
    }
}
