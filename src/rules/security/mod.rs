//! What an attacker would write, and what a hunter looks for.

pub mod bits_without_ua;
pub mod cleartext_sensitive;
pub mod content_name_invalid;
pub mod content_type_mismatch;
pub mod control_characters;
pub mod ip_literal_host;
pub mod known_server_fingerprint;
pub mod long_lived_job;
pub mod odd_port;
pub mod rare_tld;
pub mod traversal_name;
pub mod ua_without_bits_behaviour;
pub mod upload_to_external;
