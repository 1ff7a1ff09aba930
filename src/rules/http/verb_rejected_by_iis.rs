//! The rule `verb-rejected-by-iis`.

use crate::model::Session;
use crate::rules::origin::Origin;
use crate::rules::verb::Sign;
use crate::rules::{Around, Notes, course, look};

rule! {
    /// IIS refused the verb before BITS was asked.
    ///
    /// Request filtering by verb answers 404. The list of verbs that is documented for management points of ConfigMgr lacks
    /// BITS_POST: who allows just these blocks uploads to CCM_Incoming.
    ///
    /// ```fires
    /// = url http://server/CCM_Incoming/{1}
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > GET /upload/
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > GET /upload/
    /// < 403 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.6 - Not Found</title>
    /// ```
    /// ```silent
    /// > GET /upload/
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.0 - Not Found</title>
    /// ```
    /// ```silent
    /// > GET /
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/upload/missing/file.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// The start page tells nothing of the directory:
    /// ```silent
    /// > GET /
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > GET /upload/file.bin
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// = url http://server/CCM_Incoming/{1}
    /// > CREATE-SESSION
    /// < 404
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Allow the verb BITS_POST in the request filtering of IIS (and in UrlScan).
    /// Confirm: The IIS log shows sc-status 404 with sc-substatus 6.
    /// Reference: RFC 9110 9.1
    Error, belief 93, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for (exchange, request, response) in look::unknown_to_iis(session) {
        let Some(sign) = Sign::of(exchange, request, response, around) else { continue };
        // Where the verb passed before, only the answer itself can tell that it no longer does.
        if sign != Sign::Told && around.takes_uploads(session) {
            continue;
        }
        let (who, why) = (Origin::describe(response), sign.words());
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let message = format!("{who} answered {} with 404 {why}", request.method);
        let finding = notes.note(severity, sign.confidence(), &[exchange.span()], message);
        let of_ccm = request.target.to_ascii_lowercase().contains("/ccm_");
        if let Some(finding) = finding.filter(|_| of_ccm) {
            finding.advise(OF_MANAGEMENT_POINT);
        }
    }
}

/// What to do at a management point of ConfigMgr.
const OF_MANAGEMENT_POINT: &str = "Allow the verb BITS_POST in the request filtering of IIS (and in UrlScan); a management point \
     needs CCM_POST as well, for CCM_System.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn only_a_management_point_needs_another_verb() {
        let advice = |path: &str| {
            let page = "| <html><title>IIS 10.0 Detailed Error - 404.6 - Not Found</title>";
            let answer = format!("< 404 plain\n  Server: Microsoft-IIS/10.0\n  {page}\n");
            diagnosed(&format!("= url http://server{path}\n> CREATE-SESSION\n{answer}"))
                .advice
                .unwrap()
        };
        assert!(advice("/CCM_Incoming/a").contains("CCM_POST"));
        assert!(!advice("/upload/a").contains("CCM_POST"));
    }
}
