//! How uploads end.

pub mod cancelled;
pub mod close_failed;
pub mod close_missing;
pub mod close_retried;
pub mod close_without_final_fragment;
pub mod connection_closed_mid_request;
pub mod error_context_odd;
pub mod error_header_on_success;
pub mod message_after_close;
pub mod notification_timeout;
pub mod remote_application_failed;
pub mod reply_fetch_failed;
pub mod reply_not_fetched;
pub mod reply_url_early;
pub mod reply_url_missing;
pub mod reply_url_too_long;
pub mod request_abandoned;
pub mod request_timeout;
pub mod response_cut_off;
pub mod response_timeout;
pub mod restart_loop;
pub mod server_error_unspecified;
pub mod session_not_found;
pub mod session_not_found_after_idle;
pub mod session_not_found_after_server_change;
pub mod session_not_found_same_connection;
