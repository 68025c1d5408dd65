//! One stream of media: what it carries and what protects it.

use super::codec::{self, Payloads};
use super::keyring::{Candidate, SIGNALLING, candidates, keyed_by};
use super::text::{self, Carries};
use crate::keys::srtp::{Packet, Receiver};
use crate::model::{Side, Value};
use crate::peel::{End, Form, Guard, Out};

/// Packets that are shown to those who may know a key from elsewhere.
const SHOWN: u32 = 2;
/// Trials of keys at hand on packets.
const TRIED: u32 = 256;
/// Packets without which nothing is said about the payloads.
const FEW: u64 = 3;

/// A stream of one source.
pub(super) struct Stream {
    pub side: Side,
    pub source: u32,
    kind: u8,
    packets: u64,
    payloads: Payloads,
    shown: u32,
    tried: u32,
    opened: Option<Opened>,
    /// A key agreement left keys, but none fits.
    misfit: bool,
    /// Ciphertext, as far as the ends and the payloads tell.
    closed: bool,
    /// What payloads of the latest type carry.
    carries: Option<(u8, Carries)>,
    text: text::Assembly,
}

/// The keys of a stream.
struct Opened {
    receiver: Receiver,
    agreed: &'static str,
    shown: Option<Guard>,
    /// A short tag fits by chance once in a while, two do not.
    sure: bool,
}

impl Stream {
    pub fn new(side: Side, first: &Packet<'_>) -> Self {
        Self {
            side,
            source: first.source,
            kind: first.kind,
            packets: 0,
            payloads: Payloads::default(),
            shown: 0,
            tried: 0,
            opened: None,
            misfit: false,
            closed: false,
            carries: None,
            text: text::Assembly::default(),
        }
    }

    pub fn packet(&mut self, packet: &Packet<'_>, out: &mut Out<'_, '_>) {
        self.packets += 1;
        // Comfort noise and tones come between; the codec is what most packets carry.
        if packet.kind == self.kind {
            self.payloads.add(packet.payload());
        } else if self.packets < 8 {
            self.kind = packet.kind;
            self.payloads = Payloads::default();
        }
        match self.open(packet, out) {
            Some((payload, Some(guard))) => self.media(packet, &payload, guard, out),
            Some((_, None)) => {}
            None => self.shut(packet, out),
        }
        // Signalled keys are also tried by those who know who saw them.
        let elsewhere = self.opened.as_ref().is_none_or(|o| o.agreed == SIGNALLING);
        if elsewhere && self.shown < SHOWN {
            self.shown += 1;
            let len = packet.bytes.len() as u64;
            out.leaf("media", Form::Binary, self.side, len, End::Opaque, packet.bytes);
        }
    }

    /// The payload, if a key at hand opens it, and who else has that key; the tag decides.
    fn open(&mut self, packet: &Packet<'_>, out: &Out<'_, '_>) -> Option<(Vec<u8>, Option<Guard>)> {
        if let Some(opened) = &mut self.opened {
            let payload = opened.receiver.open(packet);
            opened.sure |= payload.is_some();
            return payload.map(|p| (p, opened.shown));
        }
        if self.tried >= TRIED {
            return None;
        }
        for Candidate { session, agreed, shown } in candidates(out) {
            self.tried += 1;
            self.misfit |= agreed != SIGNALLING;
            let sure = session.profile().tag() > 4;
            if let Some((receiver, payload)) = Receiver::begin(session, packet) {
                self.opened = Some(Opened { receiver, agreed, shown, sure });
                return Some((payload, shown));
            }
        }
        None
    }

    /// A packet that no key opens: ciphertext, or media in clear.
    fn shut(&mut self, packet: &Packet<'_>, out: &mut Out<'_, '_>) {
        let len = packet.payload().len() as u64;
        if self.opened.is_some() {
            out.note("srtp-bad-tag");
        } else if self.packets < 8 || self.packets.is_power_of_two() {
            self.closed = keyed_by(out).is_some() && !self.payloads.are_no_ciphertext();
        }
        if self.opened.is_some() || self.closed {
            // The stream's facts tell of it: here a leaf would say that a transport protects it, which keys in
            // clear signalling do not.
            out.declare_sealed(len);
        } else {
            self.media(packet, packet.payload(), Guard::Open, out);
        }
    }

    /// A payload in clear: of texts it is what people type.
    fn media(&mut self, packet: &Packet<'_>, payload: &[u8], guard: Guard, out: &mut Out<'_, '_>) {
        let known = self.carries.filter(|(kind, _)| *kind == packet.kind && !self.packets.is_power_of_two());
        let carries = match known {
            Some((_, carries)) => carries,
            None => text::carried(codec_of(packet.kind, out).as_deref()),
        };
        self.carries = Some((packet.kind, carries));
        let texts: Vec<&[u8]> = match carries {
            Carries::Other => return,
            Carries::Text => vec![payload],
            Carries::Redundant => {
                let is_text = |kind: u8| text::carried(codec_of(kind, out).as_deref()) == Carries::Text;
                let blocks = text::blocks(payload).unwrap_or_default();
                blocks.into_iter().filter(|(kind, _)| is_text(*kind)).map(|(_, text)| text).collect()
            }
        };
        let side = self.side;
        if !texts.is_empty() {
            self.text.add(packet.number, &texts, |line| text::show(line, side, guard, out));
        }
    }

    /// What the stream was, once it is over.
    pub fn end(&mut self, out: &mut Out<'_, '_>) {
        let (side, guard) = (self.side, self.opened.as_ref().and_then(|o| o.shown).unwrap_or(Guard::Open));
        self.text.end(|line| text::show(line, side, guard, out));
        if self.packets < FEW {
            return;
        }
        let codec = codec_of(self.kind, out);
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

    /// `none`, `srtp`, `opened` (SRTP whose keys are at hand) or `unknown`, and who agreed on the keys. A
    /// payload that cannot be ciphertext is in clear whatever was signalled, if its codec is known; what may
    /// be ciphertext is called SRTP only where the ends said so.
    fn protection(&mut self, codec: Option<&str>, out: &mut Out<'_, '_>) -> (&'static str, &'static str) {
        let known = codec.is_some();
        if let Some(opened) = self.opened.as_ref().filter(|o| o.sure) {
            return ("opened", opened.agreed);
        }
        if known && self.payloads.are_no_ciphertext() {
            return ("none", "");
        }
        if self.misfit {
            out.note("srtp-bad-tag");
        }
        if let Some(agreed) = keyed_by(out) {
            return ("srtp", agreed);
        }
        // Sound that is not compressed shows itself; where it does not, something else hides it.
        let unprotected = out.recall("sdp.keying", b"").is_some();
        let quiet = codec.is_some_and(|c| !codec::shows_itself(c));
        if unprotected && quiet { ("none", "") } else { ("unknown", "") }
    }
}

/// The name that SDP gave a payload type, or its assigned one.
fn codec_of(kind: u8, out: &Out<'_, '_>) -> Option<String> {
    let named = out.recall("sdp.codec", &[kind]);
    let named = named.and_then(|n| String::from_utf8(n.to_vec()).ok());
    named.or_else(|| codec::assigned(kind).map(str::to_owned))
}
