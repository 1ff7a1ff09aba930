//! TLS: the plaintext of a connection whose secrets are known, and what can be told without them.
//!
//! ```text
//!  stream::Event ──► meter      lengths and times, whatever the keys
//!  (ciphertext)      half       bytes → records, also after a gap
//!                    opener     record → plaintext ◄── master ◄── KeyLog: secrets, RSA keys, earlier sessions
//!                    handshake  messages → Facts
//!                      └──────► stream::Event (plaintext, its own offsets)
//! ```
//!
//! TLS 1.2 and 1.3 are read. Where keys change (after the handshake, with early data, by KeyUpdate) the next keys
//! are tried once the present ones fail: the tags leave no doubt which ones fit.
//!
//! Hellos, extensions, lists of suites and certificates are decoded by `tls-parser` and `x509-parser`, which want whole
//! messages. Records and the putting together of messages are done here: a stream may be cut anywhere, lack bytes, or
//! carry the longer records of TLS 1.2 in CBC mode. So are Certificate messages in the form of TLS 1.3 and the names of
//! alerts, which that parser does not know as the RFCs write them.

mod certificate;
mod connection;
mod decrypt;
mod effort;
mod facts;
mod fingerprint;
mod half;
mod handshake;
mod held;
mod hello;
mod kdf;
mod keylog;
mod master;
mod meter;
mod opener;
mod record;
mod rsa;
mod shape;
mod shared;
mod suite;
#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use connection::Decryptor;
pub use facts::{Alert, CipherSuite, Facts, Opaque, Traffic};
pub use keylog::{KeyLine, KeyLog};
pub use record::{looks_like_tls, sender_of};
pub use rsa::RsaKeyError;
pub use shape::{Likelihood, Shape};
