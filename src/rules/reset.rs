//! Who sent an RST: the host that it names, or something on the way.

use crate::at::{At, Span};
use crate::model::{Exchange, Session};
use crate::rules::closed::{self, Closed};
use crate::rules::{Confidence, Notes, Severity, handshake, look, unanswered};
use crate::stream::{Connection, Reset, Side, SideFacts};

/// A TTL may differ by so much within one host: routes change.
pub const TTL_SLACK: u8 = 3;

/// Packets of a host to know its TTL and its identifications by.
const ENOUGH: u64 = 2;

/// Connections of a session that are looked at for the TTL of a host.
const LOOKED_AT: usize = 16;

/// Identifications of one host may be so far apart between two of its packets on one connection.
const IP_ID_SLACK: u16 = 1_024;

/// RSTs to both sides within this time, in seconds, have one sender.
const AT_ONCE_SECS: f64 = 0.05;

/// The shortest idle timers of devices on the way; servers that close idle connections sooner do so with FIN.
pub const IDLE_SECS: f64 = 30.0;

/// Where an RST came from, and why that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Not from the host that it names.
    pub middlebox: bool,
    /// Its TTL is one of those of the host, and its identification no odd one.
    pub fits: bool,
    /// How sure that is.
    pub confidence: Confidence,
    /// The numbers side by side.
    pub evidence: String,
}

/// RSTs by one side that ended the wait for an answer, with the exchange and the sender. One that follows a FIN, data
/// that was repeated in vain, or another connection, only ends what was over.
pub fn inside(session: &Session, side: Side) -> impl Iterator<Item = (&Exchange, Reset, Sender)> {
    // What the numbers of somebody else tell means nothing.
    all_inside(session, side).filter(|(_, reset, sender)| sender.middlebox || !reset.tells_of_more)
}

/// RSTs by the server itself, right upon an exchange, behind bytes of its own that the capture lacks: an answer may be
/// among these.
pub fn behind_a_hole(session: &Session) -> impl Iterator<Item = (&Exchange, Reset)> {
    let own = all_inside(session, Side::Server).filter(|(.., sender)| !sender.middlebox);
    let own = own.map(|(exchange, reset, _)| (exchange, reset));
    own.filter(|(exchange, reset)| {
        let waited = reset.time.secs_since(exchange.span().last.time);
        reset.tells_of_more && waited <= AT_LAST_SECS
    })
}

fn all_inside(session: &Session, side: Side) -> impl Iterator<Item = (&Exchange, Reset, Sender)> {
    session.connections.iter().filter_map(move |connection| {
        let reset = connection.reset.filter(|reset| reset.side == side)?;
        let waiting = session.on(connection.id).next_back()?;
        let request = waiting.request.as_ref().filter(|_| waiting.response.is_none())?;
        let closed = look::first_fin(connection).is_some_and(|(_, fin)| {
            let inside = (request.span.first.frame..reset.at.frame).contains(&fin.frame);
            inside && !closed::crosses(session, waiting)
        });
        let last = waiting.span().last.frame;
        let next = session.begun_after(last);
        let moved_on = next.is_some_and(|next| next.first.frame < reset.at.frame);
        let answered = !unanswered::is_so(session, waiting);
        let told = handshake::is_told_before(connection, &reset);
        if closed || moved_on || gives_up(connection) || answered || told {
            return None;
        }
        Some((waiting, reset, sender(session, connection, &reset)))
    })
}

/// Notes the RSTs by one side itself that ended the wait for an answer, each as bad as `weigh` has it.
pub fn judge(
    session: &Session,
    side: Side,
    weigh: impl Fn(&Exchange, &Reset) -> Severity,
    notes: &mut Notes<'_>,
) {
    for (exchange, reset, sender) in inside(session, side).filter(|(.., it)| !it.middlebox) {
        let (who, moment) = (side.name(), moment(exchange));
        let mut message = format!("the {who} reset the connection {moment} ({})", sender.evidence);
        let mut severity = weigh(exchange, &reset);
        let mut spans = vec![span(exchange, &reset)];
        let closed = Closed::before(session, exchange).filter(|_| side == Side::Server);
        if let Some(closed) = closed {
            message = closed.message(exchange);
            // Who comes back has lost nothing.
            if session.begun_after(closed.fin.frame).is_some() {
                severity = Severity::Note;
            }
            spans.insert(0, Span::at(closed.fin));
        }
        let finding = notes.note(severity, sender.confidence, &spans, message);
        let Some(finding) = finding else { continue };
        if let Some(advice) = closed.and_then(|closed| closed.advice()) {
            finding.advise(advice);
        } else if closed.is_none() && !sender.fits {
            finding.advise(OF_NEIGHBOUR).turn_to(format!("the {who}, or a firewall on the way"));
        } else if closed.is_none() && side == Side::Server && is_stranger(&reset) {
            finding
                .advise(OF_STRANGER)
                .turn_to("the server, or what translates addresses on the way");
        }
    }
}

