//! Headers that say what is not so, and those that few devices write.

use super::*;

fn in_ip(number: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::ipv4([1; 4], [2; 4], 9)
        .write(&mut out, etherparse::IpNumber(number), body)
        .unwrap();
    out
}

fn in_udp(port: u16, head: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let body = [head, body].concat();
    PacketBuilder::ipv4([1; 4], [2; 4], 9).udp(9, port).write(&mut out, &body).unwrap();
    out
}

fn v6_tcp(payload: &[u8]) -> Vec<u8> {
    let tcp = ip_tcp(payload).split_off(20);
    [&[0x60, 0, 0, 0, 0, tcp.len() as u8, 6, 64][..], &[1; 32], &tcp].concat()
}

fn segment_len(link: u32, data: &[u8]) -> (Vec<u8>, u32) {
    match Decoder::new(&Limits::default()).push(&frame(link, data)) {
        Ok(Packet::Tcp(segment)) => (segment.payload.to_vec(), segment.wire_len),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_length_beyond_a_whole_frame_is_not_believed() {
    let mut v4 = ip_tcp(b"abc");
    v4[2] = 0xff;
    assert_eq!(segment_len(101, &v4), (b"abc".to_vec(), 3));
    let mut v6 = v6_tcp(b"abc");
    v6[4] = 0xff;
    assert_eq!(segment_len(101, &v6), (b"abc".to_vec(), 3));
}

#[test]
fn a_mirror_cuts_to_the_size_of_its_tunnel() {
    let mut v4 = ip_tcp(b"abc");
    v4[3] += 5;
    let mirrored = in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(0x0800, &v4));
    assert_eq!(segment_len(101, &mirrored), (b"abc".to_vec(), 8));
    let mut v6 = v6_tcp(b"abc");
    v6[5] += 5;
    assert_eq!(segment_len(101, &in_ip(41, &v6)), (b"abc".to_vec(), 8));
}

#[test]
fn time_stamps_of_switches_are_stepped_over() {
    let behind = |tag: &[u8]| ethernet(0xd28b, &[tag, &[8, 0], &ip_tcp(b"abc")].concat());
    for tag in [&[0, 1, 0, 0x10, 1, 2, 3, 4, 5, 6, 7, 8][..], &[0, 1, 1, 0x20, 1, 2, 3, 4, 5, 6]] {
        assert_eq!(payload_of(1, &behind(tag)), Ok(b"abc".to_vec()));
    }
}

#[test]
fn vxlan_on_ports_that_clouds_chose_is_told_by_its_header() {
    let frame = ethernet(0x0800, &ip_tcp(b"abc"));
    for port in [8472, 10800, 10801, 48879, 65330] {
        let head = |flags| in_udp(port, &[flags, 0, 0, 0, 0, 3, 0x20, 0], &frame);
        assert_eq!(payload_of(101, &head(8)), Ok(b"abc".to_vec()));
        let other = Decoder::new(&Limits::default());
        assert!(matches!({ other }.push(&super::frame(101, &head(9))), Ok(Packet::Udp(_))));
    }
}

#[test]
fn a_fragment_shorter_than_it_says_is_cut() {
    let mut piece = fragment(&ip_tcp(b"abcdefghijklmnop"), 0, 24, 1);
    piece[3] += 8;
    assert_eq!(payload_of(101, &piece), Err(Skip::Cut));
}

#[test]
fn the_version_is_believed_where_the_type_says_another() {
    assert_eq!(payload_of(1, &ethernet(0x0800, &v6_tcp(b"abc"))), Ok(b"abc".to_vec()));
    assert_eq!(payload_of(101, &in_ip(4, &v6_tcp(b"abc"))), Ok(b"abc".to_vec()));
}

#[test]
fn headers_of_juniper_lead_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    for (link, flags, head) in [
        (178, 2, &[2, 0, 0, 0][..]),
        (130, 0, &[0, 0, 0, 0x21]),
        (133, 0, &[2, 0, 0, 0]),
        (135, 0, &[&[0; 8][..], &snap].concat()),
        (137, 0, &[&[0; 4][..], &snap].concat()),
        (167, 0, &[&[0; 12][..], &[0x88, 0x64, 0x11, 0, 0, 1, 0, 45, 0, 0x21]].concat()),
        (179, 0, &[0xff, 3, 0, 0x21]),
        (180, 0, &[0x18, 0x41, 3, 0xcc]),
        (181, 0, &[0x0f, 0, 8, 0]),
        (183, 0, &[0; 18]),
    ] {
        let data = [&[0x4d, 0x47, 0x43, flags][..], head, &ip].concat();
        assert_eq!(payload_of(link, &data), Ok(b"abc".to_vec()), "link type {link}");
    }
}

