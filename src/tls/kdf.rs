//! Key derivation: the PRF of TLS 1.2 (RFC 5246 5), HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384};

use super::suite::Digest;

/// `len` bytes of PRF(`secret`, `label`, `seed`).
pub(super) fn prf(digest: Digest, secret: &[u8], label: &[u8], seed: &[u8], len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + digest.len());
    let mut a = hmac(digest, secret, &[label, seed]);
    while out.len() < len && !a.is_empty() {
        out.extend(hmac(digest, secret, &[&a, label, seed]));
        a = hmac(digest, secret, &[&a]);
    }
    out.truncate(len);
    out
}

/// HKDF-Expand-Label with an empty context; `None` for a secret of the wrong length.
pub(super) fn expand_label(
    digest: Digest,
    secret: &[u8],
    label: &str,
    len: usize,
) -> Option<Vec<u8>> {
    let mut info = Vec::with_capacity(10 + label.len());
    info.extend(u16::try_from(len).ok()?.to_be_bytes());
    info.push(u8::try_from(6 + label.len()).ok()?);
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(0);
    let mut out = vec![0; len];
    if secret.len() != digest.len() {
        return None;
    }
    match digest {
        Digest::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        _ => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
    }
    Some(out)
}

fn hmac(digest: Digest, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match digest {
        Digest::Sha384 => hmac_by::<Hmac<Sha384>>(key, parts),
        _ => hmac_by::<Hmac<Sha256>>(key, parts),
    }
}

// HMAC takes keys of any length.
fn hmac_by<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}
