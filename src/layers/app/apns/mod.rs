//! Apple's push courier, inside TLS: the framing of `apns-security-v3`, and the packed one of `apns-pack-v1`.
//! Every push of a device goes through it; the topic of a message says which app it is for.

mod pack;
mod plist;
mod security;
#[cfg(test)]
mod tests;

use crate::bytes::hex;
use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Out, Spec};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// Plain framing.
pub static SECURITY: Spec = Spec {
    name: "apns",
    title: "Apple push courier (apns-security-v3)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h: &Hint| matches!(h, Hint::Alpn(a) if a.starts_with("apns-security-v")),
    shapes: &[],
    probe: Some(security::probe),
    facts: &[],
    notes: &["apns-packet-malformed", "apns-packet-limit"],
    open: || Box::new(security::Courier),
};

/// Packed framing.
pub static PACK: Spec = Spec {
    name: "apns-pack",
    title: "Apple push courier, packed (apns-pack-v1)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h: &Hint| matches!(h, Hint::Alpn(a) if a.starts_with("apns-pack-v1")),
    shapes: &[],
    probe: Some(|p| if p.stated { Guess::Maybe } else { Guess::No }),
    facts: &[],
    notes: &["apns-packet-malformed", "apns-pack-state-lost"],
    open: || Box::new(pack::Packed::default()),
};

/// The command of a push message.
const MESSAGE: u8 = 0x0a;

/// Commands by number.
fn command(number: u8) -> &'static str {
    match number {
        0x07 => "connect",
        0x08 => "connected",
        0x09 => "filter",
        0x0a => "message",
        0x0b => "ack",
        0x0c | 0x0d => "keep-alive",
        0x0e => "no-storage",
        0x11 | 0x12 => "scoped-token",
        0x14 => "state",
        0x1d => "channel",
        _ => "other",
    }
}

/// Names whose SHA-1 is a topic; the wire has nothing but the hash.
static TOPICS: &[&str] = &[
    "com.apple.madrid",
    "com.apple.private.alloy.sms",
    "com.apple.private.alloy.facetime.multi",
    "com.apple.private.alloy.facetime.video",
    "com.apple.private.alloy.facetime.audio",
    "com.apple.private.alloy.phonecontinuity",
    "com.apple.private.alloy.findmylocaldevice",
    "com.apple.private.alloy.keytransparency",
    "com.apple.private.ids",
    "com.apple.ess",
    "com.apple.ids",
    "com.apple.mobileme.fmip",
    "com.apple.icloud-container.com.apple.willowd",
    "com.apple.maps.icloud",
    "com.apple.mobilemail",
    "com.apple.mobilecal",
    "com.apple.store.Jolly",
];

/// The name of a topic.
fn topic(hash: &[u8]) -> Option<&'static str> {
    TOPICS.iter().copied().find(|t| digest(&SHA1_FOR_LEGACY_USE_ONLY, t.as_bytes()).as_ref() == hash)
}

/// Shows a topic or a token, whichever the bytes are by their length.
fn address(command: &str, bytes: &[u8], side: Side, out: &mut Out<'_, '_>) {
    match bytes.len() {
        20 => {
            let name = topic(bytes).map_or_else(|| hex(bytes), str::to_owned);
            out.item(&format!("{command}.topic"), Form::Plain, side, name.as_bytes());
        }
        _ => out.item(&format!("{command}.push_token"), Form::Plain, side, hex(bytes).as_bytes()),
    }
}

/// Hands on what a message carries. It is offered to every layer, and the envelopes see it before the
/// property lists do.
fn payload(bytes: &[u8], side: Side, out: &mut Out<'_, '_>) {
    out.message(Child::message().field("message.payload"), side, bytes);
}
