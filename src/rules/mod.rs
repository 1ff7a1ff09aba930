//! Judgements: pure functions over what the model recorded. A rule sees no bytes and keeps no state.
//!
//! A rule is a file; its name is the rule's id, with hyphens for underscores. Its documentation is what `explain`
//! prints: a title, paragraphs, examples as transcripts that make it fire or leave it silent, and notes of a line each:
//!
//! - `Answerable:` who can do something about it; every rule that can be a cause has this and the next.
//! - `Advice:` what they should do.
//! - `Client:` the code that a Windows client logs where it runs into this, if that does not follow from the answer.
//! - `Confirm:` what would prove it.
//! - `Reference:` the clause it rests on.
//!
//! Rules lie in the folders of their families. Files beside those hold what several rules ask or say.
//!
//! The tables below are made by `bitsleuth rules --format markdown`.
//!
#![doc = include_str!("README.md")]

#[macro_use]
mod macros;
pub(crate) mod address;
mod alerts;
pub mod around;
mod cite;
pub(crate) mod closed;
mod connect;
pub(crate) mod course;
pub(crate) mod cut;
mod diagnosis;
mod echo;
pub(crate) mod filtering;
pub mod finding;
pub(crate) mod front;
mod gateways;
mod handshake;
pub mod history;
pub(crate) mod hosts;
mod icmp;
mod left_out;
pub(crate) mod look;
pub(crate) mod lost;
mod offsets;
pub mod origin;
mod other_server;
pub(crate) mod page;
mod product;
pub(crate) mod relay;
mod remedies;
pub(crate) mod reset;
mod retry;
mod rounds;
mod rule;
mod runner;
mod seen;
pub(crate) mod sender;
mod slip;
pub(crate) mod stripped;
#[cfg(test)]
mod tests;
mod unanswered;
mod uncaptured;
mod verb;
pub(crate) mod wording;

mod auth;
mod capture;
mod completion;
mod fragment;
mod http;
mod negotiation;
mod pace;
mod security;
mod session;
mod tcp;
mod tls;

pub use around::{Around, Sight};
pub use finding::{Confidence, Diagnosis, Finding, Notes, Severity};
pub use rule::{Check, Needs, Place, Rule};
pub use runner::{Judge, worst, worst_of};
pub use seen::Seen;

