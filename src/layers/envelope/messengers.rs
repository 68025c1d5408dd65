//! Containers of single messengers with little of their own: Threema, SimpleX, XMTP, Telegram's secret
//! chats, Tox. Built after published sources; the tiers say how much the bytes alone carry.

use super::grammar::encoding::unhex;
use super::grammar::protobuf::{ANY_BYTES, ANY_NUMBER, Kind, Order, Rule, U32, may, need, parse};
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};
use crate::bytes::Cursor;
use crate::model::digest16;

/// Threema's chat server messages.
pub const THREEMA: Recogniser = Recogniser {
    format_family: "threema",
    title: "Threema messages",
    tries: Form::Binary,
    recognise: threema,
};
/// Threema's gateway, as a form.
pub const GATEWAY: Recogniser = Recogniser {
    format_family: "threema-gateway",
    title: "Threema gateway",
    tries: Form::Text,
    recognise: gateway,
};
/// SimpleX transport blocks.
pub const SIMPLEX: Recogniser =
    Recogniser { format_family: "simplex", title: "SimpleX blocks", tries: Form::Binary, recognise: simplex };
/// XMTP messages.
pub const XMTP: Recogniser =
    Recogniser { format_family: "xmtp", title: "XMTP", tries: Form::Binary, recognise: xmtp };
/// Telegram secret chats.
pub const TELEGRAM: Recogniser = Recogniser {
    format_family: "telegram",
    title: "Telegram secret chats",
    tries: Form::Binary,
    recognise: telegram,
};
/// Tox datagrams; a length and a byte.
pub const TOX: Recogniser =
    Recogniser { format_family: "tox", title: "Tox", tries: Form::Binary, recognise: tox };

