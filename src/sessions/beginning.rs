//! How a body begins, however it was cut into segments.

/// The first bytes of the body that is under way in one direction of a connection.
#[derive(Default)]
pub(super) struct Beginning {
    /// Whose body it is.
    exchange: u32,
    bytes: Vec<u8>,
}

impl Beginning {
    /// Takes the bytes at `offset`, up to `most` in all; those behind a hole are passed over. Whether there are as
    /// many.
    pub fn keep(&mut self, exchange: u32, offset: u64, bytes: &[u8], most: usize) -> bool {
        if offset == 0 || exchange != self.exchange {
            self.exchange = exchange;
            self.bytes.clear();
            if bytes.len() > most / 4 {
                self.bytes.reserve(most);
            }
        }
        if offset == self.bytes.len() as u64 {
            let room = most.saturating_sub(self.bytes.len()).min(bytes.len());
            self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
        self.bytes.len() >= most
    }

    /// The bytes that came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the bytes out; none if they are of another exchange.
    pub fn take(&mut self, exchange: u32) -> Vec<u8> {
        let Self { exchange: kept, bytes } = std::mem::take(self);
        if kept == exchange { bytes } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_together_up_to_the_first_hole() {
        let mut start = Beginning::default();
        assert!(!start.keep(7, 0, b"ab", 5));
        assert!(!start.keep(7, 3, b"d", 5));
        assert!(start.keep(7, 2, b"cdef", 5));
        assert_eq!(start.bytes(), b"abcde");
        start.keep(7, 0, b"x", 5);
        assert_eq!(start.take(7), b"x");
        assert_eq!(start.take(7), b"");
    }

    #[test]
    fn a_body_whose_start_is_lost_does_not_go_on_with_that_of_another() {
        let mut start = Beginning::default();
        start.keep(7, 0, b"ab", 5);
        start.keep(8, 2, b"cd", 5);
        assert_eq!(start.bytes(), b"");
        start.keep(9, 0, b"ab", 5);
        assert_eq!(start.take(8), b"");
    }
}
