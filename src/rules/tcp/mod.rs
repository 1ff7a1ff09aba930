//! TCP, and the names that lead to it.

pub mod dns_failed;
pub mod retransmission_heavy;
pub mod tcp_reset_by_client;
pub mod tcp_reset_by_middlebox;
pub mod tcp_reset_by_server;
pub mod zero_window_stall;