#[test]
fn more_link_types_lead_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let wrap = |head: &[u8]| [head, &ip].concat();
    let in_ethernet = |head: &[u8]| [head, &ethernet(0x0800, &ip)].concat();
    for (link, data) in [
        (7, wrap(&[1, 2, 0xf0])),
        (7, wrap(&[1, 2, 0xd4, 0, 0, 1])),
        (129, wrap(&[1, 2, 0, 0, 0xf0])),
        (129, wrap(&[1, 2, 0, 0, 0xd4, 0, 0, 1])),
        (106, v6_tcp(b"abc")),
        (107, in_ethernet(&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7])),
        (107, wrap(&[0x18, 0x41, 3, 0xcf, 0, 0x21])),
        (259, in_ethernet(&[0; 8])),
        (105, wrap(&[&[8, 1][..], &[0; 22], &[8, 0]].concat())),
        (1, ethernet(0x8903, &in_ethernet(&[0, 1]))),
        (1, ethernet(0x4305, &in_ethernet(&[0x40, 15, 50, 1, 0, 0, 0, 0, 0, 0]))),
        (1, ethernet(0x8870, &wrap(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]))),
        (1, ethernet(0xf1c1, &wrap(&[0, 0, 0, 1, 8, 0]))),
    ] {
        assert_eq!(payload_of(link, &data), Ok(b"abc".to_vec()), "link type {link}");
    }
}

#[test]
fn pseudowires_need_no_control_word() {
    let inner = ethernet(0x0800, &ip_tcp(b"abc"));
    for first in [&[0, 1, 1, 64][..], &[0, 1, 1, 64, 0, 0, 0, 0]] {
        let data = ethernet(0x8847, &[first, &inner].concat());
        assert_eq!(payload_of(1, &data), Ok(b"abc".to_vec()));
    }
}

#[test]
fn more_tunnels_lead_to_the_segment() {
    let ip = ip_tcp(b"abc");
    let inner = ethernet(0x0800, &ip);
    let wireless =
        |control: [u8; 2]| [&control[..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip].concat();
    for data in [
        in_udp(4789, &[0x88, 0, 0, 1, 0, 0, 1, 0], &inner),
        in_udp(5072, &[&[0x41, 0x11, 1, 41][..], &[0; 24]].concat(), &v6_tcp(b"abc")),
        in_udp(5247, &[0, 0x10, 2, 0, 0, 0, 0, 0], &inner),
        in_udp(5247, &[0, 0x10, 3, 0, 0, 0, 0, 0], &wireless([8, 1])),
        in_udp(5247, &[0, 0x10, 3, 0, 0, 0, 0, 0], &wireless([1, 8])),
        in_udp(434, &[4, 4, 0, 0], &ip),
        in_udp(30030, &[0; 8], &ip),
        in_ip(47, &[&[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &ip].concat()),
        in_ip(47, &[&[0, 0, 0x65, 0x59, 0x18, 0x41, 3, 0xcc][..], &ip].concat()),
        in_ip(47, &[&[0, 0, 0x82, 0][..], &wireless([1, 8])].concat()),
    ] {
        assert_eq!(payload_of(101, &data), Ok(b"abc".to_vec()), "{:02x?}", &data[20..40]);
    }
}

#[test]
fn tags_upon_tags_end_somewhere() {
    for tag in [
        &[0x89, 0x26, 0, 0, 0, 0][..],
        &[0x89, 0x09, 0, 0, 0, 0, 0, 0],
        &[0x88, 0xe5, 0, 0, 0, 0, 0, 0],
    ] {
        let data = [&[0; 12], tag.repeat(200_000).as_slice()].concat();
        assert_eq!(payload_of(1, &data), Err(Skip::TooDeep));
    }
}

#[test]
fn a_name_server_answers_to_any_port() {
    for port in [6635, 4789, 6081, 3544, 1701] {
        let mut data = Vec::new();
        let ip = PacketBuilder::ipv4([10, 0, 0, 53], [10, 0, 0, 1], 64);
        ip.udp(53, port).write(&mut data, &[0x08; 40]).unwrap();
        let mut decoder = Decoder::new(&Limits::default());
        assert!(matches!(decoder.push(&frame(101, &data)), Ok(Packet::Udp(_))), "{port}");
    }
}
