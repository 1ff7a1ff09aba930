//! Who answers in place of a BITS server.

pub mod gateway_error;
pub mod gateway_timeout;
pub mod httpsys_rejected;
pub mod redirected;
pub mod server_not_bits;
pub mod verb_rejected_by_iis;
pub mod verb_rejected_by_proxy;
pub mod verb_rejected_by_server;
