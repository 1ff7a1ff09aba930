//! The layout of a document, a line at a time.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Ends a line and indents the next one, as far as most lie.
const LINE: &[u8; 66] = b",\n                                                                ";

/// Indents as the formatter of `serde_json` does, but with one write for a line instead of one for each level.
pub(super) struct Indented {
    depth: usize,
    has_value: bool,
}

impl Indented {
    /// For a value so many levels down.
    pub const fn at(depth: usize) -> Self {
        Self { depth, has_value: false }
    }

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.has_value {
            self.line(out, true)?;
        }
        out.write_all(bracket)
    }

    /// Begins a line, behind a comma unless it is the `first`.
    fn line<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        let (start, spaces) = (usize::from(first), 2 * self.depth);
        let most = spaces.min(LINE.len() - 2);
        out.write_all(LINE.get(start..2 + most).unwrap_or_default())?;
        (most..spaces).try_for_each(|_| out.write_all(b" "))
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Serializer, json};

    use super::*;

    #[test]
    fn the_layout_is_that_of_serde_json() {
        let mut value = json!({"a": [], "b": {}, "c": [1, [2, "x\n"]], "d": {"e": null}});
        for depth in 0..40 {
            let mut out = Vec::new();
            value.serialize(&mut Serializer::with_formatter(&mut out, Indented::at(0))).unwrap();
            assert_eq!(out, serde_json::to_vec_pretty(&value).unwrap(), "{depth}");
            value = json!({"in": [value]});
        }
    }
}
