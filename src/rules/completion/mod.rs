//! How uploads end.

pub mod cancelled;
pub mod close_failed;
pub mod close_missing;
pub mod close_without_final_fragment;
pub mod message_after_close;
pub mod notification_timeout;
pub mod remote_application_failed;
pub mod request_abandoned;
pub mod response_timeout;
pub mod server_error_unspecified;
pub mod session_not_found;
