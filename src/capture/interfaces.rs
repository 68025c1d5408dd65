//! The interfaces of this machine, as libpcap sees them.

use super::CaptureError;
use ::pcap::{Capture, ConnectionStatus, Device, IfFlags};
use std::net::IpAddr;

/// Something that can be captured from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// The name that opens it.
    pub name: String,
    /// What the system calls it.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Words such as `up`, `running`, `loopback`.
    pub state: Vec<&'static str>,
}

/// The interfaces, in libpcap's order: those in use first.
pub fn interfaces() -> Result<Vec<Interface>, CaptureError> {
    let list = Device::list().map_err(|e| CaptureError::Interface {
        name: "interfaces".to_owned(),
        reason: format!("cannot be listed: {}", plain(&e)),
    })?;
    Ok(list.into_iter().map(described).collect())
}

fn described(device: Device) -> Interface {
    let flags = [
        (IfFlags::UP, "up"),
        (IfFlags::RUNNING, "running"),
        (IfFlags::LOOPBACK, "loopback"),
        (IfFlags::WIRELESS, "wireless"),
    ];
    let mut state: Vec<&'static str> =
        flags.into_iter().filter(|(f, _)| device.flags.if_flags.contains(*f)).map(|(_, word)| word).collect();
    if device.flags.connection_status == ConnectionStatus::Disconnected {
        state.push("disconnected");
    }
    let addresses = device.addresses.iter().map(|a| a.addr).collect();
    Interface { name: device.name, description: device.desc, addresses, state }
}

/// Whether this user may capture: the first interface is opened for a moment to find out. True also
/// where it fails for another reason.
pub fn permitted() -> bool {
    let Ok(Some(device)) = Device::list().map(|l| l.into_iter().next()) else { return true };
    match Capture::from_device(device).and_then(|c| c.snaplen(64).open()) {
        Ok(_) => true,
        Err(e) => !denied(&plain(&e)),
    }
}

/// libpcap's own sentence.
pub(super) fn plain(e: &::pcap::Error) -> String {
    match e {
        ::pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether libpcap was refused by the system.
pub(super) fn denied(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["permission", "not permitted", "eperm", "eacces"].iter().any(|w| text.contains(w))
}
