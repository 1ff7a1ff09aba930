//! Connections: when one begins, who its client is, when it is forgotten.

use super::{ACK, FIN, NOTHING, Net, RST, SYN};
use crate::limits::Limits;
use crate::packet::{Flags, Segment};
use crate::stream::{Chunk, Connection, Event, Side, Table, Verdict};

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
fn a_repeated_syn_begins_no_other_connection() {
    let mut net = Net::new();
    net.client(99, 0, SYN, b"");
    net.client(99, 0, SYN, b"");
    assert_eq!((net.table.seen(), net.connection().syn_retries), (1, 1));
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
fn a_connection_is_serialised_with_its_times() {
    let mut net = Net::open();
    net.client(100, 0, RST, b"");
    let json = serde_json::to_value(net.connection()).unwrap();
    assert_eq!(json["reset"]["side"], "client");
    assert_eq!(json["started"], "1970-01-01T00:00:00.002000Z");
    let back: Connection = serde_json::from_value(json).unwrap();
    assert_eq!(back.client.port(), 4000);
}
