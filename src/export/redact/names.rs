//! Replaces the values of a report one by one, and remembers what it replaced.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;

use super::head;
use super::pseudonym::{Pseudonyms, Stay};
use super::seen::{How, Seen};
use crate::bits::fields::ContentRange;

/// The pseudonyms given so far.
pub(super) struct Names<'p> {
    pseudonyms: &'p Pseudonyms,
    seen: Seen,
    /// Files with keys, in the order in which they turned up.
    key_logs: Vec<String>,
}

/// A text that another can be put in the place of.
pub(super) trait Slot: Deref<Target = str> + From<String> {}

impl<T: Deref<Target = str> + From<String>> Slot for T {}

impl<'p> Names<'p> {
    /// None yet.
    pub fn new(pseudonyms: &'p Pseudonyms) -> Self {
        Self { pseudonyms, seen: Seen::default(), key_logs: Vec::new() }
    }

    /// Replaces an address.
    pub fn address(&self, address: &mut IpAddr) {
        *address = self.pseudonyms.address(*address);
    }

    /// Replaces an address with a port, which stays.
    pub fn socket(&self, at: &mut SocketAddr) {
        *at = self.pseudonyms.socket(*at);
    }

    /// Replaces a text with names in it: a path, a host, an id, a file.
    pub fn text(&mut self, text: &mut impl Slot) {
        self.seen.note(text, How::Text);
        *text = self.pseudonyms.text(text).into();
    }

    /// Replaces each [`text`](Self::text).
    pub fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t mut (impl Slot + 't)>) {
        texts.into_iter().for_each(|text| self.text(text));
    }

    /// Replaces what is no name of a product.
    pub fn products<'t>(&mut self, texts: impl IntoIterator<Item = &'t mut (impl Slot + 't)>) {
        for text in texts {
            self.named(text);
            *text = self.pseudonyms.map(text, Stay::Products).into();
        }
    }

    /// Replaces the names in the values of fields, `Name: value`, but for products.
    pub fn hops(&mut self, hops: &mut [String]) {
        for hop in hops {
            let (name, value) = hop.split_once(": ").unwrap_or((hop, ""));
            let value = self.pseudonyms.map(value, Stay::Products);
            let other = format!("{}: {value}", head::name(self.pseudonyms, name));
            self.becomes(hop, other);
        }
    }

    /// Replaces fields as `Name: value`.
    pub fn lines(&mut self, lines: &mut [String]) {
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            let value = head::value(self.pseudonyms, name, value);
            let other = format!("{}: {value}", head::name(self.pseudonyms, name));
            self.becomes(line, other);
        }
    }

    /// Remembers a text with names of products that stands in sentences only.
    pub fn named(&mut self, text: &str) {
        self.seen.note(text, How::Products);
    }

    /// Replaces values of the header field `name`.
    pub fn field<'t>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'t mut (impl Slot + 't)>,
    ) {
        for value in values {
            let other = head::value(self.pseudonyms, name, value);
            self.becomes(value, other);
        }
    }

    /// Replaces what is no number in values of `Content-Range` that do not follow the grammar.
    pub fn ranges<'t>(&mut self, ranges: impl IntoIterator<Item = &'t mut ContentRange>) {
        for range in ranges.into_iter().filter(|range| !range.valid) {
            let mut raw = range.raw();
            self.field("Content-Range", [&mut raw]);
            *range = ContentRange::parse(&raw);
        }
    }

    /// Replaces a name of a header field.
    pub fn field_name(&mut self, name: &mut impl Slot) {
        let other = head::name(self.pseudonyms, name);
        self.becomes(name, other);
    }

    /// Replaces a method.
    pub fn method(&mut self, method: &mut impl Slot) {
        let other = head::method(self.pseudonyms, method);
        self.becomes(method, other);
    }

    /// Replaces the file that keys are from by a number.
    pub fn key_log(&mut self, source: &mut String) {
        let known = self.key_logs.iter().position(|known| known == source);
        let place = known.unwrap_or_else(|| {
            self.key_logs.push(source.clone());
            self.key_logs.len() - 1
        });
        self.becomes(source, format!("key log {}", place + 1));
    }

    /// Replaces the subject or issuer of a certificate, but for the types of its attributes.
    pub fn subject(&mut self, subject: &mut String) {
        let part = |part: &str| match part.split_once('=') {
            Some((kind, value)) if ATTRIBUTES.contains(&kind) => {
                format!("{kind}={}", self.pseudonyms.text(value))
            }
            _ => self.pseudonyms.text(part),
        };
        let other = subject.split(", ").map(part).collect::<Vec<_>>().join(", ");
        self.becomes(subject, other);
    }

    /// Remembers texts that stay.
    pub fn stay(&mut self, texts: &[String]) {
        texts.iter().for_each(|text| self.seen.note(text, How::Stays));
    }

    /// Replaces a text by another.
    pub fn becomes(&mut self, text: &mut impl Slot, other: String) {
        let how = if **text == *other { How::Stays } else { How::Other(other.clone()) };
        self.seen.note(text, how);
        *text = other.into();
    }

    /// Replaces names in a sentence of ours, once all that may be in it was replaced where it is from.
    pub fn sentence(&self, sentence: &mut impl Slot) {
        *sentence = self.seen.sentence(sentence, self.pseudonyms).into();
    }
}

/// Types of attributes of a distinguished name (RFC 4514 3 and what is usual besides).
const ATTRIBUTES: [&str; 12] =
    ["CN", "C", "L", "ST", "O", "OU", "DC", "UID", "STREET", "SN", "E", "Email"];
