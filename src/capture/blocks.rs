//! The numbers of pcapng (draft-ietf-opsawg-pcapng): types of blocks, and what is told by a number in them.

/// A section header, a palindrome in either endianness.
pub const SECTION: u32 = 0x0a0d_0d0a;
/// An interface description.
pub const INTERFACE: u32 = 1;
/// The packet of the first drafts.
pub const OLD_PACKET: u32 = 2;
/// A packet without time and options.
pub const SIMPLE_PACKET: u32 = 3;
/// What was counted on an interface.
pub const STATISTICS: u32 = 5;
/// A packet.
pub const ENHANCED_PACKET: u32 = 6;
/// Decryption secrets.
pub const SECRETS: u32 = 10;

/// Behind the length of a section header, in the order of all numbers in the section.
pub const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// The type of secrets that are lines of an NSS key log.
pub const TLS_KEY_LOG: u32 = 0x544c_534b;
