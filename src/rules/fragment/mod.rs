//! Fragments and their ranges.

pub mod ack_offset_beyond_end;
pub mod ack_offset_mismatch;
pub mod ack_offset_went_back;
pub mod ack_range_missing;
pub mod body_on_empty_packet;
pub mod content_length_missing;
pub mod content_range_invalid;
pub mod content_range_missing;
pub mod empty_upload;
pub mod encoding_not_identity;
pub mod fragment_gap;
pub mod fragment_outside_limits;
pub mod fragment_overlap;
pub mod fragment_replay;
pub mod fragment_size_collapse;
pub mod http_version_not_11;
pub mod length_range_mismatch;
pub mod packet_type_missing;
pub mod pipelined_requests;
pub mod range_out_of_step;
pub mod request_too_large;
pub mod request_too_large_404_13;
pub mod server_disk_full;
pub mod total_length_changed;
pub mod unknown_packet_type;
pub mod upload_too_large;
