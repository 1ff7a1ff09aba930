//! The lines above a dialogue, and those that stand for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::layout::wrapped;
use crate::bits::PacketType;
use crate::export::style::{Style, Tone};
use crate::export::text;
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Outcome, Report, Session};

/// Writes what is true of the session as a whole.
pub(super) fn write(
    out: &mut dyn Write,
    session: &Session,
    report: &Report,
    style: &Style,
) -> io::Result<()> {
    writeln!(out, "{}", headline(session, style))?;
    let error = error_words(session);
    let error = error.map(|words| (format!("error {words}"), Tone::Bad));
    let plain = [
        Some(identity(session)),
        session.negotiation.as_ref().map(agreement),
        Some(amounts(session)),
        digest(session),
        successor(session, report).map(|words| format!("carried on as {words}")),
    ];
    let plain = plain.into_iter().flatten().map(|words| (words, Tone::Plain));
    for (words, tone) in plain.chain(error).filter(|(words, _)| !words.is_empty()) {
        writeln!(out, "  {}", wrapped(&style.clean(&words), 2, tone, style))?;
    }
    writeln!(out)
}

/// Outcome, who, where.
pub(in crate::export) fn headline(session: &Session, style: &Style) -> String {
    let mut words = vec![session.outcome.name().to_owned()];
    words.extend(session.outcome_qualifiers.iter().map(|it| it.name().to_owned()));
    if session.joined {
        let unseen = if session.is_answers_only() { "requests" } else { "start" };
        words.push(format!("{unseen} not captured"));
    }
    let verdict = format!("{} {}", sign(session.outcome, style.ascii), words.join(", "));
    let server = format!("{}{}", server(session), others(session));
    let host = session.server.host.as_deref().filter(|_| session.url.is_none());
    let host = host.map_or_else(String::new, |host| format!(" ({host})"));
    let tls = if session.exchanges.iter().any(|exchange| exchange.tls) { " TLS" } else { "" };
    let url = session.url_or_path().unwrap_or_default();
    let rest =
        format!("{} {} {server}{host}{tls}   {url}", session.client.address, style.signs().right);
    let column = verdict.chars().count() + 3;
    let rest = wrapped(style.clean(&rest).trim_end(), column, Tone::Strong, style);
    format!("{}   {rest}", style.paint(tone(session.outcome), style.clean(&verdict)))
}

/// The other servers that Fragments went to.
fn others(session: &Session) -> String {
    let fragments = session.exchanges.iter().filter(|one| one.kind == PacketType::Fragment);
    let servers: BTreeSet<SocketAddr> = fragments.map(|one| one.server).collect();
    let mut others = servers.iter().filter(|one| **one != server(session));
    match (others.next(), others.count() as u64) {
        (None, _) => String::new(),
        (Some(other), 0) => format!(" and {other}"),
        (Some(other), more) => format!(", {other} and {}", text::count(more, "other server")),
    }
}

/// Address and port of the server.
pub(in crate::export) fn server(session: &Session) -> SocketAddr {
    session.server.socket()
}

/// The sign of an outcome.
pub(in crate::export) const fn sign(outcome: Outcome, ascii: bool) -> &'static str {
    match (outcome, ascii) {
        (Outcome::Completed, false) => "✔",
        (Outcome::Completed, true) => "+",
        (Outcome::Failed, false) => "✘",
        (Outcome::Failed, true) => "x",
        (Outcome::Rejected, false) => "⊘",
        (Outcome::Rejected, true) => "!",
        (Outcome::Cancelled, false) => "■",
        (Outcome::Cancelled, true) => "-",
        (Outcome::Incomplete, false) => "…",
        (Outcome::Incomplete, true) => "?",
    }
}

/// The colour of an outcome.
pub(in crate::export) const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Completed => Tone::Good,
        Outcome::Failed | Outcome::Rejected => Tone::Bad,
        Outcome::Cancelled | Outcome::Incomplete => Tone::Odd,
    }
}

/// Session id and user agent.
pub(in crate::export) fn identity(session: &Session) -> String {
    let id = session.id.as_deref().unwrap_or("no session id seen");
    let agent = session.user_agent.as_deref().unwrap_or_default();
    format!("{id}   {agent}").trim_end().to_owned()
}

