//! Network interfaces, by libpcap or Npcap.

use std::time::Duration;

use pcap::{Active, Capture};

use super::record::FrameFacts;
use super::{Error, Frame, Input, LinkType};
use crate::at::{At, Timestamp};

/// Milliseconds after which the kernel hands over what it has.
const TIMEOUT: i32 = 100;

/// Pause while no frame has come. The kernel collects meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

/// An interface that frames can be captured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, as `open` takes it.
    pub name: String,
    /// What the system calls it.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<std::net::IpAddr>,
    /// Of `up`, `running`, `loopback`, `wireless`, those that hold.
    pub flags: Vec<&'static str>,
}

/// The interfaces of this machine.
///
/// # Errors
///
/// [`Error::Live`] where the capture library cannot tell.
pub fn interfaces() -> Result<Vec<Interface>, Error> {
    let devices = pcap::Device::list().map_err(|error| explain("interfaces", &error))?;
    Ok(devices.into_iter().map(describe).collect())
}

fn describe(device: pcap::Device) -> Interface {
    let of = &device.flags;
    let flags = [
        (of.is_up(), "up"),
        (of.is_running(), "running"),
        (of.is_loopback(), "loopback"),
        (of.is_wireless(), "wireless"),
    ];
    Interface {
        flags: flags.into_iter().filter_map(|(holds, name)| holds.then_some(name)).collect(),
        name: device.name,
        description: device.desc,
        addresses: device.addresses.into_iter().map(|address| address.addr).collect(),
    }
}

/// What to capture.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Name of the interface.
    pub interface: &'a str,
    /// Bytes to capture of each frame.
    pub snaplen: u32,
    /// KiB of the kernel's buffer, where it is not to be that of the library.
    pub buffer: Option<u32>,
    /// Whether to see what is sent to others too.
    pub promiscuous: bool,
    /// Expression of pcap-filter(7).
    pub filter: Option<&'a str>,
}

/// What the kernel counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames that passed the filter.
    pub received: u64,
    /// Frames lost because they were not taken in time.
    pub dropped: u64,
    /// Frames lost by the interface or its driver, where it tells.
    pub interface_dropped: u64,
}

/// A capture under way.
pub struct Live {
    capture: Capture<Active>,
    link: LinkType,
    input: Input,
}

impl Live {
    /// Begins to capture.
    ///
    /// # Errors
    ///
    /// [`Error::Rights`], [`Error::Filter`], or [`Error::Live`] where there is no such interface.
    pub fn open(settings: &Settings<'_>) -> Result<Self, Error> {
        let name = settings.interface;
        let failed = |error| explain(name, &error);
        let inactive = Capture::from_device(name).map_err(failed)?;
        let snaplen = i32::try_from(settings.snaplen).unwrap_or(i32::MAX);
        let inactive = inactive.snaplen(snaplen).promisc(settings.promiscuous).timeout(TIMEOUT);
        let bytes = settings.buffer.and_then(|kib| i32::try_from(kib).ok()?.checked_mul(1024));
        let inactive = match bytes {
            Some(bytes) => inactive.buffer_size(bytes),
            None => inactive,
        };
        let mut capture = inactive.open().map_err(failed)?;
        if let Some(filter) = settings.filter {
            capture.filter(filter, true).map_err(|error| no_filter(filter, &error))?;
        }
        // The time-out does not end a wait without traffic on Linux, so nothing may wait.
        let capture = capture.setnonblock().map_err(failed)?;
        let link = from_dlt(capture.get_datalink().0);
        let input = Input {
            name: name.to_owned(),
            format: "live".to_owned(),
            snaplen: Some(settings.snaplen),
            ..Input::default()
        };
        Ok(Self { capture, link, input })
    }

