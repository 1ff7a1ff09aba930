//! A capture from its first byte on: counted, unpacked, its headers read.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::compressed::{self, Stream};
use super::reader::BLOCK;
use super::source::Counted;
use super::{Error, Reader};
use crate::limits::Limits;

/// Opens a capture, compressed or not. `used` counts the bytes read of the file.
///
/// # Errors
///
/// [`Error::Read`] where it cannot be opened, else those of [`Reader::new`].
pub fn open(path: &Path, used: &Arc<AtomicU64>, limits: &Limits) -> Result<Reader<Stream>, Error> {
    let file = File::open(path).map_err(Error::Read)?;
    start(file, used, limits, BLOCK).map(|(reader, _)| reader)
}

/// Begins to read a stream in blocks of `block` bytes, and names its compression.
pub(super) fn start(
    reader: impl Read + Send + 'static,
    used: &Arc<AtomicU64>,
    limits: &Limits,
    block: usize,
) -> Result<(Reader<Stream>, Option<&'static str>), Error> {
    let own = Arc::<AtomicU64>::default();
    let counted = Counted { reader, own: Arc::clone(&own), all: Arc::clone(used) };
    let (stream, compression) =
        compressed::open(Box::new(counted), own, limits.decompression_ratio)?;
    Ok((Reader::with_block(stream, limits, block)?, compression))
}