/// What to do where the sender may be another device that is no further away than routes vary.
const OF_NEIGHBOUR: &str = "The RST is not in all like this host's other packets: a firewall next to it, or next to the place of the capture, may have sent it. Look into the log of the host at this time (a restart, a limit, a filter), and into those of the firewalls on the way.";

/// What to do where the one that answered did not know the connection.
const OF_STRANGER: &str = "Who sent the RST does not know this connection, or a rule of the firewall on that host rejects it. Either what translates addresses or balances on the way gave the rest of it another port or another server: compare the client's port in a capture on the server, and look into the log and the timers of that device. Or the server forgot or rejected it: look into its log for a restart, a failover, a connection limit, and at the rules of its firewall.";

/// Whether an RST is what a host answers to a connection that it does not know (RFC 9293 3.10.7.1).
const fn is_stranger(reset: &Reset) -> bool {
    !reset.acked
}

/// Whether the client reset the connection after repeating data that nobody acknowledged.
fn gives_up(connection: &Connection) -> bool {
    connection.reset.is_some_and(|reset| reset.side == Side::Client) && repeats_in_vain(connection)
}

/// How often data of the client was repeated that nobody acknowledged.
fn vain_repeats(connection: &Connection) -> u32 {
    let client = &connection.client_side;
    if client.unacked() > 0 { client.repeats } else { 0 }
}

/// Whether data of the client was repeated more than once, and nobody acknowledged it.
pub fn repeats_in_vain(connection: &Connection) -> bool {
    vain_repeats(connection) >= IN_VAIN
}

/// Whether that was repeated so often that a client may have given it up, though its host goes on.
pub fn repeats_long(connection: &Connection) -> bool {
    vain_repeats(connection) > IN_VAIN
}

/// Whether data of the server was repeated more than once, and the client, which was not seen to leave, acknowledged
/// none of it.
pub fn answers_in_vain(connection: &Connection) -> bool {
    let server = &connection.server_side;
    server.repeats >= IN_VAIN
        && server.unacked() > 0
        && connection.client_side.fin.is_none()
        && connection.reset.is_none()
}

/// Whether the client, at the same time, repeated what the server had acknowledged: nothing reached it any more, though
/// the way from it was open.
pub fn is_one_way(connection: &Connection) -> bool {
    let (client, server) = (&connection.client_side, &connection.server_side);
    let last = client.resent.needless_last.map(|last| last.frame);
    let since = server.waits.map(|since| since.frame);
    answers_in_vain(connection) && client.resent.needless >= IN_VAIN && last > since
}

/// Since when the client repeats in vain what it sent: the last data before.
pub fn in_vain_since(connection: &Connection) -> Option<At> {
    let client = &connection.client_side;
    client.waits.or(client.last_data).filter(|_| repeats_in_vain(connection))
}

/// One repeat may be the last thing before the capture lost sight of the connection.
const IN_VAIN: u32 = 2;

/// A host that keeps its window at 0 for longer, in seconds, stops the upload: half of the time that a client gives to
/// one request ([MC-BUP] 3.1.2.1).
pub const STALLED_SECS: f64 = 60.0;

/// Whether the server had kept its window at 0 for so long at a time that the client had reason to end the connection.
pub fn is_stalled(connection: &Connection, at: At) -> bool {
    let last = connection.server_side.zero_windows.last();
    last.is_some_and(|stall| {
        let end = stall.end.unwrap_or(at);
        let long = end.time.secs_since(stall.start.time) > STALLED_SECS;
        long && at.time.secs_since(end.time) <= AT_LAST_SECS
    })
}

/// What comes as late as this, in seconds, before the end belongs to it.
const AT_LAST_SECS: f64 = 1.0;

/// The frames of an exchange with the RST that ended it.
pub fn span(exchange: &Exchange, reset: &Reset) -> Span {
    let mut span = Span::at(exchange.span().first);
    span.extend(reset.at);
    span
}