fn agreement(negotiation: &Negotiation) -> String {
    let offered = negotiation.offered.len();
    let verdict = verdict_words(negotiation.verdict);
    let Some(chosen) = &negotiation.selected else {
        return match (offered, negotiation.verdict) {
            (0, Verdict::SelectionOnly) => verdict.to_owned(),
            (0, other) if other != Verdict::OfferMissing => format!("no offer seen: {verdict}"),
            _ => format!("{} offered: {verdict}", text::count(offered as u64, "protocol")),
        };
    };
    let name = chosen.name.as_ref().unwrap_or(&chosen.guid);
    let place = match negotiation.selected_index {
        Some(index) => format!("{} of {offered} offered", text::ordinal(index + 1)),
        None if negotiation.verdict == Verdict::SelectionOnly => {
            return format!("protocol {name}, {verdict}");
        }
        None => format!("not among the {offered} offered"),
    };
    let colon = if verdict.is_empty() { "" } else { ": " };
    format!("protocol {name}, {place}{colon}{verdict}")
}

/// What is to be said of a choice beyond its name and place.
const fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Agreed => "",
        Verdict::AgreedLowerPreference => "the server took a less preferred one",
        Verdict::NoCommonProtocol => "the server knows none of them",
        Verdict::RefusedAlthoughKnown => "refused although the registered one was offered",
        Verdict::OfferMissing => "nothing was on offer",
        Verdict::OfferMalformed => "no offer is a GUID",
        Verdict::OfferTooLong => "the registered one stands too far back in the list",
        Verdict::OfferTooBig => "the list is too long",
        Verdict::SelectionMissing => "the server made no choice",
        Verdict::SelectedNotOffered => "the server chose what was not offered",
        Verdict::SelectionMalformed => "the choice is not a GUID",
        Verdict::AuthPending => "authentication comes first",
        Verdict::RefusedOther => "refused for another reason",
        Verdict::NotAnsweredByBits => "the answer is not from BITS",
        Verdict::Unanswered => "no answer seen",
        Verdict::AnswerCut => "the answer is cut off",
        Verdict::HalfSeen => "the other direction was not captured",
        Verdict::SelectionOnly => "the offer was not seen",
    }
}

fn amounts(session: &Session) -> String {
    let size = sizes(session);
    let told = |bytes: u64, words: &str| match bytes {
        0 => String::new(),
        bytes => format!(", {} {words}", text::bytes(bytes)),
    };
    let again = told(again(session), "sent again")
        + &told(unplaced(session), "without a known place in the file");
    let connections: BTreeSet<u64> = session.exchanges.iter().map(|e| e.connection).collect();
    let time = text::duration(session.ended.since(session.started));
    let rate = rate(session).map_or_else(String::new, |rate| format!("   {rate}"));
    let connections = text::count(connections.len() as u64, "connection");
    format!("{size}{again}   {time}{rate}   {connections}")
}

/// Bytes of the file that were sent once more.
pub(in crate::export) fn again(session: &Session) -> u64 {
    session.bytes_sent.saturating_sub(session.bytes_unique.saturating_add(unplaced(session)))
}

/// Bytes of Fragments that do not say where in the file they belong.
fn unplaced(session: &Session) -> u64 {
    let astray = session.exchanges.iter().filter(|exchange| exchange.place().is_none());
    let fragments = astray.filter(|exchange| exchange.kind == PacketType::Fragment);
    fragments.filter_map(|one| Some(one.request.as_ref()?.body.bytes)).sum()
}

/// How much of the file was sent, of how much where that is not all, and in how many Fragments.
pub(in crate::export) fn sizes(session: &Session) -> String {
    let acknowledged = session.bytes_acknowledged;
    let fragments = match session.fragments.len() {
        0 if acknowledged > 0 => {
            return format!("no Fragment seen, {} acknowledged", text::bytes(acknowledged));
        }
        0 => "no Fragment".to_owned(),
        number => text::count(number as u64, "Fragment"),
    };
    match session.bytes_total {
        Some(total) if session.bytes_unique < total => {
            let sent = text::grouped(session.bytes_unique);
            format!("{sent} of {} in {fragments}", text::bytes(total))
        }
        Some(total) => format!("{} in {fragments}", text::bytes(total)),
        None => fragments,
    }
}

/// Bytes of the file per second.
pub(in crate::export) fn rate(session: &Session) -> Option<String> {
    let known = session.duration_seconds > 0.0 && session.bytes_unique > 0;
    known.then(|| match session.bytes_unique as f64 / session.duration_seconds {
        rate if rate < 1.0 => "<1 B/s".to_owned(),
        rate => format!("{}/s", text::size(rate)),
    })
}

fn digest(session: &Session) -> Option<String> {
    let digest = session.file.as_ref()?.sha256.as_ref()?;
    Some(format!("SHA-256 {digest}"))
}

