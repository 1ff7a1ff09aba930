//! What rules read in a text, which stays as it is: it tells of products and servers, not of people and places.

use crate::rules::{self, filtering};

/// More than the length of a name that IIS refuses.
const NAME: usize = 32;
/// Bytes that are looked through for the start of a name.
const LONGEST: usize = 256;

/// Length of the words at the start of a text that a rule looks for, given what comes `before` them; 0 where there are
/// none.
pub(super) fn words(rest: &str, before: Option<char>) -> usize {
    let of_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let stands = |words: &&str| {
        let (start, end) = (rest.get(..words.len()), rest.get(words.len()..));
        start.is_some_and(|start| start.eq_ignore_ascii_case(words))
            && !(of_word(before) && of_word(words.chars().next()))
            && !(of_word(words.chars().next_back())
                && of_word(end.and_then(|end| end.chars().next())))
    };
    rules::words().filter(stands).map(str::len).max().unwrap_or(0)
}

/// Length of the name or the extension at the start of a text that IIS refuses by default, given what comes `before` it
/// in a URL; 0 where there is none.
pub(super) fn refused(rest: &str, before: &str) -> usize {
    let ends = |byte: u8| matches!(byte, b'/' | b'?' | b'#' | b' ' | b'"');
    let len = rest.bytes().take(NAME).position(ends).unwrap_or(rest.len());
    let name = rest.get(..len).filter(|name| name.len() < NAME).unwrap_or_default();
    let is_last = !rest.get(len..).is_some_and(|rest| rest.starts_with('/'));
    let stands = if before.ends_with('.') {
        is_last && is_in_path(before) && filtering::is_denied(name)
    } else {
        before.ends_with('/') && is_in_path(before) && filtering::is_hidden(name)
    };
    if stands { len } else { 0 }
}

/// Whether a text ends within a path: the last slash is not that in front of a host.
fn is_in_path(text: &str) -> bool {
    let mut back = text.bytes().rev().take(LONGEST).skip_while(|byte| *byte != b'/');
    back.next().is_some() && back.next() != Some(b'/')
}

#[cfg(test)]
mod tests {
    use super::super::pseudonym::{Pseudonyms, Stay};
    use super::*;

    #[test]
    fn what_rules_look_for_stays_and_no_more() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for words in rules::words() {
            let text = format!("jdoe7 {words} jdoe7");
            let other = pseudonyms.map(&text, Stay::Products);
            assert!(other.contains(words) && !other.contains("jdoe"), "{other}");
            assert_eq!(other.len(), text.len());
        }
        let other = pseudonyms.map("1.1 hongkong-7 (sophosx)", Stay::Products);
        assert!(!other.contains("kong") && !other.contains("sophos"), "{other}");
    }

    #[test]
    fn of_a_path_what_iis_refuses_stays_and_no_more() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for (path, kept) in [
            ("/jdoe/bin/jdoe.dat", "/bin/"),
            ("http://jdoe:80/App_Data/jdoe", "/App_Data/"),
            ("/jdoe/web.config", "/web.config"),
            ("/jdoe/jdoe.mdb", ".mdb"),
            ("http://jdoe/jdoe.jdoe.LNK?jdoe=jdoe", ".LNK?"),
        ] {
            let other = pseudonyms.text(path);
            assert!(other.contains(kept) && !other.contains("jdoe"), "{other}");
            assert_eq!(other.len(), path.len());
        }
        for path in
            ["http://bin/", "http://jdoe.java/", "/jdoe.java/jdoe", "/binary/x", "mdb", "jdoe.skin"]
        {
            let other = pseudonyms.text(path);
            assert!(
                ["bin/", "java", "binary", "mdb", "skin"].iter().all(|name| !other.contains(name)),
                "{other}"
            );
        }
    }
}
