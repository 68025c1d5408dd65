//! SSH (RFC 4253): banners and the lists of algorithms are readable, what follows NEWKEYS is not.

use super::Closed;
use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Eats, Family, Form, Guess, Hint, Input, LineEnd, Out, Peeler, Probe, Spec, Step, Why,
};
use md5::{Digest, Md5};

/// The row.
pub static SPEC: Spec = Spec {
    name: "ssh",
    title: "SSH (RFC 4253)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("ssh")),
    shapes: &[],
    probe: Some(probe),
    facts: &[
        "ssh.client",
        "ssh.server",
        "ssh.version",
        "ssh.group",
        "ssh.host_key",
        "ssh.suite",
        "ssh.post_quantum",
        "ssh.hassh",
        "ssh.hassh_server",
    ],
    notes: &["ssh-packet-malformed", "ssh-line-too-long", "ssh-not-encrypted", "ssh-lost-by-gap"],
    open: || Box::new(Ssh::default()),
};

/// Longest line before and with the version (RFC 4253 section 4.2 says 255; servers greet at length).
const LINE: usize = 2048;
/// Longest packet before keys are taken into use (section 6.1).
const PACKET: usize = 35_000;
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;

fn probe(p: &Probe<'_>) -> Guess {
    let versions: [&[u8]; 3] = [b"SSH-2.0-", b"SSH-1.99-", b"SSH-1.5-"];
    if versions.iter().any(|v| p.bytes.starts_with(v)) {
        return Guess::Sure;
    }
    let begins = !p.end && !p.bytes.is_empty() && versions.iter().any(|v| v.starts_with(p.bytes));
    if begins { Guess::More } else { Guess::No }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Banner,
    Packets,
    Sealed,
}

#[derive(Default)]
struct Ssh {
    stage: PerSide<Stage>,
    offers: PerSide<Option<Vec<String>>>,
    /// SSH 1 encrypts in a way of its own.
    old: bool,
    /// Both ends agreed to encrypt nothing.
    open: PerSide<bool>,
    closed: Closed,
}

impl Peeler for Ssh {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        match self.stage[input.side] {
            Stage::Banner => self.banner(input, out),
            Stage::Packets => self.packet(input, out),
            Stage::Sealed => {
                self.closed.add(input.side, input.bytes, out);
                Step::again(input.bytes.len())
            }
        }
    }

    fn gap(&mut self, side: Side, _len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        // After a gap in the open part the start of the sealed part cannot be found.
        if self.stage[side] != Stage::Sealed {
            out.note("ssh-lost-by-gap");
            return AfterGap::Die;
        }
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.closed.show(side, if self.old { Why::Unsupported } else { Why::NoKey }, out);
    }
}

impl Ssh {
    fn banner(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let found = match input.line(LINE) {
            Ok(found) => found,
            Err(wait) => return wait,
        };
        match found.ends {
            LineEnd::Feed => {}
            LineEnd::Limit => return Step::die("ssh-line-too-long"),
            LineEnd::Input => return Step::again(found.taken),
        }
        let line = String::from_utf8_lossy(found.text).trim_end().to_owned();
        // Other lines may come before the version.
        if let Some(software) = line.strip_prefix("SSH-") {
            let (version, _) = software.split_once('-').unwrap_or((software, ""));
            out.fact(if input.side == Side::Client { "ssh.client" } else { "ssh.server" }, line.as_str());
            out.fact("ssh.version", format!("SSH {version}"));
            self.old |= version == "1.5";
            self.stage[input.side] = if self.old { Stage::Sealed } else { Stage::Packets };
        }
        Step::again(found.taken)
    }

    fn packet(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let Some(length) = c.u32().map(|n| n as usize) else { return Step::more(0, 4) };
        if !(2..=PACKET).contains(&length) {
            return Step::die("ssh-packet-malformed");
        }
        let Some(packet) = c.take(length) else { return Step::more(0, 4 + length) };
        let [padding, payload @ ..] = packet else { return Step::die("ssh-packet-malformed") };
        let Some(payload) = payload.get(..payload.len().saturating_sub(usize::from(*padding))) else {
            return Step::die("ssh-packet-malformed");
        };
        match payload.first() {
            Some(&KEXINIT) => self.algorithms(input.side, payload, out),
            Some(&NEWKEYS) if self.open[input.side] => return Step::die("ssh-not-encrypted"),
            Some(&NEWKEYS) => self.stage[input.side] = Stage::Sealed,
            _ => {}
        }
        Step::again(c.consumed())
    }

    /// The ten lists of names after the cookie (section 7.1).
    fn algorithms(&mut self, side: Side, payload: &[u8], out: &mut Out<'_, '_>) {
        let mut c = Cursor::new(payload.get(17..).unwrap_or_default());
        let mut lists = Vec::with_capacity(10);
        for _ in 0..10 {
            let Some(list) = c.u32().and_then(|n| c.take(n as usize)) else { return };
            lists.push(String::from_utf8_lossy(list).into_owned());
        }
        // Fingerprints of the kind known as HASSH: key exchange, cipher, MAC and compression of one way.
        let (name, ways) = match side {
            Side::Client => ("ssh.hassh", [0, 2, 4, 6]),
            Side::Server => ("ssh.hassh_server", [0, 3, 5, 7]),
        };
        let text: Vec<&str> = ways.iter().filter_map(|i| lists.get(*i).map(String::as_str)).collect();
        let digest = Md5::digest(text.join(";").as_bytes());
        out.fact(name, digest.iter().map(|b| format!("{b:02x}")).collect::<String>());
        self.offers[side] = Some(lists);
        self.agreed(out);
    }

    /// The first of the client's names that the server knows, too (section 7.1).
    fn agreed(&mut self, out: &mut Out<'_, '_>) {
        let (Some(client), Some(server)) = (&self.offers.client, &self.offers.server) else { return };
        let choose = |i: usize| -> Option<String> {
            let (c, s) = (client.get(i)?, server.get(i)?);
            c.split(',').find(|name| s.split(',').any(|n| n == *name)).map(str::to_owned)
        };
        if let Some(exchange) = choose(0) {
            out.fact("ssh.post_quantum", exchange.contains("mlkem") || exchange.contains("sntrup"));
            out.fact("ssh.group", exchange);
        }
        if let Some(host_key) = choose(1) {
            out.fact("ssh.host_key", host_key);
        }
        let ciphers = [choose(2), choose(3)];
        self.open.client = ciphers[0].as_deref() == Some("none");
        self.open.server = ciphers[1].as_deref() == Some("none");
        for cipher in ciphers.into_iter().flatten() {
            out.fact("ssh.suite", cipher);
        }
    }
}
