//! Request targets that hold credentials: what is kept of them does not.

/// What stands for a secret.
pub const MASK: &str = "***";

/// Names of query parameters that are credentials by themselves (RFC 6750 2.3 and what storage services use).
const TOKENS: [&str; 10] = [
    "access_token",
    "auth_token",
    "token",
    "api_key",
    "apikey",
    "password",
    "passwd",
    "pwd",
    "sig",
    "x-amz-signature",
];

/// A request target or `Host` without its secrets: the password before the host (RFC 3986 3.2.1), and the values of
/// query parameters that are credentials.
pub fn masked(target: &str) -> String {
    let (front, query) = target.split_once('?').unzip();
    let mut out = without_password(front.unwrap_or(target));
    if let Some(query) = query {
        out.push('?');
        let pairs: Vec<String> = query.split('&').map(without_value).collect();
        out.push_str(&pairs.join("&"));
    }
    out
}

/// Whether a masked target had a password before its host.
pub fn had_password(masked: &str) -> bool {
    authority(masked).is_some_and(|(_, authority, _)| {
        authority.rsplit_once('@').is_some_and(|(user, _)| user.ends_with(&format!(":{MASK}")))
    })
}

/// Query parameters of a masked target whose values were credentials.
pub fn tokens(masked: &str) -> impl Iterator<Item = &str> {
    let query = masked.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (value == MASK).then_some(name)
    })
}

/// What stands before, in and behind the place of user and host, where the text has one.
fn authority(text: &str) -> Option<(&str, &str, &str)> {
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

fn without_value(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, value))
            if !value.is_empty() && TOKENS.iter().any(|token| name.eq_ignore_ascii_case(token)) =>
        {
            format!("{name}={MASK}")
        }
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_before_the_host_is_masked() {
        let masked = masked("http://bob:s3cret@server/a?x=1");
        assert_eq!(masked, "http://bob:***@server/a?x=1");
        assert!(had_password(&masked));
    }

    #[test]
    fn tokens_of_the_query_are_masked() {
        let masked = masked("/a/b?name=x&Access_Token=abc&sig=");
        assert_eq!(masked, "/a/b?name=x&Access_Token=***&sig=");
        assert_eq!(tokens(&masked).collect::<Vec<_>>(), ["Access_Token"]);
    }

    #[test]
    fn an_ordinary_target_stays_as_it_is() {
        for target in
            ["/a@b:c/d", "http://server:80/a", "*", "server:443", "/?", "http://bob@server/"]
        {
            assert_eq!(masked(target), target);
            assert!(!had_password(target));
        }
    }
}
