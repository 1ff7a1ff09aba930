//! What meets a cap is dropped, counted and told; the rest of the report stands.

use std::net::Ipv4Addr;

use bitsleuth::at::{At, Timestamp};
use bitsleuth::capture::{Frame, Input, LinkType};
use bitsleuth::limits::Limits;
use bitsleuth::model::{Odd, Report};
use bitsleuth::rules::ALL;
use bitsleuth::{Analysis, Options};
use etherparse::PacketBuilder;

const SERVER: [u8; 4] = [192, 0, 2, 1];
const PING: &[u8] =
    b"BITS_POST /f HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";

/// Raw IPv4 packets, analysed under caps.
struct Wire {
    analysis: Analysis,
    frames: u64,
}

impl Wire {
    fn under(limits: Limits) -> Self {
        Self { analysis: Analysis::new(Options { limits, ..Options::default() }), frames: 0 }
    }

    fn packet(&mut self, data: &[u8]) {
        self.frame(LinkType(228), data);
    }

    fn frame(&mut self, link: LinkType, data: &[u8]) {
        self.frames += 1;
        let time = Timestamp::from_nanos(self.frames as i64 * 1_000_000);
        let at = At { frame: self.frames, time, input: 0, input_frame: self.frames as u32 };
        let wire_len = data.len() as u32;
        let frame = Frame { at, link, data, wire_len, comment: None };
        self.analysis.push(&frame, &mut ());
    }

    /// A segment of a client; its first one is to be `SYN` at 0.
    fn client(&mut self, client: u8, seq: u32, payload: &[u8]) {
        let from = Ipv4Addr::new(10, 0, 0, client).octets();
        let builder = PacketBuilder::ipv4(from, SERVER, 64).tcp(4000, 80, seq, 1000);
        let builder = if seq == 0 { builder.syn() } else { builder.ack(1) };
        let mut data = Vec::new();
        builder.write(&mut data, payload).unwrap();
        self.packet(&data);
    }

    /// A segment of the server to a client.
    fn server(&mut self, client: u8, seq: u32, payload: &[u8]) {
        let to = Ipv4Addr::new(10, 0, 0, client).octets();
        let mut data = Vec::new();
        let builder = PacketBuilder::ipv4(SERVER, to, 64).tcp(80, 4000, seq, 1000).ack(1);
        builder.write(&mut data, payload).unwrap();
        self.packet(&data);
    }

    /// The server gives a connection up.
    fn reset(&mut self, client: u8, seq: u32) {
        let to = Ipv4Addr::new(10, 0, 0, client).octets();
        let mut data = Vec::new();
        let builder = PacketBuilder::ipv4(SERVER, to, 64).tcp(80, 4000, seq, 0).rst();
        builder.write(&mut data, b"").unwrap();
        self.packet(&data);
    }

    fn finish(self) -> Report {
        self.analysis.finish(vec![Input::default()], &mut ())
    }
}

#[test]
fn the_connection_that_was_idle_for_longest_goes_first() {
    let mut wire = Wire::under(Limits { connections: 2, ..Limits::default() });
    for client in [1, 2] {
        wire.client(client, 0, b"");
    }
    wire.client(1, 1, &PING[..10]);
    wire.client(3, 0, b"");
    // The second one is forgotten, the first goes on.
    wire.client(1, 11, &PING[10..]);
    let report = wire.finish();
    assert_eq!(report.quality.connections_forgotten, 1);
    assert_eq!(report.sessions[0].client.address, Ipv4Addr::new(10, 0, 0, 1));
}

#[test]
fn exchanges_have_a_cap_over_all_sessions() {
    let mut wire = Wire::under(Limits { exchange_bytes: 3_000, ..Limits::default() });
    for client in 1..=5 {
        wire.client(client, 0, b"");
        wire.client(client, 1, PING);
    }
    let report = wire.finish();
    assert_eq!((report.sessions.len(), report.quality.exchanges_omitted), (3, 2));
    assert!(report.findings.iter().any(|finding| finding.rule == "capture-caps"));
}

#[test]
fn what_one_session_leaves_out_takes_no_room_of_others() {
    let limits = Limits { exchange_bytes: 3_000, exchanges_per_session: 1, ..Limits::default() };
    let mut wire = Wire::under(limits);
    wire.client(1, 0, b"");
    for number in 0..5 {
        wire.client(1, 1 + number * PING.len() as u32, PING);
    }
    wire.client(2, 0, b"");
    wire.client(2, 1, PING);
    let report = wire.finish();
    assert_eq!((report.sessions.len(), report.quality.exchanges_omitted), (2, 4));
}

