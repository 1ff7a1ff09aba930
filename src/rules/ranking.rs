//! Which finding explains an upload, where several could.

use super::tests::report;

/// The cause given for the last session of a transcript.
fn cause(text: &str) -> Option<String> {
    let report = report(text);
    report.sessions.last().and_then(|session| Some(session.diagnosis.as_ref()?.cause.clone()))
}

/// A session that was opened, with `rest` behind it.
fn opened(rest: &str) -> String {
    format!("> CREATE-SESSION\n< 200 session=1\n{rest}")
}

macro_rules! causes {
    ($($name:ident: $cause:literal for $text:expr;)*) => {
        $(#[test] fn $name() { assert_eq!(cause(&$text).as_deref(), Some($cause), "{}", $text); })*
    };
}

causes! {
    a_lone_401: "auth-no-credentials" for
        "> CREATE-SESSION\n< 401 plain\n  Server: Microsoft-IIS/10.0\n  WWW-Authenticate: Negotiate\n";
    a_lone_407: "proxy-auth-required" for
        "> CREATE-SESSION\n< 407 plain\n  Server: squid/5.7\n  Proxy-Authenticate: Basic realm=x\n";
    denied_by_bits: "access-denied" for
        "> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n";
    uploads_off_on_iis_6: "uploads-not-enabled" for
        "> CREATE-SESSION\n< 501 error=0x80070005 context=0x5\n";
    uploads_off_on_iis_10: "uploads-not-enabled" for
        "> CREATE-SESSION\n< 404 plain\n  Server: Microsoft-IIS/10.0\n";
    no_bits_behind_nginx: "verb-rejected-by-server" for
        "> CREATE-SESSION\n< 405 plain\n  Server: nginx/1.22.1\n";
    no_verb_through_squid: "verb-rejected-by-proxy" for
        "> CREATE-SESSION\n< 403 plain\n  Server: squid/5.7\n  X-Squid-Error: ERR_ACCESS_DENIED 0\n  Via: 1.1 p (squid/5.7)\n";
    a_gateway_that_waited: "gateway-timeout" for
        "> CREATE-SESSION\n... 60 s\n< 504 plain\n  Server: nginx/1.22.1\n";
    a_gateway_without_backend: "gateway-error" for
        "> CREATE-SESSION\n< 503 plain\n  | <html><body><h1>503 Service Unavailable</h1>\n";
    a_full_disk: "server-disk-full" for
        opened("> FRAGMENT 0-9/20\n< 500 error=0x80070070 context=0x5\n");
    the_full_disk_of_the_specification: "server-disk-full" for
        opened("> FRAGMENT 0-9/20\n< 500 error=0x80070112 context=0x5\n");
    an_upload_beyond_the_limit: "upload-too-large" for
        opened("> FRAGMENT 0-9/20\n< 500 error=0x80200020 context=0x5\n");
    a_request_beyond_the_limit: "request-too-large" for
        opened("> FRAGMENT 0-9999/20000\n< 413 plain\n  Server: nginx/1.22.1\n");
    an_application_that_was_slow: "notification-timeout" for
        opened("> FRAGMENT 0-19/20\n... 300 s\n< 408 error=0x80070112 context=0x7\n");
    an_application_that_failed: "remote-application-failed" for
        opened("> FRAGMENT 0-19/20\n< 500 error=0x80004005 context=0x7\n");
    silence_for_five_minutes: "response-timeout" for
        opened("> FRAGMENT 0-9/20\n... 301 s\n! client closes\n");
    silence_for_thirty_seconds: "request-abandoned" for
        opened("> FRAGMENT 0-9/20\n... 30 s\n! client closes\n");
    a_reset_by_the_server: "tcp-reset-by-server" for
        opened("> FRAGMENT 0-9999/20000 sent=5000\n! server resets\n");
    a_reset_from_the_way: "tcp-reset-by-middlebox" for
        opened("> FRAGMENT 0-9999/20000 sent=5000\n! server resets ttl=253\n");
    a_session_that_expired: "session-not-found-after-idle" for
        opened("> FRAGMENT 0-9/20\n< 200\n... 20 d\n= connection\n> PING\n< 200\n> FRAGMENT 10-19/20\n< 500 error=0x8020001F context=0x5\n");
    a_close_for_a_copy_that_is_gone: "close-failed" for
        opened("> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 404\n");
    a_protocol_nobody_knows: "protocol-not-supported" for
        "> CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}\n< 400 error=0x80070057 context=0x5\n";
    a_wrong_password: "auth-loop" for
        "> CREATE-SESSION\n  Authorization: Basic Ym9iOng=\n< 401 plain\n  WWW-Authenticate: Basic realm=x\n! client closes\n";
    anonymous_without_rights: "anonymous-plus-acl" for
        "> CREATE-SESSION\n< 401 plain\n  Server: Microsoft-IIS/10.0\n! client closes\n";
    ntlm_through_a_proxy_that_closes: "ntlm-connection-churn" for
        "> CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAABAAAA\n< 401 plain\n  WWW-Authenticate: NTLM TlRMTVNTUAACAAAA\n\
         = connection\n> CREATE-SESSION\n  Authorization: NTLM TlRMTVNTUAADAAAA\n< 401 plain\n  WWW-Authenticate: NTLM\n";
    a_file_that_was_uploaded_before: "target-exists" for
        opened("> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n");
    a_folder_that_is_not_there: "folder-missing" for
        opened("> CLOSE-SESSION\n< 200\n= url http://server/upload/2027/a.bin\n> CREATE-SESSION\n< 404\n");
    a_url_that_is_a_folder: "destination-is-directory" for
        "= url http://server/upload/\n> CREATE-SESSION\n< 400 error=0x80070057 context=0x5\n";
    a_ticket_that_is_too_long: "header-over-4k" for
        "> CREATE-SESSION\n  BITS-Supported-Protocols: {1},*1500\n< 400 error=0x80070057 context=0x5\n";
    no_offers: "supported-protocols-missing" for
        "> CREATE-SESSION\n  BITS-Supported-Protocols:\n< 400 error=0x80070057 context=0x5\n";
    an_ack_without_id: "session-id-missing" for
        "> CREATE-SESSION\n< 200 protocol=\n! client closes\n";
    an_ack_without_protocol: "guid-missing-in-ack" for
        "> CREATE-SESSION\n< 200 session=1 protocol=\n! client closes\n";
    a_node_out_of_reach: "host-id-unreachable" for
        "> CREATE-SESSION\n< 200 session=1 host=192.0.2.81\n= server 192.0.2.81:80\n! refused\n";
    a_node_that_hangs: "host-id-node-silent" for
        "> CREATE-SESSION\n< 200 session=1 host=192.0.2.81\n= server 192.0.2.81:80\n= url http://192.0.2.81/upload/file.bin\n\
         > PING\n... 90 s\n! client closes\n= server 192.0.2.80:80\n= url http://server/upload/file.bin\n> PING\n< 200\n";
    a_session_of_which_nothing_came: "create-without-fragment" for
        opened("... 10 min\n= client 10.0.0.6\n> GET /\n< 200 plain\n");
}
