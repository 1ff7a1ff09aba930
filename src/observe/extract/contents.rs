//! What is in a file: its type, its hashes.

use std::fs::File;
use std::io::{self, Read, Seek};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::assemble::Build;
use super::manifest::{Entry, Media};
use crate::hex;

/// Bytes that magic numbers are looked for in.
const MAGIC: usize = 8 << 10;

/// The type by the first bytes; the hashes of a file that is whole.
pub(super) fn describe(file: &mut File, build: &Build, entry: &mut Entry) -> io::Result<()> {
    let known = build.all.reach(0).min(MAGIC as u64);
    file.rewind()?;
    let mut first = Vec::new();
    (&mut *file).take(known).read_to_end(&mut first)?;
    entry.media = infer::get(&first).map(|kind| Media {
        mime: kind.mime_type().to_owned(),
        extension: kind.extension().to_owned(),
    });
    if !build.is_whole() {
        return Ok(());
    }
    file.rewind()?;
    let (mut sha256, mut sha1, mut md5) = (Sha256::new(), Sha1::new(), Md5::new());
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        sha256.update(bytes);
        sha1.update(bytes);
        md5.update(bytes);
    }
    entry.sha256 = Some(hex::lower(&sha256.finalize()));
    entry.sha1 = Some(hex::lower(&sha1.finalize()));
    entry.md5 = Some(hex::lower(&md5.finalize()));
    Ok(())
}
