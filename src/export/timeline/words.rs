//! What a message says, in words.

use crate::bits::protocol;
use crate::bits::{PacketType, hresult};
use crate::export::style::{Style, Tone};
use crate::export::text;
use crate::model::exchange::Body;
use crate::model::ranges::Ranges;
use crate::model::{Exchange, Request, Response, Session};
use crate::rules::{front, lost, origin::Origin};

/// Columns of the bar that shows where a Fragment lies in the file.
const BAR: u64 = 20;
/// Offers named before the rest are counted.
const OFFERS: usize = 4;

/// A message: what it is, and what matters about it.
pub(in crate::export) struct Said {
    pub what: String,
    pub detail: String,
    /// How `what` looks.
    pub tone: Tone,
    /// How `detail` looks.
    pub aside: Tone,
}

/// Finds the words, knowing what was said before.
pub(in crate::export) struct Words<'a> {
    style: Style,
    /// The session, where it is over.
    session: Option<&'a Session>,
    /// The id in the headline, which is not said again.
    id: Option<String>,
    /// The length in the headline.
    total: Option<u64>,
    /// Columns of a range.
    range: usize,
    sent: Ranges,
}

impl Said {
    /// What matters about it, without the bar.
    pub fn plain(&self) -> String {
        let bar = |word: &&str| !word.chars().all(|c| matches!(c, '█' | '#'));
        let words: Vec<&str> = self.detail.split_whitespace().filter(bar).collect();
        words.join(" ")
    }
}

impl<'a> Words<'a> {
    /// Knows nothing yet.
    pub fn new(style: Style) -> Self {
        Self { style, session: None, id: None, total: None, range: 0, sent: Ranges::default() }
    }

    /// Knows the headline of the session.
    pub fn of(session: &'a Session, style: Style) -> Self {
        let digits = session.bytes_total.map_or(0, |total| total.to_string().len());
        let id = session.id.as_deref().map(protocol::canonical_id);
        Self {
            session: Some(session),
            id,
            total: session.bytes_total,
            range: digits * 2 + 1,
            ..Self::new(style)
        }
    }

    /// The line of a request.
    pub fn request(&mut self, exchange: &Exchange, request: &Request) -> Said {
        let mut parts = Vec::new();
        match &exchange.kind {
            PacketType::CreateSession => parts.push(self.offers(request)),
            PacketType::Fragment => parts.push(self.fragment(request)),
            _ => {}
        }
        let usual = request.method.eq_ignore_ascii_case("BITS_POST");
        if !usual && !request.method.is_empty() {
            parts.push(format!("by {}", request.method));
        }
        parts.extend(self.foreign(request.session_id.as_deref()));
        if self.id.is_some() && lost::names_none(exchange) {
            parts.push("no session id".to_owned());
        }
        if let Some(scheme) = &request.authorization {
            parts.push(format!("authorization {scheme}"));
        }
        if let Some(scheme) = &request.proxy_authorization {
            parts.push(format!("authorization {scheme} for the proxy"));
        }
        parts.extend(partial(
            &request.body,
            request.content_range.as_ref().and_then(|r| r.len()).or(request.content_length),
        ));
        Said {
            what: exchange.kind.name().to_owned(),
            detail: join(&parts),
            tone: Tone::Strong,
            aside: Tone::Plain,
        }
    }

