//! Giving up, once inputs and outputs are open, what is not needed to read a stranger's capture: other files, the
//! network, other programs.

#[cfg(target_os = "linux")]
mod linux;

use std::path::Path;

/// Gives up everything but what is open, and creating files inside `outputs`, as far as the kernel can take it.
#[cfg(target_os = "linux")]
pub fn enter(outputs: &[&Path]) {
    linux::forbid_files(outputs);
    linux::forbid_calls();
}

/// Gives up nothing: this system has no means that suits.
#[cfg(not(target_os = "linux"))]
pub fn enter(_outputs: &[&Path]) {}

/// What the kernel could take, in words.
#[cfg(target_os = "linux")]
pub fn available() -> String {
    let files = if linux::has_landlock() { "Landlock" } else { "no Landlock" };
    let calls = if linux::has_seccomp() { "seccomp" } else { "no seccomp" };
    format!("{files}, {calls}, unless --no-sandbox")
}

/// What the system could take, in words.
#[cfg(not(target_os = "linux"))]
pub fn available() -> String {
    "none on this system".to_owned()
}

/// Becomes an ordinary user: who called `sudo`, else nobody.
///
/// # Errors
///
/// Where the system refuses; the process then still is root.
#[cfg(all(target_os = "linux", feature = "live"))]
pub fn drop_root() -> std::io::Result<()> {
    linux::drop_root()
}

/// Changes nothing.
///
/// # Errors
///
/// None.
#[cfg(all(not(target_os = "linux"), feature = "live"))]
pub fn drop_root() -> std::io::Result<()> {
    Ok(())
}
