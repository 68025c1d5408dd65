//! Signal's application envelope: the protobuf that the service sends to a device around a frame
//! (Signal-Desktop and libsignal `SignalService.proto`).

use super::grammar::protobuf::{ANY_BYTES, ANY_NUMBER, Kind, Order, Rule, U32, may, need, parse};
use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};
use crate::bytes::hex;

/// Envelopes around frames.
pub const ENVELOPES: Recogniser = Recogniser {
    format_family: "signal-envelope",
    title: "Signal service envelopes",
    tries: Form::Binary,
    recognise,
};

static ENVELOPE: [Rule; 17] = [
    need(1, Kind::Number(16)),
    may(2, Kind::Between(1, 32)),
    may(5, ANY_NUMBER),
    may(7, U32),
    need(8, ANY_BYTES),
    may(9, Kind::Between(1, 64)),
    may(10, ANY_NUMBER),
    may(11, Kind::Between(1, 64)),
    may(12, Kind::Number(1)),
    may(13, Kind::Between(1, 64)),
    may(14, Kind::Number(1)),
    may(15, Kind::Between(1, 64)),
    may(16, Kind::Number(1)),
    may(17, Kind::Between(1, 256)),
    may(19, Kind::Between(16, 17)),
    may(20, Kind::Between(16, 17)),
    may(21, Kind::Between(16, 16)),
];

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    let [0x08, kind @ (1 | 3 | 6 | 8), ..] = bytes else {
        return None;
    };
    let fields = parse(bytes, &ENVELOPE, Order::Free)?;
    let at = fields.range(8, 0)?.start;
    let frame = recognise_as("signal", fields.bytes(8)?)?;
    // The envelope's type names the frame, which is what makes the second sealed sender readable at all.
    let fits = match kind {
        1 => frame.format == "signal-message",
        3 => frame.format == "signal-prekey-message",
        6 => frame.format.starts_with("signal-sealed-sender"),
        _ => frame.format == "signal-plaintext-content",
    };
    let time = fields.number(5).or(fields.number(10))?;
    if !fits || !(1_000_000_000_000..10_000_000_000_000).contains(&time) {
        return None;
    }
    let shift = |r: Option<std::ops::Range<usize>>| r.map(|r| at + r.start..at + r.end);
    let sender = fields.bytes(19).map(hex).or_else(|| fields.bytes(11).and_then(readable));
    let recipient = fields.bytes(20).map(hex).or_else(|| fields.bytes(13).and_then(readable));
    let hidden = sender.is_none();
    let plaintext = frame.class == Class::NotEncrypted;
    let envelope = Envelope::new("signal-envelope", "Signal protocol", frame.class, Tier::T1)
        .fact("frame", frame.format)
        .fact("sender_hidden", hidden && !plaintext)
        .maybe("sender", sender)
        .maybe("sender_device", fields.number(7))
        .maybe("recipient", recipient)
        .maybe("client_timestamp", fields.number(5))
        .maybe("server_timestamp", fields.number(10))
        .sealed(shift(frame.ciphertext.clone()))
        .ephemeral(shift(frame.ephemeral.clone()));
    Some(match frame.why {
        Some(why) => envelope.because(why),
        None => envelope,
    })
}

fn readable(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}
