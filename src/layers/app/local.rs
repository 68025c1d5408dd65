//! What machines say on a network by themselves, recognised by exact structure so that it is named and kept
//! in the background: NetBIOS names and datagrams (RFC 1002), SSDP, DHCP (RFC 2131, RFC 8415), NTP (RFC 5905).

use crate::bytes::Cursor;
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// What a datagram says of itself, or nothing if it is not of the protocol.
type Read = fn(&Probe<'_>) -> Option<String>;

macro_rules! row {
    ($static:ident, $name:literal, $title:literal, $fact:literal, $read:expr) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: $title,
            family: Family::App,
            eats: Eats::Datagram,
            forms: &[Form::Binary],
            answers: |h| matches!(h, Hint::Layer($name)),
            shapes: &[],
            probe: Some(|p| if $read(p).is_some() { Guess::Sure } else { Guess::No }),
            facts: &[$fact],
            notes: &[],
            open: || Box::new(Told { fact: $fact, read: $read }),
        };
    };
}

row!(NBNS, "nbns", "NetBIOS name service (RFC 1002)", "nbns.name", nbns);
row!(NBDGM, "nbdgm", "NetBIOS datagrams (RFC 1002)", "nbdgm.source", nbdgm);
row!(SSDP, "ssdp", "SSDP (UPnP Device Architecture)", "ssdp.message", ssdp);
row!(DHCP, "dhcp", "DHCP (RFC 2131)", "dhcp.name", dhcp);
row!(DHCP6, "dhcpv6", "DHCP for IPv6 (RFC 8415)", "dhcpv6.message", dhcp6);
row!(NTP, "ntp", "NTP (RFC 5905)", "ntp.version", ntp);

row!(DROPBOX, "dropbox-lan", "Dropbox LAN discovery", "dropbox-lan.version", dropbox);
row!(SPOTIFY, "spotify-lan", "Spotify LAN discovery", "spotify-lan.kind", spotify);

struct Told {
    fact: &'static str,
    read: Read,
}

impl Peeler for Told {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let probe = Probe {
            bytes: input.bytes,
            side: input.side,
            other: &[],
            end: true,
            form: Form::Binary,
            server_port: 0,
            stated: true,
            known: true,
            before: &[],
            keys: out.keys(),
        };
        if let Some(said) = (self.read)(&probe).filter(|s| !s.is_empty()) {
            out.fact(self.fact, said);
        }
        Step::again(input.bytes.len())
    }
}

/// On its own port, or where it has been recognised already.
fn at(p: &Probe<'_>, ports: &[u16]) -> bool {
    p.known || p.stated || ports.contains(&p.server_port)
}

/// A name of 16 letters, each as two (RFC 1001 section 14.1); the last letter tells the kind.
fn netbios_name(c: &mut Cursor<'_>) -> Option<String> {
    if c.u8()? != 32 {
        return None;
    }
    let half = |b: u8| b.checked_sub(b'A').filter(|n| *n < 16);
    let mut name = String::new();
    for pair in c.take(32)?.chunks_exact(2) {
        let [high, low] = pair else { return None };
        let letter = half(*high)? << 4 | half(*low)?;
        name.push(if (0x21..0x7f).contains(&letter) { char::from(letter) } else { ' ' });
    }
    // The scope: labels up to an empty one.
    for _ in 0..16 {
        match c.u8()? {
            0 => return Some(name.trim().to_owned()),
            n @ 1..=63 => _ = c.take(usize::from(n))?,
            _ => return None,
        }
    }
    None
}

fn nbns(p: &Probe<'_>) -> Option<String> {
    if !at(p, &[137]) {
        return None;
    }
    let mut c = Cursor::new(p.bytes);
    c.u16()?;
    let flags = c.u16()?;
    let counts = [c.u16()?, c.u16()?, c.u16()?, c.u16()?];
    let known = matches!(flags >> 11 & 15, 0 | 5..=9);
    let few = counts.iter().all(|n| *n <= 1) && counts.contains(&1);
    if !known || !few {
        return None;
    }
    let name = netbios_name(&mut c)?;
    let (kind, class) = (c.u16()?, c.u16()?);
    (matches!(kind, 0x20 | 0x21 | 0x0a) && class == 1).then_some(name)
}

fn nbdgm(p: &Probe<'_>) -> Option<String> {
    if !at(p, &[138]) {
        return None;
    }
    let mut c = Cursor::new(p.bytes);
    let (kind, flags) = (c.u8()?, c.u8()?);
    c.take(8)?;
    if !(0x10..=0x16).contains(&kind) || flags & 0xf0 != 0 {
        return None;
    }
    // Messages between two names; errors and queries are of other forms.
    let direct = (0x10..=0x12).contains(&kind);
    if !direct {
        return (kind == 0x13 && p.bytes.len() == 11).then(String::new);
    }
    let length = usize::from(c.u16()?);
    c.u16()?;
    let left = c.left();
    let name = netbios_name(&mut c)?;
    netbios_name(&mut c)?;
    (length <= left).then_some(name)
}

fn ssdp(p: &Probe<'_>) -> Option<String> {
    p.bytes.first().filter(|b| b"MNH".contains(b))?;
    let line = p.bytes.get(..memchr::memchr(b'\n', p.bytes)?)?.trim_ascii_end();
    let head = |name: &[u8]| memchr::memmem::find(p.bytes, name).is_some();
    let upper = p.bytes.to_ascii_uppercase();
    let names = |name: &[u8]| memchr::memmem::find(&upper, name).is_some();
    let sure = match line {
        b"M-SEARCH * HTTP/1.1" => names(b"\nMAN:") && head(b"ssdp:discover"),
        b"NOTIFY * HTTP/1.1" => names(b"\nNTS:") && head(b"ssdp:"),
        b"HTTP/1.1 200 OK" => names(b"\nUSN:") && names(b"\nST:"),
        _ => false,
    };
    sure.then(|| String::from_utf8_lossy(line).into_owned())
}

