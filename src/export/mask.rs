//! Credentials taken out of heads; what is left still tells that there were some, and of what kind.

/// What stands for a credential.
const MASK: &str = "***";

/// Fields whose value is a scheme and a secret (RFC 9110 11, [MS-NTHT]).
const SCHEMED: [&str; 6] = [
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
];

/// Fields of which nothing but the names of cookies may be told.
const COOKIES: [&str; 4] = ["Cookie", "Cookie2", "Set-Cookie", "Set-Cookie2"];

/// Words in the name of a field that holds a secret.
const SECRET: [&str; 6] = ["token", "secret", "api-key", "apikey", "password", "signature"];

/// The value of a header field without what lets somebody log in.
pub fn field(name: &str, value: &str) -> String {
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    if SCHEMED.iter().any(&is) {
        return match value.trim().split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {MASK}"),
            // A scheme alone is what a server offers; a secret alone has no scheme.
            None if name.to_ascii_lowercase().ends_with("authenticate") => value.to_owned(),
            None => MASK.to_owned(),
        };
    }
    if COOKIES.iter().any(&is) {
        let names = value.split(';').filter_map(|pair| pair.split_once('='));
        let names: Vec<String> = names.map(|(name, _)| format!("{}={MASK}", name.trim())).collect();
        return names.join("; ");
    }
    let lower = name.to_ascii_lowercase();
    if SECRET.iter().any(|word| lower.contains(word)) {
        return MASK.to_owned();
    }
    if ["Referer", "Location", "Content-Location", "BITS-Original-Request-URL"].iter().any(is) {
        return url(value);
    }
    value.to_owned()
}

/// A URL or request target without user name and password, and without the values of its query.
pub fn url(text: &str) -> String {
    let (front, query) = match text.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (text, None),
    };
    let front = match front.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        None => front.to_owned(),
    };
    let Some(query) = query else { return front };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| {
            pair.split_once('=').map_or(MASK.to_owned(), |(name, _)| format!("{name}={MASK}"))
        })
        .collect();
    format!("{front}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_their_kind_is_told() {
        assert_eq!(field("authorization", "Basic dXNlcjpwYXNz"), "Basic ***");
        assert_eq!(field("Authorization", "dXNlcjpwYXNz"), "***");
        assert_eq!(field("WWW-Authenticate", "NTLM"), "NTLM");
        assert_eq!(field("WWW-Authenticate", "NTLM TlRMTVNTUAAC"), "NTLM ***");
        assert_eq!(field("Set-Cookie", "SERVERID=s1; path=/"), "SERVERID=***; path=***");
        assert_eq!(field("X-Access-Token", "abc"), "***");
        assert_eq!(field("BITS-Packet-Type", "Ping"), "Ping");
    }

    #[test]
    fn urls_lose_user_and_query_values() {
        assert_eq!(
            url("http://u:p@h:8080/a?access_token=x&b"),
            "http://h:8080/a?access_token=***&***"
        );
        assert_eq!(url("/a/b"), "/a/b");
    }
}
