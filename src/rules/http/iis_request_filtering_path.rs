//! The rule `iis-request-filtering-path`.

use crate::model::Session;
use crate::rules::filtering::{self, Fault};
use crate::rules::{Around, Confidence, Notes, course, look, page};

rule! {
    /// IIS refused the name in the URL, whatever the verb.
    ///
    /// Request filtering hides some folders (`bin`, `App_Data`), denies some extensions (`.config`, `.mdb`), escapes
    /// within escapes such as `+`, and long URLs; it answers a bare 404, and names the reason to clients it trusts.
    ///
    /// ```fires
    /// = url http://server/upload/bin/file.dat
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// = url http://server/upload/a.mdb
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// The page names the reason:
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.5 - Not Found</title>
    /// ```
    /// ```silent
    /// = url http://server/upload/web.config
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.13 - Not Found</title>
    /// ```
    /// ```silent
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// = url http://server/upload/bin/file.dat
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Allow the name in the request filtering of this directory: hiddenSegments, fileExtensions, allowDoubleEscaping or requestLimits.
    /// Confirm: The IIS log shows sc-status 404 with sc-substatus 5, 7, 8, 11, 12, 14, 15, 18 or 20.
    /// Reference: RFC 9110 15.5.5
    Error, belief 94, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for (exchange, request, response) in look::unknown_to_iis(session) {
        let others = || around.same_server(session).any(|brief| brief.acknowledged > 0);
        let (confidence, message) = match (filtering::fault(response), page::sub_status(response)) {
            (Some((Fault::Name, why)), _) => {
                (Confidence::Certain, format!("the page of IIS names {why}"))
            }
            (_, Some(_)) => continue,
            (_, None) => {
                let Some(why) = filtering::denied(&request.target) else { continue };
                let message = format!("IIS answered 404 for a name with {why}");
                if others() {
                    (Confidence::Likely, format!("{message}; other names were accepted"))
                } else {
                    (Confidence::Possible, message)
                }
            }
        };
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let finding = notes.note(severity, confidence, &[exchange.span()], message);
        if let Some(finding) = finding.filter(|_| filtering::governs(&request.target)) {
            finding.turn_to("who gave the job its URL").advise(RENAME);
        }
    }
}

/// What to do about a name by which a client would set up the web site itself.
const RENAME: &str = "Upload under another name: this one stands for settings, code or data of the web site, and who may write it \
     rules the site. Do not take it off the list of hidden segments.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn only_harmless_names_are_to_be_allowed() {
        let advice = |name: &str| {
            let answer = "< 404 plain\n  Server: Microsoft-IIS/10.0";
            let text = format!("= url http://server/upload/{name}\n> CREATE-SESSION\n{answer}");
            diagnosed(&text).advice.unwrap()
        };
        assert!(advice("web.config").starts_with("Upload under another name"));
        assert!(advice("App_Code/a.bin").starts_with("Upload under another name"));
        assert!(advice("bin/a.dat").starts_with("Allow the name"));
        assert!(advice("a+b.dat").starts_with("Allow the name"));
    }
}
