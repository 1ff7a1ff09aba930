//! Who answers in place of a BITS server, and what is odd about HTTP itself.

pub mod app_pool_down;
pub mod captive_or_error_page;
pub mod content_length_contradictory;
pub mod continue_stuck;
pub mod gateway_error;
pub mod gateway_timeout;
pub mod head_too_large;
pub mod header_stripped;
pub mod header_syntax_odd;
pub mod httpsys_rejected;
pub mod iis_request_filtering_path;
pub mod proxy_buffered;
pub mod redirected;
pub mod request_malformed;
pub mod server_not_bits;
pub mod stray_bytes;
pub mod success_status_odd;
pub mod too_many_requests;
pub mod tunnel_refused;
pub mod verb_rejected_by_iis;
pub mod verb_rejected_by_proxy;
pub mod verb_rejected_by_server;
pub mod verb_rejected_by_waf;
pub mod via_hop;
pub mod webdav_conflict;
