//! The form of a message, entry by entry: what is absent is left out.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::at::Span;

/// A map that is being written.
pub(super) struct Form<M>(M);

impl<M: SerializeMap> Form<M> {
    /// Begins one.
    pub fn begin<S: Serializer<SerializeMap = M>>(serializer: S) -> Result<Self, S::Error> {
        serializer.serialize_map(None).map(Self)
    }

    /// The frames of the message.
    pub fn span(&mut self, span: Span) -> Result<(), M::Error> {
        span.write(&mut self.0)
    }

    /// An entry that is always there.
    pub fn put(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        self.0.serialize_entry(key, value)
    }

    /// One that may be absent.
    pub fn maybe(&mut self, key: &str, value: &Option<impl Serialize>) -> Result<(), M::Error> {
        value.as_ref().map_or(Ok(()), |value| self.put(key, value))
    }

    /// One that may be empty.
    pub fn text(&mut self, key: &str, text: &str) -> Result<(), M::Error> {
        if text.is_empty() { Ok(()) } else { self.put(key, text) }
    }

    /// Several values, or none.
    pub fn all(&mut self, key: &str, values: &[impl Serialize]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.put(key, values) }
    }

    /// Something that is told only where it is so.
    pub fn flag(&mut self, key: &str, flag: bool) -> Result<(), M::Error> {
        if flag { self.put(key, &true) } else { Ok(()) }
    }

    /// Nothing more.
    pub fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}
