//! A sequence diagram as SVG: client and servers, one arrow per message, waits to scale.

use std::fmt::Write;

use super::escape::{Esc, short};
use crate::at::Timestamp;
use crate::export::story::{Message, Step, Story};
use crate::export::style::Tone;
use crate::export::text;
use crate::model::Session;
use crate::stream::Side;

/// Messages drawn; of more, the first and the last ones.
const DRAWN: usize = 200;
/// Height of a message, in pixels.
const ROW: f64 = 24.0;
/// Height that all waits together take, per message; the longest session gets no more than this many pixels.
const WAITS: f64 = 16.0;
const TALLEST: f64 = 1600.0;
/// Where the first line stands, and how far apart lines are.
const LEFT: f64 = 130.0;
const GAP: f64 = 430.0;
const TOP: f64 = 52.0;
/// Characters that fit on an arrow.
const LABEL: usize = 54;

/// Draws the story of a session; `id` makes the ids of its parts.
pub(super) fn draw(session: &Session, story: &Story, id: &str) -> String {
    let (first, skipped, last) = story.shortened(DRAWN);
    let steps: Vec<&Step> = first.iter().chain(last).collect();
    let places = places(&steps);
    let lowest = places.last().copied().unwrap_or(TOP);
    let (width, height) = (LEFT + GAP * story.servers.len().max(1) as f64 + 90.0, lowest + 40.0);
    let mut svg = format!(
        r#"<svg role="img" aria-labelledby="{id}-t {id}-d" width="{width}" height="{height:.0}" viewBox="0 0 {width} {height:.0}"><title id="{id}-t">Sequence diagram</title><desc id="{id}-d">The messages between client and server in order; the table below has the same.</desc>"#
    );
    lines(&mut svg, session, story, height);
    let mut before: Option<(Timestamp, f64)> = None;
    for (place, (step, y)) in steps.iter().zip(&places).enumerate() {
        if let Some((time, above)) = before {
            wait(&mut svg, step.time().since(time), above, *y);
        }
        if place == first.len() && skipped > 0 {
            let words = format!("{} left out", text::count(skipped as u64, "step"));
            put(&mut svg, LEFT + 12.0, y - ROW / 2.0, "oddt", &words);
        }
        match step {
            Step::Message(message) => arrow(&mut svg, session, message, *y),
            Step::Note { words, .. } => put(&mut svg, LEFT + 12.0, *y, "oddt", words),
        }
        let ended = match step {
            Step::Message(message) => message.span.last.time,
            Step::Note { time, .. } => *time,
        };
        before = Some((ended, *y));
    }
    svg.push_str("</svg>");
    svg
}

/// Where each step is: a row further, and further by the time that passed.
fn places(steps: &[&Step]) -> Vec<f64> {
    let begun = steps.first().map(|step| step.time()).unwrap_or_default();
    let total = steps.iter().map(|step| step.time().since(begun)).max().unwrap_or(0).max(1) as f64;
    let room = (steps.len() as f64 * WAITS).clamp(120.0, TALLEST);
    let mut latest = 0.0_f64;
    let place = |(row, step): (usize, &&Step)| {
        latest = latest.max(step.time().since(begun).max(0) as f64);
        TOP + ROW * (row as f64 + 1.0) + latest / total * room
    };
    steps.iter().enumerate().map(place).collect()
}

fn x(server: usize) -> f64 {
    LEFT + GAP * (server as f64 + 1.0)
}

fn lines(svg: &mut String, session: &Session, story: &Story, height: f64) {
    life(svg, LEFT, "client", &session.client.address.to_string(), height);
    for (place, server) in story.servers.iter().enumerate() {
        let kind = if server.proxy { "proxy for " } else { "" };
        let host = server.host.as_deref().unwrap_or("server");
        life(svg, x(place), &format!("{kind}{host}"), &server.address.to_string(), height);
    }
}

fn life(svg: &mut String, x: f64, name: &str, address: &str, height: f64) {
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        svg,
        r#"<line class="life" x1="{x}" y1="40" x2="{x}" y2="{:.0}"/><text x="{x}" y="16" text-anchor="middle">{}</text><text class="dimt" x="{x}" y="32" text-anchor="middle">{}</text>"#,
        height - 8.0,
        Esc(&short(name, 46)),
        Esc(address)
    );
}

fn wait(svg: &mut String, nanos: i64, above: f64, y: f64) {
    // What is no higher than a line of text needs no words.
    if y - above < ROW + 18.0 || nanos <= 0 {
        return;
    }
    let (from, to, middle) = (above + 6.0, y - 16.0, f64::midpoint(above, y) + 1.0);
    let _ = write!(
        svg,
        r#"<line class="wait" x1="{LEFT}" y1="{from:.1}" x2="{LEFT}" y2="{to:.1}"/><text class="dimt" x="{:.0}" y="{middle:.1}">⋮ {}</text>"#,
        LEFT + 12.0,
        text::duration(nanos)
    );
}

fn arrow(svg: &mut String, session: &Session, message: &Message, y: f64) {
    let (left, right) = (LEFT, x(message.server));
    let tone = match message.tone {
        Tone::Good => " good",
        Tone::Odd => " odd",
        Tone::Bad => " bad",
        _ => "",
    };
    let (from, to, tip) = match message.from {
        Side::Client => {
            (left, right - 7.0, [(right, 0.0), (right - 8.0, -4.0), (right - 8.0, 4.0)])
        }
        Side::Server => (right, left + 7.0, [(left, 0.0), (left + 8.0, -4.0), (left + 8.0, 4.0)]),
    };
    let points: Vec<String> = tip.iter().map(|(x, dy)| format!("{x},{:.1}", y + dy)).collect();
    let words = format!("{} {}", message.what, message.detail);
    let seconds = message.span.first.time.secs_since(session.started);
    let _ = write!(
        svg,
        r#"<g><title>{}</title><text class="dimt" x="{:.0}" y="{:.1}" text-anchor="end">{seconds:.3} s</text><line class="arrow{tone}" x1="{from}" y1="{y:.1}" x2="{to}" y2="{y:.1}"/><polygon class="tip{tone}" points="{}"/><text x="{:.0}" y="{:.1}">{}</text></g>"#,
        Esc(&words),
        LEFT - 12.0,
        y + 4.0,
        points.join(" "),
        LEFT + 12.0,
        y - 4.0,
        Esc(&short(words.trim_end(), LABEL + (GAP / 7.3) as usize * message.server))
    );
}

fn put(svg: &mut String, x: f64, y: f64, class: &str, words: &str) {
    let _ = write!(svg, r#"<text class="{class}" x="{x:.0}" y="{y:.1}">{}</text>"#, Esc(words));
}
