//! What the fuzzers found stays mended: their kept inputs, by target, in `tests/corpus`.

#[path = "../../fuzz/src/properties.rs"]
mod properties;

use std::fs;
use std::path::{Path, PathBuf};

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

macro_rules! replay {
    ($($target:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($target)),*];

        $(#[test]
        fn $target() {
            for path in inputs(stringify!($target)) {
                println!("{}", path.display());
                properties::$target(&fs::read(path).unwrap());
            }
        })*
    };
}

replay! { bits capture engine http packet stream tls transcript }

#[test]
fn every_fuzz_target_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut targets: Vec<String> =
        paths.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    targets.sort();
    assert_eq!(targets, REPLAYED);
}

#[test]
fn samples_keep_the_properties() {
    for name in crate::support::SAMPLES {
        let bytes = crate::support::sample(name);
        properties::capture(&bytes);
        properties::engine(&bytes);
    }
}
