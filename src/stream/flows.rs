//! Which connection a segment belongs to.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV4};

use hashbrown::HashMap;

/// Which of the two endpoints, by order of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dir {
    Up,
    Down,
}

impl Dir {
    pub const fn other(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// Something for each direction.
#[derive(Debug, Default)]
pub(super) struct Both<X> {
    up: X,
    down: X,
}

impl<X> Both<X> {
    #[inline(always)]
    pub const fn of(&self, dir: Dir) -> &X {
        match dir {
            Dir::Up => &self.up,
            Dir::Down => &self.down,
        }
    }

    #[inline(always)]
    pub const fn of_mut(&mut self, dir: Dir) -> &mut X {
        match dir {
            Dir::Up => &mut self.up,
            Dir::Down => &mut self.down,
        }
    }
}

/// Two endpoints, whichever sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Address and port, in 48 bits each.
    V4(u64, u64),
    V6((u128, u16), (u128, u16)),
}

impl Key {
    /// The key of a segment, and its direction.
    pub fn of(from: SocketAddr, to: SocketAddr) -> (Self, Dir) {
        if let (SocketAddr::V4(from), SocketAddr::V4(to)) = (&from, &to) {
            let (from, to) = (pack(from), pack(to));
            return if from <= to {
                (Self::V4(from, to), Dir::Up)
            } else {
                (Self::V4(to, from), Dir::Down)
            };
        }
        let pack = |end: SocketAddr| (wide(end.ip()).to_bits(), end.port());
        let (from, to) = (pack(from), pack(to));
        if from <= to { (Self::V6(from, to), Dir::Up) } else { (Self::V6(to, from), Dir::Down) }
    }
}

#[inline(always)]
fn pack(end: &SocketAddrV4) -> u64 {
    u64::from(end.ip().to_bits()) << 16 | u64::from(end.port())
}

fn wide(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Connections of IPv4 that can be at hand.
const AT_HAND: usize = 128;

/// Slots by key, with those used last at hand.
#[derive(Debug)]
pub(super) struct Flows {
    v4: HashMap<(u64, u64), u32>,
    v6: HashMap<Key, u32>,
    /// Each at the [`place`] of its key.
    at_hand: [Option<((u64, u64), u32)>; AT_HAND],
}

impl Default for Flows {
    fn default() -> Self {
        Self { v4: HashMap::default(), v6: HashMap::default(), at_hand: [None; AT_HAND] }
    }
}

impl Flows {
    /// The slot of a segment's connection, and its direction there.
    #[inline(always)]
    pub fn find(&mut self, from: &SocketAddr, to: &SocketAddr) -> (Option<u32>, Dir) {
        let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) else {
            return self.find_wide(*from, *to);
        };
        let (from, to) = (pack(from), pack(to));
        let (key, dir) = if from <= to { ((from, to), Dir::Up) } else { ((to, from), Dir::Down) };
        match self.at_hand.get(place(key)) {
            Some(Some((held, slot))) if *held == key => (Some(*slot), dir),
            _ => (self.look_up(key), dir),
        }
    }

    fn look_up(&mut self, key: (u64, u64)) -> Option<u32> {
        let slot = *self.v4.get(&key)?;
        self.keep(key, Some(slot));
        Some(slot)
    }

    /// Puts a slot at hand in place of another, or none.
    fn keep(&mut self, key: (u64, u64), slot: Option<u32>) {
        if let Some(place) = self.at_hand.get_mut(place(key)) {
            *place = slot.map(|slot| (key, slot));
        }
    }

    #[inline(never)]
    fn find_wide(&self, from: SocketAddr, to: SocketAddr) -> (Option<u32>, Dir) {
        let (key, dir) = Key::of(from, to);
        (self.v6.get(&key).copied(), dir)
    }

    pub fn insert(&mut self, key: Key, slot: u32) {
        match key {
            Key::V4(low, high) => self.v4.insert((low, high), slot),
            Key::V6(..) => self.v6.insert(key, slot),
        };
    }

    pub fn remove(&mut self, key: Key) {
        match key {
            Key::V4(low, high) => {
                self.keep((low, high), None);
                self.v4.remove(&(low, high))
            }
            Key::V6(..) => self.v6.remove(&key),
        };
    }
}

/// Where a key is had at hand; few of those under way share a place, whichever bits they differ in.
#[inline(always)]
const fn place((low, high): (u64, u64)) -> usize {
    let mixed = (low.rotate_left(24) ^ high).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as usize % AT_HAND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_finds_its_own_slot_whatever_is_at_hand() {
        let end =
            |number: u32, port| SocketAddr::from(((0x0a14_0000 + number).to_be_bytes(), port));
        let (server, clients) = (end(1 << 20, 443), 0..4 * AT_HAND as u32);
        let mut flows = Flows::default();
        for number in clients.clone() {
            flows.insert(Key::of(end(number, 49_152), server).0, number);
        }
        for number in clients.clone().chain(clients.clone()) {
            let client = end(number, 49_152);
            assert_eq!(flows.find(&client, &server), (Some(number), Dir::Up));
            assert_eq!(flows.find(&server, &client), (Some(number), Dir::Down));
        }
        for number in clients {
            let client = end(number, 49_152);
            assert!(flows.find(&client, &server).0.is_some());
            flows.remove(Key::of(client, server).0);
            assert_eq!(flows.find(&client, &server).0, None);
        }
    }
}
