//! RST: which one is believed, and what comes behind it.

use super::{ACK, NOTHING, Net, RST, SYN};
use crate::stream::Side;

#[test]
fn reset_flushes_what_came_before_it() {
    let mut net = Net::open();
    net.client(103, 500, ACK, b"def");
    assert_eq!(
        net.client(106, 0, RST, b""),
        ["Client 0 lacks 3", "Client 3 def from 4", "Client Reset", "Server Reset"]
    );
    assert_eq!(net.connection().reset.unwrap().side, Side::Client);
    assert_eq!(net.server(500, 106, ACK, b"more"), NOTHING);
}

#[test]
fn reset_far_off_is_ignored() {
    let mut net = Net::open();
    assert_eq!(net.client(50_000_000, 0, RST, b""), NOTHING);
    assert_eq!((net.connection().resets_ignored, net.connection().resets), (1, 0));
    assert_eq!(net.client(100, 0, RST, b""), ["Client Reset", "Server Reset"]);
    assert!(net.connection().reset.unwrap().seq_fits);
}

#[test]
fn refusal_of_a_syn_resets_both() {
    let mut net = Net::new();
    net.client(99, 0, SYN, b"");
    assert_eq!(net.server(0, 100, RST | ACK, b""), ["Client Reset", "Server Reset"]);
}

#[test]
fn an_rst_of_what_the_other_side_has_already_is_ignored() {
    let mut net = Net::open();
    net.server(500, 100, ACK, b"abc");
    net.client(100, 503, ACK, b"");
    assert_eq!(net.server(501, 0, RST, b""), NOTHING);
    assert_eq!(net.client(100, 503, ACK, b"def"), ["Client 0 def from 7"]);
    assert_eq!((net.connection().resets_ignored, net.connection().resets), (1, 0));
}

#[test]
fn data_behind_an_rst_of_the_same_side_disproves_it() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    assert_eq!(net.server(500, 103, RST, b""), ["Client Reset", "Server Reset"]);
    assert_eq!(net.client(103, 500, ACK, b"in flight"), NOTHING);
    assert_eq!(net.server(500, 103, ACK, b"xy"), ["Server 0 xy from 7"]);
    assert_eq!(net.client(103, 502, ACK, b"def"), ["Client 0 def from 8"]);
    assert_eq!(net.table.seen(), 2);
}

#[test]
fn data_long_after_an_rst_out_of_sequence_shows_that_it_was_not_taken() {
    for (seq, wait, after) in [(510, 200, true), (510, 50, false), (500, 200, false)] {
        let mut net = Net::open();
        assert_eq!(net.server(seq, 0, RST, b""), ["Client Reset", "Server Reset"]);
        net.time += wait * 1_000_000;
        let log = net.client(100, 500, ACK, b"abc");
        assert_eq!(log.is_empty(), !after, "{seq} {wait}");
    }
}

#[test]
fn data_that_was_under_way_says_nothing_about_an_rst() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.server(510, 0, RST, b"");
    net.time += 200_000_000;
    assert_eq!(net.client(103, 500, ACK, b"def"), NOTHING);
}

#[test]
fn a_closed_socket_answers_what_comes_after_its_rst() {
    for late in [false, true] {
        let mut net = Net::open();
        net.client(100, 500, ACK, b"abc");
        net.server(500, 100, RST | ACK, b"");
        if late {
            net.server(500, 103, ACK, b"");
        }
        net.client(103, 0, RST, b"");
        let connection = net.connection();
        assert_eq!(connection.reset.unwrap().side, Side::Server);
        assert_eq!(connection.reset_back.is_some(), !late, "{late}");
    }
}
