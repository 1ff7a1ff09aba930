//! Waiting for a moment where the system can tell whether there is something to read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::MOMENT;

/// Standard input without a buffer, in which bytes could be that nobody waits for.
#[derive(Debug)]
pub struct Source(File);

impl Source {
    /// Standard input; none where it is closed.
    pub fn stdin() -> Option<Self> {
        io::stdin().as_fd().try_clone_to_owned().ok().map(|descriptor| Self(descriptor.into()))
    }

    /// Waits for a moment until there is something to read, or an end.
    pub fn is_ready(&mut self) -> io::Result<bool> {
        let moment = PollTimeout::try_from(MOMENT).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], moment) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}
