//! The rule `known-server-fingerprint`.

use crate::bits::PacketType;
use crate::model::{Exchange, Response, Session};
use crate::rules::Notes;

rule! {
    /// The server has the habits of one that is known by name.
    ///
    /// Servers written for tests and for attacks speak just enough BITS. Their habits tell them from Windows.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=-1573829
    ///   Server: BaseHTTP/0.6 Python/3.11.7
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session={3A2B1C0D-0000-1111-2222-333344445555}
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 501 plain
    ///   Server: BaseHTTP/0.6 Python/3.11.7
    /// ```
    ///
    /// Advice: If no such server is expected here, find out who runs it and what was uploaded to it.
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let ack = session.exchanges.iter().find_map(|exchange| {
        let response = exchange.response.as_ref().filter(|response| response.is_ack())?;
        Some((response.span, response.server.as_deref()?))
    });
    let Some((span, server)) = ack else { return };
    let Some((_, name)) = SERVERS.iter().find(|(mark, _)| server.contains(mark)) else { return };
    let mut habits = vec![format!("Server \"{server}\"")];
    if let Some(id) = session.id.as_deref().filter(|id| is_decimal(id)) {
        habits.push(format!("session id \"{id}\" in decimal"));
    }
    if session.exchanges.iter().any(is_odd_pong) {
        habits.push("an error code on a successful Ping".to_owned());
    }
    notes.likely(span, format!("{name}: {}", habits.join(", ")));
}

/// What `Server` says of an Ack, and whose habit that is.
const SERVERS: [(&str, &str); 5] = [
    ("BaseHTTP", "as SimpleBITSServer and what was made from it"),
    ("SimpleHTTP", "as SimpleBITSServer and what was made from it"),
    ("aiohttp", "as the BITS service of Caldera"),
    ("Mono-HTTPAPI", "as usis.Net.Bits on Mono"),
    ("lighttpd", "as the BITS module of the Citrix Transfer VM"),
];

fn is_decimal(id: &str) -> bool {
    let digits = id.strip_prefix('-').unwrap_or(id);
    digits.len() > 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_odd_pong(exchange: &Exchange) -> bool {
    let odd = |response: &Response| response.is_success() && response.error_sent().is_some();
    exchange.kind == PacketType::Ping && exchange.response.as_ref().is_some_and(odd)
}
