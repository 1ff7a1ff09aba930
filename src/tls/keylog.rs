//! Secrets from outside: the NSS key log format, one secret a line, found again by the client's random; and RSA keys.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rsa::{RsaKey, RsaKeyError};
use super::shared::Shared;

/// Clients whose secrets are kept, the newest ones; a file of this many lines is about 60 MiB.
const MOST_CLIENTS: usize = 1 << 18;
/// Secrets of one kind that are kept with the same client random; each is tried.
const MOST_OF_A_KIND: usize = 16;
/// Names of sources that are kept; secrets of others have none.
const MOST_SOURCES: usize = MOST_CLIENTS;
/// No secret is longer than the output of SHA-512.
const LONGEST_SECRET: usize = 64;
/// RSA keys kept; each is tried.
const MOST_RSA_KEYS: usize = 64;

/// TLS secrets from key log files, from capture files that carry them, and servers' RSA keys.
#[derive(Clone, Debug, Default)]
pub struct KeyLog {
    clients: HashMap<[u8; 32], Secrets>,
    /// The keys of `clients`, the oldest first.
    order: VecDeque<[u8; 32]>,
    forgotten: u64,
    sources: Vec<String>,
    blocks: u32,
    rsa: Vec<RsaKey>,
    generation: u64,
    complete: bool,
    shared: Arc<Shared>,
}

/// A line of a key log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyLine {
    /// The file, or the number of the secrets block in the captures.
    pub source: String,
    /// The line, from 1.
    pub line: u32,
}

/// What is known of one handshake. A client that repeats its random has several secrets of a kind.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    pub(super) master: Vec<Secret>,
    pub(super) early: Vec<Secret>,
    pub(super) client_handshake: Vec<Secret>,
    pub(super) server_handshake: Vec<Secret>,
    pub(super) client_traffic: Vec<Secret>,
    pub(super) server_traffic: Vec<Secret>,
}

/// A secret, and where it stood.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Secret {
    pub(super) bytes: Vec<u8>,
    /// Index into the sources, and the line there.
    pub(super) place: (u32, u32),
}

impl KeyLog {
    /// Takes in the lines of a secrets block; comments, unknown labels and lines that make no sense are skipped.
    pub fn add(&mut self, text: &[u8]) {
        self.blocks = self.blocks.saturating_add(1);
        self.add_from(&format!("secrets block {}", self.blocks), text);
    }

    /// As [`Self::add`], of a file of this name. Returns how many lines hold secrets, known ones too.
    pub fn add_from(&mut self, source: &str, text: &[u8]) -> usize {
        let index = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let lines = text.split(|&b| b == b'\n');
        let (mut held, mut new) = (0, false);
        for is_new in (1..).zip(lines).filter_map(|(number, line)| self.line(line, (index, number)))
        {
            held += 1;
            new |= is_new;
        }
        if new {
            if self.sources.len() < MOST_SOURCES {
                self.sources.push(source.to_owned());
            }
            self.generation = self.generation.wrapping_add(1);
        }
        held
    }

    /// Client randoms whose secrets were dropped: only those of the newest 262,144 are kept.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Takes a server's RSA private key, in PEM form (PKCS#1 or PKCS#8). Of more than 64 the rest is ignored.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] where there is no such key.
    pub fn add_rsa_key(&mut self, pem: &[u8]) -> Result<(), RsaKeyError> {
        let key = RsaKey::from_pem(pem)?;
        if self.rsa.len() < MOST_RSA_KEYS {
            self.rsa.push(key);
            self.generation = self.generation.wrapping_add(1);
        }
        Ok(())
    }

    /// Declares that no more secrets will come: connections that lack theirs are not kept in wait for them.
    pub const fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether no more secrets will come.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// A number that changes whenever new secrets came in.
    pub fn generation(&self) -> u64 {
        self.generation.wrapping_add(self.shared.generation())
    }

    /// Whether there are no secrets at all.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.rsa.is_empty()
    }

    /// Whether there are no secrets and none will come.
    pub(super) fn is_void(&self) -> bool {
        self.complete && self.is_empty()
    }

    /// Bytes that connections keep until their keys turn up.
    pub fn waiting_bytes(&self) -> usize {
        self.shared.waiting()
    }

    /// The secrets of the handshake that began with this client random.
    pub(super) fn secrets(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.clients.get(client_random)
    }

    /// The premaster secret in a ClientKeyExchange message of static RSA.
    pub(super) fn premaster(&self, exchange: &[u8]) -> Option<Vec<u8>> {
        self.rsa.iter().find_map(|key| key.premaster(exchange))
    }

    pub(super) const fn has_rsa_keys(&self) -> bool {
        !self.rsa.is_empty()
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The line on which a secret stood.
    pub(super) fn line_of(&self, secret: &Secret) -> KeyLine {
        let (source, line) = secret.place;
        let source = self.sources.get(source as usize).cloned().unwrap_or_default();
        KeyLine { source, line }
    }

    /// Takes in a line; whether its secret is new, if it holds one.
    fn line(&mut self, line: &[u8], place: (u32, u32)) -> Option<bool> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (label, random, secret) = (words.next()?, words.next()?, words.next()?);
        let random = <[u8; 32]>::try_from(unhex(random)?).ok()?;
        let bytes = unhex(secret).filter(|secret| !secret.is_empty())?;
        let mut scratch = Secrets::default();
        scratch.slot(label)?;
        if !self.clients.contains_key(&random) {
            self.make_room();
            self.order.push_back(random);
        }
        let slot = self.clients.entry(random).or_default().slot(label)?;
        let new = slot.len() < MOST_OF_A_KIND && slot.iter().all(|known| known.bytes != bytes);
        if new {
            slot.push(Secret { bytes, place });
        }
        Some(new)
    }

    fn make_room(&mut self) {
        if self.clients.len() >= MOST_CLIENTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.clients.remove(&oldest);
            self.forgotten += 1;
        }
    }
}

impl Secrets {
    fn slot(&mut self, label: &[u8]) -> Option<&mut Vec<Secret>> {
        Some(match label {
            b"CLIENT_RANDOM" => &mut self.master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => &mut self.early,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => &mut self.client_handshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => &mut self.server_handshake,
            b"CLIENT_TRAFFIC_SECRET_0" => &mut self.client_traffic,
            b"SERVER_TRAFFIC_SECRET_0" => &mut self.server_traffic,
            _ => return None,
        })
    }
}

// Secrets stay out of logs.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey").finish_non_exhaustive()
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 2 * LONGEST_SECRET {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