/// A JSON object with the machine's number and the folders it shares, broadcast.
fn dropbox(p: &Probe<'_>) -> Option<String> {
    let whole = at(p, &[17500]) && p.bytes.starts_with(b"{\"") && p.bytes.trim_ascii_end().ends_with(b"}");
    let names = |name: &[u8]| memchr::memmem::find(p.bytes, name).is_some();
    (whole && names(b"\"host_int\":") && names(b"\"namespaces\":") && names(b"\"version\":"))
        .then(String::new)
}

fn spotify(p: &Probe<'_>) -> Option<String> {
    (p.bytes.len() <= 64 && p.bytes.starts_with(b"SpotUdp0")).then(String::new)
}

/// The fixed part, the cookie, and options to their end; says the host's name, if it gives one.
fn dhcp(p: &Probe<'_>) -> Option<String> {
    const COOKIE: [u8; 4] = [99, 130, 83, 99];
    let mut c = Cursor::new(p.bytes);
    let (op, _, length, hops) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    c.take(232)?;
    if !matches!(op, 1 | 2) || length > 16 || hops > 16 || c.take(4)? != COOKIE {
        return None;
    }
    let (mut name, mut typed) = (String::new(), false);
    while let Some(option) = c.u8() {
        match option {
            0 => continue,
            255 => break,
            _ => {}
        }
        let value = c.vec8()?;
        typed |= option == 53;
        if option == 12 {
            name = String::from_utf8_lossy(value).trim_end_matches('\0').to_owned();
        }
    }
    (typed || p.bytes.len() >= 300).then_some(name)
}

fn dhcp6(p: &Probe<'_>) -> Option<String> {
    if !at(p, &[546, 547]) {
        return None;
    }
    let mut c = Cursor::new(p.bytes);
    let kind = c.u8()?;
    match kind {
        1..=11 => _ = c.u24()?,
        // Relays put hops and two addresses before the options.
        12 | 13 => _ = c.take(33)?,
        _ => return None,
    }
    let mut options = 0;
    while !c.is_empty() {
        c.u16().filter(|code| (1..=200).contains(code))?;
        c.vec16()?;
        options += 1;
    }
    (options > 0).then(|| format!("message {kind}"))
}

fn ntp(p: &Probe<'_>) -> Option<String> {
    let mut c = Cursor::new(p.bytes);
    let (first, second) = (c.u8()?, c.u8()?);
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !at(p, &[123]) || !(1..=4).contains(&version) {
        return None;
    }
    let sound = match mode {
        1..=5 => clock(second, c, p.bytes.len())?,
        // A control message says how much data it carries; a digest may follow.
        6 => {
            c.take(8)?;
            let count = usize::from(c.u16()?);
            (count..=count + 28).contains(&c.left())
        }
        // A private one of the two implementations there are, with a list of items of one size.
        7 => {
            let implementation = c.u8()?;
            c.take(1)?;
            let (items, size) = (c.u16()? & 0xfff, c.u16()? & 0xfff);
            let list = usize::from(items) * usize::from(size);
            matches!(implementation, 0 | 2 | 3) && c.left() >= list && p.bytes.len() <= 500
        }
        _ => false,
    };
    sound.then(|| format!("version {version}"))
}

/// Stratum, poll interval, precision, and delays of less than a minute, as any clock has them.
fn clock(stratum: u8, mut c: Cursor<'_>, length: usize) -> Option<bool> {
    let (poll, precision) = (c.u8()? as i8, c.u8()? as i8);
    let (delay, dispersion) = (c.u32()?, c.u32()?);
    let brief = |n: u32| n >> 16 < 60;
    Some(
        stratum <= 16
            && (-7..=17).contains(&poll)
            && (-40..=0).contains(&precision)
            && brief(delay)
            && brief(dispersion)
            && length >= 48
            && length.is_multiple_of(4)
            && length <= 1024,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(bytes: &[u8], server_port: u16, read: Read) -> Option<String> {
        read(&Probe::alone(bytes, server_port))
    }

    #[test]
    fn names_are_read_and_noise_is_not() {
        let mut query = vec![1, 2, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32];
        query.extend("EIEPFDFECACACACACACACACACACACAAA".bytes());
        query.extend([0, 0, 0x20, 0, 1]);
        assert_eq!(ask(&query, 137, nbns).as_deref(), Some("HOST"));
        query[20] = b'z';
        assert_eq!(ask(&query, 137, nbns), None);

        let mut offer = vec![0u8; 236];
        offer[..4].copy_from_slice(&[1, 1, 6, 0]);
        offer.extend([99, 130, 83, 99, 53, 1, 1, 12, 5]);
        offer.extend(b"phone\xff");
        assert_eq!(ask(&offer, 67, dhcp).as_deref(), Some("phone"));
        assert_eq!(ask(&offer[..239], 67, dhcp), None);

        let mut clock = vec![0x23u8];
        clock.resize(48, 0);
        assert_eq!(ask(&clock, 123, ntp).as_deref(), Some("version 4"));
        assert_eq!(ask(&clock, 9999, ntp), None);
        let search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n";
        assert!(ask(search, 1900, ssdp).is_some());
        assert_eq!(ask(b"HTTP/1.1 200 OK\r\n\r\n", 1900, ssdp), None);
    }
}
