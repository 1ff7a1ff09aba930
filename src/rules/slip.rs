//! Slips of a client, which a server may mind or not.

use crate::bits::hresult::{self, INVALID_ARGUMENT};
use crate::model::{Exchange, Session};
use crate::rules::{Severity, look};

/// What a finding about a slip of the client is worth: as much as the rule says where the packet was refused for what may
/// be that, a note where the server did not mind, or took an earlier packet with the `same` slip.
pub fn if_refused(
    session: &Session,
    exchange: &Exchange,
    severity: Severity,
    same: impl Fn(&Exchange) -> bool,
) -> Severity {
    let taken =
        || look::ahead(session, exchange).any(|earlier| earlier.succeeded() && same(earlier));
    if is_called_malformed(exchange) && !taken() { severity } else { Severity::Note }
}

/// Whether it was refused for what may be its form: with a status that says so or nothing ([MC-BUP] 2.2.1.2, RFC 9110
/// 15.5.12, 15.5.16 and 15.6.2), without a code of another meaning.
fn is_called_malformed(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_some_and(|answer| {
        let means_else = |code| code != INVALID_ARGUMENT && hresult::symbol(code).is_some();
        matches!(answer.http_status, 400 | 411 | 415 | 500 | 501)
            && !answer.error_value().is_some_and(means_else)
            && !look::is_of_application(answer)
    })
}