#[test]
fn a_hole_is_given_up_where_one_side_holds_too_much() {
    let mut wire = Wire::under(Limits { held_per_side: 2000, ..Limits::default() });
    wire.client(1, 0, b"");
    wire.client(1, 501, &[b'x'; 1000]);
    wire.client(1, 1501, &[b'x'; 1000]);
    wire.client(1, 2501, PING);
    let report = wire.finish();
    assert_eq!(report.quality.bytes_given_up, 500);
    assert_eq!(report.sessions.len(), 1, "what follows is read");
}

#[test]
fn a_hole_is_given_up_where_all_sides_hold_too_much() {
    let mut wire = Wire::under(Limits { held_in_all: 2500, ..Limits::default() });
    for client in 1..=3 {
        wire.client(client, 0, b"");
        wire.client(client, 301, &[b'x'; 1000]);
    }
    assert_eq!(wire.finish().quality.bytes_given_up, 300);
}

#[test]
fn a_head_beyond_the_cap_is_told_as_cut() {
    let mut wire = Wire::under(Limits { head: 1000, ..Limits::default() });
    let head = [&PING[..PING.len() - 2], b"X: ", &[b'y'; 2000], b"\r\n\r\n"].concat();
    wire.client(1, 0, b"");
    wire.client(1, 1, &head[..500]);
    wire.client(1, 501, &head[500..]);
    let report = wire.finish();
    let request = report.sessions[0].exchanges[0].request.as_ref().unwrap();
    assert_eq!(request.odd, [Odd::Cut]);
    assert_eq!(request.packet_type.as_deref(), Some("Ping"));
}

#[test]
fn fields_beyond_the_cap_are_told_as_left_out() {
    let mut wire = Wire::under(Limits { headers: 60, ..Limits::default() });
    let head = [&PING[..PING.len() - 2], &b"X: y\r\n".repeat(100), b"\r\n"].concat();
    wire.client(1, 0, b"");
    wire.client(1, 1, &head);
    let report = wire.finish();
    assert_eq!(report.sessions[0].exchanges[0].request.as_ref().unwrap().odd, [Odd::BadLines]);
}

fn first_fragments(wire: &mut Wire) {
    for id in 0..5 {
        let mut data =
            vec![0x45, 0, 0, 120, 0, id, 0x20, 0, 64, 6, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1];
        data.extend([0; 100]);
        // A multiple of eight, as all but the last fragment.
        data.truncate(116);
        data[3] = 116;
        wire.packet(&data);
    }
}

#[test]
fn datagrams_beyond_the_caps_are_forgotten() {
    let count = Limits { fragmented_datagrams: 3, ..Limits::default() };
    let bytes = Limits { fragment_bytes: 300, ..Limits::default() };
    for limits in [count, bytes] {
        let mut wire = Wire::under(limits);
        first_fragments(&mut wire);
        assert_eq!(wire.finish().quality.datagrams_forgotten, 2);
    }
}

#[test]
fn headers_nested_too_deep_are_counted() {
    let mut wire = Wire::under(Limits { nesting: 4, ..Limits::default() });
    let mut data = Vec::new();
    for left in (0..8_u16).rev() {
        let len = (left + 1) * 20;
        data.extend([0x45, 0, (len >> 8) as u8, len as u8, 0, 0, 0, 0, 64, 4, 0, 0]);
        data.extend([10, 0, 0, 1, 192, 0, 2, 1]);
    }
    wire.packet(&data);
    assert_eq!(wire.finish().quality.skipped["nested too deep"], 1);
}

#[test]
fn link_types_that_headers_name_are_told_up_to_a_number() {
    let mut wire = Wire::under(Limits::default());
    for number in 1..=100_u32 {
        // A header of Apple's, which names the link type of what follows.
        let data = [12, 1, 0x0001_0000 + number].map(u32::to_le_bytes).concat();
        wire.frame(LinkType(149), &data);
    }
    let skipped = wire.finish().quality.skipped;
    assert_eq!((skipped.len(), skipped["other link types"]), (65, 36));
    assert_eq!(skipped["link type 65537"], 1);
}

#[test]
fn exchanges_beyond_the_cap_are_counted() {
    let mut wire = Wire::under(Limits { exchanges_per_session: 2, ..Limits::default() });
    wire.client(1, 0, b"");
    for number in 0..5 {
        wire.client(1, 1 + number * PING.len() as u32, PING);
    }
    let report = wire.finish();
    assert_eq!(report.sessions[0].exchanges.len(), 2);
    assert_eq!(report.sessions[0].exchanges_omitted, 3);
    assert_eq!(report.quality.exchanges_omitted, 3);
}