    /// The next frame, `None` where none came for a moment.
    ///
    /// # Errors
    ///
    /// [`Error::Live`] where the interface goes away.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Error> {
        let packet = match self.capture.next_packet() {
            Ok(packet) => packet,
            Err(pcap::Error::TimeoutExpired) => {
                std::thread::sleep(PAUSE);
                return Ok(None);
            }
            Err(error) => return Err(explain(&self.input.name, &error)),
        };
        let number = self.input.frames + 1;
        let at = At {
            frame: number,
            time: time(packet.header),
            input: 0,
            input_frame: u32::try_from(number).unwrap_or(u32::MAX),
        };
        let wire_len = packet.header.len.max(packet.header.caplen);
        let frame = Frame { at, link: self.link, data: packet.data, wire_len, comment: None };
        let captured = packet.header.caplen;
        self.input.count(&FrameFacts { time: at.time, link: self.link, wire_len, captured });
        self.input.bytes += frame.data.len() as u64;
        Ok(Some(frame))
    }

    /// What the first bytes of every frame are.
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// Facts about what was captured so far.
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// Ends the capture and asks the kernel for its counters.
    ///
    /// # Errors
    ///
    /// [`Error::Live`] where the kernel does not answer.
    pub fn finish(mut self) -> Result<Stats, Error> {
        let counted = self.capture.stats().map_err(|error| explain(&self.input.name, &error))?;
        Ok(Stats {
            received: u64::from(counted.received),
            dropped: u64::from(counted.dropped),
            interface_dropped: u64::from(counted.if_dropped),
        })
    }
}

// The fields differ in type between systems.
#[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
fn time(header: &pcap::PacketHeader) -> Timestamp {
    let (secs, micros) = (header.ts.tv_sec as i64, header.ts.tv_usec as i64);
    Timestamp::from_nanos(
        secs.saturating_mul(1_000_000_000).saturating_add(micros.saturating_mul(1000)),
    )
}

fn explain(interface: &str, error: &pcap::Error) -> Error {
    let why = message(error);
    let lower = why.to_ascii_lowercase();
    if ["permission", "not permitted", "access is denied"].iter().any(|word| lower.contains(word)) {
        return Error::Rights { interface: interface.to_owned() };
    }
    Error::Live { interface: interface.to_owned(), why }
}

pub(super) fn no_filter(expression: &str, error: &pcap::Error) -> Error {
    Error::Filter { expression: expression.to_owned(), why: message(error) }
}

/// What the library says, without the name of the library.
fn message(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(message) => message.clone(),
        other => other.to_string(),
    }
}

/// Link types that libpcap numbers otherwise than files do, as (within, in files): the raw IP and the loopback of
/// OpenBSD.
#[cfg(target_os = "openbsd")]
const RENUMBERED: [(i32, u32); 2] = [(14, 101), (12, 108)];
/// Link types that libpcap numbers otherwise than files do, as (within, in files): ATM, raw IP, and ATM of Linux.
#[cfg(not(target_os = "openbsd"))]
const RENUMBERED: [(i32, u32); 3] = [(11, 100), (12, 101), (19, 106)];

pub(super) fn to_dlt(link: LinkType) -> i32 {
    let known = RENUMBERED.iter().find(|(_, in_files)| *in_files == link.0);
    known.map_or_else(|| i32::try_from(link.0).unwrap_or(i32::MAX), |(within, _)| *within)
}

fn from_dlt(number: i32) -> LinkType {
    let known = RENUMBERED.iter().find(|(within, _)| *within == number);
    LinkType(
        known.map_or_else(|| u32::try_from(number).unwrap_or(u32::MAX), |(_, in_files)| *in_files),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_rights_are_explained() {
        let error = pcap::Error::PcapError("socket: Operation not permitted".to_owned());
        assert!(
            matches!(explain("eth0", &error), Error::Rights { interface } if interface == "eth0")
        );
    }

    #[test]
    fn raw_ip_and_atm_are_renumbered() {
        for number in [1, 100, 101, 106, 113] {
            assert_eq!(from_dlt(to_dlt(LinkType(number))), LinkType(number));
        }
        assert_eq!(from_dlt(1), LinkType(1));
        assert_ne!(to_dlt(LinkType(101)), 101);
    }
}
