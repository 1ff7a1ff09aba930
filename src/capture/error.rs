//! Why a capture cannot be read, or not to its end.

use std::{fmt, io};

/// What stops the reading of a capture. What came before stays valid.
#[derive(Debug)]
pub enum Error {
    /// There are too few bytes for any format.
    TooShort {
        /// How many.
        len: usize,
    },
    /// The first bytes are of no known format.
    NotACapture {
        /// The first four bytes, in the order of the file.
        magic: u32,
        /// What to do with such a file; empty where nothing is known.
        hint: &'static str,
    },
    /// The capture ends in the middle of a record.
    CutOff {
        /// Number within the file of the frame that would have come next, from 1.
        frame: u64,
        /// Where the incomplete record begins.
        offset: u64,
    },
    /// A compressed capture lacks its end, behind a whole frame or before there is anything.
    NoEnd {
        /// Number within the file of that frame, from 1, or 0.
        frame: u64,
        /// Bytes of the capture up to there.
        offset: u64,
    },
    /// A record claims to be longer than is believed.
    TooLong {
        /// Where the record begins.
        offset: u64,
        /// Bytes it claims.
        len: u64,
        /// Bytes allowed.
        cap: u64,
    },
    /// A record contradicts itself.
    Damaged {
        /// Where the record begins.
        offset: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What compressed the capture says that it is damaged.
    Packing {
        /// `gzip`, `zstd` or `lz4`.
        format: &'static str,
        /// Bytes unpacked before that. Some of them may be wrong.
        offset: u64,
        /// What the decompressor says; none where a checksum does not fit.
        why: Option<String>,
    },
    /// The operating system failed, or a small file unpacks to more than is believed.
    Read(io::Error),
    /// A filter expression cannot be used.
    Filter {
        /// The expression.
        expression: String,
        /// What the compiler of the expression says.
        why: String,
    },
    /// The program was built without the library for live capture and filters.
    NotBuiltIn,
    /// The user may not capture on an interface.
    Rights {
        /// The interface.
        interface: String,
    },
    /// An interface does not exist, or broke.
    Live {
        /// The interface.
        interface: String,
        /// What the capture library says.
        why: String,
    },
}

impl Error {
    /// Whether the input failed, as against ended early: what comes before a cut or a damage is there, if anything
    /// does.
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::CutOff { offset, .. }
            | Self::NoEnd { offset, .. }
            | Self::TooLong { offset, .. }
            | Self::Damaged { offset, .. }
            | Self::Packing { offset, .. } => *offset == 0,
            _ => true,
        }
    }

    /// Whether bytes that were read before may be wrong.
    pub const fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Packing { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { len: 0 } => write!(f, "not a capture: the file is empty"),
            Self::TooShort { len } => write!(f, "not a capture: only {len} bytes long"),
            Self::NotACapture { magic, hint } => {
                write!(f, "not a capture: begins with {magic:08x}, as no known format does{hint}")
            }
            Self::CutOff { offset: 0, .. } => write!(f, "cut off within its header"),
            Self::CutOff { frame, offset } => {
                write!(f, "cut off within frame {frame}, at byte {offset}")
            }
            Self::NoEnd { frame: 0, .. } => {
                write!(f, "compressed, and cut off before anything can be unpacked")
            }
            Self::NoEnd { frame, offset } => write!(
                f,
                "compressed, and cut off or followed by something else behind frame {frame}, at byte {offset}"
            ),
            Self::TooLong { offset, len, cap } => {
                write!(
                    f,
                    "record at byte {offset} claims {len} bytes, more than the limit of {cap}"
                )
            }
            Self::Damaged { offset, why } => write!(f, "record at byte {offset} is damaged: {why}"),
            Self::Packing { format, offset: 0, why: None } => {
                write!(
                    f,
                    "damaged: the checksum of {format} does not fit, and nothing was unpacked"
                )
            }
            Self::Packing { format, offset, why: None } => write!(
                f,
                "damaged: the checksum of {format} does not fit, so the {offset} bytes unpacked before it may be wrong"
            ),
            Self::Packing { format, offset, why: Some(why) } => {
                write!(f, "damaged: {format} cannot be unpacked beyond byte {offset} ({why})")
            }
            Self::Read(error) => write!(f, "{error}"),
            Self::Filter { expression, why } => {
                let hint = if why.ends_with("syntax error") { SYNTAX } else { "" };
                write!(f, "filter {expression:?}: {why}{hint}")
            }
            Self::NotBuiltIn => {
                write!(f, "built without libpcap, so there are no filters and no live capture")
            }
            Self::Rights { interface } => write!(f, "{interface}: no right to capture; {RIGHTS}"),
            Self::Live { interface, why } => write!(f, "{interface}: {why}"),
        }
    }
}

const SYNTAX: &str = "; the syntax is that of pcap-filter(7), as in `tcp port 80`, and not that of Wireshark's display filters";

#[cfg(target_os = "linux")]
const RIGHTS: &str =
    "run as root, or give the program the capabilities cap_net_raw and cap_net_admin";
#[cfg(all(unix, not(target_os = "linux")))]
const RIGHTS: &str = "run as root, or allow your user to read /dev/bpf*";
#[cfg(not(unix))]
const RIGHTS: &str = "run as administrator, and check that Npcap is installed";

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_offset_and_numbers() {
        let error = Error::TooLong { offset: 4096, len: 3_221_225_472, cap: 16_777_216 };
        assert_eq!(
            error.to_string(),
            "record at byte 4096 claims 3221225472 bytes, more than the limit of 16777216"
        );
        assert!(!error.is_fatal());
    }
}
