//! Which sessions are meant.

use std::net::{IpAddr, SocketAddr};

use bitsleuth::bits::protocol::canonical_id;
use bitsleuth::model::{Outcome, Session};
use clap::Args;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};

/// Options that choose sessions: one value of each that is given has to fit.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which sessions")]
pub struct Select {
    /// Only this session id; braces and case do not matter, the first characters will do
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    session: Vec<String>,
    /// Only uploads from this address
    #[arg(long, value_name = "ADDR")]
    client: Vec<IpAddr>,
    /// Only uploads to this address or host
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = Endpoint::parse)]
    server: Vec<Endpoint>,
    /// Only uploads whose URL holds this text, in any case
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    url: Vec<String>,
    /// Only uploads that ended like this, or like one of several: `failed,rejected`
    #[arg(long, value_name = "WORD", value_parser = outcomes(), value_delimiter = ',')]
    outcome: Vec<Outcome>,
}

impl Select {
    /// Whether every session is meant.
    pub fn is_empty(&self) -> bool {
        self.session.is_empty()
            && self.client.is_empty()
            && self.server.is_empty()
            && self.url.is_empty()
            && self.outcome.is_empty()
    }

    /// Whether the session is meant.
    pub fn keep(&self, session: &Session) -> bool {
        any(&self.session, |id| has_id(session, id))
            && any(&self.client, |address| is_from(session, *address))
            && any(&self.server, |server| server.fits(session))
            && any(&self.url, |text| has_url(session, text))
            && any(&self.outcome, |outcome| session.outcome == *outcome)
    }
}

/// Whether any of the wishes holds; no wish holds for everything.
fn any<T>(wishes: &[T], holds: impl Fn(&T) -> bool) -> bool {
    wishes.is_empty() || wishes.iter().any(holds)
}

fn has_id(session: &Session, wish: &str) -> bool {
    let wish = canonical_id(wish);
    session.id.as_deref().is_some_and(|id| canonical_id(id).starts_with(&wish))
}

/// Whether any of it came from an address: a client may have several.
fn is_from(session: &Session, address: IpAddr) -> bool {
    session.client.address == address
        || session.exchanges.iter().any(|exchange| exchange.client.ip() == address)
}

fn has_url(session: &Session, text: &str) -> bool {
    let text = text.to_lowercase();
    session.url.as_ref().is_some_and(|url| url.to_lowercase().contains(&text))
}

/// A server by address or host name, with or without a port.
#[derive(Clone, Debug)]
struct Endpoint {
    host: String,
    port: Option<u16>,
}

impl Endpoint {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an address is expected".to_owned());
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if bare.parse::<IpAddr>().is_ok() {
            return Ok(Self { host: bare.to_owned(), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => {
                (host, Some(port.parse().map_err(|_| format!("{port:?} is no port"))?))
            }
            None => (text, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self { host: host.to_owned(), port })
    }

    /// Whether any of it went there: the server may have sent the client to another host ([MC-BUP] 2.2.3).
    fn fits(&self, session: &Session) -> bool {
        let address = self.host.parse::<IpAddr>().ok();
        let server = &session.server;
        let is = |server: SocketAddr, host: Option<&str>| {
            address == Some(server.ip()) && self.has_port(Some(server.port()))
                || host.is_some_and(|host| self.is_named(host, server.port()))
        };
        is(server.socket(), server.host.as_deref())
            || session.exchanges.iter().any(|exchange| {
                let host = exchange.request.as_ref().and_then(|request| request.host.as_deref());
                is(exchange.server, host)
            })
    }

    fn has_port(&self, known: Option<u16>) -> bool {
        self.port.is_none() || self.port == known
    }

    /// Whether it is what the client calls the host that it reached at a port; where it asks a proxy, that is the
    /// proxy's.
    fn is_named(&self, host: &str, port: u16) -> bool {
        Self::parse(host).is_ok_and(|named| {
            named.host.eq_ignore_ascii_case(&self.host)
                && (self.has_port(named.port) || self.has_port(Some(port)))
        })
    }
}

/// Takes the words for outcomes.
fn outcomes() -> impl TypedValueParser<Value = Outcome> {
    let words = PossibleValuesParser::new(Outcome::ALL.map(Outcome::name));
    let outcome = |word: String| Outcome::ALL.into_iter().find(|outcome| outcome.name() == word);
    words.try_map(move |word| outcome(word).ok_or("no such outcome"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        select: Select,
    }

    fn keeps(options: &[&str]) -> bool {
        keeps_at("MP01:8080", options)
    }

    /// Whether an upload to `host` is meant, by way of 10.20.0.80:8080.
    fn keeps_at(host: &str, options: &[&str]) -> bool {
        let session = serde_json::json!({
            "id": "{1C34C8D4-0F42-49D1-A0D4-274383A65E8F}", "outcome": "failed",
            "client": {"address": "10.20.0.11"},
            "server": {"address": "10.20.0.80", "port": 8080, "host": host},
            "url": "http://mp01:8080/Backup/a", "fragments": [], "exchanges": [],
            "bytes_sent": 0, "bytes_unique": 0, "bytes_acknowledged": 0, "duration_seconds": 0.0,
            "started": "2007-06-18T21:01:56Z", "ended": "2007-06-18T21:01:56Z"
        });
        let session: Session = serde_json::from_value(session).unwrap();
        let line = Line::try_parse_from(std::iter::once(&"x").chain(options)).unwrap();
        line.select.keep(&session)
    }

    #[test]
    fn every_option_has_to_fit() {
        assert!(keeps(&[]));
        assert!(keeps(&["--session", "1c34c8d4", "--client", "10.20.0.11"]));
        assert!(keeps(&["--session", "{1c34c8d4-0f42-49d1-a0d4-274383a65e8f}"]));
        assert!(!keeps(&["--client", "10.20.0.12"]));
        assert!(!keeps(&["--client", "10.20.0.11", "--url", "other"]));
    }

    #[test]
    fn one_value_of_an_option_is_enough() {
        assert!(keeps(&["--outcome", "completed", "--outcome", "failed"]));
        assert!(keeps(&["--url", "x", "--url", "/backup/"]));
    }

    #[test]
    fn a_server_goes_by_address_or_host() {
        assert!(keeps(&["--server", "10.20.0.80"]));
        assert!(keeps(&["--server", "10.20.0.80:8080"]));
        assert!(keeps(&["--server", "mp01:8080"]));
        assert!(!keeps(&["--server", "mp01:80"]));
        assert!(!keeps(&["--server", "::1"]));
        assert!(!keeps(&["--server", "[::1]"]));
        assert!(!keeps(&["--server", "[::1]:8080"]));
    }

    #[test]
    fn a_server_behind_a_proxy_goes_by_what_the_url_names() {
        for host in ["mp01:8530", "[fd00::5]:8530"] {
            let (name, _) = host.rsplit_once(':').unwrap();
            assert!(keeps_at(host, &["--server", host]));
            assert!(keeps_at(host, &["--server", name]));
            assert!(!keeps_at(host, &["--server", &format!("{name}:8531")]));
        }
    }
}
