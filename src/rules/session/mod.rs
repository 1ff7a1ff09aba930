//! Setting up a session.

pub mod access_denied;
pub mod auth_no_credentials;
pub mod destination_not_found;
pub mod header_over_4k;
pub mod host_id_fallback;
pub mod host_id_node_silent;
pub mod proxy_auth_required;
pub mod session_id_changed;
pub mod session_id_missing;
pub mod uploads_not_enabled;
