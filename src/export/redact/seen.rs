//! Texts that were replaced, and the sentences of ours in which they stand.
//!
//! In the messages of rules, what the wire said is in quotation marks. Outside of these are addresses, and texts that
//! are less than names: of products, of files, of schemes. These are known because they were replaced where they came
//! from.

use std::collections::BTreeSet;
use std::ops::Range;

use hashbrown::HashMap;

use super::pseudonym::{Pseudonyms, Stay};

/// Shortest text that is looked for outside of quotation marks.
const SHORTEST: usize = 3;

/// What becomes of a text; what tells least comes last, and counts where a text is seen in several places.
pub(super) enum How {
    /// Nothing.
    Stays,
    /// Pseudonyms of its words, but for those of products.
    Products,
    /// Another text.
    Other(String),
    /// Pseudonyms of all its words.
    Text,
}

impl How {
    const fn rank(&self) -> u8 {
        match self {
            Self::Stays => 0,
            Self::Products => 1,
            Self::Other(_) => 2,
            Self::Text => 3,
        }
    }
}

/// Texts that were replaced, in lower case.
#[derive(Default)]
pub(super) struct Seen {
    texts: HashMap<String, How>,
    /// The lengths of those that begin with a word.
    lengths: HashMap<String, BTreeSet<usize>>,
    /// One of them holds a quotation mark itself.
    marks: bool,
}

impl Seen {
    /// Remembers a text.
    pub fn note(&mut self, text: &str, how: How) {
        let text = text.to_ascii_lowercase();
        self.marks |= text.contains('"');
        if text.is_empty() || self.texts.get(&text).is_some_and(|known| known.rank() >= how.rank())
        {
            return;
        }
        if matches!(how, How::Products | How::Other(_)) && is_told_bare(&text) {
            let lengths = self.lengths.entry(first_word(&text).to_owned()).or_default();
            lengths.insert(text.len());
        }
        self.texts.insert(text, how);
    }

    /// A sentence without names.
    pub fn sentence(&self, sentence: &str, pseudonyms: &Pseudonyms) -> String {
        let mut out = String::with_capacity(sentence.len());
        let mut at = 0;
        for quoted in quoted(sentence, self.marks) {
            out += &self.bare(sentence.get(at..quoted.start).unwrap_or_default(), pseudonyms);
            let text = sentence.get(quoted.clone()).unwrap_or_default();
            out += &self.whole(text, pseudonyms).unwrap_or_else(|| unknown(text, pseudonyms));
            at = quoted.end;
        }
        out + &self.bare(sentence.get(at..).unwrap_or_default(), pseudonyms)
    }

    /// What becomes of a text that was seen as it is.
    fn whole(&self, text: &str, pseudonyms: &Pseudonyms) -> Option<String> {
        Some(match self.texts.get(&text.to_ascii_lowercase())? {
            How::Text => pseudonyms.text(text),
            How::Products => pseudonyms.map(text, Stay::Products),
            How::Other(other) => other.clone(),
            How::Stays => text.to_owned(),
        })
    }

    /// Words of ours, addresses, and texts that were seen.
    fn bare(&self, words: &str, pseudonyms: &Pseudonyms) -> String {
        let mut out = String::with_capacity(words.len());
        let (mut rest, mut before) = (words, None::<char>);
        while let Some(c) = rest.chars().next() {
            let begins = !(is_of_word(c) && before.is_some_and(is_of_word));
            let found = if begins { self.longest(rest, pseudonyms) } else { None };
            let (len, becomes) = found
                .or_else(|| pseudonyms.address_at(rest, before))
                .unwrap_or_else(|| (c.len_utf8(), c.to_string()));
            out += &becomes;
            let (used, left) = rest.split_at_checked(len).unwrap_or((rest, ""));
            (before, rest) = (used.chars().next_back(), left);
        }
        out
    }

