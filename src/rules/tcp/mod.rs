//! TCP: what became of connections and segments.

pub mod connect_refused;
pub mod connect_timeout;
pub mod dns_failed;
pub mod half_open_retry;
pub mod idle_reset;
pub mod mtu_blackhole;
pub mod nic_offload_artifacts;
pub mod retransmission_differs;
pub mod retransmission_heavy;
pub mod tcp_reset_by_client;
pub mod tcp_reset_by_middlebox;
pub mod tcp_reset_by_server;
pub mod zero_window_stall;
