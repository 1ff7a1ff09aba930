//! Slots for connections, in two queues by last use: open ones and closed ones.

/// A queue of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    Open,
    Closed,
}

#[derive(Debug, Default)]
struct Ends {
    oldest: Option<u32>,
    newest: Option<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot<V> {
    queue: Queue,
    older: Option<u32>,
    newer: Option<u32>,
    value: V,
}

/// Values in slots that are reused; every operation takes constant time.
#[derive(Debug)]
pub(super) struct Pool<V> {
    slots: Vec<Option<Box<Slot<V>>>>,
    free: Vec<u32>,
    open: Ends,
    closed: Ends,
}

impl<V> Pool<V> {
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            open: Ends { oldest: None, newest: None, len: 0 },
            closed: Ends { oldest: None, newest: None, len: 0 },
        }
    }

    pub const fn len(&self, queue: Queue) -> usize {
        self.ends(queue).len
    }

    /// The value in `queue` that was not used for longest.
    pub const fn oldest(&self, queue: Queue) -> Option<u32> {
        self.ends(queue).oldest
    }

    #[inline(always)]
    pub fn queue(&self, index: u32) -> Option<Queue> {
        self.slot(index).map(|slot| slot.queue)
    }

    #[inline(always)]
    pub fn get(&self, index: u32) -> Option<&V> {
        self.slot(index).map(|slot| &slot.value)
    }

    #[inline(always)]
    pub fn get_mut(&mut self, index: u32) -> Option<&mut V> {
        self.slot_mut(index).map(|slot| &mut slot.value)
    }

    pub fn values(&self) -> impl Iterator<Item = (u32, &V)> {
        (0..).zip(&self.slots).filter_map(|(index, slot)| Some((index, &slot.as_ref()?.value)))
    }

    /// Adds `value` as the newest open one.
    pub fn insert(&mut self, value: V) -> u32 {
        let slot = Some(Box::new(Slot { queue: Queue::Open, older: None, newer: None, value }));
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(None);
                (self.slots.len() - 1) as u32
            }
        };
        if let Some(place) = self.slots.get_mut(index as usize) {
            *place = slot;
        }
        self.append(index, Queue::Open);
        index
    }

    /// Makes a value the newest of `queue`.
    #[inline(always)]
    pub fn touch(&mut self, index: u32, queue: Queue) {
        if self.ends(queue).newest != Some(index) {
            self.relink(index, queue);
        }
    }

    fn relink(&mut self, index: u32, queue: Queue) {
        self.unlink(index);
        self.append(index, queue);
    }

    pub fn remove(&mut self, index: u32) -> Option<V> {
        self.unlink(index);
        let slot = self.slots.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some(slot.value)
    }

    fn append(&mut self, index: u32, queue: Queue) {
        let ends = self.ends_mut(queue);
        let older = ends.newest.replace(index);
        ends.oldest.get_or_insert(index);
        ends.len += 1;
        if let Some(slot) = self.slot_mut(index) {
            (slot.queue, slot.older, slot.newer) = (queue, older, None);
        }
        if let Some(slot) = older.and_then(|older| self.slot_mut(older)) {
            slot.newer = Some(index);
        }
    }

    fn unlink(&mut self, index: u32) {
        let Some(slot) = self.slot(index) else { return };
        let (queue, older, newer) = (slot.queue, slot.older, slot.newer);
        match older.and_then(|older| self.slot_mut(older)) {
            Some(slot) => slot.newer = newer,
            None => self.ends_mut(queue).oldest = newer,
        }
        match newer.and_then(|newer| self.slot_mut(newer)) {
            Some(slot) => slot.older = older,
            None => self.ends_mut(queue).newest = older,
        }
        self.ends_mut(queue).len -= 1;
    }

    #[inline(always)]
    fn slot(&self, index: u32) -> Option<&Slot<V>> {
        self.slots.get(index as usize)?.as_deref()
    }

    #[inline(always)]
    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<V>> {
        self.slots.get_mut(index as usize)?.as_deref_mut()
    }

    const fn ends(&self, queue: Queue) -> &Ends {
        match queue {
            Queue::Open => &self.open,
            Queue::Closed => &self.closed,
        }
    }

    const fn ends_mut(&mut self, queue: Queue) -> &mut Ends {
        match queue {
            Queue::Open => &mut self.open,
            Queue::Closed => &mut self.closed,
        }
    }
}
