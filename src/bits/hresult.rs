//! HRESULTs that BITS servers and clients report: their names, what is behind them, and what helps.

use std::sync::LazyLock;

/// One code a line, ascending: code, name (`-` for none), meaning, likely cause, remedy. The meaning goes on with a
/// sentence; cause and remedy are sentences of their own.
const TABLE: &str = include_str!("hresults.tsv");

/// Failures that BITS names by their HTTP status: facility 0x19 ([MS-ERREF] 2.1).
const HTTP: u32 = 0x8019_0000;
/// Failures of Windows, by their Win32 code: facility 7 ([MS-ERREF] 2.1).
const WIN32: u32 = 0x8007_0000;
const FACILITY: u32 = 0xFFFF_0000;

/// The bit that means failure, and those that are clear in codes by Microsoft that are no NTSTATUS ([MS-ERREF] 2.1).
const FAILURE: u32 = 0x8000_0000;
const FOREIGN: u32 = 0x7800_0000;

/// Facilities of Microsoft that servers name in their errors, ascending ([MS-ERREF] 2.1).
const FACILITIES: [(u32, &str); 14] = [
    (1, "RPC"),
    (2, "DISPATCH"),
    (3, "STORAGE"),
    (4, "ITF"),
    (8, "WINDOWS"),
    (9, "SECURITY"),
    (11, "CERT"),
    (12, "INTERNET"),
    (17, "COMPLUS"),
    (19, "URT"),
    (32, "BACKGROUNDCOPY"),
    (33, "CONFIGURATION"),
    (36, "WINDOWSUPDATE"),
    (37, "DIRECTORYSERVICE"),
];

struct Entry {
    code: u32,
    symbol: Option<&'static str>,
    meaning: &'static str,
    cause: &'static str,
    remedy: &'static str,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| TABLE.lines().filter_map(entry).collect());

fn entry(line: &'static str) -> Option<Entry> {
    let mut cells = line.split('\t');
    Some(Entry {
        code: u32::from_str_radix(cells.next()?, 16).ok()?,
        symbol: cells.next().filter(|symbol| *symbol != "-"),
        meaning: cells.next()?,
        cause: cells.next()?,
        remedy: cells.next()?,
    })
}

fn find(code: u32) -> Option<&'static Entry> {
    let place = ENTRIES.binary_search_by_key(&code, |entry| entry.code).ok()?;
    ENTRIES.get(place)
}

/// The symbolic name of a code, where it has one.
pub fn symbol(code: u32) -> Option<&'static str> {
    find(code)?.symbol
}

/// What a code means: a few words without a capital or a period.
pub fn meaning(code: u32) -> Option<&'static str> {
    find(code).map(|entry| entry.meaning)
}

/// What is usually behind a code.
pub fn cause(code: u32) -> Option<&'static str> {
    find(code).map(|entry| entry.cause)
}

/// What usually helps.
pub fn remedy(code: u32) -> Option<&'static str> {
    find(code).map(|entry| entry.remedy)
}

/// The codes that have names, with these, in ascending order.
pub fn symbols() -> impl Iterator<Item = (u32, &'static str)> {
    ENTRIES.iter().filter_map(|entry| Some((entry.code, entry.symbol?)))
}

/// `E_INVALIDARG`: the request is malformed ([MC-BUP] 3.2.5.2.3).
pub const INVALID_ARGUMENT: u32 = 0x8007_0057;

/// `E_ACCESSDENIED`.
pub const ACCESS_DENIED: u32 = 0x8007_0005;

/// `BG_E_SESSION_NOT_FOUND` ([MC-BUP] 2.2.1.2).
pub const SESSION_NOT_FOUND: u32 = 0x8020_001F;

/// `BG_E_CLIENT_SERVER_PROTOCOL_MISMATCH`: no protocol in common.
pub const PROTOCOL_MISMATCH: u32 = 0x8020_0022;

/// `BG_E_TOO_LARGE`: the server takes no file of this length ([MC-BUP] 2.2.1.2).
pub const TOO_LARGE: u32 = 0x8020_0020;

/// What [MC-BUP] 2.2.1.2 and 3.3.6 print for a full disk and for an application that was slow; no other table has it.
pub const MISPRINTED: u32 = 0x8007_0112;

/// `ERROR_WINHTTP_TIMEOUT`, and `ERROR_INTERNET_TIMEOUT`: who was asked kept silent.
pub const TIMED_OUT: u32 = of_win32(12_002);

/// `ERROR_WINHTTP_NAME_NOT_RESOLVED`: there is no address to connect to.
pub const NAME_NOT_RESOLVED: u32 = of_win32(12_007);

/// `ERROR_WINHTTP_CANNOT_CONNECT`: the connection was refused.
pub const CANNOT_CONNECT: u32 = of_win32(12_029);

