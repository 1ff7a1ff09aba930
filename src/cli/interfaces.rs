//! `bitsleuth interfaces`: what can be captured on.

#[cfg(feature = "live")]
use std::io;
use std::io::Write;

use bitsleuth::capture::Error;

/// Prints the interfaces of this machine, one a line.
///
/// # Errors
///
/// Where the capture library cannot tell, or `out` cannot be written.
#[cfg(feature = "live")]
pub fn run(out: &mut impl Write) -> Result<(), Error> {
    use bitsleuth::capture::live;

    for interface in live::interfaces()? {
        line(out, &interface)?;
    }
    Ok(())
}

#[cfg(feature = "live")]
fn line(out: &mut impl Write, interface: &bitsleuth::capture::live::Interface) -> io::Result<()> {
    write!(out, "{:<16}", interface.name)?;
    for address in &interface.addresses {
        write!(out, " {address}")?;
    }
    if !interface.flags.is_empty() {
        write!(out, " [{}]", interface.flags.join(", "))?;
    }
    if let Some(description) = &interface.description {
        write!(out, " {description}")?;
    }
    writeln!(out)
}

/// Says that there is no live capture in this build.
///
/// # Errors
///
/// Always.
#[cfg(not(feature = "live"))]
pub fn run(_out: &mut impl Write) -> Result<(), Error> {
    Err(Error::NotBuiltIn)
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;

    #[test]
    fn line_has_name_addresses_and_flags() {
        let interface = bitsleuth::capture::live::Interface {
            name: "lo".into(),
            description: None,
            addresses: vec!["127.0.0.1".parse().unwrap()],
            flags: vec!["up", "loopback"],
        };
        let mut out = Vec::new();
        line(&mut out, &interface).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "lo               127.0.0.1 [up, loopback]\n");
    }
}
