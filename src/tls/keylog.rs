//! The NSS key log format: one secret a line, found again by the client's random.

use std::collections::HashMap;
use std::fmt;

/// Clients whose secrets are kept; a file of this many lines is about 60 MiB.
const MOST_CLIENTS: usize = 1 << 18;
/// No secret is longer than the output of SHA-512.
const LONGEST_SECRET: usize = 64;

/// TLS secrets from key log files and from capture files that carry them.
#[derive(Clone, Debug, Default)]
pub struct KeyLog {
    clients: HashMap<[u8; 32], Secrets>,
    generation: u64,
}

/// What is known of one handshake.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    pub(super) master: Option<Vec<u8>>,
    pub(super) early: Option<Vec<u8>>,
    pub(super) client_handshake: Option<Vec<u8>>,
    pub(super) server_handshake: Option<Vec<u8>>,
    pub(super) client_traffic: Option<Vec<u8>>,
    pub(super) server_traffic: Option<Vec<u8>>,
}

impl KeyLog {
    /// Takes in lines of a key log; comments, unknown labels and lines that make no sense are skipped.
    pub fn add(&mut self, text: &[u8]) {
        let added =
            text.split(|&b| b == b'\n' || b == b'\r').filter_map(|line| self.line(line)).count();
        if added > 0 {
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// A number that changes whenever new secrets came in.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether there are no secrets at all.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// The secrets of the handshake that began with this client random.
    pub(super) fn secrets(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.clients.get(client_random)
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (label, random, secret) = (words.next()?, words.next()?, words.next()?);
        let random = <[u8; 32]>::try_from(unhex(random)?).ok()?;
        let secret = unhex(secret).filter(|secret| !secret.is_empty())?;
        if self.clients.len() >= MOST_CLIENTS && !self.clients.contains_key(&random) {
            return None;
        }
        let mut scratch = Secrets::default();
        scratch.slot(label)?;
        let slot = self.clients.entry(random).or_default().slot(label)?;
        (slot.as_ref() != Some(&secret)).then(|| *slot = Some(secret))
    }
}

impl Secrets {
    fn slot(&mut self, label: &[u8]) -> Option<&mut Option<Vec<u8>>> {
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
