//! How fast it goes, and how often it is tried.

pub mod retry_schedule;
pub mod retry_storm;
pub mod slow_server_ack;