    /// The line of a response.
    pub fn response(&self, exchange: &Exchange, response: &Response) -> Said {
        let mut parts: Vec<String> = self.stranger(exchange).into_iter().collect();
        if let Some(guid) = &response.protocol {
            let verb = if response.is_success() { "chooses" } else { "names" };
            parts.push(format!("{verb} {}", self.chosen(exchange, guid)));
        }
        parts.extend(self.opened(exchange, response));
        if let Some(host) = &response.host_id {
            parts.push(format!("Host-Id {host}"));
        }
        parts.extend(response.fallback_in_words().map(|limit| format!("fallback {limit}")));
        parts.extend(next(response));
        parts.extend(error(response));
        if let Some(url) = &response.reply_url {
            parts.push(format!("reply at {url}"));
        }
        if let Some(location) = response.location.as_ref().filter(|_| !response.is_success()) {
            parts.push(format!("points to {location}"));
        }
        if !response.challenges.is_empty() {
            parts.push(format!("asks for {}", response.challenges.join(" or ")));
        }
        if !exchange.interim.is_empty() {
            let interim: Vec<_> = exchange.interim.iter().map(u16::to_string).collect();
            parts.push(format!("after {}", interim.join(", ")));
        }
        parts.extend(partial(&response.body, None));
        let tone = tone(response);
        let aside = if tone == Tone::Good { Tone::Plain } else { tone };
        Said { what: answer(response), detail: parts.join(", "), tone, aside }
    }

    fn offers(&self, request: &Request) -> String {
        let Some(raw) = &request.supported_protocols else {
            return absent(request, "offers no protocol");
        };
        let all: Vec<&str> = protocol::offers(raw).collect();
        if all.is_empty() {
            return "offers no protocol".to_owned();
        }
        let mut named: Vec<String> = all
            .iter()
            .take(OFFERS)
            .map(|guid| match protocol::name(guid) {
                Some(name) => format!("{guid} {name}"),
                None => (*guid).to_owned(),
            })
            .collect();
        if let Some(more) = all.len().checked_sub(OFFERS).filter(|more| *more > 0) {
            named.push(format!("{more} more"));
        }
        format!("offers {}", named.join(", "))
    }

    fn fragment(&mut self, request: &Request) -> String {
        let Some(range) = &request.content_range else {
            return absent(request, "no Content-Range");
        };
        let (Some(start), Some(end)) =
            (range.start, range.end.filter(|end| range.start <= Some(*end)))
        else {
            return format!("Content-Range {:?}", range.raw());
        };
        let dash = self.style.signs().dash;
        let total = range.total.filter(|total| Some(*total) != self.total);
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        let mut words = super::layout::pad(&format!("{start}{dash}{end}{of}"), self.range);
        if let Some(total) = range.total.or(self.total) {
            let sent = start.saturating_add(request.body.bytes).min(end.saturating_add(1));
            words = format!("{words}  {}", bar(start, sent, total, self.style.signs().block));
        }
        let again = self.take(start, request.body.bytes);
        let named = range.len().unwrap_or(0);
        match again {
            0 => words,
            again if again >= named => format!("{words}  again"),
            again => format!("{words}  {} again", text::bytes(again)),
        }
    }

    /// Notes bytes as sent; says how many of them had been sent before.
    fn take(&mut self, start: u64, len: u64) -> u64 {
        let before = self.sent.len();
        self.sent.add(start, start.saturating_add(len));
        len.saturating_sub(self.sent.len().saturating_sub(before))
    }

    /// The choice, in brief where the offer above it has it in full.
    fn chosen(&self, exchange: &Exchange, guid: &str) -> String {
        let offers = exchange.request.as_ref().and_then(|r| r.supported_protocols.as_deref());
        let offered = protocol::offers(offers.unwrap_or_default())
            .take(OFFERS)
            .any(|offer| offer.eq_ignore_ascii_case(guid));
        if offered { self.brief(guid) } else { guid.to_owned() }
    }

    /// The first group of a GUID; anything else in full.
    fn brief(&self, guid: &str) -> String {
        match guid.split_once('-') {
            Some((start, _)) if protocol::guid(guid).is_some() && start.starts_with('{') => {
                format!("{start}-{}}}", self.style.signs().dots)
            }
            _ => guid.to_owned(),
        }
    }

    fn opened(&self, exchange: &Exchange, response: &Response) -> Option<String> {
        let id = response.session_id.as_ref()?;
        if exchange.kind == PacketType::CreateSession {
            let known = self.id.as_ref() == Some(&protocol::canonical_id(id));
            // A session that is named in a refusal does not begin.
            let verb = if response.is_success() { "opens" } else { "session" };
            return Some(format!("{verb} {}", if known { self.brief(id) } else { id.to_string() }));
        }
        self.foreign(Some(id))
    }

