//! The capture itself: what it lacks.

pub mod capture_caps;
pub mod capture_damaged;
pub mod capture_ends_mid_session;
pub mod capture_gap;
pub mod capture_one_sided;
pub mod capture_starts_mid_session;
pub mod capture_truncated;
pub mod captured_on_both_sides;
pub mod clock_jump;
pub mod duplicated_packets;
