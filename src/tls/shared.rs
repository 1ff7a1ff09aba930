//! What connections share: master secrets for those that resume, how much waits for keys, and a buffer.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sessions remembered; the oldest are forgotten first.
const MOST_SESSIONS: usize = 16_384;
/// Longest session identifier or ticket remembered.
const LONGEST_NAME: usize = 4096;

/// Shared between all connections of an analysis.
#[derive(Debug, Default)]
pub(super) struct Shared {
    sessions: RefCell<Sessions>,
    generation: Cell<u64>,
    waiting: Arc<AtomicUsize>,
    buffer: RefCell<Vec<u8>>,
}

/// Master secrets by session identifier or ticket (RFC 5246 7.3, RFC 5077 3.1).
#[derive(Default)]
struct Sessions {
    masters: HashMap<Vec<u8>, Vec<u8>>,
    order: VecDeque<Vec<u8>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("known", &self.order.len()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Remembers the master secret of a session that may be resumed.
    pub(super) fn learn(&self, name: &[u8], master: &[u8]) {
        let mut sessions = self.sessions.borrow_mut();
        if name.is_empty() || name.len() > LONGEST_NAME {
            return;
        }
        if sessions.masters.insert(name.to_vec(), master.to_vec()).is_none() {
            sessions.order.push_back(name.to_vec());
            self.generation.set(self.generation.get() + 1);
        }
        if sessions.order.len() > MOST_SESSIONS
            && let Some(oldest) = sessions.order.pop_front()
        {
            sessions.masters.remove(&oldest);
        }
    }

    /// The master secret of a session that is resumed.
    pub(super) fn master(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.sessions.borrow().masters.get(name).cloned()
    }

    /// A number that changes whenever something was learned.
    pub(super) fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Bytes that wait for keys in all.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A buffer for the plaintext of one record; who takes it gives it back.
    pub(super) fn take_buffer(&self) -> Vec<u8> {
        self.buffer.take()
    }

    /// Lends the buffer to the next record.
    pub(super) fn give_buffer(&self, buffer: Vec<u8>) {
        self.buffer.replace(buffer);
    }

    /// A share of the bytes that wait for keys.
    pub(super) fn share(&self) -> Share {
        Share { all: Arc::clone(&self.waiting), own: 0 }
    }
}

/// The bytes that one connection keeps, counted together with those of all others.
#[derive(Debug, Default)]
pub(super) struct Share {
    all: Arc<AtomicUsize>,
    own: usize,
}

impl Share {
    pub(super) fn add(&mut self, bytes: usize) {
        self.own = self.own.saturating_add(bytes);
        self.all.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove(&mut self, bytes: usize) {
        let bytes = bytes.min(self.own);
        self.own -= bytes;
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) const fn own(&self) -> usize {
        self.own
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.remove(self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_end_with_their_connection() {
        let shared = Shared::default();
        let (mut one, mut two) = (shared.share(), shared.share());
        one.add(10);
        two.add(5);
        assert_eq!((one.own(), shared.waiting()), (10, 15));
        drop(one);
        two.remove(9);
        assert_eq!((two.own(), shared.waiting()), (0, 0));
    }

    #[test]
    fn oldest_session_is_forgotten_first() {
        let shared = Shared::default();
        for number in 0..=MOST_SESSIONS {
            shared.learn(&number.to_be_bytes(), b"master");
        }
        assert_eq!(shared.master(&0_usize.to_be_bytes()), None);
        assert_eq!(shared.master(&1_usize.to_be_bytes()).as_deref(), Some(&b"master"[..]));
    }
}
