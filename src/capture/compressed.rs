//! Compressed captures, recognised by their first bytes.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;

use super::Error;
use super::fetch::Fetched;
use super::window::Window;

/// A stream of any kind.
pub type Stream = Box<dyn Read + Send>;

/// Bytes that any compressed stream may yield before its ratio is judged.
const FREE: u64 = 64 << 20;

/// Compressed bytes read at a time.
const INPUT: usize = 64 << 10;

/// Bytes read at a time for zstd, which unpacks nearly as fast as they are read, and copies blocks that are not in one
/// piece: few of them.
const ZSTD_INPUT: usize = 512 << 10;

/// Unpacks `reader` where it is compressed, and names the format. `used` counts what is taken from `reader`; `ratio` is
/// the number of bytes allowed for each of these.
pub fn open(
    mut reader: Stream,
    used: Arc<AtomicU64>,
    ratio: u64,
) -> io::Result<(Stream, Option<&'static str>)> {
    let mut magic = Vec::with_capacity(4);
    reader.by_ref().take(4).read_to_end(&mut magic)?;
    let whole = io::Cursor::new(magic.clone()).chain(reader);
    let (plain, format): (Stream, _) = match *magic.as_slice() {
        [0x1f, 0x8b, ..] => (Box::new(MultiGzDecoder::new(Window::new(whole, INPUT))), "gzip"),
        // Frames to be skipped (RFC 8878 3.1.2) come first where several processors packed.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            (Box::new(zstd::Decoder::with_buffer(Fetched::new(whole, ZSTD_INPUT))?), "zstd")
        }
        [0x04, 0x22, 0x4d, 0x18] => (Box::new(FrameDecoder::new(whole)), "lz4"),
        _ => return Ok((Box::new(whole), None)),
    };
    let bounded = Bounded { plain, format, used, produced: 0, ratio, failed: None };
    Ok((Box::new(bounded), Some(format)))
}

/// Yields as much as there is room for, however small the pieces are that are unpacked at a time, and stops where a
/// small file unpacks to an incredible size.
struct Bounded {
    plain: Stream,
    format: &'static str,
    used: Arc<AtomicU64>,
    produced: u64,
    ratio: u64,
    /// What is to be told once all that came before it has been taken.
    failed: Option<io::Error>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut len = 0;
        while let Some(room) = buffer.get_mut(len..).filter(|room| !room.is_empty()) {
            match self.failed.take().map_or_else(|| self.piece(room), Err) {
                Ok(0) => break,
                Ok(read) => len += read,
                Err(error) if len == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(len)
    }
}

impl Bounded {
    fn piece(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer).map_err(|error| self.told(error))?;
        self.produced += read as u64;
        let used = self.used.load(Ordering::Relaxed);
        if self.produced > FREE && self.produced / self.ratio.max(1) > used {
            let message = format!(
                "{used} compressed bytes unpack to more than the limit of {} for each",
                self.ratio
            );
            return Err(io::Error::other(message));
        }
        Ok(read)
    }

    /// What the decompressor complains of, with the place; what the system does stays as it is.
    fn told(&self, error: io::Error) -> io::Error {
        let passes = matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::UnexpectedEof);
        if passes || error.raw_os_error().is_some() {
            return error;
        }
        let why = error.to_string();
        let why = (!why.to_ascii_lowercase().contains("checksum")).then_some(why);
        io::Error::other(Error::Packing { format: self.format, offset: self.produced, why })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::capture::Reader;
    use crate::capture::pcap::tests::capture;
    use crate::limits::Limits;

    fn unpack(bytes: &[u8], used: u64) -> (io::Result<Vec<u8>>, Option<&'static str>) {
        let reader = Box::new(io::Cursor::new(bytes.to_vec()));
        let (mut plain, name) = open(reader, Arc::new(AtomicU64::new(used)), 100).unwrap();
        let mut out = Vec::new();
        (plain.read_to_end(&mut out).map(|_| out), name)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn lz4(bytes: &[u8]) -> Vec<u8> {
        let mut packer = lz4_flex::frame::FrameEncoder::new(Vec::new());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn each_format_is_recognised_by_content() {
        let frame = zstd::encode_all(&b"hello"[..], 1).unwrap();
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7];
        for (packed, name) in [
            (gzip(b"hello"), Some("gzip")),
            ([&skipped[..], &frame].concat(), Some("zstd")),
            (frame, Some("zstd")),
            (lz4(b"hello"), Some("lz4")),
            (b"hello".to_vec(), None),
        ] {
            let (plain, found) = unpack(&packed, 5);
            assert_eq!((plain.unwrap().as_slice(), found), (&b"hello"[..], name));
        }
    }

    /// How a packed capture of 1000 frames ends without its last bytes.
    fn end(packed: &[u8]) -> String {
        let cut = packed.get(..packed.len() - 20).unwrap().to_vec();
        let (plain, _) = open(Box::new(io::Cursor::new(cut)), Arc::default(), 100).unwrap();
        let mut reader = match Reader::new(plain, &Limits::default()) {
            Ok(reader) => reader,
            Err(error) => return error.to_string(),
        };
        loop {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => return "whole".to_owned(),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn truncated_stream_is_a_capture_cut_off() {
        let whole = capture(&[(1, &b"abc"[..]); 1000]);
        for packed in [gzip(&whole), zstd::encode_all(&whole[..], 1).unwrap(), lz4(&whole)] {
            let end = end(&packed);
            assert!(end.contains("cut off "), "{end}");
        }
    }

    #[test]
    fn incredible_ratio_is_refused() {
        let plain = Box::new(io::repeat(0));
        let mut bounded = Bounded {
            plain,
            format: "gzip",
            used: Arc::new(AtomicU64::new(3)),
            produced: FREE,
            ratio: 1 << 25,
            failed: None,
        };
        assert_eq!(bounded.read(&mut [0; 8]).unwrap(), 8);
        bounded.ratio = 100;
        let error = bounded.read(&mut [0; 8]).unwrap_err().to_string();
        assert_eq!(error, "3 compressed bytes unpack to more than the limit of 100 for each");
    }
}
