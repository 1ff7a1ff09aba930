//! Chunked transfer coding (RFC 9112 7.1), byte by byte where it must be and in runs where it can.

/// Where in the framing a body stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Reading a size line: the value so far, and whether its digits are over.
    Size { value: u64, digits: u8, over: bool },
    /// Bytes of data left in this chunk.
    Data(u64),
    /// The line end behind the data.
    AfterData,
    /// Trailer fields: whether the current line has anything in it.
    Trailer { used: bool },
    /// The body is over.
    #[default]
    Over,
}

/// What one step made of the bytes in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Framing of this many bytes.
    Framing(usize),
    /// Data of this many bytes.
    Data(usize),
    /// The framing is broken here.
    Broken,
}

impl Chunked {
    pub const START: Self = Self::Size { value: 0, digits: 0, over: false };

    /// Takes what it can of `bytes`, which must not be empty.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        if let Self::Data(left) = *self {
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - take as u64;
            *self = if left == 0 { Self::AfterData } else { Self::Data(left) };
            return Step::Data(take);
        }
        for (at, &byte) in bytes.iter().enumerate() {
            match self.framing(byte) {
                Some(next) => *self = next,
                None => return Step::Broken,
            }
            if matches!(self, Self::Data(_) | Self::Over) {
                return Step::Framing(at + 1);
            }
        }
        Step::Framing(bytes.len())
    }

    fn framing(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size { value, digits, over: _ }, b'\n') => match (digits, value) {
                (0, _) => return None,
                (_, 0) => Self::Trailer { used: false },
                (_, size) => Self::Data(size),
            },
            (Self::Size { value, digits, over: false }, byte) => {
                match char::from(byte).to_digit(16) {
                    Some(digit) if digits < 16 => Self::Size {
                        value: value << 4 | u64::from(digit),
                        digits: digits + 1,
                        over: false,
                    },
                    Some(_) => return None,
                    None if digits > 0 && matches!(byte, b';' | b' ' | b'\t' | b'\r') => {
                        Self::Size { value, digits, over: true }
                    }
                    None => return None,
                }
            }
            (Self::AfterData, b'\r') => self,
            (Self::AfterData, b'\n') => Self::START,
            (Self::AfterData, _) => return None,
            (Self::Trailer { used: false }, b'\n') => Self::Over,
            (Self::Trailer { used: true }, b'\n') => Self::Trailer { used: false },
            (Self::Trailer { .. }, b'\r') => self,
            (Self::Trailer { .. }, _) => Self::Trailer { used: true },
            _ => self,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(mut bytes: &[u8]) -> (Vec<u8>, Chunked) {
        let (mut state, mut out) = (Chunked::START, Vec::new());
        while !bytes.is_empty() && state != Chunked::Over {
            let taken = match state.step(bytes) {
                Step::Framing(len) => len,
                Step::Data(len) => {
                    out.extend_from_slice(&bytes[..len]);
                    len
                }
                Step::Broken => break,
            };
            bytes = &bytes[taken..];
        }
        (out, state)
    }

    #[test]
    fn chunks_with_extensions_and_trailers_are_joined() {
        let (out, state) = data(b"4;x=y\r\nabcd\r\n3\r\nefg\r\n0\r\nT: v\r\n\r\n");
        assert_eq!((out.as_slice(), state), (b"abcdefg".as_slice(), Chunked::Over));
    }

    #[test]
    fn a_size_that_is_no_number_breaks_the_framing() {
        let mut state = Chunked::START;
        assert_eq!(state.step(b"xyz\r\n"), Step::Broken);
    }
}
