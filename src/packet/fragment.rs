//! IP fragments, put together under caps.

use std::collections::VecDeque;
use std::net::IpAddr;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpFragOffset, IpNumber};
use hashbrown::HashMap;

use crate::at::Timestamp;
use crate::limits::Limits;

use super::Skip;
use super::ip::Ip;
use super::view::View;

/// Nanoseconds after which fragments no longer belong together (RFC 8200 4.5).
const TIMEOUT: i64 = 60_000_000_000;

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub ip: Ip,
    pub protocol: u8,
    pub id: u32,
    pub offset: IpFragOffset,
    pub more: bool,
    pub view: View<'a>,
}

type Key = (IpAddr, IpAddr, u32, u8);

#[derive(Debug)]
struct Datagram {
    began: Timestamp,
    serial: u64,
    bytes: IpDefragBuf,
}

/// Datagrams of which fragments are missing; the oldest are given up at a cap.
#[derive(Debug)]
pub(super) struct Fragments {
    open: HashMap<Key, Datagram>,
    order: VecDeque<(u64, Key)>,
    serial: u64,
    held: usize,
    most: usize,
    most_bytes: usize,
    /// Datagrams given up to stay under a cap.
    pub dropped: u64,
}

impl Fragments {
    pub fn new(limits: &Limits) -> Self {
        Self {
            open: HashMap::default(),
            order: VecDeque::new(),
            serial: 0,
            held: 0,
            most: limits.fragmented_datagrams,
            most_bytes: limits.fragment_bytes,
            dropped: 0,
        }
    }

    /// Takes `piece`; when it was the last one missing, `whole` becomes the payload of the datagram.
    pub fn add(
        &mut self,
        piece: &Piece<'_>,
        now: Timestamp,
        whole: &mut Vec<u8>,
    ) -> Result<(), Skip> {
        if piece.view.data.len() < piece.view.wire {
            return Err(Skip::Cut);
        }
        let key = (piece.ip.from, piece.ip.to, piece.id, piece.protocol);
        if self.open.get(&key).is_some_and(|old| now.since(old.began).abs() > TIMEOUT) {
            self.forget(key);
        }
        if !self.open.contains_key(&key) {
            self.open(key, piece.protocol, now);
        }
        let done = self.extend(key, piece)?;
        if done {
            let Some(datagram) = self.forget(key) else { return Err(Skip::Fragment) };
            *whole = datagram.bytes.take_bufs().0;
            return Ok(());
        }
        self.evict();
        Err(Skip::Fragment)
    }

    fn open(&mut self, key: Key, protocol: u8, began: Timestamp) {
        self.serial += 1;
        let bytes = IpDefragBuf::new(IpNumber(protocol), Vec::new(), Vec::new());
        self.open.insert(key, Datagram { began, serial: self.serial, bytes });
        self.order.push_back((self.serial, key));
    }

    fn extend(&mut self, key: Key, piece: &Piece<'_>) -> Result<bool, Skip> {
        let Some(datagram) = self.open.get_mut(&key) else { return Ok(false) };
        let before = datagram.bytes.data().len();
        let added = datagram.bytes.add(piece.offset, piece.more, piece.view.data);
        self.held = self.held + datagram.bytes.data().len() - before;
        let done = datagram.bytes.is_complete();
        if added.is_err() {
            self.forget(key);
            self.evict();
            return Err(Skip::Malformed);
        }
        Ok(done)
    }

    fn forget(&mut self, key: Key) -> Option<Datagram> {
        let datagram = self.open.remove(&key)?;
        self.held = self.held.saturating_sub(datagram.bytes.data().len());
        Some(datagram)
    }

    fn evict(&mut self) {
        while self.open.len() > self.most || self.held > self.most_bytes {
            let Some((serial, key)) = self.order.pop_front() else { break };
            if self.open.get(&key).is_some_and(|datagram| datagram.serial == serial) {
                self.forget(key);
                self.dropped += 1;
            }
        }
        // Entries of finished datagrams are swept once they are most of the queue.
        if self.order.len() > 64 + 2 * self.open.len() {
            let open = &self.open;
            self.order.retain(|(serial, key)| {
                open.get(key).is_some_and(|datagram| datagram.serial == *serial)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_leaves_nothing_behind() {
        let mut fragments = Fragments::new(&Limits::default());
        for id in 0..10_000 {
            // All but the last have a multiple of eight bytes.
            let piece = Piece {
                ip: Ip::default(),
                protocol: 6,
                id,
                offset: IpFragOffset::default(),
                more: true,
                view: View { data: b"x", wire: 1 },
            };
            let added = fragments.add(&piece, Timestamp::default(), &mut Vec::new());
            assert_eq!(added, Err(Skip::Malformed));
        }
        assert!(fragments.open.is_empty() && fragments.order.len() < 100);
    }
}
