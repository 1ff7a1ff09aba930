use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;

mod oddities;

fn frame(link: u32, data: &[u8]) -> Frame<'_> {
    Frame {
        at: At::default(),
        link: LinkType(link),
        data,
        wire_len: data.len() as u32,
        comment: None,
    }
}

fn ip_tcp(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(1000, 80, 7, 512)
        .write(&mut out, payload)
        .unwrap();
    out
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &ether_type.to_be_bytes(), payload].concat()
}

fn payload_of(link: u32, data: &[u8]) -> Result<Vec<u8>, Skip> {
    match Decoder::new(&Limits::default()).push(&frame(link, data))? {
        Packet::Tcp(segment) => Ok(segment.payload.to_vec()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_link_type_leads_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let wrap = |head: &[u8]| [head, &ip].concat();
    for (link, data) in [
        (1, ethernet(0x0800, &ip)),
        (1, ethernet(0x8100, &wrap(&[0, 1, 0x88, 0xa8, 0, 2, 8, 0]))),
        (1, ethernet(0x8847, &wrap(&[0, 0, 0, 9, 0, 0, 1, 9]))),
        (1, ethernet(0x8864, &wrap(&[0x11, 0, 0, 1, 0, 45, 0, 0x21]))),
        (1, ethernet(51, &wrap(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]))),
        (113, wrap(&[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0])),
        (276, wrap(&[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        (0, wrap(&[2, 0, 0, 0])),
        (108, wrap(&[0, 0, 0, 2])),
        (101, ip.clone()),
        (228, ip.clone()),
        (9, wrap(&[0xff, 3, 0, 0x21])),
        (50, wrap(&[0x21])),
        (51, wrap(&[0x11, 0, 0, 1, 0, 45, 0, 0x21])),
    ] {
        assert_eq!(payload_of(link, &data), Ok(b"abc".to_vec()), "link type {link}");
    }
}

#[test]
fn seldom_link_types_lead_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let wrap = |heads: &[&[u8]]| [heads.concat(), ip.clone()].concat();
    let in_ethernet = |head: &[u8]| [head, &ethernet(0x0800, &ip)].concat();
    for (link, data) in [
        (6, wrap(&[&[0x10, 0x40], &[0; 12], &snap])),
        (6, wrap(&[&[0x10, 0x40, 0, 0, 0, 0, 0, 0, 0x80], &[0; 5], &[2, 0], &snap])),
        (8, wrap(&[&[0; 16]])),
        (10, wrap(&[&[0; 13], &snap])),
        (100, wrap(&[&snap])),
        (100, in_ethernet(&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0])),
        (100, wrap(&[&[0xfe, 0xfe, 3, 0xcc]])),
        (104, wrap(&[&[0x0f, 0, 8, 0]])),
        (107, wrap(&[&[0x18, 0x41, 3, 0xcc]])),
        (107, wrap(&[&[0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0]])),
        (107, wrap(&[&[0x18, 0x41, 8, 0]])),
        (109, wrap(&[&[0; 12]])),
        (117, wrap(&[&[61], &[0; 63]])),
        (122, wrap(&[&[0; 16], &snap])),
        (123, wrap(&[&[2, 0, 0, 32], &snap])),
        (138, wrap(&[&[0; 16], &[8, 0]])),
        (143, in_ethernet(&[1, 2, 0, 0, 9, 9, 0, 0])),
        (166, wrap(&[&[0, 3, 0, 0x21]])),
        (178, in_ethernet(&[0x4d, 0x47, 0x43, 0x80, 0, 2, 1, 1])),
        (197, in_ethernet(&[0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0])),
        (204, wrap(&[&[0, 0xff, 3, 0, 0x21]])),
        (205, wrap(&[&[0, 0x0f, 0, 8, 0]])),
        (206, wrap(&[&[0, 0x18, 0x41, 3, 0xcc]])),
        (226, wrap(&[&[0; 24]])),
        (239, wrap(&[&[2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 47, 0, 9, 0]])),
        (240, in_ethernet(&[0; 4])),
        (242, wrap(&[&[0; 40], &[8, 0, 0, 0]])),
        (258, in_ethernet(&[12, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0])),
        (281, wrap(&[&[0; 16], &[8, 0]])),
        (282, in_ethernet(&[0; 4])),
        (285, wrap(&[&[0; 20], &[8, 0]])),
    ] {
        assert_eq!(payload_of(link, &data), Ok(b"abc".to_vec()), "link type {link}");
    }
}

#[test]
fn wireless_frames_lead_to_the_segment() {
    let body = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &ip_tcp(b"abc")].concat();
    let frame = |head: &[u8], control: [u8; 2], more: &[u8]| {
        [head, &control, &[0; 22], more, &body].concat()
    };
    for (link, data) in [
        (105, frame(&[], [8, 1], &[])),
        (105, frame(&[], [8, 3], &[0; 6])),
        (105, frame(&[], [0x88, 1], &[0, 0])),
        (105, frame(&[], [0x88, 0x81], &[0; 6])),
        (105, frame(&[], [0x88, 1], &[&[0x80, 0][..], &[0; 14]].concat())),
        (119, frame(&[0x44, 0, 0, 0, 8, 0, 0, 0], [8, 1], &[])),
        (127, frame(&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], [0x88, 1], &[0; 4])),
        (163, frame(&[0x80, 0x21, 0x10, 1, 0, 0, 0, 8], [8, 1], &[])),
        (192, frame(&[0, 0, 8, 0, 105, 0, 0, 0], [8, 1], &[])),
    ] {
        assert_eq!(payload_of(link, &data), Ok(b"abc".to_vec()), "link type {link}");
    }
    assert_eq!(payload_of(105, &frame(&[], [8, 0x41], &[])), Err(Skip::NotIp));
}

