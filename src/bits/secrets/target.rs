//! Credentials in request targets, `Host` and URLs.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{MASK, has_word, plain};

/// Names of parameters that are credentials (RFC 6750 2.3, and what servers and storage services use), as those words.
const TOKENS: [&str; 11] = [
    "sig",
    "pwd",
    "pass",
    "otp",
    "tempauth",
    "bearer",
    "hmac",
    "ticket",
    "sessionid",
    "jsessionid",
    "phpsessid",
];

/// Names of parameters that are credentials where the value is long (RFC 6749 4.1.2, Azure Functions), else a number or
/// word.
const LONG_TOKENS: [&str; 2] = ["code", "auth"];

/// Bytes of a value that is long.
const LONG: usize = 16;

/// Whether a request target, `Host` or URL has neither a user, nor a query, nor parameters of its path.
pub(super) fn has_no_place(text: &[u8]) -> bool {
    memchr::memchr3(b'@', b'?', b';', text).is_none()
}

/// A request target or `Host` without its secrets: the password before the host (RFC 3986 3.2.1), and the values of
/// parameters of the path and of the query that are credentials.
pub(super) fn masked(target: String) -> String {
    if has_no_place(target.as_bytes()) {
        return target;
    }
    let (front, query) = target.split_once('?').unzip();
    let front = without_password(front.unwrap_or(&target));
    let mut parts = front.split(';');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A parameter of the path ends with its segment (RFC 3986 3.3).
        let (pair, rest) = part.split_at(part.find('/').unwrap_or(part.len()));
        out.push(';');
        out.push_str(&without_value(pair));
        out.push_str(rest);
    }
    if let Some(query) = query {
        out.push('?');
        let pairs: Vec<_> = query.split('&').map(without_value).collect();
        out.push_str(&pairs.join("&"));
    }
    out
}

/// Whether a target has a password before its host, masked or not.
pub fn had_password(target: &str) -> bool {
    authority(target).is_some_and(|(_, authority, _)| {
        authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
    })
}

/// Query parameters of a target whose values are credentials, masked or not.
pub fn tokens(target: &str) -> impl Iterator<Item = &str> {
    let query = target.split_once('?').map(|(_, query)| query);
    query.into_iter().flat_map(|query| query.split('&')).filter_map(secret_in).map(|(name, _)| name)
}

/// What stands before, in and behind the place of user and host, where the text has one with a user in it.
fn authority(text: &str) -> Option<(&str, &str, &str)> {
    memchr::memchr(b'@', text.as_bytes())?;
    let start = match text.find("://") {
        Some(place) => place.checked_add(3)?,
        // An origin form has no host; a bare authority has no slash.
        None if text.starts_with('/') => return None,
        None => 0,
    };
    let (scheme, rest) = text.split_at_checked(start)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    Some((scheme, authority, path))
}

fn without_password(text: &str) -> String {
    let masked = || {
        let (scheme, authority, path) = authority(text)?;
        let (login, host) = authority.rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}{user}:{MASK}@{host}{path}"))
    };
    masked().unwrap_or_else(|| text.to_owned())
}

fn without_value(pair: &str) -> Cow<'_, str> {
    secret_in(pair).map_or(Cow::Borrowed(pair), |(name, _)| format!("{name}={MASK}").into())
}

/// Whether a parameter of that name can be a credential.
pub fn is_credential(name: &str) -> bool {
    let plain = plain(name);
    has_word(&plain) || TOKENS.iter().chain(&LONG_TOKENS).any(|token| *token == plain)
}

/// The name and value of a parameter, if that is a credential.
fn secret_in(pair: &str) -> Option<(&str, &str)> {
    let (name, value) = pair.split_once('=').filter(|(_, value)| !value.is_empty())?;
    let plain = plain(name);
    let is = |token: &&str| *token == plain;
    let is_long = LONG_TOKENS.iter().any(is) && value.len() >= LONG;
    let by_name = is_long || (has_word(&plain) || TOKENS.iter().any(is)) && !is_setting(value);
    (by_name || value == MASK || holds_password(value)).then_some((name, value))
}

/// Whether a value is a switch or a count, as of `passwordless=true` and `tokens=5`.
fn is_setting(value: &str) -> bool {
    let is = |word: &&str| value.eq_ignore_ascii_case(word);
    ["true", "false"].iter().any(is) || value.len() < 4 && value.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a value of a query is a URL with a password before its host, be it encoded or not.
fn holds_password(value: &str) -> bool {
    let url = percent_decode_str(value).decode_utf8_lossy();
    url.contains("://") && had_password(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_before_the_host_is_masked() {
        let masked = masked("http://bob:s3cret@server/a?x=1".to_owned());
        assert_eq!(masked, "http://bob:***@server/a?x=1");
        assert!(had_password(&masked));
    }

    #[test]
    fn tokens_of_the_query_are_masked() {
        let masked = masked("/a/b?name=x&Access_Token=abc&sig=".to_owned());
        assert_eq!(masked, "/a/b?name=x&Access_Token=***&sig=");
        assert_eq!(tokens(&masked).collect::<Vec<_>>(), ["Access_Token"]);
    }

    #[test]
    fn names_of_credentials_are_known_by_their_words() {
        for name in [
            "authToken",
            "upload_token",
            "x-functions-key",
            "Subscription-Key",
            "newPassword",
            "access%5Fkey",
            "SAMLResponse",
            "tempauth",
            "client_assertion",
            "api-key",
            "pass",
            "PHPSESSID",
        ] {
            let all = masked(format!("/a?n=1&{name}=abc&m=2"));
            assert_eq!(all, format!("/a?n=1&{name}=***&m=2"));
            assert_eq!(tokens(&format!("/a?{name}=abc")).collect::<Vec<_>>(), [name]);
        }
        for query in [
            "code=404",
            "author=bob",
            "key=a/b",
            "passage=2",
            "bits-session-id={1}",
            "design=1",
            "passwordless=true",
            "tokens=5",
            "auth=ntlm",
        ] {
            assert_eq!(masked(format!("/a?{query}")), format!("/a?{query}"));
        }
        assert_eq!(masked("/a?code=0123456789abcdef".to_owned()), "/a?code=***");
    }

    #[test]
    fn a_credential_in_the_path_is_masked() {
        let masked = masked("/app;jsessionid=A1B2;v=1/file;x=2?y=3".to_owned());
        assert_eq!(masked, "/app;jsessionid=***;v=1/file;x=2?y=3");
        assert_eq!(super::masked("/a;jsessionid=A1/b".to_owned()), "/a;jsessionid=***/b");
        for path in ["/auth-tokens/dt=1/f.bin?v=1", "/signature=final/a@home.pdf", "/token=1;v=2/f"]
        {
            assert_eq!(super::masked(path.to_owned()), path);
        }
    }

    #[test]
    fn a_password_in_a_url_of_the_query_is_masked() {
        for url in ["http://bob:s3cret@host/", "https%3A%2F%2Fbob%3as3cret%40host%2F"] {
            assert_eq!(masked(format!("/a?back={url}&x=1")), "/a?back=***&x=1");
        }
        let target = "/a?mail=bob:x@host&back=http://host/a:b@c".to_owned();
        assert_eq!(masked(target.clone()), target);
    }

    #[test]
    fn an_ordinary_target_stays_as_it_is() {
        for target in
            ["/a@b:c/d", "http://server:80/a", "*", "server:443", "/?", "http://bob@server/"]
        {
            assert_eq!(masked(target.to_owned()), target);
            assert!(!had_password(target));
        }
    }
}
