//! Bytes that the capture lacks, and when they are given up.

use super::{ACK, NOTHING, Net, SYN};
use crate::limits::Limits;
use crate::packet::Segment;
use crate::stream::Side;

#[test]
fn an_acknowledged_hole_is_given_up_after_eight_more_segments() {
    let mut net = Net::open();
    assert_eq!(net.client(103, 500, ACK, b"def"), NOTHING);
    assert_eq!(net.server(500, 106, ACK, b""), NOTHING);
    for _ in 0..7 {
        assert_eq!(net.server(500, 106, ACK, b""), NOTHING);
    }
    assert_eq!(net.server(500, 106, ACK, b""), ["Client 0 lacks 3", "Client 3 def from 4"]);
    assert_eq!(net.side(Side::Client).lost_by_capture, 3);
    assert_eq!(net.client(100, 500, ACK, b"abc"), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), NOTHING);
    assert_eq!(net.side(Side::Client).came_late, 3);
}

#[test]
fn a_hole_is_not_given_up_at_once_however_many_segments_there_are() {
    let mut net = Net::open();
    let at_once = |net: &mut Net| net.time -= 1_900_000;
    assert_eq!(net.client(103, 500, ACK, b"def"), NOTHING);
    for _ in 0..12 {
        at_once(&mut net);
        assert_eq!(net.server(500, 106, ACK, b""), NOTHING);
    }
    at_once(&mut net);
    let whole = ["Client 0 abc from 17", "Client 3 def from 4"];
    assert_eq!(net.client(100, 500, ACK, b"abc"), whole);
}

#[test]
fn an_acknowledged_hole_is_given_up_after_a_while() {
    let mut net = Net::open();
    net.server(500, 103, ACK, b"");
    net.time += 200_000_000;
    assert_eq!(net.client(103, 500, ACK, b"def"), ["Client 0 lacks 3", "Client 3 def from 5"]);
}

#[test]
fn what_a_late_tap_brings_in_order_is_not_lost() {
    let mut net = Net::open();
    // The server has all of it, and says so many times.
    for _ in 0..20 {
        assert_eq!(net.server(500, 106, ACK, b""), NOTHING);
    }
    net.time += 5_000_000_000;
    assert_eq!(net.client(100, 500, ACK, b""), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 25"]);
    net.time += 5_000_000_000;
    assert_eq!(net.client(103, 500, ACK, b"def"), ["Client 3 def from 26"]);
    assert_eq!(net.side(Side::Client).retransmitted, 0);
}

#[test]
fn what_was_acknowledged_long_ago_will_not_come() {
    let mut net = Net::open();
    assert_eq!(net.server(500, 103, ACK, b""), NOTHING);
    net.time += 30_000_000_000;
    assert_eq!(net.server(500, 103, ACK, b""), ["Client 0 lacks 3"]);
}

#[test]
fn a_hole_that_nobody_acknowledged_stays() {
    let mut net = Net::open();
    net.client(103, 500, ACK, b"def");
    for _ in 0..20 {
        assert_eq!(net.server(500, 100, ACK, b""), NOTHING);
    }
    assert_eq!(
        net.finish(),
        ["Client 0 lacks 3", "Client 3 def from 4", "Client Capture", "Server Capture"]
    );
    assert_eq!(net.table.closed().unwrap().0.client_side.missing, 3);
}

#[test]
fn at_the_cap_a_hole_is_given_up_at_once() {
    let mut net = Net::with(Limits { held_per_side: 110, ..Limits::default() });
    net.handshake();
    assert_eq!(net.client(103, 500, ACK, b"def"), NOTHING);
    assert_eq!(net.client(109, 500, ACK, b"jkl"), ["Client 0 lacks 3", "Client 3 def from 4"]);
    assert_eq!(net.client(106, 500, ACK, b"ghi"), ["Client 6 ghi from 6", "Client 9 jkl from 5"]);
}

#[test]
fn a_payload_cut_by_the_snap_length_ends_in_a_gap() {
    let mut net = Net::open();
    let cut = |segment: &mut Segment<'_>| segment.wire_len = 10;
    assert_eq!(
        net.send(true, 100, 500, ACK, b"abc", cut),
        ["Client 0 abc from 4", "Client 3 lacks 7"]
    );
    assert_eq!(net.client(110, 500, ACK, b"k"), ["Client 10 k from 5"]);
    let facts = net.side(Side::Client);
    assert_eq!((facts.cut, facts.missing), (7, 0));
}

#[test]
fn what_was_acknowledged_of_a_direction_without_data_is_known() {
    let mut net = Net::new();
    assert_eq!(net.client(99, 0, SYN, b""), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 2"]);
    assert_eq!(net.server(500, 103, ACK, b""), NOTHING);
    assert_eq!(net.side(Side::Server).acked, 0);
    assert_eq!(net.client(103, 540, ACK, b""), NOTHING);
    assert_eq!(net.side(Side::Server).acked, 40);
    assert!(!net.connection().is_whole());
}

#[test]
fn a_segment_without_data_tells_of_bytes_that_did_not_come_by() {
    let mut net = Net::open();
    let beyond = |net: &Net| net.side(Side::Server).resent.beyond.map(|at| at.frame);
    net.server(500, 100, ACK, b"abc");
    net.server(503, 100, ACK, b"");
    assert_eq!(beyond(&net), None);
    net.server(510, 100, ACK, b"");
    net.server(510, 100, ACK, b"");
    assert_eq!(beyond(&net), Some(6));
    net.server(503, 100, ACK, b"defghij");
    net.server(520, 100, ACK, b"");
    assert_eq!(beyond(&net), Some(9));
}
