//! The URL of an upload, from request target and Host.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::exchange::{Exchange, Request};

/// Scheme, host and path of an upload; the query is left out, it may hold credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Host as written; the port only where it is not the scheme's own.
    pub host: &'a str,
    /// Path as written.
    pub path: &'a str,
}

impl Url<'_> {
    /// The whole of it.
    pub fn text(&self) -> String {
        let slash = if self.path.starts_with('/') { "" } else { "/" };
        [self.scheme, "://", self.host, slash, self.path].concat()
    }
}

/// The URL that a request names; `None` where neither its target nor Host names a host.
pub fn of<'a>(exchange: &Exchange, request: &'a Request) -> Option<Url<'a>> {
    let (scheme, authority, target) = parts(request, exchange.tls);
    let authority = authority?;
    let bare = authority.rsplit('@').next().unwrap_or(authority);
    let own = if scheme == "https" { ":443" } else { ":80" };
    let host = bare.strip_suffix(own).unwrap_or(bare);
    (!host.is_empty()).then(|| Url { scheme, host, path: path(target) })
}

/// The path in a whole URL, from its slash on.
pub fn path_within(url: &str) -> &str {
    apart(url).1
}

/// Whether two whole URLs may be of one host, whatever the case of its letters: not where both are known and differ.
pub fn may_share_host(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_none_or(|(one, other)| apart(one).0.eq_ignore_ascii_case(apart(other).0))
}

/// The host in a whole URL without user, and the port that it names.
pub(crate) fn host_and_port(url: &str) -> (&str, Option<u16>) {
    let authority = apart(url).0;
    let bare = authority.rsplit('@').next().unwrap_or(authority);
    let parted = split_port(bare).and_then(|(host, port)| Some((host, port.parse().ok()?)));
    parted.map_or((bare, None), |(host, port)| (host, Some(port)))
}

/// What stands before a port, and the port; the colons of a bare IPv6 address are no sign of one.
pub(crate) fn split_port(host: &str) -> Option<(&str, &str)> {
    let (front, port) = host.rsplit_once(':')?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (digits && (!front.contains(':') || front.ends_with(']'))).then_some((front, port))
}

/// Host and path of a whole URL.
fn apart(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// The path that a request names, without its query.
pub fn path_of(request: &Request) -> &str {
    path_in(&request.target)
}

/// The path in a request target, without its query.
pub fn path_in(target: &str) -> &str {
    path(whole(target).map_or(target, |(.., target)| target))
}

/// A URL up to the last slash of its path.
pub fn folder(url: &str) -> &str {
    url.rfind('/').and_then(|place| url.get(..=place)).unwrap_or(url)
}

/// A URL up to the slash behind the first part of its path, as far as it has one: the virtual directory.
pub fn virtual_directory(url: &str) -> Option<&str> {
    let path = url.find("://")?.checked_add(3)?;
    let root = path.checked_add(url.get(path..)?.find('/')?)?.checked_add(1)?;
    let end = root.checked_add(url.get(root..)?.find('/')?)?;
    url.get(..=end)
}

fn parts(request: &Request, tls: bool) -> (&'static str, Option<&str>, &str) {
    match whole(&request.target) {
        Some((scheme, authority, target)) => (scheme, Some(authority), target),
        None => (if tls { "https" } else { "http" }, request.host.as_deref(), &request.target),
    }
}

/// Scheme, authority and the rest of a target that is a whole URL.
fn whole(target: &str) -> Option<(&'static str, &str, &str)> {
    let (scheme, rest) =
        [("http", "http://"), ("https", "https://")].into_iter().find_map(|(scheme, prefix)| {
            let front = target.get(..prefix.len())?;
            front
                .eq_ignore_ascii_case(prefix)
                .then(|| (scheme, target.get(prefix.len()..).unwrap_or_default()))
        })?;
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((scheme, authority, if target.is_empty() { "/" } else { target }))
}

fn path(target: &str) -> &str {
    let end = memchr::memchr2(b'?', b'#', target.as_bytes());
    end.and_then(|end| target.get(..end)).unwrap_or(target)
}

/// A text without its percent-encoding (RFC 3986 2.1).
pub(crate) fn percent_decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// A URL or relative path in the form to compare: decoded, with slashes, without scheme, host and query.
pub(crate) fn normal(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = percent_decoded(path).replace('\\', "/");
    let path = path
        .split_once("://")
        .map_or(path.as_str(), |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    path.trim_start_matches('/').to_ascii_lowercase()
}

/// Whether a path that was asked for ends with the one of a reply, both in normal form.
pub(crate) fn leads_to(path: &str, reply: &str) -> bool {
    path.strip_suffix(reply).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_part_of_the_host() {
        for (url, parts) in [
            ("http://server:8080/a", ("server", Some(8080))),
            ("https://bob@server/a:1", ("server", None)),
            ("http://[::1]/", ("[::1]", None)),
            ("http://[::1]:81/", ("[::1]", Some(81))),
            ("http://2001:db8::80/", ("2001:db8::80", None)),
        ] {
            assert_eq!(host_and_port(url), parts);
        }
    }

    #[test]
    fn a_target_without_a_slash_does_not_run_into_the_host() {
        let url = Url { scheme: "http", host: "server", path: "a/b" };
        assert_eq!(url.text(), "http://server/a/b");
    }
}
