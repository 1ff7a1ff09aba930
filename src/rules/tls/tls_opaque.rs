//! The rule `tls-opaque`.

use std::cmp::Reverse;

use crate::model::{Report, TlsConnection};
use crate::rules::{Confidence, Notes, Seen};
use crate::tls::{Likelihood, Opaque};

rule! {
    /// A connection with TLS could not be decrypted.
    ///
    /// Whether it holds BITS uploads cannot be told. The lengths and the order of its records tell how well it would fit one;
    /// other uploads look the same.
    ///
    /// Advice: Give the keys with `--tls-keys`, or inside a pcapng file; a server without forward secrecy can be read with `--tls-rsa-key`. Windows' own TLS writes no key log by itself.
    /// Confirm: The BITS log of the client, or the log of the server, at this time.
    Note, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    let mut opaque: Vec<_> =
        report.tls_connections.iter().filter(|one| one.tls.is_opaque()).collect();
    // What is most like an upload comes first, since not all may find room.
    opaque.sort_by_key(|one| Reverse(one.tls.likelihood()));
    for connection in opaque {
        let finding = notes.note(
            notes.severity(),
            Confidence::Certain,
            &[connection.span],
            message(connection),
        );
        let advice = connection.tls.opaque.and_then(beyond_keys);
        if let (Some(finding), Some(advice)) = (finding, advice) {
            finding.advise(advice);
        }
    }
}

/// What to do where keys do not help.
const fn beyond_keys(why: Opaque) -> Option<&'static str> {
    match why {
        Opaque::NoKeys | Opaque::KeysDoNotFit => None,
        Opaque::NoHandshake => Some(
            "Capture from the first packet of the connection on: keys open it only with both hellos.",
        ),
        Opaque::UnsupportedCipher | Opaque::AlteredRecords | Opaque::UnsupportedVersion => {
            Some("Allow one side only TLS 1.2 or 1.3 with AES-GCM or ChaCha20, and capture again.")
        }
    }
}

fn message(connection: &TlsConnection) -> String {
    let tls = &connection.tls;
    let why = tls.misfit.as_ref().map_or_else(
        || tls.state().to_owned(),
        |line| format!("line {} of {} does not fit", line.line, line.source),
    );
    let shape = match tls.likelihood() {
        Likelihood::Likely => "; from its shape alone, an upload is likely",
        Likelihood::Possible => "; from its shape alone, an upload is possible",
        Likelihood::Unlikely => "",
    };
    format!("{}: {why}{shape}", connection.in_words())
}
