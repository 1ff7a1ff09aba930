//! Judgements: pure functions over what the model recorded. A rule sees no bytes and keeps no state.
//!
//! A rule is a file; its name is the rule's id, with hyphens for underscores. Its documentation is what `explain`
//! prints: a title, paragraphs, and lines that begin with `Advice:`, `Confirm:` and `Reference:`.

#[macro_use]
mod macros;
mod diagnosis;
pub mod finding;
mod look;
pub mod origin;
mod runner;
#[cfg(test)]
mod tests;

mod capture;
mod completion;
mod fragment;
mod http;
mod negotiation;
mod security;
mod session;
mod tcp;

pub use finding::{Confidence, Diagnosis, Finding, Notes, Severity};
pub use runner::{judge, worst};

use crate::model::{Exchange, Report, Session};

/// One judgement.
#[derive(Debug)]
pub struct Rule {
    module: &'static str,
    /// How much a finding matters.
    pub severity: Severity,
    /// How well it explains an upload that went wrong, from 0 (not at all) to 100: who answered and what they said
    /// comes before TCP, and TCP before the limits of the capture.
    pub belief: u8,
    /// What the capture must hold for the rule to say anything.
    pub needs: Needs,
    /// What it means.
    pub docs: &'static str,
    /// What it looks at.
    pub check: Check,
}

/// What a rule looks at.
#[derive(Debug)]
pub enum Check {
    /// Each exchange of each session.
    Exchange(fn(&Session, &Exchange, &mut Notes<'_>)),
    /// Each session.
    Session(fn(&Session, &mut Notes<'_>)),
    /// Everything at once.
    Capture(fn(&Report, &mut Notes<'_>)),
}

/// What the capture must hold for a rule to say anything; the absence of a packet proves nothing where some are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing in particular.
    Anything,
    /// Request and answer, both with whole heads.
    WholeExchange,
    /// The session from its Create-Session on, both directions, no bytes lost.
    WholeSession,
}

impl Rule {
    /// Its name: that of its file, in kebab-case.
    pub fn id(&self) -> String {
        self.module.rsplit("::").next().unwrap_or(self.module).replace('_', "-")
    }

    /// What it is about: the name of its folder.
    pub fn family(&self) -> &'static str {
        self.module.rsplit("::").nth(1).unwrap_or(self.module)
    }

    /// The first line of its documentation.
    pub fn title(&self) -> &'static str {
        self.docs.lines().next().unwrap_or_default().trim()
    }

    /// The text behind `Advice:`, `Confirm:` or `Reference:` in its documentation.
    pub fn note(&self, name: &str) -> Option<&'static str> {
        self.docs
            .lines()
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    }
}

/// All rules.
pub static ALL: &[&Rule] = &[
    &capture::capture_damaged::RULE,
    &capture::capture_ends_mid_session::RULE,
    &capture::capture_gap::RULE,
    &capture::capture_one_sided::RULE,
    &capture::capture_starts_mid_session::RULE,
    &capture::capture_truncated::RULE,
    &capture::tls_opaque::RULE,
    &completion::cancelled::RULE,
    &completion::close_failed::RULE,
    &completion::close_missing::RULE,
    &completion::close_without_final_fragment::RULE,
    &completion::message_after_close::RULE,
    &completion::notification_timeout::RULE,
    &completion::remote_application_failed::RULE,
    &completion::request_abandoned::RULE,
    &completion::response_timeout::RULE,
    &completion::server_error_unspecified::RULE,
    &completion::session_not_found::RULE,
    &fragment::ack_offset_beyond_end::RULE,
    &fragment::ack_offset_mismatch::RULE,
    &fragment::ack_offset_went_back::RULE,
    &fragment::ack_range_missing::RULE,
    &fragment::content_range_invalid::RULE,
    &fragment::content_range_missing::RULE,
    &fragment::fragment_gap::RULE,
    &fragment::fragment_overlap::RULE,
    &fragment::length_range_mismatch::RULE,
    &fragment::pipelined_requests::RULE,
    &fragment::range_out_of_step::RULE,
    &fragment::request_too_large::RULE,
    &fragment::server_disk_full::RULE,
    &fragment::total_length_changed::RULE,
    &fragment::unknown_packet_type::RULE,
    &fragment::upload_too_large::RULE,
    &http::gateway_error::RULE,
    &http::gateway_timeout::RULE,
    &http::httpsys_rejected::RULE,
    &http::redirected::RULE,
    &http::server_not_bits::RULE,
    &http::verb_rejected_by_iis::RULE,
    &http::verb_rejected_by_proxy::RULE,
    &http::verb_rejected_by_server::RULE,
    &negotiation::protocol_not_supported::RULE,
    &negotiation::wrong_guid_selected::RULE,
    &security::content_name_invalid::RULE,
    &security::control_characters::RULE,
    &security::traversal_name::RULE,
    &session::access_denied::RULE,
    &session::auth_no_credentials::RULE,
    &session::destination_not_found::RULE,
    &session::header_over_4k::RULE,
    &session::host_id_fallback::RULE,
    &session::host_id_node_silent::RULE,
    &session::proxy_auth_required::RULE,
    &session::session_id_changed::RULE,
    &session::session_id_missing::RULE,
    &session::uploads_not_enabled::RULE,
    &tcp::retransmission_heavy::RULE,
    &tcp::tcp_reset_by_client::RULE,
    &tcp::tcp_reset_by_server::RULE,
    &tcp::tcp_reset_by_middlebox::RULE,
    &tcp::zero_window_stall::RULE,
];
