//! How many files may be open at once.

/// Allows for `files` open files and those that the program needs besides, as far as the system lets it: many shells
/// begin with fewer than a folder of captures has.
#[cfg(unix)]
pub fn allow(files: usize) {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let needed = (files as u64).saturating_add(BESIDES);
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < needed
    {
        // Where it fails, the files that cannot be opened are told one by one.
        _ = setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard);
    }
}

/// Elsewhere the limit is not one of the process.
#[cfg(not(unix))]
pub const fn allow(_: usize) {}

/// Standard streams, key logs, libraries, what is written.
#[cfg(unix)]
const BESIDES: u64 = 64;