#[test]
fn findings_beyond_the_cap_are_counted() {
    const ODD: &[u8] =
        b"BITS_POST /f HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Odd\r\nContent-Length: 0\r\n\r\n";
    let rule = ALL.iter().copied().find(|rule| rule.is_named("unknown-packet-type")).unwrap();
    let limits = Limits { findings_per_rule: 2, ..Limits::default() };
    let options = Options { limits, rules: vec![rule], ..Options::default() };
    let mut wire = Wire { analysis: Analysis::new(options), frames: 0 };
    wire.client(1, 0, b"");
    for number in 0..5 {
        wire.client(1, 1 + number * ODD.len() as u32, ODD);
    }
    let report = wire.finish();
    assert_eq!(report.sessions[0].findings.len(), 2);
    assert_eq!(report.quality.findings_omitted, 3);
}

#[test]
fn sessions_beyond_the_cap_are_handed_out_early() {
    let mut wire = Wire::under(Limits { sessions: 2, ..Limits::default() });
    for client in 1..=5 {
        wire.client(client, 0, b"");
        wire.client(client, 1, PING);
    }
    let report = wire.finish();
    assert_eq!((report.sessions.len(), report.quality.sessions_forgotten), (5, 3));
    let told = report.findings.iter().find(|finding| finding.rule == "capture-caps").unwrap();
    assert_eq!(told.message, "forgotten to stay within limits: 3 open sessions");
}

fn tls_record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

/// A connection of TLS 1.2 whose client sends records that need keys.
fn tls(wire: &mut Wire, client: u8) {
    let hello = [&[1, 0, 0, 41, 3, 3][..], &[7; 32], &[0, 0, 2, 0, 0x9c, 1, 0]].concat();
    let hello = tls_record(22, &hello);
    let answer = [&[2, 0, 0, 38, 3, 3][..], &[8; 32], &[0, 0, 0x9c, 0]].concat();
    wire.client(client, 0, b"");
    wire.client(client, 1, &hello);
    wire.server(client, 1, &tls_record(22, &answer));
    let first = [tls_record(20, &[1]), tls_record(23, &[9; 40])].concat();
    let seq = 1 + hello.len() as u32;
    wire.client(client, seq, &first);
    // What comes behind the record that lacks its keys is kept as it is.
    wire.client(client, seq + first.len() as u32, &tls_record(23, &[9; 1000]));
}

#[test]
fn connections_that_wait_for_keys_share_a_cap() {
    let mut wire = Wire::under(Limits { tls_waiting_in_all: 2500, ..Limits::default() });
    for client in 1..=4 {
        tls(&mut wire, client);
    }
    let quality = wire.finish().quality;
    assert_eq!((quality.tls_given_up, quality.tls_opaque), (2, 4));
}

#[test]
fn closed_connections_that_wait_for_keys_have_caps_of_their_own() {
    let few = Limits { tls_waiting_closed: 1, ..Limits::default() };
    let short = Limits { tls_waiting_in_all: 4000, ..Limits::default() };
    for (limits, given_up) in [(few, 3), (short, 3), (Limits::default(), 0)] {
        // Without any key, nothing is lost by it.
        let other = format!("CLIENT_RANDOM {} 00", "00".repeat(32));
        for (keys, given_up) in [("", 0), (&*other, given_up)] {
            let mut wire = Wire::under(limits.clone());
            wire.analysis.keys().add(keys.as_bytes());
            for client in 1..=4 {
                tls(&mut wire, client);
                wire.reset(client, 48);
            }
            let quality = wire.finish().quality;
            assert_eq!((quality.tls_given_up, quality.tls_opaque), (given_up, 4));
        }
    }
}

/// What a request says behind so many tunnels, each inside the one before.
fn behind_tunnels(count: usize) -> Report {
    let (ask, grant) = (b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n");
    let mut wire = Wire::under(Limits::default());
    let (mut client, mut server) = (1, 1);
    wire.client(1, 0, b"");
    for _ in 0..count {
        wire.client(1, client, ask);
        wire.server(1, server, grant);
        client += ask.len() as u32;
        server += grant.len() as u32;
    }
    wire.client(1, client, PING);
    wire.finish()
}

#[test]
fn tunnels_within_tunnels_are_followed_so_far() {
    assert_eq!(behind_tunnels(4).sessions.len(), 1);
    assert_eq!(behind_tunnels(20_000).sessions.len(), 0);
}

#[test]
fn interim_responses_are_kept_up_to_a_number() {
    let mut wire = Wire::under(Limits::default());
    let answer = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(40);
    wire.client(1, 0, b"");
    wire.client(1, 1, PING);
    for turn in 0..100 {
        wire.server(1, 1 + turn * answer.len() as u32, &answer);
    }
    let report = wire.finish();
    let exchange = &report.sessions[0].exchanges[0];
    assert_eq!(exchange.rare.interim, [100; 16]);
    assert!(exchange.rare.interim_at.is_some());
}
