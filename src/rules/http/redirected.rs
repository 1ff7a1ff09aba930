//! The rule `redirected`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// A BITS packet was redirected.
    ///
    /// The upload does not go where its URL says; most often a site sends everybody to https, or a balancer to one of its nodes.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 301 plain
    ///   Server: nginx/1.22.1
    ///   Location: https://server/upload/file.bin
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: whoever configured the site, or the job
    /// Advice: Give the job the final URL; a body that was sent to the old one is lost.
    /// Reference: RFC 9110 15.4
    Warning, belief 88, needs Answered, Trouble
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange) else { return };
    let status = response.http_status;
    if matches!(status, 300..=303 | 305..=399) {
        let to = response.location.as_deref();
        let to = to.map_or_else(|| "without saying where".into(), |to| format!("to \"{to}\""));
        let who = Origin::describe(response);
        notes.add(
            exchange.span(),
            format!("{who} answered the {} with {status} {to}", exchange.kind),
        );
    }
}
