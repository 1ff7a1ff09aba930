//! What a page repeats of the request that it answers: the URL, as servers put it into their pages.

use crate::model::url::{self, percent_decoded};
use crate::model::{Exchange, Request};

/// No mark of a product, and no word that tells of a session, is shorter: shorter echoes do no harm.
const SHORTEST: usize = 6;

/// Notes of an answer what of its page the request had said.
pub(super) fn note(exchange: &mut Exchange) {
    let Exchange { request: Some(request), response: Some(response), .. } = exchange else {
        return;
    };
    if response.body_start.is_empty() {
        return;
    }
    let body = response.body_start.to_ascii_lowercase();
    let mut echoes = forms(request);
    // Most targets are a path without escapes: all forms of it are one.
    echoes.dedup();
    echoes.retain(|form| form.len() >= SHORTEST && body.contains(form));
    if !echoes.is_empty() {
        response.rare.edit().echoes = echoes;
    }
}

/// What a page may repeat of a request, in lower case: the target, its path, that without its escapes as text and in
/// HTML, and the host, where it can be no other word.
fn forms(request: &Request) -> Vec<String> {
    let path = percent_decoded(url::path_of(request));
    let host = request.host.as_deref().filter(|host| host.contains('.'));
    let escaped = html(&path);
    let all = [&*request.target, url::path_of(request), &*path, &*escaped];
    all.into_iter().chain(host).map(str::to_ascii_lowercase).collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    /// What is said of a refusal by a page of Apache for a URL.
    fn refused(url: &str, page: &str) -> (String, String) {
        let diagnosis = diagnosed(&format!(
            "= url http://server{url}\n> CREATE-SESSION\n< 405 plain\n  Server: Apache/2.4.38\n\
             \x20 | <p>The method BITS_POST is not allowed for the URL {page}.</p>\n! client closes\n"
        ));
        (diagnosis.cause, diagnosis.summary)
    }

    #[test]
    fn a_product_named_in_the_url_did_not_answer() {
        let server = "verb-rejected-by-server";
        assert_eq!(refused("/upload/fortinet/fw.log", "/upload/fortinet/fw.log").0, server);
        assert_eq!(refused("/up/sophos%20%26/a?b=c", "/up/sophos &amp;/a").0, server);
        let (cause, summary) = refused("/upload/fw.log", "/upload/fw.log by FortiGuard");
        assert_eq!(cause, "verb-rejected-by-proxy");
        assert!(summary.contains("FortiGate"), "{summary}");
    }
}
