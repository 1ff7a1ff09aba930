//! Writes what the fuzzers begin with, made from the samples: `seeds SAMPLES CORPUS`.

use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use bitsleuth::capture::{Item, Reader};
use bitsleuth::limits::Limits;
use bitsleuth::packet::{Decoder, Packet};

/// Transcripts stand in the documentation of the rules.
const RULES: &str = "../src/rules";

fn main() -> Result<()> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(samples), Some(corpus)) = (paths.next(), paths.next()) else {
        eprintln!("usage: seeds SAMPLES CORPUS");
        std::process::exit(2);
    };
    for entry in fs::read_dir(samples)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.contains(".pcap") {
            from_capture(&corpus, &name, &fs::read(&path)?)?;
        }
    }
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join(RULES);
    from_rules(&corpus, &rules)
}

fn store(corpus: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = corpus.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn from_capture(corpus: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    store(corpus, "capture", name, bytes)?;
    store(corpus, "engine", name, bytes)?;
    let Ok(mut reader) = Reader::new(bytes, &Limits::default()) else { return Ok(()) };
    let mut decoder = Decoder::new(&Limits::default());
    let (mut packets, mut segments, mut dialogue) = (vec![1], Vec::new(), Vec::new());
    while let Ok(Some(item)) = reader.next() {
        let Item::Frame(frame) = item else { continue };
        packets.extend(u16::try_from(frame.data.len()).unwrap_or(0).to_be_bytes());
        packets.extend(frame.data);
        let Ok(Packet::Tcp(segment)) = decoder.push(&frame) else { continue };
        let server = segment.from.port() < segment.to.port();
        for piece in segment.payload.chunks(255) {
            let len = piece.len() as u8;
            segments.extend([u8::from(server) << 7, len, 0, 0, 0, 0, segment.flags.0, 16]);
            segments.extend(piece);
            dialogue.extend([u8::from(server) << 7, len]);
            dialogue.extend(piece);
        }
        if segment.payload.len() > 16 {
            store(corpus, "bits", &format!("{name}-{}", frame.at.frame), segment.payload)?;
        }
    }
    store(corpus, "packet", name, &packets)?;
    store(corpus, "stream", name, &segments)?;
    store(corpus, "tls", name, &dialogue)?;
    store(corpus, "http", name, &dialogue)
}

fn from_rules(corpus: &Path, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            from_rules(corpus, &path)?;
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let lines: Vec<&str> =
            text.lines().filter_map(|line| line.trim().strip_prefix("///")).collect();
        for (number, part) in lines.split(|line| line.trim().starts_with("```")).enumerate() {
            let part: Vec<&str> =
                part.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
            if part.first().is_some_and(|line| line.starts_with(['>', '=', '<'])) {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                store(
                    corpus,
                    "transcript",
                    &format!("{stem}-{number}"),
                    part.join("\n").as_bytes(),
                )?;
            }
        }
    }
    Ok(())
}