/// The error of a session as status, code, name, place and frame.
pub(in crate::export) fn error_words(session: &Session) -> Option<String> {
    let error = session.error.as_ref()?;
    let mut words = error.http_status.to_string();
    for part in [&error.hresult, &error.symbol].into_iter().flatten() {
        words = format!("{words} {part}");
    }
    if let Some(context) = &error.context {
        words = format!("{words}, context {context}");
    }
    Some(format!("{words}, frame {}", error.frame.0.name()))
}

/// The session that carries a lost one on, and how that ended.
pub(in crate::export) fn successor(session: &Session, report: &Report) -> Option<String> {
    let id = session.superseded_by.as_ref()?;
    // They are in the order in which they began.
    let later = report.sessions.partition_point(|other| other.order() <= session.order());
    let mut later = report.sessions.get(later..).into_iter().flatten();
    let found = later.find(|other| other.id.as_ref() == Some(id));
    Some(found.map_or_else(|| id.to_string(), |found| format!("{id}, {}", found.outcome.name())))
}

/// What there is to say where no upload was found, or none that was asked for.
pub fn nothing(report: &Report) -> String {
    let (all, out) = report.frames();
    let frames = match out {
        0 => text::count(all, "frame"),
        _ => format!("{} of {} that the filter lets pass", all - out, text::count(all, "frame")),
    };
    if report.unasked > 0 {
        let uploads = text::count(report.unasked as u64, "upload");
        return format!("{uploads} in {frames}, but none that was asked for");
    }
    let mut words = format!("no BITS upload in {frames}");
    if all > 0 && all == out {
        words.push_str(OUTERMOST);
    } else if all > 0 && report.quality.connections == 0 {
        words.push_str(&no_tcp(report));
    }
    let opaque = report.quality.tls_opaque;
    if opaque > 0 {
        words = format!(
            "{words}; {} with TLS could not be decrypted",
            text::count(opaque, "connection")
        );
    }
    if let Some(downloads) = &report.downloads {
        let requests = text::count(downloads.requests, "request");
        words = format!(
            "{words}; {requests} of BITS clients for downloads, from frame {} on, not looked into",
            downloads.first_frame
        );
    }
    if let Some(told) = &report.notifications {
        let all = text::count(told.counted.requests, "notification");
        words = format!(
            "{words}; {all} from a BITS server to its application, from frame {} on",
            told.counted.first_frame
        );
        if let Some(status) = told.worst_http_status.filter(|status| *status >= 400) {
            words = format!("{words}, answered {status} at worst");
        }
    }
    words
}

/// What a filter cannot see (pcap-filter(7)).
const OUTERMOST: &str =
    "; a filter sees the outermost headers alone, so tagged frames need `vlan and ...`";

/// That nothing could be looked into, and what the frames are instead.
fn no_tcp(report: &Report) -> String {
    let skipped = &report.quality.skipped;
    let kinds: Vec<_> = skipped.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    format!("; no TCP connection was found in them{kinds}")
}

/// The rule that fires for each side.
const BOTH_SIDES: &str = "captured-on-both-sides";

/// How many uploads have a row for each side of a proxy; `None` where there are none.
pub(in crate::export) fn seen_twice(report: &Report) -> Option<String> {
    let is_side =
        |session: &&Session| session.findings.iter().any(|finding| *finding.rule == *BOTH_SIDES);
    let mut sides: BTreeMap<&str, u64> = BTreeMap::new();
    for id in report.sessions.iter().filter(is_side).filter_map(|session| session.id.as_deref()) {
        *sides.entry(id).or_default() += 1;
    }
    let uploads = sides.values().filter(|sides| **sides > 1).count();
    (uploads > 0).then(|| format!("{uploads} of them seen on both sides of a proxy or NAT"))
}

/// How many sessions there are, and how they ended.
pub(in crate::export) fn tally(report: &Report, noun: &str) -> String {
    let mut words = vec![text::count(report.sessions.len() as u64, noun)];
    for outcome in Outcome::ALL {
        let count = report.sessions.iter().filter(|session| session.outcome == outcome).count();
        if count > 0 {
            words.push(format!("{count} {}", outcome.name()));
        }
    }
    words.join(", ")
}

/// All sessions in one line.
pub(super) fn summary(report: &Report) -> String {
    let clients: BTreeSet<IpAddr> = report.sessions.iter().map(|s| s.client.address).collect();
    format!("{}; {}", tally(report, "upload"), text::count(clients.len() as u64, "client"))
}
