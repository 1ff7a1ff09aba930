//! Credentials: asked for, refused, given away.

pub mod anonymous_plus_acl;
pub mod auth_body_resent;
pub mod auth_loop;
pub mod auth_no_credentials;
pub mod basic_over_cleartext;
pub mod credentials_in_url;
pub mod ntlm_connection_churn;
pub mod proxy_auth_required;
