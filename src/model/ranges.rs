//! Sets of byte ranges.

/// A set of bytes, kept as sorted ranges that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds the bytes from `start` up to but not including `end`.
    pub fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        // Most come in order.
        match self.0.last_mut() {
            Some(last) if start >= last.0 && start <= last.1 => {
                last.1 = last.1.max(end);
                return;
            }
            Some(last) if start <= last.1 => {}
            _ => {
                self.0.push((start, end));
                return;
            }
        }
        let from = self.0.partition_point(|range| range.1 < start);
        let to = self.0.partition_point(|range| range.0 <= end);
        let touched = self.0.get(from..to).unwrap_or_default();
        let low = touched.first().map_or(start, |range| range.0.min(start));
        let high = touched.last().map_or(end, |range| range.1.max(end));
        self.0.splice(from..to.max(from), [(low, high)]);
    }

    /// Takes the bytes from `start` up to but not including `end` out.
    pub fn remove(&mut self, start: u64, end: u64) {
        let mut left = Self::default();
        for &(low, high) in &self.0 {
            left.add(low, high.min(start));
            left.add(low.max(end), high);
        }
        *self = left;
    }

    /// How many bytes are in the set.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// Whether no byte is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges in order: first byte, and the one after the last.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// What of the set lies between `start` and `end`, in order.
    pub fn within(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let from = self.0.partition_point(|range| range.1 <= start);
        let to = self.0.partition_point(|range| range.0 < end);
        let touched = self.0.get(from..to).unwrap_or_default();
        touched.iter().map(move |&(low, high)| (low.max(start), high.min(end)))
    }

    /// Whether every byte of the range is in the set.
    pub fn covers(&self, start: u64, end: u64) -> bool {
        start >= end || self.at(end).is_some_and(|(low, _)| low <= start)
    }

    /// Where the run that holds or touches `offset` ends, else `offset`.
    pub fn reach(&self, offset: u64) -> u64 {
        self.at(offset).filter(|(low, _)| *low <= offset).map_or(offset, |(_, high)| high)
    }

    /// The first range that ends at `offset` or behind it.
    fn at(&self, offset: u64) -> Option<(u64, u64)> {
        self.0.get(self.0.partition_point(|range| range.1 < offset)).copied()
    }

    /// What lies between 0 and `total` but not in the set.
    pub fn missing(&self, total: u64) -> Self {
        let (mut left, mut next) = (Self::default(), 0);
        for (start, end) in self.iter() {
            left.add(next, start.min(total));
            next = end;
        }
        left.add(next, total);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn touching_ranges_become_one() {
        let mut ranges = Ranges::default();
        ranges.add(10, 20);
        ranges.add(0, 5);
        ranges.add(5, 10);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(0, 20)]);
        assert_eq!(ranges.missing(25).iter().collect::<Vec<_>>(), [(20, 25)]);
    }

    #[test]
    fn a_part_is_cut_at_its_ends() {
        let mut ranges = Ranges::default();
        ranges.add(0, 5);
        ranges.add(10, 20);
        ranges.add(30, 40);
        assert_eq!(ranges.within(3, 12).collect::<Vec<_>>(), [(3, 5), (10, 12)]);
        assert_eq!(ranges.within(5, 10).count(), 0);
        assert_eq!(ranges.within(12, 3).count(), 0);
    }

    proptest! {
        #[test]
        fn agrees_with_a_set_of_single_bytes(steps in prop::collection::vec((any::<bool>(), 0u64..60, 0u64..60), 0..30)) {
            let (mut ranges, mut bytes) = (Ranges::default(), std::collections::BTreeSet::new());
            for (add, start, end) in steps {
                if add {
                    ranges.add(start, end);
                    bytes.extend(start..end);
                } else {
                    ranges.remove(start, end);
                    bytes.retain(|byte| !(start..end).contains(byte));
                }
            }
            let missing = (0..50).filter(|byte| !bytes.contains(byte)).collect::<Vec<_>>();
            prop_assert_eq!(ranges.missing(50).iter().flat_map(|(start, end)| start..end).collect::<Vec<_>>(), missing);
            prop_assert_eq!(ranges.iter().flat_map(|(start, end)| start..end).collect::<Vec<_>>(), bytes.into_iter().collect::<Vec<_>>());
        }
    }
}
