//! The frames of a conversation: TCP as two plain hosts would speak it.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    Ethernet2Header, Icmpv4Type, IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder,
    PacketBuilderStep, TcpHeader, icmpv4::DestUnreachableHeader,
};

use super::Record;
use crate::at::{At, Timestamp};
use crate::stream::Side;

/// Payload of a full segment: an Ethernet MTU of 1,500 bytes less the headers.
const SEGMENT: usize = 1460;
/// Payload of a segment before a network card cuts it.
const OFFLOADED: usize = 32_000;
/// Who reports that a packet is too big.
const ROUTER: [u8; 4] = [192, 0, 2, 1];
/// From one frame to the next, in nanoseconds.
const STEP: i64 = 200_000;
/// Hop counts left where the capture was taken: a Windows client, and a server some routers away.
const TTL: [u8; 2] = [128, 61];
const WINDOW: u16 = 64_240;
/// 2026-01-01 in nanoseconds since 1970.
const BEGIN: i64 = 1_767_225_600_000_000_000;

/// The wire between a client and a server, with a tap on it.
pub(super) struct Wire {
    pub client: IpAddr,
    pub server: SocketAddr,
    /// Whose packets the tap sees, if not those of both.
    pub sees: Option<Side>,
    records: Vec<Record>,
    now: i64,
    ports: u16,
    ids: [u16; 2],
    connection: Option<Connection>,
}

/// A connection that was opened: the next sequence numbers of client and server.
struct Connection {
    client: SocketAddr,
    server: SocketAddr,
    seq: [u32; 2],
    /// The last segment with data, to be repeated.
    last: Option<(Side, u32, Vec<u8>)>,
}

/// How bytes are sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// The tap misses them but sees that they arrived.
    pub lost: bool,
    /// The tap sees them, but they never arrive.
    pub dropped: bool,
    /// In one segment, however many they are.
    pub whole: bool,
    /// The time that they take, in nanoseconds.
    pub pace: i64,
}

/// A segment to be.
#[derive(Clone, Copy, Default)]
struct Segment<'a> {
    syn: bool,
    fin: bool,
    rst: bool,
    ack: bool,
    ttl: Option<u8>,
    window: Option<u16>,
    payload: &'a [u8],
}

impl Wire {
    pub fn new() -> Self {
        Self {
            client: IpAddr::from([10, 0, 0, 5]),
            server: SocketAddr::from(([192, 0, 2, 80], 80)),
            sees: None,
            records: Vec::new(),
            now: BEGIN,
            ports: 49_200,
            ids: [1_000, 40_000],
            connection: None,
        }
    }

    pub fn finish(self) -> Vec<Record> {
        self.records
    }

    pub fn wait(&mut self, nanos: i64) {
        self.now = self.now.saturating_add(nanos);
    }

    /// What follows goes over a new connection.
    pub fn leave(&mut self) {
        self.connection = None;
    }

    /// Sends bytes over the connection, opening it first where there is none.
    pub fn send(&mut self, side: Side, bytes: &[u8], how: How) {
        self.open();
        let pieces = bytes.chunks(if how.whole { OFFLOADED } else { SEGMENT });
        let pause = how.pace / i64::try_from(pieces.len().max(1)).unwrap_or(1);
        for payload in pieces {
            let segment = Segment { ack: true, payload, ..Segment::default() };
            self.segment(side, segment, how.lost);
            self.wait(pause);
        }
        if !how.dropped {
            self.segment(side.other(), Segment { ack: true, ..Segment::default() }, false);
        }
    }

    /// Captures the last frame once more, as a mirror port does.
    pub fn mirrored(&mut self) {
        self.wait(10_000);
        let last = self.records.last().map(|record| record.data.clone());
        last.into_iter().for_each(|data| self.put(data));
    }

    /// A router that reports that the last frame cannot go on (RFC 792, RFC 1191 4).
    pub fn report(&mut self, header: DestUnreachableHeader) {
        let quoted = self.records.last().and_then(|record| record.data.get(14..42));
        let (IpAddr::V4(client), Some(quoted)) = (self.client, quoted.map(<[u8]>::to_vec)) else {
            return;
        };
        let packet = ethernet()
            .ipv4(ROUTER, client.octets(), 64)
            .icmpv4(Icmpv4Type::DestinationUnreachable(header));
        let mut data = Vec::new();
        self.wait(STEP);
        if packet.write(&mut data, &quoted).is_ok() {
            self.put(data);
        }
    }

    /// Repeats the last segment that carried data, with another first byte if `changed`, in `pieces` of so many bytes.
    pub fn again(&mut self, changed: bool, pieces: Option<u16>) {
        let last = self.connection.as_mut().and_then(|connection| connection.last.take());
        let Some((side, seq, mut payload)) = last else { return };
        if let Some(first) = payload.first_mut().filter(|_| changed) {
            *first ^= 1;
        }
        let next = self.seq(side);
        self.set_seq(side, seq);
        self.wait(200_000_000);
        for payload in payload.chunks(pieces.map_or(usize::MAX, usize::from).max(1)) {
            let segment = Segment { ack: true, payload, ..Segment::default() };
            self.segment(side, segment, false);
        }
        self.set_seq(side, next);
    }

    pub fn close(&mut self, side: Side) {
        self.open();
        self.segment(side, Segment { fin: true, ack: true, ..Segment::default() }, false);
        self.segment(side.other(), Segment { ack: true, ..Segment::default() }, false);
    }

    /// An RST; a bare one acknowledges nothing, and has no identification.
    pub fn reset(&mut self, side: Side, ttl: Option<u8>, bare: bool) {
        self.open();
        self.segment(side, Segment { rst: true, ack: !bare, ttl, ..Segment::default() }, false);
        self.leave();
    }

