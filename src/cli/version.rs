//! What `--version` says beyond the number.

use super::sandbox;

/// Version, what was built in, and what keeps the program in bounds; `-V` prints the first line alone.
pub fn long() -> String {
    let live = if cfg!(feature = "live") {
        "with live capture and filters (libpcap)"
    } else {
        "without live capture and filters"
    };
    format!("{}\n{live}\nsandbox: {}", env!("CARGO_PKG_VERSION"), sandbox::available())
}
