//! Text on a page.

use std::fmt;

use crate::export::text;

/// Text from anywhere, safe within elements and quoted attributes: what steers terminals is spelled out, what means
/// something in HTML is a character reference.
pub(super) struct Esc<'t>(pub &'t str);

impl fmt::Display for Esc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let safe = text::escape(self.0);
        let mut rest = safe.as_ref();
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, tail) = rest.split_at(at);
            f.write_str(plain)?;
            f.write_str(match tail.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#39;",
            })?;
            rest = tail.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// The first characters of a text, with a mark where there are more.
pub(super) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_are_spelled_out() {
        assert_eq!(Esc("<b a='\"'>&\u{1b}").to_string(), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\\x1b");
        assert_eq!(short("abcdef", 3), "abc…");
        assert_eq!(short("é", 3), "é");
    }
}
