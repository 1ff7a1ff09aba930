//! Texts that messages repeat: the same host, client, session id and date stand in many of them.

use super::decode;
use crate::model::Text;

/// Texts kept. With each as long as it may be, they take 128 KiB.
const KEPT: usize = 1_024;

/// The longest text that is kept, in bytes.
const LONGEST: usize = 128;

/// The latest texts: one that comes again is shared.
pub struct Words {
    /// Each in the place that its ends and its length give it, where it stays until another needs that. None has a
    /// backslash.
    places: Box<[Text]>,
}

impl Default for Words {
    fn default() -> Self {
        Self { places: vec![Text::default(); KEPT].into() }
    }
}

impl Words {
    /// The text of a header value, as [`decode::text`] has it.
    pub fn text(&mut self, value: &[u8]) -> Text {
        // What is kept is its own text: nothing in it was escaped.
        self.find(value).unwrap_or_else(|| match std::str::from_utf8(value) {
            Ok(text) if is_plain(text) => self.keep(text),
            _ => decode::text(value).into(),
        })
    }

    /// A text that is taken as it is.
    pub fn share(&mut self, text: &str) -> Text {
        self.find(text.as_bytes()).unwrap_or_else(|| match is_plain(text) {
            true => self.keep(text),
            false => text.into(),
        })
    }

    fn find(&self, value: &[u8]) -> Option<Text> {
        let known = self.places.get(place(value))?;
        (known.as_bytes() == value).then(|| known.clone())
    }

    fn keep(&mut self, text: &str) -> Text {
        let new = Text::from(text);
        let place = place(text.as_bytes());
        if text.len() <= LONGEST
            && let Some(known) = self.places.get_mut(place)
        {
            known.clone_from(&new);
        }
        new
    }
}

/// The place of a text.
fn place(value: &[u8]) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let ends = value.first_chunk().zip(value.last_chunk());
    let mixed = match ends {
        Some((front, back)) => {
            u64::from_le_bytes(*front) ^ u64::from_le_bytes(*back).rotate_left(29)
        }
        None => value.iter().fold(0, |mixed, byte| mixed << 8 | u64::from(*byte)),
    };
    // The upper bits depend on all that are multiplied.
    ((mixed ^ value.len() as u64).wrapping_mul(ODD) >> 32) as usize % KEPT
}

fn is_plain(text: &str) -> bool {
    memchr::memchr(b'\\', text.as_bytes()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_is_the_same() {
        let mut words = Words::default();
        let (one, two) = (words.text(b"server"), words.share("server"));
        assert_eq!((&*one, one.as_ptr()), ("server", two.as_ptr()));
    }

    #[test]
    fn what_is_escaped_is_not_taken_for_what_looks_like_it() {
        let mut words = Words::default();
        for value in [&b"\xff"[..], b"\\xFF", b"a\\b"] {
            words.share(&decode::text(value));
            assert_eq!(words.text(value), *decode::text(value));
        }
    }
}
