//! One stream of media: what it carries and what protects it.

use super::codec::{self, Payloads};
use crate::keys::srtp::{Packet, Profile, Session};
use crate::model::{Side, Value};
use crate::peel::{End, Form, Out};

/// Packets that are shown to those who may know a key from elsewhere.
const SHOWN: u32 = 2;
/// Packets that the keys at hand are tried on.
const TRIED: u32 = 8;
/// Packets without which nothing is said about the payloads.
const FEW: u64 = 3;
/// Places for keys that key agreements left (see the DTLS and ZRTP layers and SDP).
const PLACES: u8 = 16;

/// A stream of one source.
pub(super) struct Stream {
    pub side: Side,
    pub source: u32,
    kind: u8,
    packets: u64,
    bytes: u64,
    payloads: Payloads,
    shown: u32,
    tried: u32,
    opened: Option<(Profile, &'static str)>,
    /// A key agreement left keys, but none fits.
    misfit: bool,
}

/// Who agreed on the keys of SRTP, as far as the ends showed it.
fn agreement(code: u8) -> &'static str {
    match code {
        b'd' => "DTLS",
        b'z' => "ZRTP",
        b's' => "SDES",
        _ => "unknown",
    }
}

impl Stream {
    pub fn new(side: Side, first: &Packet<'_>) -> Self {
        Self {
            side,
            source: first.source,
            kind: first.kind,
            packets: 0,
            bytes: 0,
            payloads: Payloads::default(),
            shown: 0,
            tried: 0,
            opened: None,
            misfit: false,
        }
    }

    pub fn packet(&mut self, packet: &Packet<'_>, out: &mut Out<'_, '_>) {
        self.packets += 1;
        self.bytes += packet.payload().len() as u64;
        // Comfort noise and tones come between; the codec is what most packets carry.
        if packet.kind == self.kind {
            self.payloads.add(packet.payload());
        } else if self.packets < 8 {
            self.kind = packet.kind;
            self.payloads = Payloads::default();
        }
        if self.opened.is_none() && self.tried < TRIED {
            self.try_keys(packet, out);
        }
        if self.opened.is_none() && self.shown < SHOWN {
            self.shown += 1;
            let len = packet.bytes.len() as u64;
            out.leaf("media", Form::Binary, self.side, len, End::Opaque, packet.bytes);
        }
    }

    /// Tries the keys that DTLS left; the tag decides.
    fn try_keys(&mut self, packet: &Packet<'_>, out: &Out<'_, '_>) {
        let left: Vec<_> = (0..PLACES).map_while(|n| out.recall("srtp", &[n])).collect();
        for value in &left {
            let Some(([origin, high, low], keys)) = value.split_first_chunk::<3>() else { continue };
            let Some(profile) = Profile::of_code(u16::from_be_bytes([*high, *low])) else { continue };
            let (key, salt) = profile.sizes();
            if keys.len() != 2 * (key + salt) {
                continue;
            }
            self.tried += 1;
            self.misfit = true;
            let fits = |end: usize| {
                let key_of = keys.get(end * key..(end + 1) * key)?;
                let salt_of = keys.get(2 * key + end * salt..2 * key + (end + 1) * salt)?;
                Session::new(profile, key_of, salt_of).filter(|s| s.fits(packet))
            };
            if (0..2).any(|end| fits(end).is_some()) {
                self.opened = Some((profile, agreement(*origin)));
                return;
            }
        }
    }

    /// What the stream was, once it is over.
    pub fn end(&mut self, out: &mut Out<'_, '_>) {
        if self.packets < FEW {
            return;
        }
        let codec = self.codec(out);
        let name = codec.clone().unwrap_or_else(|| format!("payload type {}", self.kind));
        out.fact("rtp.source", u64::from(self.source));
        out.fact("rtp.codec", name.as_str());
        out.fact("rtp.packets", self.packets);
        let (protection, agreed) = self.protection(codec.as_deref(), out);
        let shown = match protection {
            "srtp" | "opened" => format!("SRTP keyed by {agreed}"),
            other => other.to_owned(),
        };
        out.fact("rtp.protection", shown);
        let parts = [protection, agreed, name.as_str()].map(Value::from).to_vec();
        out.fact("call.media", Value::List(parts));
    }

    /// The name that SDP gave the payload type, or its assigned one.
    fn codec(&self, out: &Out<'_, '_>) -> Option<String> {
        let named = out.recall("sdp.codec", &[self.kind]);
        let named = named.and_then(|n| String::from_utf8(n.to_vec()).ok());
        named.or_else(|| codec::assigned(self.kind).map(str::to_owned))
    }

    /// `none`, `srtp`, `opened` (SRTP whose keys are at hand) or `unknown`, and who agreed on the keys. A
    /// payload that cannot be ciphertext is in clear whatever was signalled, if its codec is known; what may
    /// be ciphertext is called SRTP only where the ends said so.
    fn protection(&mut self, codec: Option<&str>, out: &mut Out<'_, '_>) -> (&'static str, &'static str) {
        let known = codec.is_some();
        if let Some((_, agreed)) = self.opened {
            return ("opened", agreed);
        }
        if known && self.payloads.are_no_ciphertext() {
            return ("none", "");
        }
        if self.misfit {
            out.note("srtp-bad-tag");
        }
        if let Some(value) = out.recall("srtp", &[0]) {
            return ("srtp", value.first().map_or("unknown", |o| agreement(*o)));
        }
        let signalled = out.recall("sdp.keying", b"").and_then(|v| v.first().copied());
        match signalled {
            // Sound that is not compressed shows itself; where it does not, something else hides it.
            Some(b'-') if codec.is_some_and(|c| !codec::shows_itself(c)) => ("none", ""),
            Some(b'-') | None => ("unknown", ""),
            Some(how) => ("srtp", agreement(how)),
        }
    }
}
