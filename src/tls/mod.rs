//! TLS: the plaintext of a connection whose secrets are known, and what can be told without them.
//!
//! ```text
//!  stream::Event ──► half    bytes → records, also after a gap
//!  (ciphertext)      opener  record → plaintext ◄── KeyLog
//!                    hello   handshake → Facts
//!                      └───► stream::Event (plaintext, its own offsets)
//! ```
//!
//! TLS 1.2 and 1.3 are read. Where keys change (after the handshake, with early data, by KeyUpdate) the next keys
//! are tried once the present ones fail: the tags leave no doubt which ones fit.

mod connection;
mod facts;
mod half;
mod handshake;
mod hello;
mod kdf;
mod keylog;
mod opener;
mod record;
mod suite;
#[cfg(test)]
mod tests;

pub use connection::Decryptor;
pub use facts::{Alert, CipherSuite, Facts, Opaque, Seen, Traffic};
pub use keylog::KeyLog;
pub use record::looks_like_tls;
