//! Landlock for files, seccomp for system calls.

use std::collections::BTreeMap;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// The newest set of rights that is asked for; older kernels take what they know.
const RIGHTS: ABI = ABI::V5;

/// Read while running, not before: the local time zone.
const READ_LATER: [&str; 3] = ["/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"];

/// Forbids to open files but those of the time zone, and to create any outside `outputs`. Whether the kernel obeys.
pub fn forbid_files(outputs: &[&Path]) -> bool {
    let enforce = || -> Result<bool, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(RIGHTS))?
            .create()?;
        let read = READ_LATER.iter().map(|path| (Path::new(path), AccessFs::from_read(RIGHTS)));
        let write = outputs.iter().map(|path| (*path, AccessFs::from_all(RIGHTS)));
        for (path, access) in read.chain(write) {
            // What does not exist cannot be opened either.
            let Ok(place) = PathFd::new(path) else { continue };
            rules = rules.add_rule(PathBeneath::new(place, access))?;
        }
        Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
    };
    enforce().unwrap_or(false)
}

/// Forbids, in every thread, the system calls that are never needed. Whether the kernel obeys.
pub fn forbid_calls() -> bool {
    program().is_some_and(|program| seccompiler::apply_filter_all_threads(&program).is_ok())
}

/// Whether this kernel knows Landlock.
pub fn has_landlock() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

/// Whether a filter can be made for this processor, and the kernel was built to take it.
pub fn has_seccomp() -> bool {
    program().is_some() && Path::new("/proc/sys/kernel/seccomp").exists()
}

fn program() -> Option<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).ok()?;
    let rules: BTreeMap<i64, Vec<_>> = never().map(|call| (call, Vec::new())).collect();
    let refused = SeccompAction::Errno(EPERM);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch).ok()?;
    filter.try_into().ok()
}

const EPERM: u32 = 1;

/// Sockets, programs, other processes, and what could get round the filter itself.
///
/// The list names what is refused, not what is allowed: which calls the runtime makes to read, write and allocate
/// differs between systems, and a wrong guess would end an analysis half-way.
const NEVER: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    #[cfg(not(target_arch = "s390x"))]
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_io_uring_setup,
    libc::SYS_open_by_handle_at,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
];

/// The calls of [`NEVER`], by all numbers that the kernel knows them by.
#[cfg(target_arch = "x86_64")]
fn never() -> impl Iterator<Item = i64> {
    /// Marks the numbers of the x32 ABI, which a filter sees as calls of the same processor.
    const X32: i64 = 0x4000_0000;
    /// execve, ptrace, kexec_load, process_vm_readv, process_vm_writev and execveat have numbers of their own there.
    const OWN: [i64; 6] = [520, 521, 528, 539, 540, 545];
    NEVER.iter().copied().chain(NEVER.iter().chain(&OWN).map(|call| X32 | call))
}

/// The calls of [`NEVER`].
#[cfg(not(target_arch = "x86_64"))]
fn never() -> impl Iterator<Item = i64> {
    NEVER.iter().copied()
}

/// The user `nobody` of nearly every system.
#[cfg(feature = "live")]
const NOBODY: u32 = 65_534;

/// Becomes who called `sudo`, else nobody, with no groups but that user's own.
#[cfg(feature = "live")]
pub fn drop_root() -> std::io::Result<()> {
    use nix::unistd::{Gid, Uid, geteuid, setgroups, setresgid, setresuid};
    if !geteuid().is_root() {
        return Ok(());
    }
    let caller =
        |name: &str| std::env::var(name).ok()?.parse::<u32>().ok().filter(|number| *number != 0);
    let user = Uid::from_raw(caller("SUDO_UID").unwrap_or(NOBODY));
    let group = Gid::from_raw(caller("SUDO_GID").unwrap_or(NOBODY));
    setgroups(&[group])?;
    setresgid(group, group, group)?;
    setresuid(user, user, user)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::net::TcpListener;
    use std::process::Command;

    /// Set in the child that gives its rights up, since what is given up cannot be taken back.
    const CHILD: &str = "BITSLEUTH_TEST_CONFINED";

    /// Runs one test of this file alone, in a process of its own.
    fn alone(test: &str, folder: &std::path::Path) -> bool {
        let name = format!("cli::sandbox::linux::tests::{test}");
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program);
        child.args(["--exact", &name, "--nocapture"]).env(CHILD, folder);
        let output = child.output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
        output.status.success()
    }

    #[test]
    fn sockets_and_programs_are_refused() {
        if std::env::var_os(CHILD).is_none() {
            assert!(alone("sockets_and_programs_are_refused", std::path::Path::new("/")));
            return;
        }
        assert!(super::forbid_calls());
        let refused = Some(super::EPERM.cast_signed());
        assert_eq!(TcpListener::bind("127.0.0.1:0").unwrap_err().raw_os_error(), refused);
        assert_eq!(Command::new("/bin/true").status().unwrap_err().raw_os_error(), refused);
    }

    #[test]
    fn files_outside_the_output_folder_are_refused() {
        let Some(folder) = std::env::var_os(CHILD) else {
            if super::has_landlock() {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join("out")).unwrap();
                assert!(alone("files_outside_the_output_folder_are_refused", folder.path()));
                assert!(folder.path().join("out/new").exists());
                assert!(!folder.path().join("new").exists());
            }
            return;
        };
        let folder = std::path::PathBuf::from(folder);
        let inside = folder.join("out");
        let mut open = File::open("/proc/self/status").unwrap();
        assert!(super::forbid_files(&[&inside]));
        assert!(File::create(folder.join("new")).is_err());
        assert!(File::open("/proc/self/status").is_err());
        assert!(File::create(inside.join("new")).is_ok());
        let mut text = String::new();
        assert!(std::io::Read::read_to_string(&mut open, &mut text).is_ok());
    }
}
