//! Names of the HRESULTs that BITS servers and clients report.

use std::sync::LazyLock;

/// One code a line, ascending: code, name, and for some a meaning.
const TABLE: &str = include_str!("hresults.tsv");

struct Entry {
    code: u32,
    symbol: &'static str,
    meaning: Option<&'static str>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| TABLE.lines().filter_map(entry).collect());

fn entry(line: &'static str) -> Option<Entry> {
    let mut cells = line.split('\t');
    let code = u32::from_str_radix(cells.next()?, 16).ok()?;
    Some(Entry { code, symbol: cells.next()?, meaning: cells.next() })
}

fn find(code: u32) -> Option<&'static Entry> {
    let place = ENTRIES.binary_search_by_key(&code, |entry| entry.code).ok()?;
    ENTRIES.get(place)
}

/// The symbolic name of a code, where it has one.
pub fn symbol(code: u32) -> Option<&'static str> {
    find(code).map(|entry| entry.symbol)
}

/// What a code means, for those met most in uploads.
pub fn meaning(code: u32) -> Option<&'static str> {
    find(code)?.meaning
}

/// A code as `0x` and eight upper-case digits.
pub fn hex(code: u32) -> String {
    format!("0x{code:08X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        assert_eq!(symbol(0x8020_001F), Some("BG_E_SESSION_NOT_FOUND"));
        assert_eq!(symbol(0x8019_0194), Some("BG_E_HTTP_ERROR_404"));
        assert_eq!(symbol(0xDEAD_BEEF), None);
        assert_eq!(meaning(0x8020_0022), Some("no protocol in common"));
    }

    #[test]
    fn the_table_is_in_order_and_whole() {
        assert_eq!(ENTRIES.len(), TABLE.lines().count());
        assert!(ENTRIES.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
