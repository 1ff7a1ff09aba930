//! A TCP segment as a plain IP packet: link layer, tunnels and fragments are left behind.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, Ipv4Header, Ipv6Header, TcpHeader};

use crate::packet::{Flags, Segment};

/// Longest payload that fits a packet.
const LONGEST: u32 = 65_535 - 60;

/// The bytes of a packet and its length on the wire; `None` for a segment that no packet can hold.
pub(super) fn build(
    segment: &Segment<'_>,
    from: SocketAddr,
    to: SocketAddr,
    payload: &[u8],
) -> Option<(Vec<u8>, u32)> {
    if segment.wire_len > LONGEST {
        return None;
    }
    let tcp = tcp_header(segment, from, to)?;
    let len = tcp.header_len() + segment.wire_len as usize;
    let mut packet = Vec::with_capacity(64 + payload.len());
    packet.extend(ip_header(segment, from.ip(), to.ip(), u16::try_from(len).ok()?)?);
    packet.extend(tcp.to_bytes());
    let head = u32::try_from(packet.len()).ok()?;
    packet.extend(payload);
    Some((packet, head + segment.wire_len))
}

fn tcp_header(segment: &Segment<'_>, from: SocketAddr, to: SocketAddr) -> Option<TcpHeader> {
    let mut tcp = TcpHeader::new(from.port(), to.port(), segment.seq, segment.window);
    tcp.acknowledgment_number = segment.ack;
    tcp.fin = segment.flags.has(Flags::FIN);
    tcp.syn = segment.flags.has(Flags::SYN);
    tcp.rst = segment.flags.has(Flags::RST);
    tcp.psh = segment.flags.has(Flags::PSH);
    tcp.ack = segment.flags.has(Flags::ACK);
    tcp.set_options_raw(&options(segment.options)).ok()?;
    Some(tcp)
}

/// The header of a packet with `len` bytes behind it; `None` between addresses of two families.
fn ip_header(segment: &Segment<'_>, from: IpAddr, to: IpAddr, len: u16) -> Option<Vec<u8>> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let (from, to) = (from.octets(), to.octets());
            let mut ip = Ipv4Header::new(len, segment.ttl, IpNumber::TCP, from, to).ok()?;
            ip.identification = segment.ip_id.unwrap_or(0);
            ip.dont_fragment = true;
            ip.header_checksum = ip.calc_header_checksum();
            Some(ip.to_bytes().to_vec())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let ip = Ipv6Header {
                payload_length: len,
                next_header: IpNumber::TCP,
                hop_limit: segment.ttl,
                source: from.octets(),
                destination: to.octets(),
                ..Ipv6Header::default()
            };
            Some(ip.to_bytes().to_vec())
        }
        _ => None,
    }
}

/// Bytes of the packet that a segment becomes.
pub(super) fn len(segment: &Segment<'_>) -> u32 {
    let ip = if segment.from.is_ipv4() { Ipv4Header::MIN_LEN } else { Ipv6Header::LEN };
    let len = ip + TcpHeader::MIN_LEN + segment.options.len() + segment.payload.len();
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The options that matter to who reads the capture; time stamps tell how long a machine is up.
fn options(raw: &[u8]) -> Vec<u8> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    let (mut out, mut rest) = (raw.to_vec(), 0);
    while let Some(kind) = raw.get(rest).copied().filter(|kind| *kind != END) {
        let len =
            if kind == NOTHING { 1 } else { usize::from(raw.get(rest + 1).copied().unwrap_or(0)) };
        // Segment size, window scale, selective acknowledgement permitted (RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2).
        if len == 0 || rest + len > raw.len() {
            break;
        }
        if !matches!(kind, 2..=4) {
            out.iter_mut().skip(rest).take(len).for_each(|byte| *byte = NOTHING);
        }
        rest += len;
    }
    out.iter_mut().skip(rest).for_each(|byte| *byte = END);
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_stamps_go_and_the_segment_size_stays() {
        let raw = [2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7];
        let kept = [2, 4, 5, 180, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7];
        assert_eq!(super::options(&raw), kept);
        assert_eq!(super::options(&[8, 10, 1]), [0, 0, 0]);
    }
}
