//! Protocols that can be negotiated, by GUID ([MC-BUP] 1.7.1).

use uuid::Uuid;

/// The only registered upload protocol.
pub const UPLOAD_1_5: Uuid = uuid::uuid!("7df0354d-249b-430f-820d-3d2a9bef4931");

/// How Windows writes it.
const USUAL: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

/// Entries of `BITS-Supported-Protocols` that Windows reads ([MC-BUP] Appendix A <6>).
pub const OFFERS_READ: usize = 100;

/// The registered name of a protocol; `text` in any case, with or without braces.
pub fn name(text: &str) -> Option<&'static str> {
    guid(text).filter(|guid| *guid == UPLOAD_1_5).map(|_| "BITS 1.5 Upload Protocol")
}

/// A GUID in any case, with or without braces or quotation marks.
pub fn guid(text: &str) -> Option<Uuid> {
    if text == USUAL {
        return Some(UPLOAD_1_5);
    }
    let bare = text.trim().trim_matches('"').trim_start_matches('{').trim_end_matches('}');
    let dashed = bare.len() == 36;
    dashed.then(|| Uuid::try_parse(bare).ok()).flatten()
}

/// Lower case without braces, the form to compare session ids in: GUIDs and others
/// ([MC-BUP] 2.2.1.2; other servers hand out decimals).
pub fn canonical_id(text: &str) -> String {
    let mut bare = text.trim();
    while let Some(rest) = bare.strip_prefix('{').or_else(|| bare.strip_prefix('}')) {
        bare = rest;
    }
    while let Some(rest) = bare.strip_suffix('}').or_else(|| bare.strip_suffix('{')) {
        bare = rest;
    }
    bare.to_ascii_lowercase()
}

/// Letters of a GUID, at least.
const GUID: usize = 32;

/// Whether a session id is as long as a GUID, so that no other server gives it out; shorter ones are unique per server
/// only ([MC-BUP] 2.2.1.2).
pub const fn is_unique(id: &str) -> bool {
    id.len() >= GUID
}

/// Splits a `BITS-Supported-Protocols` value at spaces, commas, and whatever else some servers take for a separator.
pub fn offers(value: &str) -> impl Iterator<Item = &str> {
    let of_an_entry = |byte: u8| byte.is_ascii_alphanumeric() || b"{}-\"'._%/:".contains(&byte);
    let ends = move |byte: &u8| byte.is_ascii() && !of_an_entry(*byte);
    let mut rest = value;
    std::iter::from_fn(move || {
        let start = rest.bytes().position(|byte| !ends(&byte))?;
        let entries = rest.get(start..)?;
        let end = entries.bytes().position(|byte| ends(&byte)).unwrap_or(entries.len());
        let (entry, behind) = entries.split_at_checked(end)?;
        rest = behind;
        Some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_protocol_is_known_in_any_spelling() {
        assert_eq!(
            name("{7DF0354D-249B-430F-820D-3D2A9BEF4931}"),
            Some("BITS 1.5 Upload Protocol")
        );
        assert_eq!(name("7df0354d-249b-430f-820d-3d2a9bef4931"), Some("BITS 1.5 Upload Protocol"));
        assert_eq!(
            name("\"{7df0354d-249b-430f-820d-3d2a9bef4931}\""),
            Some("BITS 1.5 Upload Protocol")
        );
        assert_eq!(name("{00000000-0000-0000-0000-000000000000}"), None);
    }

    #[test]
    fn offers_are_split_at_spaces_and_commas() {
        assert_eq!(offers("{a} {b},{c} , {d}").collect::<Vec<_>>(), ["{a}", "{b}", "{c}", "{d}"]);
    }

    #[test]
    fn other_signs_separate_offers_unless_they_belong_to_one() {
        assert_eq!(offers("{a}|{b};(c)").collect::<Vec<_>>(), ["{a}", "{b}", "c"]);
        assert_eq!(offers("BITS/1.5 urn:ä–b").collect::<Vec<_>>(), ["BITS/1.5", "urn:ä–b"]);
        assert_eq!(offers(" , |;").count(), 0);
    }

    #[test]
    fn ids_compare_without_case_and_braces() {
        assert_eq!(canonical_id("{ABC}"), "abc");
        assert_eq!(
            canonical_id(" {31F6AFB8-2468-E269-DDD6-851A58C05969}"),
            "31f6afb8-2468-e269-ddd6-851a58c05969"
        );
        assert_eq!(canonical_id("-1234567890"), "-1234567890");
    }
}
