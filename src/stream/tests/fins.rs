//! FIN, and what comes before and behind it.

use super::{ACK, FIN, NOTHING, Net, RST, SYN};
use crate::stream::Side;

#[test]
fn fin_ends_its_direction_only() {
    let mut net = Net::open();
    assert_eq!(net.client(100, 500, FIN, b"abc"), ["Client 0 abc from 4", "Client Fin"]);
    assert_eq!(net.server(500, 104, ACK, b"xy"), ["Server 0 xy from 5"]);
    assert_eq!(net.client(103, 502, ACK, b"late"), NOTHING);
    assert_eq!(net.side(Side::Client).after_end, 4);
    assert_eq!(net.finish(), ["Server Capture"]);
}

#[test]
fn fin_waits_for_the_bytes_before_it() {
    let mut net = Net::open();
    assert_eq!(net.client(103, 500, FIN, b""), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 5", "Client Fin"]);
}

#[test]
fn fin_that_did_not_come_by_is_known_by_its_acknowledgement() {
    let mut net = Net::open();
    net.server(500, 100, ACK, b"ab");
    net.client(100, 503, ACK, b"");
    net.time += 40_000_000_000;
    assert_eq!(net.client(100, 503, ACK, b"more"), ["Client 0 more from 6"]);
    assert_eq!(net.client(104, 503, RST, b""), ["Client Reset", "Server Fin"]);
    let server = net.side(Side::Server);
    assert_eq!((server.fin.unwrap().frame, server.fin_acked), (5, true));
    assert!(server.resent.fin_unseen);
    assert_eq!((server.acked, server.sent, server.lost_by_capture), (2, 2, 0));
}

#[test]
fn a_number_that_more_follows_was_no_fin_s() {
    let mut net = Net::open();
    net.server(500, 100, ACK, b"ab");
    net.client(100, 503, ACK, b"");
    net.time += 40_000_000_000;
    assert_eq!(net.server(503, 100, ACK, b"de"), ["Server 2 lacks 1", "Server 3 de from 6"]);
    assert_eq!(net.side(Side::Server).lost_by_capture, 1);
}

#[test]
fn fin_may_be_stored_behind_its_acknowledgement() {
    let mut net = Net::open();
    net.server(500, 100, ACK, b"ab");
    net.client(100, 503, ACK, b"");
    assert_eq!(net.server(502, 100, FIN, b""), ["Server Fin"]);
    let server = net.side(Side::Server);
    assert_eq!((server.acked, server.sent, server.fin_acked), (2, 2, true));
    assert!(!server.resent.fin_unseen);
}

#[test]
fn what_is_stored_behind_both_ends_is_taken_all_the_same() {
    let mut net = Net::open();
    net.server(502, 100, FIN, b"");
    net.client(100, 503, ACK, b"");
    net.server(503, 101, ACK, b"");
    assert_eq!(net.client(100, 503, FIN, b""), ["Client Fin"]);
    assert_eq!(net.server(500, 101, ACK, b"ab"), ["Server 0 ab from 8", "Server Fin"]);
    assert_eq!(net.side(Side::Server).lost_by_capture, 0);
}

#[test]
fn fin_tells_of_bytes_before_it_that_did_not_come_by() {
    let mut net = Net::open();
    net.server(500, 100, ACK, b"ab");
    net.server(505, 100, FIN, b"");
    assert_eq!(net.side(Side::Server).resent.beyond.unwrap().frame, 5);
    assert_eq!(net.client(100, 502, RST, b""), ["Client Reset", "Server 2 lacks 3", "Server Fin"]);
    let server = net.side(Side::Server);
    assert_eq!((server.missing, server.sent), (3, 5));
}

#[test]
fn the_last_acknowledgement_settles_what_is_missing() {
    let mut net = Net::open();
    net.client(103, 500, FIN, b"");
    assert_eq!(net.server(500, 104, FIN, b""), ["Server Fin"]);
    assert_eq!(net.client(104, 501, ACK, b""), ["Client 0 lacks 3", "Client Fin"]);
}

#[test]
fn data_stored_behind_the_fin_that_follows_it_is_delivered() {
    let mut net = Net::new();
    assert_eq!(net.server(505, 100, FIN, b""), NOTHING);
    assert_eq!(net.server(499, 100, SYN | ACK, b""), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 3"]);
    assert_eq!(net.server(503, 103, ACK, b"fg"), NOTHING);
    assert_eq!(
        net.server(500, 103, ACK, b"cde"),
        ["Server 0 cde from 5", "Server 3 fg from 4", "Server Fin"]
    );
}

#[test]
fn who_acknowledges_a_fin_by_its_own_came_second() {
    let first = |acked: u32, between: fn(&mut Net)| {
        let mut net = Net::open();
        net.client(100, 500, ACK, b"abc");
        net.server(500, acked, FIN, b"");
        between(&mut net);
        net.client(103, 500, FIN, b"");
        [Side::Client, Side::Server].map(|side| net.side(side).resent.fin_first)
    };
    assert_eq!(first(104, |_| {}), [true, false]);
    assert_eq!(first(103, |_| {}), [false, false]);
    // Acknowledged by what comes behind both.
    assert_eq!(first(103, |net| _ = net.server(501, 104, ACK, b"")), [false, false]);
}

#[test]
fn a_number_behind_the_last_byte_tells_of_a_fin_that_did_not_come_by() {
    let beyond = |net: &Net| net.side(Side::Server).resent.beyond.map(|at| at.frame);
    let mut net = Net::open();
    net.server(500, 100, ACK, b"ab");
    net.client(100, 502, ACK, b"");
    net.server(503, 100, ACK, b"");
    assert_eq!(beyond(&net), Some(6));
    // It is stored behind that.
    net.server(502, 100, FIN, b"");
    assert_eq!(beyond(&net), None);
    net.server(503, 100, ACK, b"");
    assert_eq!(beyond(&net), None);
}
