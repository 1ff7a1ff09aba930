//! Bytes in order, be it that their segments came in another one.

use super::{ACK, NOTHING, Net, SYN};
use crate::stream::Side;

#[test]
fn data_in_order_is_lent_at_once() {
    let mut net = Net::open();
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 4"]);
    assert_eq!(net.server(500, 103, ACK, b"xy"), ["Server 0 xy from 5"]);
    assert_eq!(net.connection().handshake_done.unwrap().frame, 3);
    assert!(!net.connection().midstream);
}

#[test]
fn late_segment_fills_the_hole_and_releases_the_rest() {
    let mut net = Net::open();
    assert_eq!(net.client(103, 500, ACK, b"def"), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 5", "Client 3 def from 4"]);
    assert_eq!(net.side(Side::Client).out_of_order, 1);
    assert_eq!(net.side(Side::Client).retransmitted, 0);
}

#[test]
fn what_fills_a_hole_begins_where_the_hole_does() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"ab");
    net.client(106, 500, ACK, b"gh");
    // Sooner than a round trip.
    net.client(102, 500, ACK, b"cd");
    net.time += 20_000_000;
    net.client(104, 500, ACK, b"ef");
    let facts = net.side(Side::Client);
    assert_eq!((facts.out_of_order, facts.resent.filled, facts.resent.filled_from), (1, 1, 2));
}

#[test]
fn the_first_copy_of_overlapping_bytes_wins() {
    let mut net = Net::open();
    assert_eq!(net.client(102, 500, ACK, b"CD"), NOTHING);
    assert_eq!(
        net.client(100, 500, ACK, b"abxxef"),
        ["Client 0 ab from 5", "Client 2 CD from 4", "Client 4 ef from 5"]
    );
    assert_eq!(net.side(Side::Client).differing, 1);
    assert_eq!(net.side(Side::Client).first_differing.unwrap().frame, 5);
}

#[test]
fn held_bytes_are_not_rewritten_either() {
    let mut net = Net::open();
    assert_eq!(net.client(103, 500, ACK, b"DE"), NOTHING);
    assert_eq!(net.client(101, 500, ACK, b"bcdefg"), NOTHING);
    assert_eq!(
        net.client(100, 500, ACK, b"a"),
        ["Client 0 a from 6", "Client 1 bc from 5", "Client 3 DE from 4", "Client 5 fg from 5"]
    );
}

#[test]
fn sequence_numbers_wrap() {
    let mut net = Net::new();
    net.client(u32::MAX - 2, 0, SYN, b"");
    assert_eq!(net.client(u32::MAX - 1, 0, ACK, b"abc"), ["Client 0 abc from 2"]);
    assert_eq!(net.client(1, 0, ACK, b"def"), ["Client 3 def from 3"]);
}

#[test]
fn data_on_syn_is_the_first_data() {
    let mut net = Net::new();
    assert_eq!(net.client(99, 0, SYN, b"abc"), ["Client 0 abc from 1"]);
    assert_eq!(net.client(103, 0, ACK, b"d"), ["Client 3 d from 2"]);
}

#[test]
fn midstream_begins_with_the_first_data() {
    let mut net = Net::new();
    assert_eq!(net.server(700, 300, ACK, b""), NOTHING);
    assert_eq!(net.server(700, 300, ACK, b"abc"), ["Server 0 abc from 2"]);
    assert_eq!(net.server(690, 300, ACK, b"0123456789"), NOTHING);
    assert_eq!(net.side(Side::Server).before_start, 10);
    assert!(net.connection().midstream);
}

#[test]
fn a_direction_goes_on_after_a_long_pause_of_the_capture() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    for seq in (0..7).map(|n| 2_000_000_000 + n) {
        assert_eq!(net.client(seq, 500, ACK, b"x"), NOTHING);
    }
    assert_eq!(
        net.client(2_000_000_007, 500, ACK, b"y"),
        ["Client 3 lacks 1999999904", "Client 1999999907 y from 12"]
    );
    assert_eq!(net.side(Side::Client).out_of_window, 8);
}
