//! The HTTP message of a line, with the fields that Windows and IIS would write.

use super::line::{Field, Message};
use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::bits::protocol::UPLOAD_1_5;

/// The longest body that is played.
const LONGEST: u64 = 8 << 20;

/// What both sides know of the upload while it goes on.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub host: String,
    pub path: String,
    pub session: Option<String>,
    /// The type of the last request, and the range of the last Fragment.
    pub asked: PacketType,
    pub range: Option<ContentRange>,
}

/// A message as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes {
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

type Fields = Vec<(String, String)>;

/// The request of a line.
pub(super) fn request(message: &Message<'_>, state: &mut State) -> Result<Bytes, String> {
    let plain = PLAIN.contains(&message.what);
    state.asked = if plain { PacketType::Unknown } else { PacketType::parse(message.what) };
    state.range = None;
    let target = if plain { message.words.first().copied() } else { None };
    let target = target.map_or_else(|| state.path.clone(), str::to_owned);
    let whole =
        if message.has("proxied") { format!("http://{}", state.host) } else { String::new() };
    let verb = if plain { message.what } else { "BITS_POST" };
    let mut fields: Fields = vec![
        ("Connection".into(), "Keep-Alive".into()),
        ("Accept".into(), "*/*".into()),
        ("User-Agent".into(), "Microsoft BITS/7.8".into()),
        ("Host".into(), state.host.clone()),
    ];
    let mut body = text(message);
    if !plain {
        fields.push(("BITS-Packet-Type".into(), state.asked.name().to_owned()));
        body = packet(message, state, &mut fields)?.unwrap_or(body);
        fields.push(("Content-Length".into(), body.len().to_string()));
    }
    finish(message, &format!("{verb} {whole}{target} HTTP/1.1"), fields, body)
}

/// Methods of ordinary requests.
const PLAIN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT"];

/// The fields of a packet of the upload protocol; its body where it is a Fragment ([MC-BUP] 2.2.2 to 2.2.10).
fn packet(
    message: &Message<'_>,
    state: &mut State,
    fields: &mut Fields,
) -> Result<Option<Vec<u8>>, String> {
    let id = message.value("session").map(str::to_owned);
    match &state.asked {
        PacketType::CreateSession => {
            state.session = None;
            let known = format!("{{{UPLOAD_1_5}}}");
            let offers = message.value("offers").unwrap_or(&known);
            fields.push(("BITS-Supported-Protocols".into(), offers.replace('+', " ")));
        }
        PacketType::Ping => {}
        _ => {
            let id = id.or_else(|| state.session.clone()).filter(|id| !id.is_empty());
            fields.extend(id.map(|id| ("BITS-Session-Id".to_owned(), id)));
        }
    }
    let name = message.value("name");
    fields.extend(name.map(|name| ("Content-Name".to_owned(), name.to_owned())));
    if state.asked != PacketType::Fragment {
        return Ok(None);
    }
    let Some(range) = message.words.first().filter(|word| word.contains('/')) else {
        return Ok(Some(text(message)));
    };
    let range = ContentRange::parse(&format!("bytes {range}"));
    fields.push(("Content-Range".into(), range.raw()));
    let body = match (message.body.is_empty(), range.len()) {
        (true, Some(len)) if len <= LONGEST => content(range.start.unwrap_or(0), len),
        (true, Some(len)) => return Err(format!("a body of {len} bytes is too long to play")),
        _ => text(message),
    };
    state.range = Some(range);
    Ok(Some(body))
}

/// What stands at an offset of the uploaded file.
fn content(start: u64, len: u64) -> Vec<u8> {
    // 251 is prime: no power of two repeats.
    (start..start.saturating_add(len)).map(|offset| (offset % 251) as u8).collect()
}

/// The response of a line.
pub(super) fn response(message: &Message<'_>, state: &mut State) -> Result<Bytes, String> {
    let status: u16 = message.what.parse().map_err(|_| format!("no status: {:?}", message.what))?;
    let mut fields = Fields::new();
    if !message.has("plain") && status >= 200 {
        fields.push(("Server".into(), "Microsoft-IIS/10.0".into()));
        fields.push(("BITS-Packet-Type".into(), "Ack".into()));
        ack(message, state, status, &mut fields);
    }
    let body = text(message);
    if status >= 200 {
        fields.push(("Content-Length".into(), body.len().to_string()));
    }
    finish(message, &format!("HTTP/1.1 {status} {}", reason(status)), fields, body)
}

/// The fields of an Ack ([MC-BUP] 2.2.3 to 2.2.11).
fn ack(message: &Message<'_>, state: &mut State, status: u16, fields: &mut Fields) {
    let opens = state.asked == PacketType::CreateSession && matches!(status, 200 | 201);
    if let Some(id) = message.value("session").filter(|id| !id.is_empty()) {
        fields.push(("BITS-Session-Id".into(), id.to_owned()));
        state.session = Some(id.to_owned());
    }
    let chosen = message.value("protocol").map(str::to_owned);
    let chosen = chosen.or_else(|| opens.then(|| format!("{{{UPLOAD_1_5}}}")));
    fields.extend(
        chosen.filter(|guid| !guid.is_empty()).map(|guid| ("BITS-Protocol".to_owned(), guid)),
    );
    let end = state.range.as_ref().and_then(|range| range.end).map(|end| end.saturating_add(1));
    let next = message.value("received").map(str::to_owned);
    let next = next.or_else(|| end.filter(|_| status == 200).map(|end| end.to_string()));
    fields.extend(
        next.filter(|next| !next.is_empty())
            .map(|next| ("BITS-Received-Content-Range".to_owned(), next)),
    );
    let named = [
        ("error", "BITS-Error"),
        ("context", "BITS-Error-Context"),
        ("host", "BITS-Host-Id"),
        ("fallback", "BITS-Host-Id-Fallback-Timeout"),
        ("reply", "BITS-Reply-URL"),
    ];
    for (key, name) in named {
        fields.extend(message.value(key).map(|value| (name.to_owned(), value.to_owned())));
    }
}

fn text(message: &Message<'_>) -> Vec<u8> {
    message.body.join("\n").into_bytes()
}

/// Puts a message together, after the indented lines had their say.
fn finish(
    message: &Message<'_>,
    start: &str,
    mut fields: Fields,
    body: Vec<u8>,
) -> Result<Bytes, String> {
    for field in &message.fields {
        match *field {
            Field::Remove(name) => fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
            Field::Add(name, value) => fields.push((name.to_owned(), value.to_owned())),
            Field::Set(name, value) => {
                let value = repeated(value)?;
                match fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    Some(known) => known.1 = value,
                    None => fields.push((name.to_owned(), value)),
                }
            }
        }
    }
    let fields: String =
        fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let minor = message.value("http").unwrap_or("1.1");
    let start = start.replace("HTTP/1.1", &format!("HTTP/{minor}"));
    Ok(Bytes { head: format!("{start}\r\n{fields}\r\n").into_bytes(), body })
}

/// `x*5000` is five thousand times `x`.
fn repeated(value: &str) -> Result<String, String> {
    let Some((unit, times)) = value.rsplit_once('*') else { return Ok(value.to_owned()) };
    match times.parse::<usize>() {
        Ok(times) if times <= 1 << 16 => Ok(unit.repeat(times)),
        Ok(times) => Err(format!("{times} repeats are too many")),
        Err(_) => Ok(value.to_owned()),
    }
}

const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Other",
    }
}
