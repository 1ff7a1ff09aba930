//! Frames that were captured more than once.

use super::{ACK, NOTHING, Net, SYN};
use crate::packet::Segment;
use crate::stream::Side;

#[test]
fn mirrored_frames_are_not_retransmissions() {
    let mut net = Net::open();
    let id = |segment: &mut Segment<'_>| segment.ip_id = Some(7);
    net.send(true, 100, 500, ACK, b"abc", id);
    net.time -= 1_500_000;
    assert_eq!(net.send(true, 100, 500, ACK, b"abc", id), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.duplicate_frames, facts.retransmitted), (1, 0));
}

#[test]
fn a_copy_that_came_much_later_is_no_retransmission() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.client(103, 500, ACK, b"def");
    let again = |net: &mut Net, id| {
        net.time += 20_000_000;
        net.send(true, 100, 500, ACK, b"abc", |segment| segment.ip_id = Some(id))
    };
    assert_eq!(again(&mut net, 4), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.duplicate_frames, facts.retransmitted), (1, 0));
    // Sent again, it is another packet, even where that was overtaken.
    net.send(true, 106, 500, ACK, b"ghi", |segment| segment.ip_id = Some(8));
    assert_eq!(again(&mut net, 7), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.duplicate_frames, facts.retransmitted), (1, 1));
    assert_eq!(again(&mut net, 7), NOTHING);
    assert_eq!(net.side(Side::Client).duplicate_frames, 2);
}

#[test]
fn what_was_captured_at_another_hop_as_well_is_no_retransmission() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    let later = |net: &mut Net, ttl| {
        net.time += 5_000_000;
        net.send(true, 100, 500, ACK, b"abc", |segment| segment.ttl = ttl)
    };
    assert_eq!(later(&mut net, 61), NOTHING);
    assert_eq!(later(&mut net, 64), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.duplicate_frames, facts.retransmitted), (1, 1));
}

#[test]
fn copies_are_left_out_of_what_was_sent() {
    let mut net = Net::open();
    let from = |net: &mut Net, ttl: u8, id: u16| {
        net.time += 5_000_000;
        let change = |segment: &mut Segment<'_>| (segment.ttl, segment.ip_id) = (ttl, Some(id));
        net.send(true, 100, 500, ACK, b"abc", change)
    };
    from(&mut net, 64, 7);
    let before = net.side(Side::Client).packets;
    from(&mut net, 61, 7);
    let facts = net.side(Side::Client);
    assert_eq!((facts.duplicate_frames, facts.retransmitted), (1, 0));
    assert_eq!((facts.payload_bytes, facts.packets), (3, before));
}

#[test]
fn what_was_captured_again_has_the_timestamp_that_it_was_sent_with() {
    const OLD: &[u8] = &[1, 1, 8, 10, 0, 0, 0, 255, 0, 0, 0, 0];
    const NEW: &[u8] = &[1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0];
    let mut net = Net::new();
    let permit = |segment: &mut Segment<'_>| segment.options = &[4, 2, 0, 0];
    net.send(true, 99, 0, SYN, b"", permit);
    net.send(false, 499, 100, SYN | ACK, b"", permit);
    let stamped = |net: &mut Net, seq, payload: &[u8], options| {
        net.send(true, seq, 500, ACK, payload, |segment| segment.options = options)
    };
    stamped(&mut net, 100, b"abc", OLD);
    stamped(&mut net, 103, b"def", NEW);
    assert_eq!(stamped(&mut net, 103, b"def", NEW), NOTHING);
    net.time += 5_000_000_000;
    assert_eq!(stamped(&mut net, 100, b"abcdef", OLD), NOTHING);
    let counted = |net: &Net| {
        let facts = net.side(Side::Client);
        (facts.duplicate_frames, facts.retransmitted)
    };
    assert_eq!(counted(&net), (2, 0));
    // Sent with it are other bytes only.
    stamped(&mut net, 100, b"abc", NEW);
    assert_eq!(counted(&net), (2, 1));
}

#[test]
fn who_was_told_of_no_hole_sends_nothing_again_at_once() {
    const SACK: &[u8] = &[1, 1, 5, 10, 0, 0, 0, 103, 0, 0, 0, 106];
    let again = |told, pause: i64, selective: bool, numbered: bool| {
        let mut net = Net::new();
        let marked = |segment: &mut Segment<'_>| {
            segment.ip_id = segment.ip_id.filter(|_| numbered);
        };
        let permit = |segment: &mut Segment<'_>| {
            segment.options = if selective { &[4, 2, 0, 0] } else { &[] };
        };
        net.send(true, 99, 0, SYN, b"", permit);
        net.send(false, 499, 100, SYN | ACK, b"", permit);
        net.send(true, 100, 500, ACK, b"abc", marked);
        if told {
            net.send(false, 500, 100, ACK, b"", |segment| segment.options = SACK);
        }
        net.send(true, 103, 500, ACK, b"def", marked);
        net.time += pause - 1_900_000;
        assert_eq!(net.send(true, 100, 500, ACK, b"abc", marked), NOTHING);
        let facts = net.side(Side::Client);
        (facts.duplicate_frames, facts.retransmitted)
    };
    assert_eq!(again(false, 0, true, false), (1, 0));
    assert_eq!(again(true, 0, true, false), (0, 1));
    assert_eq!(again(false, 10_000_000, true, false), (0, 1));
    assert_eq!(again(false, 0, false, false), (0, 1));
    // Nor where an identification could tell.
    assert_eq!(again(false, 0, true, true), (0, 1));
}

#[test]
fn the_pieces_of_a_segment_that_was_captured_whole_before_are_copies() {
    let counted = |ids: [u16; 3]| {
        let mut net = Net::open();
        let mut send = |seq, payload: &[u8], id| {
            net.time -= 1_900_000;
            net.send(true, seq, 500, ACK, payload, |segment| segment.ip_id = Some(id))
        };
        send(100, b"abcdefgh", 0x1200);
        for (seq, payload, id) in
            [(100, &b"abc"[..], ids[0]), (103, b"def", ids[1]), (106, b"gh", ids[2])]
        {
            assert_eq!(send(seq, payload, id), NOTHING);
        }
        assert_eq!(send(108, b"ijk", ids[2] + 1), ["Client 8 ijk from 8"]);
        let facts = net.side(Side::Client);
        (facts.duplicate_frames, facts.retransmitted, facts.payload_bytes)
    };
    assert_eq!(counted([0x1200, 0x1201, 0x1202]), (3, 0, 11));
    // Sent again, each has an identification behind that of the whole.
    assert_eq!(counted([0x1201, 0x1202, 0x1203]).1, 3);
}
