//! The rule `tls-opaque`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::{Notes, Seen, look};

rule! {
    /// TLS traffic could not be decrypted.
    ///
    /// Whether it holds BITS uploads cannot be told.
    ///
    /// Answerable: the capture
    /// Advice: Give the keys with `--tls-keys`, or inside a pcapng file.
    Note, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    let count = report.quality.tls_opaque;
    if count > 0 {
        notes.add(
            Span::default(),
            format!(
                "{} with TLS cannot be read without the keys",
                look::count(count, "connection")
            ),
        );
    }
}
