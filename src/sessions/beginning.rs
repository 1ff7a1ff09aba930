//! How a body begins, however it was cut into segments.

/// The first bytes of a body.
#[derive(Default)]
pub(super) struct Beginning(Vec<u8>);

impl Beginning {
    /// Takes the bytes at `offset`, up to `most` in all; those behind a hole are passed over. Whether there are as many.
    pub fn keep(&mut self, offset: u64, bytes: &[u8], most: usize) -> bool {
        if offset == 0 {
            self.0.clear();
        }
        if offset == self.0.len() as u64 {
            let room = most.saturating_sub(self.0.len()).min(bytes.len());
            self.0.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
        self.0.len() >= most
    }

    /// As many as came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_up_to_the_first_hole() {
        let mut start = Beginning::default();
        assert!(!start.keep(0, b"ab", 5));
        assert!(!start.keep(3, b"d", 5));
        assert!(start.keep(2, b"cdef", 5));
        assert_eq!(start.bytes(), b"abcde");
        start.keep(0, b"x", 5);
        assert_eq!(start.bytes(), b"x");
    }
}
