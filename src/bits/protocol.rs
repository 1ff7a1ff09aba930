//! Protocols that can be negotiated, by GUID ([MC-BUP] 1.7.1).

/// The only registered upload protocol, in canonical form.
pub const UPLOAD_1_5: &str = "7df0354d-249b-430f-820d-3d2a9bef4931";

/// Entries of `BITS-Supported-Protocols` that Windows reads ([MC-BUP] Appendix A <6>).
pub const OFFERS_READ: usize = 100;

/// The registered name of a protocol; `guid` in any case, with or without braces.
pub fn name(guid: &str) -> Option<&'static str> {
    canonical(guid).filter(|guid| guid == UPLOAD_1_5).map(|_| "BITS 1.5 Upload Protocol")
}

/// Lower case without braces, the form to compare; `None` for what is no GUID.
pub fn canonical(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches('{').trim_end_matches('}');
    let dashed = bare.len() == 36;
    dashed
        .then(|| uuid::Uuid::try_parse(bare).ok())
        .flatten()
        .map(|guid| guid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned())
}

/// The form to compare session ids in: a GUID as [`canonical`], anything else in lower case
/// ([MC-BUP] 2.2.1.2; other servers hand out decimals).
pub fn canonical_id(text: &str) -> String {
    canonical(text).unwrap_or_else(|| text.trim().trim_matches(['{', '}']).to_ascii_lowercase())
}

/// Splits a `BITS-Supported-Protocols` value at spaces, commas and semicolons.
pub fn offers(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', '\t', ',', ';']).filter(|entry| !entry.is_empty())
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
        assert_eq!(name("{00000000-0000-0000-0000-000000000000}"), None);
    }

    #[test]
    fn offers_are_split_at_spaces_and_commas() {
        assert_eq!(offers("{a} {b},{c} , {d}").collect::<Vec<_>>(), ["{a}", "{b}", "{c}", "{d}"]);
    }

    #[test]
    fn ids_that_are_no_guids_compare_without_case_and_braces() {
        assert_eq!(canonical_id("{ABC}"), "abc");
        assert_eq!(canonical_id("-1234567890"), "-1234567890");
    }
}
