//! One line of a transcript, with the indented lines that belong to it.

use std::net::SocketAddr;

use simple_dns::RCODE;

use super::Error;
use crate::stream::Side;

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line<'t> {
    /// `>` or `<`
    Message(Message<'t>),
    /// `...`, in nanoseconds
    Wait(i64),
    /// `=`
    Scene(Scene<'t>),
    /// `!`
    Tcp(Tcp<'t>),
}

/// A request or a response.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message<'t> {
    pub side: Side,
    /// Packet type, method or status.
    pub what: &'t str,
    /// Words without `=` behind it: range, target, `plain`, `lost`.
    pub words: Vec<&'t str>,
    /// Words of the form `key=value`.
    pub values: Vec<(&'t str, &'t str)>,
    pub fields: Vec<Field<'t>>,
    pub body: Vec<&'t str>,
}

/// An indented line about a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'t> {
    Set(&'t str, &'t str),
    Add(&'t str, &'t str),
    Remove(&'t str),
}

/// What changes for the lines that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene<'t> {
    Connection,
    Client(std::net::IpAddr),
    Server(SocketAddr),
    Url(&'t str),
    Repeat(u32),
    /// Which side's packets are captured, if not both.
    Sees(Option<Side>),
}

/// Something on the level of TCP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Tcp<'t> {
    /// With another TTL, and as one writes it that does not know the connection.
    Reset(Side, Option<u8>, bool),
    /// So many more bytes, that nobody acknowledges.
    Send(Side, u64),
    Close(Side),
    Again(bool),
    /// In pieces of so many bytes.
    AgainIn(u16),
    Mirrored,
    TooBig(u16),
    /// The code of "destination unreachable".
    Unreachable(u8),
    Refused,
    Unanswered,
    Stall(Side, f64),
    Name(&'t str, Told),
}

/// What a name server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Address,
    Error(RCODE),
    /// `SERVFAIL`, to a question for an address of IPv6.
    NoSix,
}

impl<'t> Message<'t> {
    pub fn value(&self, key: &str) -> Option<&'t str> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

/// Reads all lines, with their numbers from 1; empty ones are passed over.
pub(super) fn lines(text: &str) -> Result<Vec<(usize, Line<'_>)>, Error> {
    let mut lines: Vec<(usize, Line<'_>)> = Vec::new();
    for (number, raw) in text.lines().enumerate().filter(|(_, raw)| !raw.trim().is_empty()) {
        let wrong = |problem: String| Error { line: number + 1, problem };
        if !raw.starts_with([' ', '\t']) {
            lines.push((number + 1, line(raw).map_err(wrong)?));
            continue;
        }
        let Some((_, Line::Message(message))) = lines.last_mut() else {
            return Err(wrong("an indented line belongs to a message".to_owned()));
        };
        indented(message, raw.trim()).map_err(wrong)?;
    }
    Ok(lines)
}

fn line(raw: &str) -> Result<Line<'_>, String> {
    let (sign, rest) = raw.split_once(' ').unwrap_or((raw, ""));
    let rest = rest.trim();
    match sign {
        ">" => message(Side::Client, rest).map(Line::Message),
        "<" => message(Side::Server, rest).map(Line::Message),
        "..." => wait(rest).map(Line::Wait),
        "=" => scene(rest).map(Line::Scene),
        "!" => tcp(rest).map(Line::Tcp),
        _ => Err(format!("a line begins with >, <, ..., = or !, not with {sign:?}")),
    }
}

fn message(side: Side, rest: &str) -> Result<Message<'_>, String> {
    let mut all = rest.split_ascii_whitespace();
    let what = all.next().ok_or("a message without a name")?;
    let mut message =
        Message { side, what, words: vec![], values: vec![], fields: vec![], body: vec![] };
    for word in all {
        match word.split_once('=') {
            // A target may hold the sign too, but not behind letters alone.
            Some(pair) if pair.0.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                message.values.push(pair);
            }
            _ => message.words.push(word),
        }
    }
    Ok(message)
}

