//! Bytes that were sent again.

use super::{ACK, FIN, NOTHING, Net};
use crate::stream::Side;

#[test]
fn a_repeat_with_other_bytes_is_noted_after_delivery() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    assert_eq!(net.client(100, 500, ACK, b"abX"), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.retransmitted, facts.retransmitted_bytes, facts.differing), (2, 6, 1));
}

#[test]
fn a_repeat_with_other_bytes_is_noted_within_the_last_segments_of_a_bulk_direction() {
    let (segment, changed) = ([7; 1460], [8; 1460]);
    for back in [1, 60] {
        let mut net = Net::open();
        let seq = |number: u32| 100 + number * 1460;
        (0..250).for_each(|number| _ = net.client(seq(number), 500, ACK, &segment));
        net.client(seq(250 - back), 500, ACK, &segment);
        assert_eq!(net.side(Side::Client).differing, 0);
        net.client(seq(250 - back), 500, ACK, &changed);
        assert_eq!(net.side(Side::Client).differing, 1, "{back}");
    }
}

#[test]
fn a_repeat_that_is_cut_otherwise_is_compared_where_a_segment_began() {
    let mut net = Net::open();
    (0..100).for_each(|number| _ = net.client(100 + number * 1000, 500, ACK, &[7; 1000]));
    let mut repeat = [7; 1460];
    net.client(90_200, 500, ACK, &repeat);
    assert_eq!(net.side(Side::Client).differing, 0);
    // The segment that began there: 91,100.
    repeat[900] = 8;
    net.client(90_200, 500, ACK, &repeat);
    assert_eq!(net.side(Side::Client).differing, 1);
}

#[test]
fn what_had_been_acknowledged_is_sent_again_without_need() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.client(100, 500, ACK, b"abc");
    net.server(500, 103, ACK, b"");
    net.client(100, 500, ACK, b"abc");
    let facts = net.side(Side::Client);
    assert_eq!((facts.retransmitted, facts.resent.needless), (2, 1));
}

#[test]
fn a_stall_ends_with_the_last_repeat_of_what_was_not_acknowledged() {
    let mut net = Net::open();
    let stall = |net: &Net| net.side(Side::Client).resent.stall.map(|stall| stall.span.frames());
    net.client(100, 500, ACK, b"abc");
    for _ in 0..2 {
        net.time += 2_000_000_000;
        net.client(100, 500, ACK, b"abc");
    }
    assert_eq!(stall(&net), Some([4, 6]));
    net.server(500, 103, ACK, b"");
    net.time += 60_000_000_000;
    net.client(100, 500, ACK, b"abc");
    // A keep-alive, where what acknowledged the last byte is lost.
    net.client(103, 500, ACK, b"de");
    net.time += 60_000_000_000;
    net.client(104, 500, ACK, b"e");
    assert_eq!(stall(&net), Some([4, 6]));
}

#[test]
fn what_goes_on_behind_a_stall_belongs_to_it() {
    let mut net = Net::open();
    for number in 0..4 {
        net.client(100 + number * 3, 500, ACK, b"abc");
    }
    for _ in 0..2 {
        net.time += 2_000_000_000;
        net.client(100, 500, ACK, b"abc");
    }
    net.server(500, 103, ACK, b"");
    for number in 1..4 {
        net.client(100 + number * 3, 500, ACK, b"abc");
    }
    net.server(500, 112, ACK, b"");
    net.client(112, 500, ACK, b"abc");
    net.time += 500_000_000;
    net.client(112, 500, ACK, b"abc");
    let facts = net.side(Side::Client);
    let stall = facts.resent.stall.map(|stall| (stall.segments, stall.bytes));
    assert_eq!((facts.retransmitted, stall), (6, Some((5, 15))));
}

#[test]
fn keep_alives_are_not_retransmissions() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.server(500, 103, ACK, b"");
    assert_eq!(net.client(102, 500, ACK, b"\0"), NOTHING);
    assert_eq!(net.client(102, 500, ACK, b""), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.keep_alives, facts.retransmitted, facts.differing), (2, 0, 0));
}

#[test]
fn keep_alives_behind_a_hole_that_is_not_given_up_yet_are_not_retransmissions() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.client(106, 500, ACK, b"ghi");
    net.server(500, 109, ACK, b"");
    assert_eq!(net.client(108, 500, ACK, b"\0"), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.keep_alives, facts.retransmitted, facts.differing), (1, 0, 0));
}

#[test]
fn what_is_sent_again_behind_fin_counts_too() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.client(103, 500, ACK, b"def");
    net.client(106, 500, FIN, b"");
    net.server(500, 103, ACK, b"");
    assert_eq!(net.client(103, 500, ACK, b"def"), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.retransmitted, facts.after_end), (1, 0));
    assert_eq!(facts.resent.again.map(|span| span.frames()), Some([8, 8]));
}

#[test]
fn what_is_repeated_waits_since_the_last_data_that_had_need() {
    let waits = |between: fn(&mut Net)| {
        let mut net = Net::open();
        net.client(100, 500, ACK, b"abc");
        net.server(500, 103, ACK, b"");
        net.client(103, 500, ACK, b"def");
        between(&mut net);
        net.time += 200_000_000;
        net.client(103, 500, ACK, b"def");
        net.side(Side::Client).waits.unwrap().frame
    };
    assert_eq!(waits(|_| {}), 6);
    let again = |net: &mut Net| {
        net.time += 200_000_000;
        net.client(100, 500, ACK, b"abc");
    };
    assert_eq!(waits(again), 6);
    assert_eq!(
        waits(|net| {
            net.time += 200_000_000;
            (0..2).for_each(|_| _ = net.client(100, 500, ACK, b"abc"));
        }),
        6
    );
    // The same at another hop.
    assert_eq!(waits(|net| _ = net.send(true, 100, 500, ACK, b"abc", |it| it.ttl = 61)), 6);
}
