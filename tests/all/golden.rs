//! The output on each sample, as stored. `BITSLEUTH_BLESS=1` stores it anew.

use crate::support::{root, run, stderr, stdout};

fn check(sample: &str) {
    let name = sample.split('.').next().unwrap();
    compare(&format!("{name}.timeline.txt"), &["timeline", "-t", "r", sample], 0);
    let sessions = ["sessions", "--json", "--digest", "sha256", sample];
    compare(&format!("{name}.sessions.json"), &sessions, 0);
}

/// Compares what the program prints with a stored file.
pub fn compare(file: &str, args: &[&str], status: i32) {
    let output = run(args);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(status), ""), "{args:?}");
    let path = root().join("tests/golden").join(file);
    if std::env::var_os("BITSLEUTH_BLESS").is_some() {
        std::fs::write(&path, &output.stdout).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(stdout(&output), expected, "{args:?} differs from {file}");
}

macro_rules! golden {
    ($($name:ident $sample:literal)*) => {
        $(#[test] fn $name() { check($sample); })*
    };
}

golden! {
    a_good_upload "good.pcap"
    a_resumed_upload "resumed.pcap"
    a_refused_negotiation "refused.pcap"
    a_lost_session "lost.pcap"
    a_balanced_upload "balanced.pcap"
    an_upload_inside_tls "tls13.pcapng"
    a_download "download.pcap"
}