fn indented<'t>(message: &mut Message<'t>, raw: &'t str) -> Result<(), String> {
    if let Some(text) = raw.strip_prefix('|') {
        message.body.push(text.strip_prefix(' ').unwrap_or(text));
        return Ok(());
    }
    let (adds, raw) = raw.strip_prefix("+ ").map_or((false, raw), |raw| (true, raw));
    let (name, value) = raw.split_once(':').ok_or_else(|| format!("no field: {raw:?}"))?;
    message.fields.push(match (adds, value.trim()) {
        (true, value) => Field::Add(name, value),
        (false, "") => Field::Remove(name),
        (false, value) => Field::Set(name, value),
    });
    Ok(())
}

fn wait(rest: &str) -> Result<i64, String> {
    let (number, unit) = rest.split_once(' ').unwrap_or((rest, "s"));
    let number: f64 = number.parse().map_err(|_| format!("no length of time: {rest:?}"))?;
    let unit = match unit.trim() {
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3600e9,
        "d" => 86_400e9,
        unit => return Err(format!("no unit of time: {unit:?}")),
    };
    // Conversion saturates.
    Ok((number * unit) as i64)
}

fn scene(rest: &str) -> Result<Scene<'_>, String> {
    let (what, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let wrong = |_| format!("no address: {value:?}");
    match what {
        "connection" => Ok(Scene::Connection),
        "client" => value.parse().map(Scene::Client).map_err(wrong),
        "server" => value.parse().map(Scene::Server).map_err(wrong),
        "url" => Ok(Scene::Url(value)),
        "repeat" => {
            let times = value.parse().map_err(|_| format!("no number: {value:?}"))?;
            Ok(Scene::Repeat(times))
        }
        "sees" => match value {
            "client" => Ok(Scene::Sees(Some(Side::Client))),
            "server" => Ok(Scene::Sees(Some(Side::Server))),
            "both" => Ok(Scene::Sees(None)),
            _ => Err(format!("no side: {value:?}")),
        },
        _ => Err(format!("unknown: {what:?}")),
    }
}

fn tcp(rest: &str) -> Result<Tcp<'_>, String> {
    let mut words = rest.split_ascii_whitespace();
    let unknown = || format!("unknown: {rest:?}");
    let side = match words.next() {
        Some("client") => Side::Client,
        Some("server") => Side::Server,
        Some("again") => return Ok(again(words.next())),
        Some("mirrored") => return Ok(Tcp::Mirrored),
        Some("too") => {
            let mtu = words.nth(1).and_then(|mtu| mtu.parse().ok());
            return mtu.map(Tcp::TooBig).ok_or_else(unknown);
        }
        Some("unreachable") => {
            let code = words.next().and_then(|code| code.parse().ok());
            return code.map(Tcp::Unreachable).ok_or_else(unknown);
        }
        Some("refused") => return Ok(Tcp::Refused),
        Some("unanswered") => return Ok(Tcp::Unanswered),
        Some("name") => return name(words.next(), words.next()).ok_or_else(unknown),
        _ => return Err(unknown()),
    };
    let (what, more) = (words.next(), words.next());
    match what {
        Some("resets") => {
            let ttl = more.and_then(|more| more.strip_prefix("ttl="));
            let ttl = ttl.map(|ttl| ttl.parse().map_err(|_| unknown())).transpose()?;
            Ok(Tcp::Reset(side, ttl, more == Some("bare") || words.next() == Some("bare")))
        }
        Some("sends") => {
            let bytes = more.and_then(|bytes| bytes.parse().ok());
            bytes.map(|bytes| Tcp::Send(side, bytes)).ok_or_else(unknown)
        }
        Some("closes") => Ok(Tcp::Close(side)),
        Some("stalls") => {
            more.and_then(|secs| secs.parse().ok()).map(|s| Tcp::Stall(side, s)).ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}

fn again(how: Option<&str>) -> Tcp<'static> {
    let pieces = how.and_then(|how| how.parse().ok()).filter(|bytes| *bytes > 0);
    pieces.map_or(Tcp::Again(how == Some("changed")), Tcp::AgainIn)
}

fn name<'t>(name: Option<&'t str>, told: Option<&str>) -> Option<Tcp<'t>> {
    let told = match told? {
        "found" => Told::Address,
        "unanswered" => Told::Nothing,
        "NXDOMAIN" => Told::Error(RCODE::NameError),
        "SERVFAIL" => Told::Error(RCODE::ServerFailure),
        "REFUSED" => Told::Error(RCODE::Refused),
        "no-AAAA" => Told::NoSix,
        _ => return None,
    };
    name.map(|name| Tcp::Name(name, told))
}
