//! What an attacker would write.

pub mod content_name_invalid;
pub mod control_characters;
pub mod traversal_name;
