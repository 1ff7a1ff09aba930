//! The choice of a protocol.

pub mod protocol_not_supported;
pub mod wrong_guid_selected;
