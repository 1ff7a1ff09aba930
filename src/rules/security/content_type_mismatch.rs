//! The rule `content-type-mismatch`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// The file is not what its name says.
    ///
    /// Its first bytes are those of an archive, a program or a document of another kind: a hint at data that was packed
    /// and renamed.
    ///
    /// ```fires
    /// > CREATE-SESSION name=holiday.jpg
    /// < 200 session=1
    /// > FRAGMENT 0-8/9
    ///   | %PDF-1.7.
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION name=holiday.jpg
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Advice: Extract the file and look at it in a safe place.
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let found = session.exchanges.iter().find_map(|exchange| {
        let kind = exchange.request.as_ref()?.file_type.as_deref()?;
        Some((exchange.span(), kind))
    });
    let Some((span, kind)) = found else { return };
    let path = || session.url.as_deref()?.rsplit('/').next();
    let Some(name) = session.content_name.as_deref().or_else(path) else { return };
    let Some(extension) = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()) else {
        return;
    };
    let known = |(_, names): &&(&str, &[&str])| names.contains(&extension.as_str());
    let claims_a_kind = KINDS.iter().any(|kind| known(&kind)) || TEXT.contains(&extension.as_str());
    let Some((_, names)) = KINDS.iter().find(|(name, _)| *name == kind) else { return };
    if claims_a_kind && !names.contains(&extension.as_str()) {
        notes.likely(span, format!("\"{name}\" begins like {kind}"));
    }
}

/// Kinds of files by their first bytes, and the extensions that go with them.
const KINDS: [(&str, &[&str]); 14] = [
    (
        "application/zip",
        &[
            "zip", "docx", "xlsx", "pptx", "jar", "apk", "odt", "ods", "odp", "epub", "nupkg",
            "vsix", "whl", "kmz", "xpi", "appx", "msix", "dotx", "xlsm", "docm", "pptm", "vsdx",
            "war", "ear", "ipa",
        ],
    ),
    ("application/x-7z-compressed", &["7z"]),
    ("application/vnd.rar", &["rar"]),
    ("application/gzip", &["gz", "tgz", "svgz"]),
    ("application/zstd", &["zst", "tzst"]),
    ("application/x-bzip2", &["bz2", "tbz2"]),
    ("application/x-xz", &["xz", "txz"]),
    ("application/vnd.ms-cab-compressed", &["cab", "msu"]),
    (
        "application/vnd.microsoft.portable-executable",
        &["exe", "dll", "sys", "scr", "cpl", "ocx", "drv", "mui", "efi", "com"],
    ),
    ("application/x-executable", &["elf", "so", "o", "ko"]),
    ("application/pdf", &["pdf", "ai"]),
    ("image/jpeg", &["jpg", "jpeg", "jpe", "jfif"]),
    ("image/png", &["png"]),
    ("image/gif", &["gif"]),
];

/// Extensions of files that are text.
const TEXT: [&str; 9] = ["txt", "log", "csv", "xml", "json", "ini", "html", "htm", "md"];