    /// A side that takes no data for so many nanoseconds.
    pub fn stall(&mut self, side: Side, nanos: i64) {
        self.open();
        let full = Segment { ack: true, window: Some(0), ..Segment::default() };
        self.segment(side, full, false);
        self.wait(nanos);
        self.segment(side, Segment { window: None, ..full }, false);
    }

    /// A connection that is answered by RST.
    pub fn refused(&mut self) {
        self.leave();
        self.begin();
        self.segment(Side::Client, Segment { syn: true, ..Segment::default() }, false);
        self.segment(Side::Server, Segment { rst: true, ack: true, ..Segment::default() }, false);
        self.leave();
    }

    /// A connection that is not answered, nor its two repeats after 3 and 6 s.
    pub fn unanswered(&mut self) {
        self.leave();
        self.begin();
        let seq = self.seq(Side::Client);
        for secs in [3, 6, 12] {
            self.set_seq(Side::Client, seq);
            self.segment(Side::Client, Segment { syn: true, ..Segment::default() }, false);
            self.wait(secs * 1_000_000_000);
        }
        self.leave();
    }

    fn begin(&mut self) {
        self.ports = self.ports.wrapping_add(1).max(49_152);
        let client = SocketAddr::new(self.client, self.ports);
        self.connection =
            Some(Connection { client, server: self.server, seq: [1_000, 5_000], last: None });
    }

    fn open(&mut self) {
        if self.connection.is_some() {
            return;
        }
        self.begin();
        self.segment(Side::Client, Segment { syn: true, ..Segment::default() }, false);
        self.segment(Side::Server, Segment { syn: true, ack: true, ..Segment::default() }, false);
        self.segment(Side::Client, Segment { ack: true, ..Segment::default() }, false);
    }

    fn seq(&self, side: Side) -> u32 {
        self.connection.as_ref().map_or(0, |connection| match side {
            Side::Client => connection.seq[0],
            Side::Server => connection.seq[1],
        })
    }

    fn set_seq(&mut self, side: Side, seq: u32) {
        if let Some(connection) = &mut self.connection {
            match side {
                Side::Client => connection.seq[0] = seq,
                Side::Server => connection.seq[1] = seq,
            }
        }
    }

    fn segment(&mut self, side: Side, segment: Segment<'_>, lost: bool) {
        let (seq, ack) = (self.seq(side), self.seq(side.other()));
        let taken = segment.payload.len() + usize::from(segment.syn) + usize::from(segment.fin);
        self.set_seq(side, seq.wrapping_add(u32::try_from(taken).unwrap_or(0)));
        self.wait(STEP);
        if let Some(connection) = &mut self.connection
            && !segment.payload.is_empty()
        {
            connection.last = Some((side, seq, segment.payload.to_vec()));
        }
        if !lost && self.sees.is_none_or(|seen| seen == side) {
            self.record(side, seq, ack, segment);
        }
    }

    fn record(&mut self, side: Side, seq: u32, ack: u32, segment: Segment<'_>) {
        let Some(connection) = &self.connection else { return };
        let (from, to) = match side {
            Side::Client => (connection.client, connection.server),
            Side::Server => (connection.server, connection.client),
        };
        let [client, server] = &mut self.ids;
        let (ttl, id) = match side {
            Side::Client => (TTL[0], client),
            Side::Server => (TTL[1], server),
        };
        *id = id.wrapping_add(1);
        // What belongs to no socket is not counted.
        let id = if segment.rst && !segment.ack { 0 } else { *id };
        let window = segment.window.unwrap_or(WINDOW);
        let mut tcp = TcpHeader::new(from.port(), to.port(), seq, window);
        (tcp.syn, tcp.fin, tcp.rst, tcp.ack) = (segment.syn, segment.fin, segment.rst, segment.ack);
        tcp.psh = !segment.payload.is_empty();
        tcp.acknowledgment_number = if segment.ack { ack } else { 0 };
        let ip = ip(from.ip(), to.ip(), segment.ttl.unwrap_or(ttl), id, IpNumber::TCP);
        let mut data = Vec::with_capacity(54 + segment.payload.len());
        // Writing to memory only fails for payloads beyond 64 KiB.
        if ethernet().ip(ip).tcp_header(tcp).write_to_vec(&mut data, segment.payload).is_ok() {
            self.put(data);
        }
    }

    /// Sends a datagram.
    pub fn datagram(&mut self, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        self.wait(STEP);
        let ip = ip(from.ip(), to.ip(), TTL[0], 0, IpNumber::UDP);
        let mut data = Vec::with_capacity(42 + payload.len());
        let packet = ethernet().ip(ip).udp(from.port(), to.port());
        if packet.write_to_vec(&mut data, payload).is_ok() {
            self.put(data);
        }
    }

    fn put(&mut self, data: Vec<u8>) {
        let frame = self.records.len() as u64 + 1;
        let time = Timestamp::from_nanos(self.now);
        let input_frame = u32::try_from(frame).unwrap_or(u32::MAX);
        self.records.push(Record { at: At { frame, time, input: 0, input_frame }, data });
    }
}

fn ethernet() -> PacketBuilderStep<Ethernet2Header> {
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
}

fn ip(from: IpAddr, to: IpAddr, ttl: u8, id: u16, protocol: IpNumber) -> IpHeaders {
    match (from, to) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let header = Ipv4Header {
                identification: id,
                time_to_live: ttl,
                protocol,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            };
            IpHeaders::Ipv4(header, etherparse::Ipv4Extensions::default())
        }
        _ => {
            let octets = |address: IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            let header = Ipv6Header {
                hop_limit: ttl,
                next_header: protocol,
                source: octets(from),
                destination: octets(to),
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, etherparse::Ipv6Extensions::default())
        }
    }
}
