//! Every cap, with its reason. What a cap drops is counted and reported.

/// The caps of one analysis; the defaults suit captures of any size on a small machine.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes held out of order per direction of a connection. Larger than any receive window that a stalled segment
    /// can leave open for long on ordinary paths.
    pub held_per_side: usize,
    /// Bytes held out of order over all connections: sixteen of them at their own cap.
    pub held_in_all: usize,
    /// Open connections. The oldest idle ones are forgotten first. One without data costs about
    /// 1.8 kB, so that all of them fit in 180 MB.
    pub connections: usize,
    /// Closed connections still remembered, for a minute at most, so that late repeats do not open phantoms. Where more
    /// than eight a second close, the time is shorter.
    pub closed_connections: usize,
    /// Bytes of one message head. IIS takes 16 KiB, Apache 8 KiB a line; Kerberos and cookies need some.
    pub head: usize,
    /// Fields of one message head; http.sys and Apache stop near 100.
    pub headers: usize,
    /// Datagrams whose IP fragments are being collected; a host that sends files by UDP has some hundred in flight.
    pub fragmented_datagrams: usize,
    /// Bytes of collected IP fragments: 250 of the longest datagrams.
    pub fragment_bytes: usize,
    /// Headers within headers: tunnels, VLAN tags, extension headers. Data centres stack six or so.
    pub nesting: usize,
    /// Requests of one connection that wait for their response. Clients pipeline a few; of those beyond, only the
    /// number is kept.
    pub pending_requests: usize,
    /// Failed attempts to connect that are kept, by client, server and kind of failure; a port scan makes many.
    pub attempts: usize,
    /// Failed look-ups of names that are kept, by client, name and kind of failure.
    pub lookups: usize,
    /// Sessions open at a time; beyond it the one that was idle for longest is given up. A short one costs about 10 kB.
    pub sessions: usize,
    /// Exchanges kept in full per session, about 1 kB each: an upload of 100 GB in fragments of 5 MB.
    pub exchanges_per_session: usize,
    /// Bytes of exchanges over all sessions that are open or kept for a report, with the heads that they come from:
    /// four million exchanges of the usual size.
    pub exchange_bytes: u64,
    /// Findings kept per rule and session: nobody reads more of the same.
    pub findings_per_rule: usize,
    /// Largest packet record believed in a capture file; the longest link frames are 256 KiB (LINKTYPE_USB excepted).
    pub record: usize,
    /// Bytes of one TLS connection kept until its keys turn up; pcapng files have secrets close to their handshake.
    pub tls_waiting: usize,
    /// Bytes of TLS records kept over all connections until their keys turn up: 64 connections at their own cap.
    pub tls_waiting_in_all: usize,
    /// Closed connections that wait for their keys, which may stand at the end of a capture; the oldest are given up
    /// first. They have half of `tls_waiting_in_all`, so that each may keep 8 KiB.
    pub tls_waiting_closed: usize,
    /// Connections with TLS that a report holds one by one, of those that may hold an upload or explain why one stopped;
    /// `bitsleuth tls` lists all. One costs about 1 kB.
    pub tls_connections: usize,
    /// The same for those that tell of no upload; every host has hundreds.
    pub tls_ordinary: usize,
    /// Decompressed bytes allowed for each compressed one; deflate cannot exceed 1032, zstd and lz4 runs can.
    pub decompression_ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            held_per_side: 4 << 20,
            held_in_all: 64 << 20,
            connections: 100_000,
            closed_connections: 512,
            head: 128 << 10,
            headers: 256,
            fragmented_datagrams: 1_024,
            fragment_bytes: 16 << 20,
            nesting: 16,
            pending_requests: 256,
            attempts: 4_096,
            lookups: 4_096,
            sessions: 20_000,
            exchanges_per_session: 20_000,
            exchange_bytes: 6 << 30,
            findings_per_rule: 100,
            record: 16 << 20,
            tls_waiting: 1 << 20,
            tls_waiting_in_all: 64 << 20,
            tls_waiting_closed: 4_096,
            tls_connections: 1_000,
            tls_ordinary: 100,
            decompression_ratio: 5_000,
        }
    }
}