fn identity(bytes: &[u8]) -> Option<&str> {
    let (first, rest) = bytes.split_first()?;
    let letter = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let fits = bytes.len() == 8 && (*first == b'*' || letter(first)) && rest.iter().all(letter);
    fits.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// From, to, id, time, flags, a zero, metadata length, nickname 32, metadata box, nonce 24, box.
fn threema(bytes: &[u8]) -> Option<Envelope> {
    if bytes.len() < 64 + 24 + 32 || !bytes.first().is_some_and(|b| *b == b'*' || b.is_ascii_alphanumeric()) {
        return None;
    }
    let mut c = Cursor::new(bytes);
    let (from, to) = (identity(c.take(8)?)?, identity(c.take(8)?)?);
    c.take(8)?;
    let time = c.u32_le()?;
    let (_flags, zero, metadata) = (c.u8()?, c.u8()?, usize::from(c.u16_le()?));
    let nickname = c.take(32)?;
    let name_end = nickname.iter().position(|&b| b == 0).unwrap_or(32);
    let (name, padding) = nickname.split_at_checked(name_end)?;
    let padded = padding.iter().all(|&b| b == 0) && std::str::from_utf8(name).is_ok();
    // Between 2011, when Threema began, and 2039.
    if zero != 0 || !padded || !(1_300_000_000..2_200_000_000).contains(&time) || (1..=16).contains(&metadata)
    {
        return None;
    }
    c.take(metadata)?;
    let nonce = bytes.len() - c.left();
    c.take(24)?;
    if c.left() < 32 {
        return None;
    }
    let envelope = Envelope::new("threema-message", "Threema", Class::E2eeMessage, Tier::T2)
        .fact("from", from)
        .fact("to", to)
        .fact("timestamp", u64::from(time))
        .fact("nickname_bytes", name.len() as u64)
        .fact("ciphertext_bytes", c.left() as u64)
        .nonce(Some(nonce..nonce + 24))
        .sealed(Some(nonce + 24..bytes.len()));
    Some(envelope.broken_if(signs::not_ciphertext(c.rest())))
}

/// `from=..&to=..&nonce=48 hex&box=hex`; the gateway's simple mode has a `text` instead.
fn gateway(bytes: &[u8]) -> Option<Envelope> {
    memchr::memmem::find(bytes, b"nonce=").and(memchr::memmem::find(bytes, b"box="))?;
    let text = std::str::from_utf8(bytes).ok().filter(|t| t.len() < 1 << 20)?;
    let field = |name: &str| {
        text.split('&').filter_map(|f| f.split_once('=')).find(|(k, _)| *k == name).map(|(_, v)| v)
    };
    let from = field("from")?.replace("%2A", "*").replace("%2a", "*");
    let nonce = unhex(field("nonce")?).filter(|n| n.len() == 24)?;
    let sealed = unhex(field("box")?).filter(|b| b.len() >= 17)?;
    let end = 24 + sealed.len();
    identity(from.as_bytes())?;
    let plain = signs::not_ciphertext(&sealed);
    let envelope = Envelope::new("threema-gateway", "Threema", Class::E2eeMessage, Tier::T1)
        .fact("from", from)
        .fact("to", field("to").and_then(|t| identity(t.as_bytes()))?)
        .fact("ciphertext_bytes", sealed.len() as u64)
        .nonce(Some(0..24))
        .sealed(Some(24..end))
        .decoded([nonce, sealed].concat());
    Some(envelope.broken_if(plain))
}

/// A block of 16384 bytes filled up with `#`, holding SEND or MSG.
fn simplex(bytes: &[u8]) -> Option<Envelope> {
    const BLOCK: usize = 16384;
    if bytes.len() != BLOCK {
        return None;
    }
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (content, filler) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    if !filler.iter().all(|&b| b == b'#') {
        return None;
    }
    let head = content.get(..1024)?;
    let command =
        ["SEND ", "MSG "].into_iter().find(|c| memchr::memmem::find(head, c.as_bytes()).is_some())?;
    // The message is 16064 bytes whatever was written; less is a command.
    (content.len() > 16000).then(|| {
        Envelope::new("simplex-block", "SimpleX", Class::E2eeMessage, Tier::T2)
            .fact("command", command.trim_end())
    })
}

static SEALED: [Rule; 1] = [need(1, ANY_BYTES)];
static AES: [Rule; 3] =
    [need(1, Kind::Exactly(32)), need(2, Kind::Exactly(12)), need(3, Kind::Between(17, usize::MAX))];
static V1: [Rule; 1] = [need(1, ANY_BYTES)];
static V1_BODY: [Rule; 2] = [need(1, Kind::Between(64, 65536)), need(2, ANY_BYTES)];
static V1_HEADER: [Rule; 3] = [need(1, ANY_BYTES), need(2, ANY_BYTES), may(3, ANY_NUMBER)];
static V2: [Rule; 1] = [need(2, ANY_BYTES)];
static V2_BODY: [Rule; 4] =
    [need(1, Kind::Between(8, 4096)), need(2, ANY_BYTES), may(3, Kind::Exactly(32)), may(4, Kind::Number(1))];
static V2_HEADER: [Rule; 2] = [need(1, ANY_NUMBER), need(2, Kind::Between(8, 1024))];
static V3_BODY: [Rule; 7] = [
    may(1, ANY_NUMBER),
    may(2, ANY_NUMBER),
    may(3, Kind::Between(1, 64)),
    need(4, ANY_BYTES),
    may(5, Kind::Exactly(32)),
    may(6, ANY_NUMBER),
    may(7, U32),
];

fn xmtp(bytes: &[u8]) -> Option<Envelope> {
    if !matches!(bytes.first()?, 0x0a | 0x12) || bytes.len() < 60 {
        return None;
    }
    v2(bytes).or_else(|| v1(bytes)).or_else(|| v3(bytes))
}

fn aes(bytes: &[u8]) -> Option<&[u8]> {
    parse(parse(bytes, &SEALED, Order::Ascending)?.bytes(1)?, &AES, Order::Ascending)?.bytes(3)
}

fn v2(bytes: &[u8]) -> Option<Envelope> {
    let body = parse(parse(bytes, &V2, Order::Ascending)?.bytes(2)?, &V2_BODY, Order::Ascending)?;
    let header = parse(body.bytes(1)?, &V2_HEADER, Order::Ascending)?;
    let topic = std::str::from_utf8(header.bytes(2)?).ok().filter(|t| t.contains("/xmtp/"))?;
    let sealed = aes(body.bytes(2)?)?;
    let envelope = Envelope::new("xmtp-v2", "XMTP", Class::E2eeMessage, Tier::T1)
        .fact("topic", topic)
        .fact("timestamp", header.number(1)?)
        .fact("ciphertext_bytes", sealed.len() as u64);
    Some(envelope.broken_if(signs::not_ciphertext(sealed)))
}

fn v1(bytes: &[u8]) -> Option<Envelope> {
    let body = parse(parse(bytes, &V1, Order::Ascending)?.bytes(1)?, &V1_BODY, Order::Ascending)?;
    let header = parse(body.bytes(1)?, &V1_HEADER, Order::Ascending)?;
    let sealed = aes(body.bytes(2)?)?;
    let envelope = Envelope::new("xmtp-v1", "XMTP", Class::E2eeMessage, Tier::T1)
        .fact("sender_bundle", digest16(header.bytes(1)?))
        .fact("recipient_bundle", digest16(header.bytes(2)?))
        .maybe("timestamp", header.number(3))
        .fact("ciphertext_bytes", sealed.len() as u64);
    Some(envelope.broken_if(signs::not_ciphertext(sealed)))
}

fn v3(bytes: &[u8]) -> Option<Envelope> {
    let body = parse(parse(bytes, &V1, Order::Ascending)?.bytes(1)?, &V3_BODY, Order::Ascending)?;
    let inner = recognise_as("mls", body.bytes(4)?)?;
    let envelope = Envelope::new("xmtp-v3", "XMTP (MLS)", inner.class, Tier::T1)
        .maybe("group_id", body.bytes(3).map(digest16))
        .maybe("timestamp", body.number(2));
    Some(inner.facts.into_iter().skip(2).fold(envelope, |e, (n, v)| e.fact(n, v)).broken_if(inner.why))
}

/// TL containers of secret chats (tdlib `td/generate/scheme/telegram_api.tl`).
fn telegram(bytes: &[u8]) -> Option<Envelope> {
    let mut c = Cursor::new(bytes);
    let (direction, prefix, file) = match c.u32_le()? {
        0x44fa_7a15 => ("sent", Prefix::SentWithFlags, false),
        0x5559_481d => ("sent", Prefix::SentWithFlags, true),
        0x32d4_39a4 => ("sent", Prefix::Sent, false),
        0xed18_c118 => ("received", Prefix::Received, true),
        0x2373_4b06 => ("received", Prefix::Received, false),
        _ => return None,
    };
    let chat = prefix.read(&mut c)?;
    let data = tl_bytes(&mut c)?;
    // Key fingerprint 8, message key 16, AES-IGE in blocks.
    if data.len() < 40 || !(data.len() - 24).is_multiple_of(16) || c.is_empty() == file {
        return None;
    }
    let at = bytes.len() - c.left() - data.len();
    let at =
        memchr::memmem::find(bytes.get(at.saturating_sub(8)..)?, data).map(|n| at.saturating_sub(8) + n)?;
    let sealed = data.get(24..)?;
    let envelope =
        Envelope::new("telegram-secret-chat", "Telegram secret chat", Class::E2eeMessage, Tier::T1)
            .fact("direction", direction)
            .fact("chat_id", u64::from(chat))
            .fact("key_fingerprint", digest16(data.get(..8)?))
            .fact("ciphertext_bytes", sealed.len() as u64)
            .nonce(Some(at + 8..at + 24))
            .sealed(Some(at + 24..at + data.len()));
    Some(envelope.broken_if(signs::not_ciphertext(sealed)))
}

/// What stands before the data.
#[derive(Clone, Copy)]
enum Prefix {
    SentWithFlags,
    Sent,
    Received,
}

impl Prefix {
    /// Reads it; the chat's id.
    fn read(self, c: &mut Cursor<'_>) -> Option<u32> {
        if let Prefix::Received = self {
            c.take(8)?;
            let chat = c.u32_le()?;
            c.u32_le().filter(|date| (1_300_000_000..2_200_000_000).contains(date))?;
            return Some(chat);
        }
        if let Prefix::SentWithFlags = self {
            c.u32_le().filter(|flags| *flags < 2)?;
        }
        c.u32_le().filter(|peer| *peer == 0xf141_b5e1)?;
        let chat = c.u32_le()?;
        c.take(16)?;
        Some(chat)
    }
}

/// A TL byte string: a length of one or four bytes, zeros up to a multiple of four.
fn tl_bytes<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let (length, head) = match c.u8()? {
        254 => {
            let [a, b, d] = c.array::<3>()?;
            (usize::from(a) | usize::from(b) << 8 | usize::from(d) << 16, 4)
        }
        255 => return None,
        n => (usize::from(n), 1),
    };
    let data = c.take(length)?;
    let padding = c.take((head + length).wrapping_neg() % 4)?;
    padding.iter().all(|&b| b == 0).then_some(data)
}

fn tox(bytes: &[u8]) -> Option<Envelope> {
    let (kind, class) = match (bytes.first()?, bytes.len()) {
        (0x18, 145) => ("cookie request", Class::E2eeHandshake),
        (0x19, 161) => ("cookie response", Class::E2eeHandshake),
        (0x1a, 385) => ("handshake", Class::E2eeHandshake),
        _ => return None,
    };
    Some(Envelope::new("tox", "Tox", class, Tier::T3).fact("packet", kind))
}
