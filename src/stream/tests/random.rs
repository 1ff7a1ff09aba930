//! Any segments at all.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::Net;
use crate::at::At;
use crate::limits::Limits;
use crate::packet::{Flags, Segment};
use crate::stream::ahead::Budget;
use crate::stream::half::{Half, Output};
use crate::stream::part::{Part, Seq};
use crate::stream::{Connection, Event, Verdict};

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