    /// Who answered, where that was no Ack.
    fn stranger(&self, exchange: &Exchange) -> Option<String> {
        let response = exchange.response.as_ref()?;
        if response.is_cut() {
            return Some("head cut off".to_owned());
        }
        let who = match self.session {
            _ if response.is_ack() => None,
            Some(session) => front::told(session, exchange),
            None => Origin::told(exchange),
        };
        who.map(|who| format!("from {who}"))
    }

    /// A session id that is not the one in the headline.
    fn foreign(&self, id: Option<&str>) -> Option<String> {
        let id = id.filter(|id| !id.is_empty())?;
        (self.id.as_ref() != Some(&protocol::canonical_id(id))).then(|| format!("session {id}"))
    }
}

/// A bar in the columns that stand for the bytes from `start` up to but not including `end`, empty where that is none.
fn bar(start: u64, end: u64, total: u64, block: &str) -> String {
    let place = |byte: u64| {
        let place = u128::from(byte.min(total)) * u128::from(BAR) / u128::from(total.max(1));
        usize::try_from(place).unwrap_or(0)
    };
    let width = usize::try_from(BAR).unwrap_or(0);
    let from = place(start).min(width.saturating_sub(1));
    let least = if start < end { from + 1 } else { from };
    let to = place(end).clamp(least, width);
    format!("{:from$}{}{:rest$}", "", block.repeat(to - from), "", rest = width - to)
}

/// How much of a body was seen, where that is not all.
fn partial(body: &Body, declared: Option<u64>) -> Option<String> {
    let lost = body.lacks.uncaptured;
    let nothing = body.bytes == 0 && declared.unwrap_or(0) == 0;
    if nothing || (body.complete && lost == 0) {
        return None;
    }
    let seen = text::grouped(body.bytes.saturating_sub(lost));
    let all = declared.unwrap_or(body.bytes);
    Some(match (body.complete, declared) {
        (false, None) => format!("{seen} B seen, the end not"),
        (false, Some(_)) if body.reset => {
            format!("{seen} of {} before the reset", text::bytes(all))
        }
        _ => format!("{seen} of {} seen", text::bytes(all)),
    })
}

fn next(response: &Response) -> Option<String> {
    match (response.next_offset, &response.next_offset_raw) {
        (Some(next), None) => Some(format!("next {next}")),
        (Some(next), Some(raw)) => Some(format!("next {next}, written as {raw:?}")),
        (None, Some(raw)) => Some(format!("next {raw:?}")),
        (None, None) => None,
    }
}

fn error(response: &Response) -> Option<String> {
    let error = response.error.as_ref()?;
    let code = error.value.map_or_else(|| error.raw.clone(), hresult::hex);
    let symbol =
        error.value.and_then(hresult::symbol).map_or_else(String::new, |s| format!(" {s}"));
    let context = response.error_context.as_ref();
    let context = context.map_or_else(String::new, |context| format!(", context {context}"));
    Some(format!("{code}{symbol}{context}"))
}

pub(super) fn answer(response: &Response) -> String {
    let who = if response.is_ack() { "Ack" } else { "HTTP" };
    format!("{who} {}", response.http_status)
}

/// What to say where a field is missing: it may be in the part of the head that was not captured.
fn absent(request: &Request, words: &str) -> String {
    if request.is_cut() { "head cut off".to_owned() } else { words.to_owned() }
}

pub(super) fn tone(response: &Response) -> Tone {
    match response.http_status {
        200..=299 if response.is_ack() => Tone::Good,
        401 | 407 | 416 | 200..=399 => Tone::Odd,
        _ => Tone::Bad,
    }
}

fn join(parts: &[String]) -> String {
    let joined = parts.join("  ");
    joined.trim_end().to_owned()
}