    /// The longest text that was seen and begins here, by its length and what becomes of it.
    fn longest(&self, rest: &str, pseudonyms: &Pseudonyms) -> Option<(usize, String)> {
        let lengths = self.lengths.get(&first_word(rest).to_ascii_lowercase())?;
        lengths.iter().rev().find_map(|len| {
            let (text, behind) = rest.split_at_checked(*len)?;
            let goes_on = behind.starts_with(is_of_word) && text.ends_with(is_of_word);
            let becomes = if goes_on { None } else { self.whole(text, pseudonyms) };
            Some((*len, becomes?))
        })
    }
}

/// Whether a text is told without quotation marks: a number would be taken for another one.
fn is_told_bare(text: &str) -> bool {
    text.len() >= SHORTEST && !text.bytes().all(|byte| byte.is_ascii_digit())
}

const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// The word that a text begins with, or the sign.
fn first_word(text: &str) -> &str {
    let len = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let len = if len > 0 { len } else { text.chars().next().map_or(0, char::len_utf8) };
    text.get(..len).unwrap_or_default()
}

/// A text of the wire that was not seen as it is. One that looks like a path or a name is no product.
fn unknown(text: &str, pseudonyms: &Pseudonyms) -> String {
    let name = text.starts_with('/') || text.contains("://") || text.contains('=');
    let product = text.contains([' ', '/', '(']) && !name;
    pseudonyms.map(text, if product { Stay::Products } else { Stay::Paths })
}

/// What is between quotation marks. Where texts have `marks` of their own, it is not known which belong together: all
/// from the first to the last then.
fn quoted(sentence: &str, marks: bool) -> Vec<Range<usize>> {
    let places: Vec<usize> = sentence.match_indices('"').map(|(place, _)| place).collect();
    let (pairs, odd) = places.as_chunks::<2>();
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return Vec::new() };
    let all = first + 1..if first == last { sentence.len() } else { *last };
    match (marks, odd) {
        (false, []) => pairs.iter().map(|[from, to]| from + 1..*to).collect(),
        _ => vec![all],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seen: &Seen, sentence: &str) -> String {
        seen.sentence(sentence, &Pseudonyms::new(Some("k")))
    }

    #[test]
    fn addresses_go_once_and_numbers_stay() {
        let names = Pseudonyms::new(Some("k"));
        let [one, other] = ["10.20.30.4", "2001:db8::8"].map(|text| names.text(text));
        let mut seen = Seen::default();
        seen.note("4711", How::Text);
        seen.note(&one, How::Text);
        assert_eq!(
            told(&seen, "4711 bytes from 10.20.30.4 to [2001:db8::8]:80, then 10.20.30.4: 1.5 s"),
            format!("4711 bytes from {one} to [{other}]:80, then {one}: 1.5 s")
        );
    }

    #[test]
    fn texts_that_were_seen_go_as_they_went_elsewhere() {
        let mut seen = Seen::default();
        seen.note("upload-7.Zebra.example", How::Text);
        seen.note("keys.txt", How::Other("key log 1".into()));
        let host = Pseudonyms::new(Some("k")).text("upload-7.zebra.example");
        assert_eq!(
            told(&seen, "\"upload-7.zebra.example\": line 3 of keys.txt, not of mykeys.txt"),
            format!("\"{host}\": line 3 of key log 1, not of mykeys.txt")
        );
    }

    #[test]
    fn a_mark_in_a_text_does_not_end_it() {
        let mut seen = Seen::default();
        seen.note("a\" zebra \"b", How::Text);
        for sentence in
            ["the name \"a\" zebra \"b\" is odd", "the name \"a\" zebra\"", "from \"zebra"]
        {
            assert!(!told(&seen, sentence).contains("zebra"), "{sentence}");
        }
    }

    #[test]
    fn names_that_were_not_seen_go_and_products_stay() {
        let seen = Seen::default();
        let text =
            told(&seen, "Via \"1.1 zebra (squid/5.7)\" to \"/upload/zebra\" at \"upload.zebra\"");
        assert!(text.contains("(squid/5.7)") && !text.contains("zebra"), "{text}");
        assert!(!text.contains("upload"), "{text}");
    }
}
