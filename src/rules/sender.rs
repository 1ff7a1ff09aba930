//! Who sent an RST: the host that it names, or something on the way.

use crate::model::Session;
use crate::rules::Confidence;
use crate::stream::{Connection, Reset, SideFacts};

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

/// Judges an RST by its TTL and identification beside those of the host's other packets, and by RSTs the other way.
pub fn of(session: &Session, connection: &Connection, reset: &Reset) -> Sender {
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

/// The TTL of the host that an RST names on the other connections of the session, where that is one and the RST does not
/// fit it: behind a balancer, one address may be several hosts.
fn odd_ttl(session: &Session, connection: &Connection, reset: &Reset) -> Option<u8> {
    let host = |one: &Connection| one.address(reset.side).ip();
    let all = session.connections().filter(|one| host(one) == host(connection));
    let sides = all.map(|one| one.side(reset.side)).filter(|side| side.ttl_max > 0);
    let mut sides = sides.take(LOOKED_AT).peekable();
    let ttl = sides.peek()?.ttl_first;
    sides.all(|side| side.ttl_first == ttl && !fits(side, reset)).then_some(ttl)
}

/// Who sent an RST, behind `article`: the host that it names, or something that does not look like that.
pub fn in_whose_name(
    session: &Session,
    connection: &Connection,
    reset: &Reset,
    article: &str,
) -> String {
    let name = reset.side.name();
    match of(session, connection, reset).middlebox {
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
    use crate::stream::Side;

    fn judged(ttl: &str) -> Sender {
        let report = report(&format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets {ttl}\n"
        ));
        let connection = &report.sessions[0].connections[0];
        of(&report.sessions[0], connection, &connection.reset.unwrap())
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
        let judged = of(&report.sessions[0], connection, &odd);
        assert_eq!((judged.middlebox, judged.confidence), (false, Confidence::Possible));
        assert!(!judged.fits);
    }

    #[test]
    fn it_stays_so_where_the_other_host_answers_with_another() {
        for (ttl, middlebox) in [("", false), ("ttl=253", true)] {
            let report = report(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets {ttl}\n"
            ));
            let mut connection = Connection::clone(&report.sessions[0].connections[0]);
            let reset = connection.reset.unwrap();
            connection.reset_back = Some(Reset { side: Side::Client, ..reset });
            assert_eq!(of(&report.sessions[0], &connection, &reset).middlebox, middlebox);
        }
    }

    #[test]
    fn an_rst_with_another_ttl_came_from_elsewhere() {
        let sender = judged("ttl=253");
        assert!(sender.middlebox);
        assert!(sender.evidence.starts_with("TTL 253 where its other packets have 61"));
    }

    #[test]
    fn a_ttl_an_identification_and_an_rst_to_the_other_side_are_weighed_together() {
        let report =
            report("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets\n");
        let own = &report.sessions[0].connections[0];
        let weighed = |ttl: u8, ip_id: Option<u16>, both: bool| {
            let mut connection = Connection::clone(own);
            let reset = Reset { ttl, ip_id, ..connection.reset.unwrap() };
            connection.reset_back = both.then_some(Reset { side: Side::Client, ..reset });
            let judged = of(&report.sessions[0], &connection, &reset);
            (judged.middlebox, judged.confidence)
        };
        let next = own.reset.unwrap().ip_id;
        assert_eq!(weighed(62, next, true), (false, Confidence::Likely));
        assert_eq!(weighed(61, None, true), (true, Confidence::Possible));
        assert_eq!(weighed(253, None, false), (true, Confidence::Likely));
        assert_eq!(weighed(253, None, true), (true, Confidence::Certain));
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