/// All rules.
pub static ALL: &[&Rule] = &[
    &auth::anonymous_plus_acl::RULE,
    &auth::auth_body_resent::RULE,
    &auth::auth_loop::RULE,
    &auth::auth_no_credentials::RULE,
    &auth::basic_over_cleartext::RULE,
    &auth::credentials_in_url::RULE,
    &auth::ntlm_connection_churn::RULE,
    &auth::proxy_auth_required::RULE,
    &capture::capture_caps::RULE,
    &capture::capture_damaged::RULE,
    &capture::capture_ends_mid_session::RULE,
    &capture::capture_gap::RULE,
    &capture::capture_one_sided::RULE,
    &capture::capture_starts_mid_session::RULE,
    &capture::capture_truncated::RULE,
    &capture::captured_on_both_sides::RULE,
    &capture::clock_jump::RULE,
    &capture::duplicated_packets::RULE,
    &completion::cancelled::RULE,
    &completion::close_failed::RULE,
    &completion::close_missing::RULE,
    &completion::close_retried::RULE,
    &completion::close_without_final_fragment::RULE,
    &completion::connection_closed_mid_request::RULE,
    &completion::error_context_odd::RULE,
    &completion::error_header_on_success::RULE,
    &completion::message_after_close::RULE,
    &completion::notification_timeout::RULE,
    &completion::remote_application_failed::RULE,
    &completion::reply_fetch_failed::RULE,
    &completion::reply_not_fetched::RULE,
    &completion::reply_url_early::RULE,
    &completion::reply_url_missing::RULE,
    &completion::reply_url_too_long::RULE,
    &completion::request_abandoned::RULE,
    &completion::request_timeout::RULE,
    &completion::response_cut_off::RULE,
    &completion::response_timeout::RULE,
    &completion::restart_loop::RULE,
    &completion::server_error_unspecified::RULE,
    &completion::session_not_found::RULE,
    &completion::session_not_found_after_idle::RULE,
    &completion::session_not_found_after_server_change::RULE,
    &completion::session_not_found_same_connection::RULE,
    &fragment::ack_offset_beyond_end::RULE,
    &fragment::ack_offset_mismatch::RULE,
    &fragment::ack_offset_went_back::RULE,
    &fragment::ack_range_missing::RULE,
    &fragment::body_on_empty_packet::RULE,
    &fragment::content_length_missing::RULE,
    &fragment::content_range_invalid::RULE,
    &fragment::content_range_missing::RULE,
    &fragment::empty_upload::RULE,
    &fragment::encoding_not_identity::RULE,
    &fragment::fragment_gap::RULE,
    &fragment::fragment_outside_limits::RULE,
    &fragment::fragment_overlap::RULE,
    &fragment::fragment_replay::RULE,
    &fragment::fragment_size_collapse::RULE,
    &fragment::http_version_not_11::RULE,
    &fragment::length_range_mismatch::RULE,
    &fragment::packet_type_missing::RULE,
    &fragment::pipelined_requests::RULE,
    &fragment::range_out_of_step::RULE,
    &fragment::request_too_large::RULE,
    &fragment::request_too_large_404_13::RULE,
    &fragment::server_disk_full::RULE,
    &fragment::total_length_changed::RULE,
    &fragment::unknown_packet_type::RULE,
    &fragment::unsent_bytes_confirmed::RULE,
    &fragment::upload_too_large::RULE,
    &http::app_pool_down::RULE,
    &http::captive_or_error_page::RULE,
    &http::content_length_contradictory::RULE,
    &http::continue_stuck::RULE,
    &http::gateway_error::RULE,
    &http::gateway_timeout::RULE,
    &http::head_too_large::RULE,
    &http::header_stripped::RULE,
    &http::header_syntax_odd::RULE,
    &http::httpsys_rejected::RULE,
    &http::iis_request_filtering_path::RULE,
    &http::proxy_buffered::RULE,
    &http::redirected::RULE,
    &http::request_malformed::RULE,
    &http::server_not_bits::RULE,
    &http::stray_bytes::RULE,
    &http::success_status_odd::RULE,
    &http::too_many_requests::RULE,
    &http::tunnel_refused::RULE,
    &http::verb_rejected_by_iis::RULE,
    &http::verb_rejected_by_proxy::RULE,
    &http::verb_rejected_by_server::RULE,
    &http::verb_rejected_by_waf::RULE,
    &http::via_hop::RULE,
    &http::webdav_conflict::RULE,
    &negotiation::guid_missing_in_ack::RULE,
    &negotiation::protocol_not_supported::RULE,
    &negotiation::selection_on_refusal::RULE,
    &negotiation::supported_protocols_missing::RULE,
    &negotiation::too_many_guids::RULE,
    &negotiation::wrong_guid_selected::RULE,
    &pace::retry_schedule::RULE,
    &pace::retry_storm::RULE,
    &pace::slow_server_ack::RULE,
    &security::bits_without_ua::RULE,
    &security::cleartext_sensitive::RULE,
    &security::content_name_invalid::RULE,
    &security::content_type_mismatch::RULE,
    &security::control_characters::RULE,
    &security::ip_literal_host::RULE,
    &security::known_server_fingerprint::RULE,
    &security::long_lived_job::RULE,
    &security::odd_port::RULE,
    &security::rare_tld::RULE,
    &security::traversal_name::RULE,
    &security::ua_without_bits_behaviour::RULE,
    &security::upload_to_external::RULE,
    &session::access_denied::RULE,
    &session::create_without_fragment::RULE,
    &session::destination_is_directory::RULE,
    &session::destination_not_found::RULE,
    &session::duplicate_sessions::RULE,
    &session::execute_enabled::RULE,
    &session::folder_missing::RULE,
    &session::header_over_4k::RULE,
    &session::host_id_fallback::RULE,
    &session::host_id_ignored::RULE,
    &session::host_id_no_fallback_timeout::RULE,
    &session::host_id_node_silent::RULE,
    &session::host_id_odd::RULE,
    &session::host_id_unreachable::RULE,
    &session::host_id_with_port::RULE,
    &session::ping_failed::RULE,
    &session::ping_skipped::RULE,
    &session::session_id_changed::RULE,
    &session::session_id_missing::RULE,
    &session::session_id_on_two_urls::RULE,
    &session::session_id_reused::RULE,
    &session::session_id_too_long::RULE,
    &session::session_limit::RULE,
    &session::target_exists::RULE,
    &session::uploads_not_enabled::RULE,
    &tcp::connect_refused::RULE,
    &tcp::connect_timeout::RULE,
    &tcp::dns_failed::RULE,
    &tcp::half_open_retry::RULE,
    &tcp::idle_reset::RULE,
    &tcp::mtu_blackhole::RULE,
    &tcp::nic_offload_artifacts::RULE,
    &tcp::retransmission_differs::RULE,
    &tcp::retransmission_heavy::RULE,
    &tcp::tcp_reset_by_client::RULE,
    &tcp::tcp_reset_by_middlebox::RULE,
    &tcp::tcp_reset_by_server::RULE,
    &tcp::zero_window_stall::RULE,
    &tls::client_cert_needed::RULE,
    &tls::host_id_tls_name::RULE,
    &tls::tls_handshake_failed::RULE,
    &tls::tls_opaque::RULE,
];

/// What rules look for in the texts of a response, in lower case: what products are known by, and reasons to refuse.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    let marks = product::marks().filter(|mark| !mark.is_empty());
    marks.chain(page::WORDS.iter().map(|(words, _)| *words))
}

/// The rule of this id.
pub fn named(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.is_named(id))
}