/// When an RST came, as far as its exchange got.
fn moment(exchange: &Exchange) -> String {
    let sent = exchange.request.as_ref().is_some_and(|request| request.body.complete);
    let when = if sent { "before the answer to the" } else { "inside the" };
    format!("{when} {}", exchange.kind)
}

/// Judges an RST by its TTL and identification beside those of the host's other packets, and by RSTs the other way.
pub fn sender(session: &Session, connection: &Connection, reset: &Reset) -> Sender {
    let side = connection.side(reset.side);
    let alone = side.ttl_max == 0;
    // The RST is one of its packets.
    if alone || side.packets < 1 + ENOUGH && fits(side, reset) {
        let odd = if alone { odd_ttl(session, connection, reset) } else { None };
        let beside = match odd {
            Some(ttl) => format!(" where its packets on another connection have {ttl}"),
            None => ", and too few other packets to compare it with".to_owned(),
        };
        let evidence = format!("TTL {}{beside}", reset.ttl);
        let (middlebox, confidence) = (odd.is_some(), Confidence::Possible);
        return Sender { middlebox, fits: !middlebox, confidence, evidence };
    }
    let ttl_fits = fits(side, reset);
    let same = (side.ttl_min..=side.ttl_max).contains(&reset.ttl);
    let id = identification(connection, reset);
    // What looks like the host in everything is the host: the other RST answers what was under way.
    let both = !(ttl_fits && id == Some(true))
        && connection
            .reset_back
            .is_some_and(|back| back.time.secs_since(reset.time).abs() <= AT_ONCE_SECS);
    // Some hosts write 0 where a process ends, as do firewalls.
    let odd = reset.acked && reset.ip_id == Some(0) && counts(side);
    let mut evidence = match same {
        true => format!("TTL {} as in its other packets", reset.ttl),
        false => format!("TTL {} where its other packets have {}", reset.ttl, side.ttl_first),
    };
    evidence.push_str(match id {
        Some(true) => ", IP identification in sequence",
        Some(false) => ", IP identification out of sequence",
        None if reset.ip_id == Some(0) && counts(side) => ", IP identification 0",
        None => "",
    });
    if !reset.acked && side.fin.is_none() {
        evidence.push_str(", no ACK, as from one that does not know the connection");
    }
    if both {
        evidence.push_str(", RSTs to both sides at once");
    }
    let (middlebox, confidence) = match (ttl_fits, id, both) {
        (true, Some(true), _) if same => (false, Confidence::Certain),
        (true, Some(true), _) => (false, Confidence::Likely),
        (true, _, false) if same && !odd => (false, Confidence::Likely),
        (true, _, false) => (false, Confidence::Possible),
        (true, _, true) => (true, Confidence::Possible),
        (false, Some(true), false) => (true, Confidence::Possible),
        (false, Some(false), _) | (false, _, true) => (true, Confidence::Certain),
        (false, None, false) => (true, Confidence::Likely),
    };
    Sender { middlebox, fits: same && !odd, confidence, evidence }
}

/// The TTL of the host that an RST names on the other connections of the session, where the RST fits none of these.
fn odd_ttl(session: &Session, connection: &Connection, reset: &Reset) -> Option<u8> {
    let host = |one: &Connection| one.address(reset.side).ip();
    let all = session.connections.iter().filter(|one| host(one) == host(connection));
    let sides = all.map(|one| one.side(reset.side)).filter(|side| side.ttl_max > 0);
    let mut sides = sides.take(LOOKED_AT).peekable();
    let ttl = sides.peek()?.ttl_first;
    sides.all(|side| !fits(side, reset)).then_some(ttl)
}

/// Who sent an RST, behind `article`: the host that it names, or something that does not look like that.
pub fn in_whose_name(
    session: &Session,
    connection: &Connection,
    reset: &Reset,
    article: &str,
) -> String {
    let name = reset.side.name();
    match sender(session, connection, reset).middlebox {
        true => format!("something in the name of the {name}"),
        false => format!("{article}{name}"),
    }
}

/// Whether the RST came as far as the host's other packets.
const fn fits(side: &SideFacts, reset: &Reset) -> bool {
    reset.ttl.saturating_add(TTL_SLACK) >= side.ttl_min
        && reset.ttl <= side.ttl_max.saturating_add(TTL_SLACK)
}

