//! One capture file by itself.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::compressed::{self, Stream};
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
    let own = Arc::<AtomicU64>::default();
    let counted = Counted { reader: file, own: Arc::clone(&own), all: Arc::clone(used) };
    let (stream, _) = compressed::open(Box::new(counted), own, limits.decompression_ratio)?;
    Reader::new(stream, limits)
}
