//! Damaged captures are read as far as they go.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{report, sample};

/// Cuts of a capture at most; the longer ones are cut at wider steps.
const CUTS: usize = 2000;
const FLIPS: u64 = 300;

fn survives(bytes: &[u8], what: &str) {
    let found = catch_unwind(AssertUnwindSafe(|| report(&[bytes])));
    let found = found.unwrap_or_else(|_| panic!("{what} brings the analysis down"));
    assert_eq!(found["schema"], "bitsleuth.report", "{what}");
}

fn cuts(name: &str) {
    let bytes = sample(name);
    for len in (0..bytes.len()).step_by(13.max(bytes.len() / CUTS)) {
        survives(&bytes[..len], &format!("{name} cut to {len} bytes"));
    }
}

fn flips(name: &str) {
    let original = sample(name);
    for seed in 1..=FLIPS {
        let (mut bytes, mut state) = (original.clone(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..=seed % 16 {
            let random = xorshift(&mut state);
            let at = (random >> 8) as usize % bytes.len();
            bytes[at] ^= (random as u8).max(1);
        }
        survives(&bytes, &format!("{name} with the flips of seed {seed}"));
    }
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

macro_rules! damage {
    ($($name:ident $sample:literal)*) => {
        $(mod $name {
            #[test] fn cut() { super::cuts($sample); }
            #[test] fn flipped() { super::flips($sample); }
        })*
    };
}

damage! {
    good "good.pcap"
    resumed "resumed.pcap"
    refused "refused.pcap"
    lost "lost.pcap"
    balanced "balanced.pcap"
    tls13 "tls13.pcapng"
    download "download.pcap"
}

#[test]
fn every_sample_is_among_them() {
    let mut found: Vec<String> = std::fs::read_dir(crate::support::root().join("samples"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap"))
        .collect();
    found.sort();
    let mut known = crate::support::SAMPLES.to_vec();
    known.sort_unstable();
    assert_eq!(found, known);
}