/// `ERROR_WINHTTP_CONNECTION_ERROR`: the connection was ended from the other side.
pub const CONNECTION_ERROR: u32 = of_win32(12_030);

/// The code in which BITS reports an HTTP status.
pub const fn of_status(status: u16) -> u32 {
    HTTP | status as u32
}

/// The HTTP status that a code stands for, from 100 to 599.
pub fn status(code: u32) -> Option<u16> {
    in_facility(code, HTTP).filter(|status| (100..=599).contains(status))
}

/// The code of a Win32 error.
pub const fn of_win32(error: u16) -> u32 {
    WIN32 | error as u32
}

/// The Win32 error that a code stands for.
pub fn win32(code: u32) -> Option<u16> {
    in_facility(code, WIN32)
}

fn in_facility(code: u32, facility: u32) -> Option<u16> {
    (code & FACILITY == facility).then(|| u16::try_from(code & !FACILITY).ok()).flatten()
}

/// What a code stands for by its facility: `HTTP status 431 as BITS reports it`, `Win32 error 1326`.
pub fn by_facility(code: u32) -> Option<String> {
    let http = status(code).map(|status| format!("HTTP status {status} as BITS reports it"));
    http.or_else(|| win32(code).map(|error| format!("Win32 error {error}")))
}

/// Whether a code means failure.
pub const fn is_failure(code: u32) -> bool {
    code & FAILURE != 0
}

/// The facility that a failure comes from, by its name.
pub fn facility(code: u32) -> Option<&'static str> {
    let number = (code >> 16) & 0x7FF;
    let failure = is_failure(code) && code & FOREIGN == 0;
    FACILITIES.iter().find(|(known, _)| failure && *known == number).map(|(_, name)| *name)
}

/// Whether the parts of a code say something of it.
pub fn says_something(code: u32) -> bool {
    by_parts(code).is_some()
}

/// What the parts of a code say where it has no name of its own.
fn by_parts(code: u32) -> Option<String> {
    let parts = || facility(code).map(|name| format!("error {} of facility {name}", code & 0xFFFF));
    by_facility(code).or_else(parts)
}

/// A code as `0x` and eight upper-case digits.
pub fn hex(code: u32) -> String {
    format!("0x{code:08X}")
}

/// A code with all that it is called: `0x80190194, BG_E_HTTP_ERROR_404, the URL does not exist on the server`.
pub fn in_words(code: u32) -> String {
    let unnamed = symbol(code).is_none().then(|| by_parts(code)).flatten();
    let parts = [symbol(code).map(str::to_owned), unnamed, meaning(code).map(str::to_owned)];
    parts.into_iter().flatten().fold(hex(code), |words, part| format!("{words}, {part}"))
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
        assert_eq!(symbols().count(), 232);
    }

    #[test]
    fn codes_without_a_name_of_their_own_are_named_by_facility() {
        assert_eq!(by_facility(0x8019_01AF).as_deref(), Some("HTTP status 431 as BITS reports it"));
        assert_eq!(by_facility(0x8007_052E).as_deref(), Some("Win32 error 1326"));
        assert_eq!((by_facility(0x8020_001F), by_facility(0x8019_0000)), (None, None));
        assert_eq!((status(0x8019_01AF), win32(0x8007_052E)), (Some(431), Some(1326)));
        assert_eq!((of_status(404), of_win32(12002)), (0x8019_0194, 0x8007_2EE2));
    }

    #[test]
    fn codes_read_well_in_a_sentence() {
        assert_eq!(
            in_words(0x8019_0194),
            "0x80190194, BG_E_HTTP_ERROR_404, the URL does not exist on the server"
        );
        assert_eq!(
            in_words(0x8019_01AF),
            "0x801901AF, HTTP status 431 as BITS reports it, the header of the request is too large"
        );
        assert_eq!(in_words(0x8019_01C2), "0x801901C2, HTTP status 450 as BITS reports it");
        assert_eq!(in_words(0x8013_1501), "0x80131501, error 5377 of facility URT");
        assert_eq!(in_words(0xDEAD_BEEF), "0xDEADBEEF");
    }

    #[test]
    fn the_table_is_in_order_and_whole() {
        assert_eq!(ENTRIES.len(), TABLE.lines().count());
        assert!(ENTRIES.windows(2).all(|pair| pair[0].code < pair[1].code));
        for line in TABLE.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), 5, "{line}");
            assert!(!cells[2].ends_with('.') && !cells[2].starts_with("The "), "{line}");
            let sentence =
                |text: &str| text.ends_with('.') && text.starts_with(|c: char| !c.is_lowercase());
            assert!(cells[3..].iter().all(|text| sentence(text)), "{line}");
        }
    }
}
