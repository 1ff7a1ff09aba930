//! Files that people take for captures, or that hold one, by their first bytes.

/// Bytes by which the last of them is recognised.
pub const ENOUGH: usize = 512;

/// What to do with a file that begins so, to be put behind the complaint; empty where nothing is known.
pub fn hint(data: &[u8]) -> &'static str {
    let known = BEGINNINGS.iter().find(|(magic, _)| data.starts_with(magic));
    if let Some((_, hint)) = known {
        hint
    } else if data.get(257..).is_some_and(|rest| rest.starts_with(b"ustar")) {
        "; an archive of tar: `tar -xf` unpacks it"
    } else if is_har(data) {
        "; if it is an HTTP archive (.har), it holds no packets, and is not read"
    } else if may_be_trace(data) {
        "; if it is a trace of Windows (.etl), `pktmon etl2pcap` or etl2pcapng makes a capture of it"
    } else {
        ""
    }
}

const BEGINNINGS: [(&[u8], &str); 5] = [
    (b"\xfd7zXZ\0", "; packed by xz: `xz -dc FILE | bitsleuth -`"),
    (b"BZh", "; packed by bzip2: `bzip2 -dc FILE | bitsleuth -`"),
    (b"PK\x03\x04", "; an archive of zip: unpack it; one of Fiddler (.saz) holds no packets"),
    (b"7z\xbc\xaf\x27\x1c", "; an archive of 7-Zip: unpack it"),
    (b"Rar!\x1a\x07", "; an archive of RAR: unpack it"),
];

/// Whether it begins as JSON with the one member that a HAR has.
fn is_har(data: &[u8]) -> bool {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii_start();
    let inner = data.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    inner.is_some_and(|inner| inner.starts_with(b"\"log\""))
}

/// Whether a file that begins so may be an event trace of Windows: that is a sequence of buffers, each with its size
/// first, which is a number of kilobytes up to 16 MB (`WMI_BUFFER_HEADER`, `EVENT_TRACE_PROPERTIES`).
fn may_be_trace(data: &[u8]) -> bool {
    let size = data.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    size.is_multiple_of(1 << 10) && 0 < size && size <= 1 << 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_of_windows_is_told_what_to_do_with() {
        let told = |magic: u32| hint(&magic.to_be_bytes()).contains("pktmon etl2pcap");
        // Buffers of 64 KiB, of 1 MiB.
        assert!(told(0x0000_0100) && told(0x0000_1000));
        // Nothing, a text, a program, an odd number.
        assert!(!told(0) && !told(0x6e6f_7465) && !told(0x4d5a_9000) && !told(0x0100_0000));
    }

    #[test]
    fn what_packs_a_capture_is_named() {
        let tar = [&[b'a'; 257][..], b"ustar\0"].concat();
        for (data, word) in [
            (&b"\xfd7zXZ\0\0"[..], "xz -dc"),
            (b"BZh91AY", "bzip2 -dc"),
            (b"PK\x03\x04\x14\0", ".saz"),
            (&tar, "tar -xf"),
            (b"\xef\xbb\xbf{\r\n  \"log\": {", ".har"),
        ] {
            assert!(hint(data).contains(word), "{word}");
        }
        assert_eq!(hint(b"{\"name\": 1}"), "");
        assert_eq!(hint(b""), "");
    }
}
