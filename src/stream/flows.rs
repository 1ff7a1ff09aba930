//! Which connection a segment belongs to.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use foldhash::fast::RandomState;
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
    pub const fn of(&self, dir: Dir) -> &X {
        match dir {
            Dir::Up => &self.up,
            Dir::Down => &self.down,
        }
    }

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
    #[inline]
    pub fn of(from: SocketAddr, to: SocketAddr) -> (Self, Dir) {
        if let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) {
            let pack = |end: std::net::SocketAddrV4| {
                u64::from(end.ip().to_bits()) << 16 | u64::from(end.port())
            };
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

fn wide(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Slots by key, with the last one at hand.
#[derive(Debug, Default)]
pub(super) struct Flows {
    v4: HashMap<(u64, u64), u32, RandomState>,
    v6: HashMap<Key, u32, RandomState>,
    last: Option<(Key, u32)>,
}

impl Flows {
    #[inline]
    pub fn find(&mut self, key: Key) -> Option<u32> {
        if let Some((last, slot)) = self.last
            && last == key
        {
            return Some(slot);
        }
        let slot = match &key {
            Key::V4(low, high) => self.v4.get(&(*low, *high)),
            Key::V6(..) => self.v6.get(&key),
        };
        let slot = *slot?;
        self.last = Some((key, slot));
        Some(slot)
    }

    pub fn insert(&mut self, key: Key, slot: u32) {
        match key {
            Key::V4(low, high) => self.v4.insert((low, high), slot),
            Key::V6(..) => self.v6.insert(key, slot),
        };
        self.last = Some((key, slot));
    }

    pub fn remove(&mut self, key: Key) {
        match &key {
            Key::V4(low, high) => self.v4.remove(&(*low, *high)),
            Key::V6(..) => self.v6.remove(&key),
        };
        self.last = None;
    }
}
