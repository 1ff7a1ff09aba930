use std::net::SocketAddr;

use proptest::prelude::*;

use super::ahead::Budget;
use super::half::{Half, Output};
use super::part::{Part, Seq};
use super::*;
use crate::at::Timestamp;
use crate::limits::Limits;
use crate::packet::{Flags, Segment};

const SYN: u8 = Flags::SYN;
const ACK: u8 = Flags::ACK;
const FIN: u8 = Flags::FIN | Flags::ACK;
const RST: u8 = Flags::RST;
const NOTHING: [&str; 0] = [];

/// A conversation; the client has sequence numbers from 100, the server from 500.
struct Net {
    table: Table<u32>,
    frame: u64,
    time: i64,
    verdict: fn(&&Event<'_>) -> Verdict,
    port: u16,
    server_port: u16,
}

impl Net {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let table = Table::new(&limits);
        Self { table, frame: 0, time: 0, verdict: |_| Verdict::Go, port: 4000, server_port: 80 }
    }

    fn open() -> Self {
        let mut net = Self::new();
        net.handshake();
        net
    }

    fn handshake(&mut self) {
        assert_eq!(self.client(99, 0, SYN, b""), NOTHING);
        assert_eq!(self.server(499, 100, SYN | ACK, b""), NOTHING);
        assert_eq!(self.client(100, 500, ACK, b""), NOTHING);
    }

    fn client(&mut self, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<String> {
        self.send(true, seq, ack, flags, payload, |_| {})
    }

    fn server(&mut self, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<String> {
        self.send(false, seq, ack, flags, payload, |_| {})
    }

    fn send(
        &mut self,
        from_client: bool,
        seq: u32,
        ack: u32,
        flags: u8,
        payload: &[u8],
        change: impl Fn(&mut Segment<'_>),
    ) -> Vec<String> {
        self.frame += 1;
        self.time += 2_000_000;
        let ends = (
            SocketAddr::from(([10, 0, 0, 1], self.port)),
            SocketAddr::from(([10, 0, 0, 2], self.server_port)),
        );
        let (from, to) = if from_client { ends } else { (ends.1, ends.0) };
        let mut segment = Segment {
            at: self.at(),
            from,
            to,
            seq,
            ack,
            flags: Flags(flags),
            window: 1000,
            options: &[],
            payload,
            wire_len: payload.len() as u32,
            first: payload.first_chunk().copied(),
            ttl: 64,
            ip_id: Some(self.frame as u16),
        };
        change(&mut segment);
        let (mut log, verdict) = (vec![], self.verdict);
        self.table.push(&segment, &mut |_: &mut Connection, _: &mut u32, event: &Event<'_>| {
            log.push(text(event));
            verdict(&event)
        });
        log
    }

    fn at(&self) -> At {
        At {
            frame: self.frame,
            time: Timestamp::from_nanos(self.time),
            input: 0,
            input_frame: self.frame as u32,
        }
    }

    fn finish(&mut self) -> Vec<String> {
        let mut log = vec![];
        let at = self.at();
        let mut out = |_: &mut Connection, _: &mut u32, event: &Event<'_>| {
            log.push(text(event));
            Verdict::Go
        };
        while self.table.finish(at, &mut out) {}
        log
    }

    fn connection(&self) -> &Connection {
        self.table.connection(1).unwrap()
    }

    fn side(&self, side: Side) -> &SideFacts {
        self.connection().side(side)
    }
}

fn text(event: &Event<'_>) -> String {
    match event {
        Event::Data(Chunk { at, side, offset, bytes, .. }) => {
            format!("{side:?} {offset} {} from {}", String::from_utf8_lossy(bytes), at.frame)
        }
        Event::Gap { side, offset, len, .. } => format!("{side:?} {offset} lacks {len}"),
        Event::End { side, why, .. } => format!("{side:?} {why:?}"),
    }
}

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
fn a_repeat_with_other_bytes_is_noted_after_delivery() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    assert_eq!(net.client(100, 500, ACK, b"abX"), NOTHING);
    assert_eq!(net.client(100, 500, ACK, b"abc"), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.retransmitted, facts.retransmitted_bytes, facts.differing), (2, 6, 1));
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
fn a_segment_without_data_tells_of_bytes_that_did_not_come_by() {
    let mut net = Net::open();
    let beyond = |net: &Net| net.side(Side::Server).resent.beyond.map(|at| at.frame);
    net.server(500, 100, ACK, b"abc");
    net.server(503, 100, ACK, b"");
    // A FIN that was lost takes a number.
    net.server(504, 100, ACK, b"");
    assert_eq!(beyond(&net), None);
    net.server(510, 100, ACK, b"");
    net.server(510, 100, ACK, b"");
    assert_eq!(beyond(&net), Some(7));
    net.server(503, 100, ACK, b"defghij");
    net.server(520, 100, ACK, b"");
    assert_eq!(beyond(&net), Some(10));
}