#[test]
fn tags_lead_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let wrap = |head: &[u8]| [head, &ip].concat();
    let in_ethernet = |head: &[u8]| [head, &ethernet(0x0800, &ip)].concat();
    for data in [
        ethernet(0x88e7, &in_ethernet(&[0, 0, 0, 1])),
        ethernet(0x88e5, &wrap(&[0x20, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0])),
        ethernet(0x8926, &wrap(&[0, 0, 0, 0, 8, 0])),
        ethernet(0x892f, &wrap(&[0, 0, 0, 0, 8, 0])),
        ethernet(0x894f, &wrap(&[0, 2, 2, 1, 0, 0, 1, 1])),
        ethernet(0x8909, &wrap(&[1, 1, 0, 1, 0, 5, 8, 0])),
        ethernet(0x22f3, &in_ethernet(&[0, 0x41, 0, 1, 0, 2, 9, 9, 9, 9])),
        [&[1, 0, 0x0c, 0, 0][..], &[0; 21], &ethernet(0x0800, &ip)].concat(),
    ] {
        assert_eq!(payload_of(1, &data), Ok(b"abc".to_vec()), "{:02x?}", &data[..32]);
    }
}

#[test]
fn tunnels_in_udp_lead_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let tcp = &ip[20..];
    let v6 = [&[0x60, 0, 0, 0, 0, tcp.len() as u8, 6, 64][..], &[1; 32], tcp].concat();
    let udp = |from: u16, to: u16, head: &[u8], body: &[u8]| {
        let (mut out, body) = (Vec::new(), [head, body].concat());
        PacketBuilder::ipv4([1; 4], [2; 4], 9).udp(from, to).write(&mut out, &body).unwrap();
        out
    };
    let inner = ethernet(0x0800, &ip);
    for data in [
        udp(9, 1701, &[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21], &ip),
        udp(9, 1701, &[0x42, 2, 0, 9, 0, 1, 0, 1, 0, 1, 7, 0xff, 3, 0, 0x21], &ip),
        udp(9, 2152, &[0x30, 0xff, 0, 50, 0, 0, 0, 1], &ip),
        udp(9, 2152, &[0x34, 0xff, 0, 50, 0, 0, 0, 1, 0, 1, 0, 0x85, 1, 0, 1, 0], &ip),
        udp(9, 3386, &[&[0x1e, 0xff][..], &[0; 18]].concat(), &ip),
        udp(9, 3544, &[], &v6),
        udp(3544, 9, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &v6),
        udp(9, 4341, &[0; 8], &ip),
        udp(9, 4754, &[0, 0, 8, 0], &ip),
        udp(9, 4790, &[12, 0, 0, 3, 0, 0, 1, 0], &inner),
        udp(9, 6635, &[0, 1, 1, 64], &ip),
        udp(9, 37008, &[1, 0, 0, 1, 0, 13, 2, 9, 9, 1], &inner),
    ] {
        assert_eq!(payload_of(101, &data), Ok(b"abc".to_vec()), "{:02x?}", &data[20..40]);
    }
    assert!(matches!(
        Decoder::new(&Limits::default()).push(&frame(101, &udp(9, 2152, &[1, 2], &ip))),
        Ok(Packet::Udp(_))
    ));
}

#[test]
fn tunnels_lead_to_the_segment() {
    let inner = ethernet(0x0800, &ip_tcp(b"abc"));
    let udp = |port: u16, head: &[u8]| {
        let mut out = Vec::new();
        let body = [head, &inner].concat();
        PacketBuilder::ipv4([1; 4], [2; 4], 9).udp(5, port).write(&mut out, &body).unwrap();
        out
    };
    let over = |number: u8, body: &[u8]| {
        let mut out = Vec::new();
        PacketBuilder::ipv4([1; 4], [2; 4], 9)
            .write(&mut out, etherparse::IpNumber(number), body)
            .unwrap();
        out
    };
    for data in [
        udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0]),
        udp(6081, &[1, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 4]),
        over(47, &[&[0x20, 0, 0x65, 0x58, 0, 0, 0, 1][..], &inner].concat()),
        over(
            47,
            &[&[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2][..], &ip_tcp(b"abc")].concat(),
        ),
        over(4, &ip_tcp(b"abc")),
    ] {
        assert_eq!(payload_of(101, &data), Ok(b"abc".to_vec()));
    }
}

