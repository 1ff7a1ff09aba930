//! Setting up a session.

pub mod access_denied;
pub mod create_without_fragment;
pub mod destination_is_directory;
pub mod destination_not_found;
pub mod duplicate_sessions;
pub mod execute_enabled;
pub mod folder_missing;
pub mod header_over_4k;
pub mod host_id_fallback;
pub mod host_id_ignored;
pub mod host_id_no_fallback_timeout;
pub mod host_id_node_silent;
pub mod host_id_odd;
pub mod host_id_unreachable;
pub mod host_id_with_port;
pub mod ping_failed;
pub mod ping_skipped;
pub mod session_id_changed;
pub mod session_id_missing;
pub mod session_id_on_two_urls;
pub mod session_id_reused;
pub mod session_id_too_long;
pub mod session_limit;
pub mod target_exists;
pub mod uploads_not_enabled;
