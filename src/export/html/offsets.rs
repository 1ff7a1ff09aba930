//! Offset over time as SVG: bytes sent, sent again and acknowledged, and when nothing moved.

use std::fmt::Write;

use crate::at::Timestamp;
use crate::bits::PacketType;
use crate::export::text;
use crate::model::ranges::Ranges;
use crate::model::{Exchange, Session};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;
/// Fragments drawn; of more, every nth.
const DRAWN: usize = 2_000;
/// Marks on each axis.
const MARKS: u32 = 4;

/// The two axes.
struct Axes {
    begun: Timestamp,
    nanos: f64,
    bytes: f64,
}

impl Axes {
    fn x(&self, time: Timestamp) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (time.since(self.begun).max(0) as f64 / self.nanos).min(1.0)
    }

    fn y(&self, offset: u64) -> f64 {
        let part = (offset as f64 / self.bytes).min(1.0);
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part
    }
}

/// Draws the graph; nothing for a session without Fragments.
pub(super) fn draw(session: &Session, id: &str) -> Option<String> {
    let fragments: Vec<&Exchange> = session
        .exchanges
        .iter()
        .filter(|exchange| exchange.kind == PacketType::Fragment && exchange.request.is_some())
        .collect();
    let total = session.bytes_total.filter(|total| *total > 0)?;
    if fragments.is_empty() {
        return None;
    }
    let axes = Axes {
        begun: session.started,
        nanos: session.ended.since(session.started).max(1) as f64,
        bytes: total as f64,
    };
    let mut svg = format!(
        r#"<svg role="img" aria-labelledby="{id}-t {id}-d" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"><title id="{id}-t">Offset over time</title><desc id="{id}-d">{} of {} acknowledged after {}.</desc>"#,
        text::bytes(session.bytes_acknowledged),
        text::bytes(total),
        text::duration(session.ended.since(session.started))
    );
    bands(&mut svg, session, &axes);
    marks(&mut svg, session, total, &axes);
    let step = fragments.len().div_ceil(DRAWN);
    let (mut sent, mut acked) = (Ranges::default(), None);
    for (place, exchange) in fragments.iter().enumerate() {
        if place % step == 0 || place + 1 == fragments.len() {
            fragment(&mut svg, exchange, &sent, &axes);
            answer(&mut svg, exchange, &mut acked, &axes);
        }
        if let Some((start, end)) = reach(exchange) {
            sent.add(start, end);
        }
    }
    svg.push_str("</svg>");
    Some(svg)
}

/// The bytes of the file that a Fragment sent.
fn reach(exchange: &Exchange) -> Option<(u64, u64)> {
    let request = exchange.request.as_ref()?;
    let start = request.content_range.as_ref()?.start?;
    Some((start, start.saturating_add(request.body.bytes)))
}

/// When a window was closed, and the longest waits between messages.
fn bands(svg: &mut String, session: &Session, axes: &Axes) {
    let mut put = |from: Timestamp, to: Timestamp, words: &str| {
        let (left, right) = (axes.x(from), axes.x(to));
        // Writing to a string cannot fail, here and below.
        let _ = write!(
            svg,
            r#"<rect class="band" x="{left:.1}" y="{TOP}" width="{:.1}" height="{:.1}"><title>{words}, {}</title></rect>"#,
            (right - left).max(0.5),
            HEIGHT - TOP - BOTTOM,
            text::duration(to.since(from))
        );
    };
    let long = (axes.nanos / 20.0).max(1e8);
    let mut before: Option<Timestamp> = None;
    for exchange in &session.exchanges {
        let span = exchange.span();
        if let Some(before) = before.filter(|before| span.first.time.since(*before) as f64 > long) {
            put(before, span.first.time, "nothing was said");
        }
        before = Some(before.map_or(span.last.time, |before| before.max(span.last.time)));
    }
    for window in session.connections().flat_map(|connection| &connection.server_side.zero_windows)
    {
        put(window.started, window.ended.unwrap_or(session.ended), "the server took no data");
    }
}

fn marks(svg: &mut String, session: &Session, total: u64, axes: &Axes) {
    let length = session.ended.since(session.started);
    for mark in 0..=MARKS {
        let offset = u64::try_from(u128::from(total) * u128::from(mark) / u128::from(MARKS))
            .unwrap_or(total);
        let time = i64::try_from(i128::from(length) * i128::from(mark) / i128::from(MARKS))
            .unwrap_or(length);
        let (x, y) = (
            axes.x(Timestamp::from_nanos(session.started.nanos().saturating_add(time))),
            axes.y(offset),
        );
        let anchor = if mark == 0 {
            "start"
        } else if mark == MARKS {
            "end"
        } else {
            "middle"
        };
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{LEFT}" y1="{y:.1}" x2="{:.0}" y2="{y:.1}"/><text class="dimt" x="{:.0}" y="{:.1}" text-anchor="end">{}</text><text class="dimt" x="{x:.1}" y="{:.0}" text-anchor="{anchor}">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            text::size(offset as f64),
            HEIGHT - 12.0,
            if mark == 0 { "0".to_owned() } else { text::duration(time) }
        );
    }
}

fn fragment(svg: &mut String, exchange: &Exchange, sent: &Ranges, axes: &Axes) {
    let (Some(request), Some((start, end))) = (exchange.request.as_ref(), reach(exchange)) else {
        return;
    };
    let again = sent.within(start, end).next().is_some();
    let class = if again { "again" } else { "sent" };
    // A Fragment that took no time is a point, which only a line of some length shows.
    let (from, to) = (axes.x(request.span.first.time), axes.x(request.span.last.time));
    let _ = write!(
        svg,
        r#"<line class="{class}" x1="{from:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"><title>{start} to {}, frames {} to {}</title></line>"#,
        axes.y(start),
        to.max(from + 1.5),
        axes.y(end),
        end.saturating_sub(1),
        request.span.first.name(),
        request.span.last.name()
    );
}

/// The next offset that the server asks for, tied to the one before.
fn answer(svg: &mut String, exchange: &Exchange, before: &mut Option<(f64, f64)>, axes: &Axes) {
    let Some(response) = &exchange.response else { return };
    let Some(next) = response.next_offset else { return };
    let (x, y) = (axes.x(response.span.first.time), axes.y(next));
    if let Some((left, above)) = before.replace((x, y)) {
        let _ = write!(svg, r#"<path class="acked" d="M{left:.1} {above:.1}H{x:.1}V{y:.1}"/>"#);
    }
    let class = if response.is_success() { "ackp" } else { "ackp bad" };
    let _ = write!(
        svg,
        r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="3"><title>{} next {next}, frame {}</title></circle>"#,
        response.http_status,
        response.span.first.name()
    );
}

/// What the colours and strokes mean.
pub(super) const LEGEND: &str = r#"<ul class="legend"><li><svg width="26" height="8" aria-hidden="true"><line class="sent" x1="0" y1="4" x2="26" y2="4"/></svg>sent</li><li><svg width="26" height="8" aria-hidden="true"><line class="again" x1="0" y1="4" x2="26" y2="4"/></svg>sent again</li><li><svg width="26" height="8" aria-hidden="true"><line class="acked" x1="0" y1="4" x2="26" y2="4"/><circle class="ackp" cx="13" cy="4" r="3"/></svg>acknowledged</li><li><svg width="26" height="12" aria-hidden="true"><rect class="band" width="26" height="12"/></svg>a wait, or a closed window</li></ul>"#;