#[test]
fn so_is_one_within_the_last_segments_of_a_bulk_direction() {
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
fn sequence_numbers_wrap() {
    let mut net = Net::new();
    net.client(u32::MAX - 2, 0, SYN, b"");
    assert_eq!(net.client(u32::MAX - 1, 0, ACK, b"abc"), ["Client 0 abc from 2"]);
    assert_eq!(net.client(1, 0, ACK, b"def"), ["Client 3 def from 3"]);
}

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
fn an_rst_of_what_the_other_side_has_already_is_ignored() {
    let mut net = Net::open();
    net.server(500, 100, ACK, b"abc");
    net.client(100, 503, ACK, b"");
    assert_eq!(net.server(501, 0, RST, b""), NOTHING);
    assert_eq!(net.client(100, 503, ACK, b"def"), ["Client 0 def from 7"]);
    assert_eq!((net.connection().resets_ignored, net.connection().resets), (1, 0));
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
fn a_new_syn_begins_another_connection() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    assert_eq!(net.client(9_000, 0, SYN, b""), ["Client Reused", "Server Reused"]);
    assert_eq!(net.client(9_001, 0, ACK, b"x"), ["Client 0 x from 6"]);
    assert_eq!(net.table.closed().unwrap().0.id, 1);
    assert!(net.table.connection(2).is_some());
}

#[test]
fn a_repeated_syn_does_not() {
    let mut net = Net::new();
    net.client(99, 0, SYN, b"");
    net.client(99, 0, SYN, b"");
    assert_eq!((net.table.seen(), net.connection().syn_retries), (1, 1));
}

#[test]
fn data_on_syn_is_the_first_data() {
    let mut net = Net::new();
    assert_eq!(net.client(99, 0, SYN, b"abc"), ["Client 0 abc from 1"]);
    assert_eq!(net.client(103, 0, ACK, b"d"), ["Client 3 d from 2"]);
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

#[test]
fn a_connection_is_serialised_with_its_times() {
    let mut net = Net::open();
    net.client(100, 0, RST, b"");
    let json = serde_json::to_value(net.connection()).unwrap();
    assert_eq!(json["reset"]["side"], "client");
    assert_eq!(json["started"], "1970-01-01T00:00:00.002000Z");
    let back: Connection = serde_json::from_value(json).unwrap();
    assert_eq!(back.client.port(), 4000);
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
fn nor_is_a_copy_that_came_much_later() {
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
fn so_are_those_behind_a_hole_that_is_not_given_up_yet() {
    let mut net = Net::open();
    net.client(100, 500, ACK, b"abc");
    net.client(106, 500, ACK, b"ghi");
    net.server(500, 109, ACK, b"");
    assert_eq!(net.client(108, 500, ACK, b"\0"), NOTHING);
    let facts = net.side(Side::Client);
    assert_eq!((facts.keep_alives, facts.retransmitted, facts.differing), (1, 0, 0));
}

#[test]
fn a_closed_window_is_a_period_and_its_probes_are_counted() {
    let mut net = Net::open();
    let closed = |segment: &mut Segment<'_>| segment.window = 0;
    net.send(false, 500, 100, ACK, b"", closed);
    net.client(99, 500, ACK, b"");
    net.server(500, 100, ACK, b"");
    let period = net.side(Side::Server).zero_windows[0];
    assert_eq!((period.start.frame, period.end.unwrap().frame), (4, 6));
    assert_eq!(net.side(Side::Client).window_probes, 1);
}

#[test]
fn of_many_closed_windows_the_longest_and_the_last_are_kept() {
    let mut net = Net::open();
    let closed = |segment: &mut Segment<'_>| segment.window = 0;
    for round in 0..100 {
        net.send(false, 500, 100, ACK, b"", closed);
        net.time += if round == 70 { 90_000_000_000 } else { 0 };
        net.server(500, 100, ACK, b"");
    }
    net.send(false, 500, 100, ACK, b"", closed);
    let periods = &net.side(Side::Server).zero_windows;
    let last = periods.last().unwrap();
    assert_eq!((periods.len(), last.start.frame, last.end), (64, 204, None));
    assert_eq!(periods.iter().filter(|period| period.secs() > 60.0).count(), 1);
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
fn swapped_roles_deliver_the_event_again() {
    let mut net = Net::new();
    net.server_port = 5000;
    net.verdict = |event| match event {
        Event::Data(Chunk { side: Side::Server, .. }) => Verdict::Swap,
        _ => Verdict::Go,
    };
    assert_eq!(net.client(700, 300, ACK, b"GET"), ["Server 0 GET from 1", "Client 0 GET from 1"]);
    assert_eq!(net.connection().client.port(), 4000);
    assert_eq!(net.side(Side::Client).payload_bytes, 3);
    assert_eq!(net.server(300, 703, ACK, b"200"), ["Server 0 200 from 2"]);
}

#[test]
fn an_ignored_connection_is_only_counted() {
    let mut net = Net::open();
    net.verdict = |_| Verdict::Ignore;
    assert_eq!(net.client(100, 500, ACK, b"abc"), ["Client 0 abc from 4"]);
    assert_eq!(net.client(103, 500, FIN, b"def"), NOTHING);
    assert_eq!(net.server(500, 107, FIN, b""), NOTHING);
    assert_eq!(net.side(Side::Client).payload_bytes, 6);
    assert_eq!(net.finish(), NOTHING);
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
fn the_oldest_idle_connection_is_forgotten_at_the_cap() {
    let mut net = Net::with(Limits { connections: 2, ..Limits::default() });
    for port in [1000, 1001, 1000] {
        net.port = port;
        net.client(99, 0, SYN, b"");
    }
    net.port = 1002;
    assert_eq!(net.client(99, 0, SYN, b""), ["Client Forgotten", "Server Forgotten"]);
    assert_eq!((net.table.forgotten(), net.table.closed().unwrap().0.id), (1, 2));
}

#[test]
fn closed_connections_are_forgotten_sooner_at_the_cap() {
    let mut net = Net::with(Limits { closed_connections: 1, ..Limits::default() });
    for port in [1000, 1001] {
        net.port = port;
        net.client(99, 0, SYN, b"");
        net.client(100, 0, RST, b"");
    }
    assert_eq!((net.table.closed_forgotten(), net.table.closed().unwrap().0.id), (1, 1));
}

#[test]
fn closed_connections_are_forgotten_after_a_minute() {
    let mut net = Net::open();
    net.client(100, 0, RST, b"");
    assert!(net.table.closed().is_none());
    net.time += 61_000_000_000;
    net.client(100, 500, ACK, b"new");
    assert_eq!(net.table.closed().unwrap().0.id, 1);
    assert!(net.table.connection(2).unwrap().midstream);
}

#[test]
fn connections_of_both_families_are_told_apart() {
    let mut table = Table::<()>::new(&Limits::default());
    let mut net = Net::new();
    let mut sides = vec![];
    for (from, to) in [("[::1]:5", "[::2]:6"), ("[::2]:6", "[::1]:5"), ("1.2.3.4:5", "4.3.2.1:6")] {
        net.frame += 1;
        let (at, from, to) = (net.at(), from.parse().unwrap(), to.parse().unwrap());
        let (flags, options) = (Flags(ACK), &[][..]);
        let segment = Segment {
            at,
            from,
            to,
            seq: 1,
            ack: 1,
            flags,
            window: 9,
            options,
            payload: b"x",
            wire_len: 1,
            first: None,
            ttl: 1,
            ip_id: None,
        };
        let id = table.push(&segment, &mut |_: &mut Connection, _: &mut (), event: &Event<'_>| {
            if let Event::Data(chunk) = event {
                sides.push(chunk.side);
            }
            Verdict::Go
        });
        assert_eq!(id, if net.frame < 3 { 1 } else { 2 });
    }
    assert_eq!(sides, [Side::Server, Side::Client, Side::Server]);
}

/// What a receiver without caps would put together: for every offset the first byte that came, up to the first hole.
fn twin(segments: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = std::collections::BTreeMap::new();
    for (offset, payload) in segments {
        for (at, byte) in (*offset..).zip(payload) {
            bytes.entry(at).or_insert(*byte);
        }
    }
    (0..).map_while(|at| bytes.get(&at).copied()).collect()
}

proptest! {
    #[test]
    fn any_order_and_overlap_equals_the_slow_twin(
        segments in prop::collection::vec((0u32..60, prop::collection::vec(any::<u8>(), 2..20)), 1..40),
        base in prop::sample::select(vec![100, u32::MAX - 20, u32::MAX]),
    ) {
        let (mut half, mut got) = (Half::default(), vec![]);
        let mut budget = Budget { per_side: 1 << 20, in_all: 1 << 20, held: 0, given_up: 0 };
        half.begin(Seq(base));
        for (offset, payload) in &segments {
            let Some(offset) = half.offset(Seq(base.wrapping_add(*offset))) else { panic!() };
            let part = Part { at: At::default(), offset: offset as u64, acked: 0, bytes: payload, len: payload.len() as u64 };
            half.push(part, &mut budget, &mut |output| match output {
                Output::Data { offset, bytes, .. } => {
                    assert_eq!(offset, got.len() as u64);
                    got.extend_from_slice(bytes);
                }
                Output::Gap { .. } => panic!("a gap that nobody acknowledged"),
            });
        }
        prop_assert_eq!(got, twin(&segments));
        half.clear(&mut budget);
        prop_assert_eq!(budget.held, 0);
    }

    #[test]
    fn no_segments_make_it_panic_or_go_back(
        segments in prop::collection::vec(
            (any::<bool>(), any::<u8>(), 0u32..400, 0u32..400, 0usize..30, 0u32..3, any::<bool>()), 1..80),
        base in prop::sample::select(vec![0, u32::MAX - 100, 1 << 31]),
        cap in prop::sample::select(vec![0, 200, 1 << 20]),
    ) {
        let mut net = Net::with(Limits { held_per_side: cap, connections: 1, ..Limits::default() });
        let mut next = std::collections::HashMap::new();
        for (from_client, flags, seq, ack, len, cut, far) in segments {
            let seq = base.wrapping_add(if far { seq << 22 } else { seq });
            let payload = &[7; 30][..len];
            net.frame += 1;
            net.time += 30_000_000;
            let (one, other) = (SocketAddr::from(([1; 4], 5)), SocketAddr::from(([2; 4], 6)));
            let (from, to) = if from_client { (one, other) } else { (other, one) };
            let segment = Segment {
                at: net.at(), from, to, seq, ack: base.wrapping_add(ack), flags: Flags(flags & flags.rotate_left(3)),
                window: ack as u16, options: &[2, 4, 5], payload, wire_len: len as u32 + cut, first: payload.first_chunk().copied(), ttl: 1, ip_id: None,
            };
            net.table.push(&segment, &mut |connection: &mut Connection, _: &mut u32, event: &Event<'_>| {
                let (side, offset, len) = match *event {
                    Event::Data(chunk) => (chunk.side, chunk.offset, chunk.bytes.len() as u64),
                    Event::Gap { side, offset, len, .. } => (side, offset, len),
                    Event::End { side, .. } => {
                        let old = next.insert((connection.id, side), None);
                        assert_ne!(old, Some(None), "ended twice");
                        return Verdict::Go;
                    }
                };
                let next = next.entry((connection.id, side)).or_insert(Some(0));
                assert_eq!(*next, Some(offset));
                assert!(len > 0);
                *next = Some(offset + len);
                Verdict::Go
            });
        }
        net.finish();
        prop_assert_eq!(net.table.held(), 0);
    }
}
