//! The choice of a protocol.

pub mod guid_missing_in_ack;
pub mod protocol_not_supported;
pub mod selection_on_refusal;
pub mod supported_protocols_missing;
pub mod too_many_guids;
pub mod wrong_guid_selected;
