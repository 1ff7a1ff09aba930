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
        $(#[test]
        fn $target() {
            for path in inputs(stringify!($target)) {
                println!("{}", path.display());
                properties::$target(&fs::read(path).unwrap());
            }
        })*
    };
}

replay! { capture packet stream tls http bits transcript engine }

#[test]
fn samples_keep_the_properties() {
    for name in crate::support::SAMPLES {
        let bytes = crate::support::sample(name);
        properties::capture(&bytes);
        properties::engine(&bytes);
    }
}