#[test]
fn tags_beyond_the_limit_are_too_deep() {
    let tags = [0, 1, 0x81, 0].repeat(40);
    assert_eq!(payload_of(1, &ethernet(0x8100, &tags)), Err(Skip::TooDeep));
}

#[test]
fn padding_is_no_payload() {
    let padded = [&ethernet(0x0800, &ip_tcp(b""))[..], &[0; 6]].concat();
    assert_eq!(payload_of(1, &padded), Ok(vec![]));
}

#[test]
fn total_length_zero_means_the_rest() {
    let mut ip = ip_tcp(b"abc");
    ip[2..4].fill(0);
    assert_eq!(payload_of(101, &ip), Ok(b"abc".to_vec()));
}

#[test]
fn snap_length_cuts_the_payload_but_not_its_length() {
    let ip = ip_tcp(b"abcdef");
    let mut decoder = Decoder::new(&Limits::default());
    let cut = Frame { wire_len: 46, ..frame(101, &ip[..42]) };
    let Ok(Packet::Tcp(segment)) = decoder.push(&cut) else { panic!() };
    assert_eq!((segment.payload, segment.wire_len), (&b"ab"[..], 6));
    assert_eq!(
        decoder.push(&Frame { wire_len: 46, ..frame(101, &ip[..30]) }).err(),
        Some(Skip::Cut)
    );
}

#[test]
fn data_offset_below_five_is_malformed() {
    let mut ip = ip_tcp(b"abc");
    ip[32] = 0x40;
    assert_eq!(payload_of(101, &ip), Err(Skip::Malformed));
    ip[32] = 0xf0;
    assert_eq!(payload_of(101, &ip), Err(Skip::Malformed));
}

fn fragment(ip: &[u8], from: usize, to: usize, id: u8) -> Vec<u8> {
    let body = &ip[20 + from..20 + to];
    let mut out = [&ip[..20], body].concat();
    let total = (out.len() as u16).to_be_bytes();
    out[2..4].copy_from_slice(&total);
    let more = if 20 + to < ip.len() { 0x2000 } else { 0 };
    out[6..8].copy_from_slice(&(more | (from / 8) as u16).to_be_bytes());
    out[5] = id;
    out
}

#[test]
fn fragments_in_any_order_become_one_segment() {
    let ip = ip_tcp(b"abcdefghijklmnop");
    let mut decoder = Decoder::new(&Limits::default());
    assert_eq!(decoder.push(&frame(101, &fragment(&ip, 24, 36, 1))).err(), Some(Skip::Fragment));
    let last = fragment(&ip, 0, 24, 1);
    let Ok(Packet::Tcp(segment)) = decoder.push(&frame(101, &last)) else { panic!() };
    assert_eq!(segment.payload, b"abcdefghijklmnop");
}

#[test]
fn the_oldest_datagram_is_given_up_at_the_cap() {
    let ip = ip_tcp(b"abcdefghijklmnop");
    let mut decoder = Decoder::new(&Limits { fragmented_datagrams: 1, ..Limits::default() });
    for (from, to, id) in [(0, 24, 1), (0, 24, 2), (24, 36, 1)] {
        assert_eq!(
            decoder.push(&frame(101, &fragment(&ip, from, to, id))).err(),
            Some(Skip::Fragment)
        );
    }
}

#[test]
fn icmp_error_names_the_quoted_connection() {
    let quoted = &ip_tcp(b"")[..28];
    let mut data = Vec::new();
    PacketBuilder::ipv4([9; 4], [10, 0, 0, 1], 9)
        .icmpv4_raw(3, 4, [0, 0, 5, 100])
        .write(&mut data, quoted)
        .unwrap();
    let mut decoder = Decoder::new(&Limits::default());
    let Ok(Packet::Icmp(error)) = decoder.push(&frame(101, &data)) else { panic!() };
    assert_eq!((error.kind, error.mtu), ((3, 4), 1380));
    assert_eq!(error.quoted_to, "10.0.0.2:80".parse().unwrap());
}

#[test]
fn extension_headers_are_stepped_over() {
    let tcp = ip_tcp(b"abc").split_off(20);
    let mut data =
        [&[0x60, 0, 0, 0, 0, 31, 0, 64][..], &[1; 32], &[6, 0, 0, 0, 0, 0, 0, 0], &tcp].concat();
    assert_eq!(payload_of(229, &data), Ok(b"abc".to_vec()));
    data[6] = 59;
    assert_eq!(payload_of(229, &data), Err(Skip::NotTcp));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        link in prop::sample::select(vec![
            0u32, 1, 6, 7, 8, 9, 10, 50, 51, 100, 101, 104, 105, 106, 107, 109, 113, 117, 119, 122, 123, 127,
            129, 130, 133, 135, 137, 138, 143, 163, 166, 167, 178, 179, 180, 181, 183, 192, 197, 204, 226, 228, 229, 239, 242, 258, 259, 276, 285,
        ]),
        head in prop::sample::select(vec![vec![], ethernet(0x800, &[0x45]), ethernet(0x86dd, &[0x60]), vec![0x45, 0]]),
        tail in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let data = [head, tail].concat();
        let _ = Decoder::new(&Limits::default()).push(&frame(link, &data));
    }
}