/// Whether a host counts its packets in their identification.
const fn counts(side: &SideFacts) -> bool {
    side.ip_id_jumps == 0 && side.ip_id_steps >= 2
}

/// Whether the identification goes on where the host's other packets stopped; `None` where theirs follow no sequence.
fn identification(connection: &Connection, reset: &Reset) -> Option<bool> {
    let side = connection.side(reset.side);
    let (last, id) = (side.ip_id?, reset.ip_id?);
    // Systems that count differently for packets outside a connection write 0.
    if id == 0 || !counts(side) {
        return None;
    }
    Some((1..=IP_ID_SLACK).contains(&id.wrapping_sub(last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::{diagnosed, report};
    use crate::transcript;

    fn judged(ttl: &str) -> Sender {
        let report = report(&format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets {ttl}\n"
        ));
        let connection = &report.sessions[0].connections[0];
        sender(&report.sessions[0], connection, &connection.reset.unwrap())
    }

    #[test]
    fn an_rst_like_its_other_packets_is_the_host_s() {
        let sender = judged("");
        assert_eq!((sender.middlebox, sender.confidence), (false, Confidence::Certain));
        assert_eq!(
            sender.evidence,
            "TTL 61 as in its other packets, IP identification in sequence"
        );
    }

    #[test]
    fn one_of_another_identification_may_be_a_firewall_s() {
        let report =
            report("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets\n");
        let connection = &report.sessions[0].connections[0];
        let odd = Reset { ip_id: Some(0), ..connection.reset.unwrap() };
        let judged = sender(&report.sessions[0], connection, &odd);
        assert_eq!((judged.middlebox, judged.confidence), (false, Confidence::Possible));
        assert!(!judged.fits);
    }

    #[test]
    fn one_that_does_not_know_the_connection_may_be_behind_a_translator() {
        let advice = |kind: &str| {
            let told = diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets {kind}\n"
            ));
            assert_eq!(told.cause, "tcp-reset-by-server");
            told.advice.unwrap()
        };
        assert!(advice("bare").contains("translates addresses"));
        assert!(!advice("").contains("translates addresses"));
    }

    #[test]
    fn it_stays_so_where_the_other_host_answers_with_another() {
        for (ttl, middlebox) in [("", false), ("ttl=253", true)] {
            let report = report(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets {ttl}\n"
            ));
            let mut connection = report.sessions[0].connections[0].clone();
            let reset = connection.reset.unwrap();
            connection.reset_back = Some(Reset { side: Side::Client, ..reset });
            let judged = sender(&report.sessions[0], &connection, &reset);
            assert_eq!(judged.middlebox, middlebox);
        }
    }

    #[test]
    fn a_connection_that_the_capture_begins_with_is_no_later_one() {
        let records = transcript::play("> FRAGMENT 0-9/20 session=1\n! server resets\n").unwrap();
        // Without the handshake.
        let report = transcript::analyse(&records[3..], &mut ());
        assert_eq!(inside(&report.sessions[0], Side::Server).count(), 1);
    }

    #[test]
    fn an_rst_with_another_ttl_came_from_elsewhere() {
        let sender = judged("ttl=253");
        assert!(sender.middlebox);
        assert!(sender.evidence.starts_with("TTL 253 where its other packets have 61"));
    }

    #[test]
    fn a_ttl_within_what_routes_vary_is_told_beside_the_others() {
        let sender = judged("ttl=62 bare");
        assert_eq!((sender.middlebox, sender.confidence), (false, Confidence::Possible));
        assert_eq!(
            sender.evidence,
            "TTL 62 where its other packets have 61, IP identification 0, no ACK, as from one that does not know the \
             connection"
        );
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets ttl=62 bare\n",
        );
        assert_eq!(diagnosis.cause, "tcp-reset-by-server");
        assert!(diagnosis.advice.unwrap().contains("the firewalls on the way"));
    }

    #[test]
    fn one_that_is_doubted_is_not_told_as_the_host_s() {
        let told = |ttl: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n! server resets {ttl}\n"
            );
            let report = report(&text);
            let mut out = Vec::new();
            crate::export::timeline::write(&mut out, &report, &crate::export::Style::default())
                .unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(told("").contains("✂ server resets the connection"), "{}", told(""));
        let doubted = "✂ something in the name of the server resets the connection";
        assert!(told("ttl=253").contains(doubted), "{}", told("ttl=253"));
    }
}
