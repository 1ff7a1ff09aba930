//! What to do about a fatal alert, by what it means (RFC 8446 6.2; RFC 5246 7.2.2).

use crate::rules::handshake::Remedy;
use crate::tls::Alert;

/// Who can do something about an alert, and what; `None` where it says no more than that the handshake failed.
pub fn remedy(alert: &Alert) -> Option<Remedy> {
    match (alert.code, alert.from_client) {
        (42..=46 | 48, true) => {
            Some(Remedy { answerable: OF_CERTIFICATE, advice: of_certificate(alert.code) })
        }
        (42..=46 | 48 | 49, false) => {
            Some(Remedy { answerable: OF_JOB, advice: CLIENT_CERTIFICATE })
        }
        (code, from_client) => {
            let advice = of_parameters(code).or_else(|| of_failure(code, from_client))?;
            Some(Remedy { answerable: OF_TLS, advice })
        }
    }
}

const OF_CERTIFICATE: &str = "the server, or whoever looks after the client's trusted certificates";
const OF_JOB: &str = "whoever set up the job, or the server";
const OF_TLS: &str = "whoever sets up TLS on the server, or on the client";

const CLIENT_CERTIFICATE: &str = "Look at the client certificate of the job: are its issuer, its dates and its purpose what the server accepts?";

/// What the client finds wrong with the certificate of the server.
const fn of_certificate(code: u8) -> &'static str {
    match code {
        43 => {
            "Give the server a certificate of a kind that the client supports: its key, its signature, its purpose."
        }
        44 => "Give the server a new certificate: its issuer has revoked this one.",
        45 => {
            "Renew the certificate of the server; where it is still valid, set the clock of the client right."
        }
        48 => {
            "Put the issuer of the server's certificate among the trusted roots of the client's computer, or give the server a certificate from an issuer that is there; let the server send the certificates in between, too."
        }
        _ => {
            "Look at the certificate of the server: its names, its dates, its purpose and its signature; the client's log may name what is wrong with it."
        }
    }
}

/// What both sides have to agree upon.
const fn of_parameters(code: u8) -> Option<&'static str> {
    Some(match code {
        40 | 71 => {
            "Let both sides allow a cipher suite, a group and a signature algorithm in common: compare what the client offers with what the server allows."
        }
        70 | 86 => {
            "Let both sides allow a version of TLS in common: compare what the client offers with what the server allows."
        }
        112 => "Check the host in the URL, and the names that the server's port is set up for.",
        120 => "Let the server allow HTTP/1.1 as a protocol inside TLS (ALPN).",
        _ => return None,
    })
}

/// What went wrong with the messages themselves, or within one side.
const fn of_failure(code: u8, from_client: bool) -> Option<&'static str> {
    Some(match (code, from_client) {
        (10 | 20 | 22 | 47 | 50 | 51, _) => {
            "Look for something on the way that reads or alters TLS; else update the side that objects, or the other one: they do not understand each other."
        }
        (80, false) => {
            "Look into the log of the server: something in it failed, such as the way to the private key of its certificate."
        }
        (80, true) => "Look into the log of the client: something in it failed.",
        _ => return None,
    })
}
