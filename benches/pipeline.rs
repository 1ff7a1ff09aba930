//! What each layer costs, on captures in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::hint::black_box;
use std::io::Cursor;

use bitsleuth::capture::{Item, Merge, Reader};
use bitsleuth::engine::Engine;
use bitsleuth::http;
use bitsleuth::limits::Limits;
use bitsleuth::packet::{Decoder, Packet, plain};
use bitsleuth::stream::{Connection, Event, Table, Verdict};
use bitsleuth::{Analysis, Options};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use support::{Format, Kind};

const SIZE: u64 = 8 << 20;

fn capture(kind: Kind, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    support::write(kind, SIZE, format, &mut bytes).unwrap();
    bytes
}

/// Hands each frame of a capture to `each`.
fn frames(bytes: &[u8], mut each: impl FnMut(&bitsleuth::capture::Frame<'_>)) {
    let mut reader = Reader::new(Cursor::new(bytes), &Limits::default()).unwrap();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Frame(frame) = item {
            each(&frame);
        }
    }
}

/// Reads a capture as the program does: ahead, where there are two processors.
fn in_batches(stream: Box<Cursor<Vec<u8>>>) {
    let mut merge = Merge::new(Limits::default());
    merge.add("capture", None, stream);
    while let Some(item) = merge.next() {
        black_box(&item);
    }
}

fn reader(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("capture");
    for (name, format) in [("pcap", Format::Pcap), ("pcapng", Format::Pcapng)] {
        let bytes = capture(Kind::Bulk, format);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| frames(&bytes, |frame| _ = black_box(frame.data.len())));
        });
        group.bench_function(format!("{name} in batches"), |bencher| {
            let stream = || Box::new(Cursor::new(bytes.clone()));
            bencher.iter_batched(stream, in_batches, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn layers(criterion: &mut Criterion) {
    for kind in [Kind::Bulk, Kind::Sealed, Kind::Small, Kind::Haystack, Kind::Rough] {
        let bytes = capture(kind, Format::Pcap);
        let keys = if kind == Kind::Sealed { support::key_log() } else { String::new() };
        let mut group = criterion.benchmark_group("layer");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        let id = |layer| BenchmarkId::new(layer, format!("{kind:?}").to_lowercase());
        group.bench_function(id("packet"), |bencher| {
            let mut decoder = Decoder::new(&Limits::default());
            bencher.iter(|| {
                frames(&bytes, |frame| {
                    black_box(plain(frame).is_some() || decoder.push(frame).is_ok());
                })
            });
        });
        group.bench_function(id("stream"), |bencher| {
            bencher.iter(|| {
                let mut table = Table::<()>::new(&Limits::default());
                frames(&bytes, |frame| {
                    if let Some(Packet::Tcp(segment)) = plain(frame) {
                        table.push(
                            &segment,
                            &mut |_: &mut Connection, _: &mut (), event: &Event<'_>| {
                                black_box(&event);
                                Verdict::Go
                            },
                        );
                    }
                });
            });
        });
        group.bench_function(id("http"), |bencher| {
            bencher.iter(|| {
                let mut engine = Engine::new(Limits::default());
                engine.keys().add(keys.as_bytes());
                frames(&bytes, |frame| {
                    engine.push(frame, &mut |_: &Connection, event: &http::Event<'_>| {
                        _ = black_box(event)
                    })
                });
            });
        });
        if kind == Kind::Sealed {
            for (library, open) in support::LIBRARIES {
                group.bench_function(id(library), |bencher| bencher.iter(|| open(SIZE as usize)));
            }
        }
        for (name, digest) in [("analysis", false), ("digest", true)] {
            group.bench_function(id(name), |bencher| {
                bencher.iter(|| analyse(&bytes, &keys, digest))
            });
        }
        group.finish();
    }
}

fn analyse(bytes: &[u8], keys: &str, digest: bool) -> usize {
    let mut analysis = Analysis::new(Options { digest, ..Options::default() });
    analysis.keys().add(keys.as_bytes());
    frames(bytes, |frame| analysis.push(frame, &mut ()));
    analysis.finish(Vec::new(), &mut ()).sessions.len()
}

fn lines(criterion: &mut Criterion) {
    let bytes = capture(Kind::Small, Format::Pcap);
    let mut analysis = Analysis::new(Options::default());
    frames(&bytes, |frame| analysis.push(frame, &mut ()));
    let sessions = analysis.finish(Vec::new(), &mut ()).sessions;
    let mut group = criterion.benchmark_group("export");
    group.throughput(Throughput::Elements(sessions.len() as u64));
    group.bench_function("lines", |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            for session in &sessions {
                bitsleuth::export::json::write_line(&mut out, session).unwrap();
            }
            out.len()
        });
    });
    group.finish();
}

criterion_group!(benches, reader, layers, lines);
criterion_main!(benches);
