//! WhatsApp's and Messenger's binary node, after Noise: a tree of tagged lists whose encrypted leaves are
//! Signal frames (whatsmeow `binary/`). A node without such a leaf is readable by the server.

use super::{Class, Envelope, Form, Recogniser, Tier, recognise_as};
use crate::bytes::Cursor;
use std::io::Read;

/// Nodes with their flag byte.
pub const NODES: Recogniser =
    Recogniser { format_family: "whatsapp", title: "WhatsApp binary nodes", tries: Form::Binary, recognise };

const DEEPEST: usize = 16;
const LONGEST: u64 = 1024 * 1024;
/// The shortest Signal frame with a message.
const LEAST_FRAME: usize = 62;

/// What a walk over a node finds.
#[derive(Default)]
struct Found {
    frames: Vec<(Envelope, usize)>,
    accounts: u64,
    facebook: bool,
    left: usize,
}

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    match bytes {
        [0, 0xf8 | 0xf9, ..] if bytes.len() > LEAST_FRAME => node_message(bytes.get(1..)?, Some(1)),
        [2, 0x78, ..] if bytes.len() > 20 => {
            let mut out = Vec::new();
            flate2::read::ZlibDecoder::new(bytes.get(1..)?).take(LONGEST).read_to_end(&mut out).ok()?;
            node_message(&out, None).map(|e| e.decoded(out))
        }
        _ => None,
    }
}

fn node_message(bytes: &[u8], shift: Option<usize>) -> Option<Envelope> {
    let mut c = Cursor::new(bytes);
    let mut found = Found { left: 20_000, ..Found::default() };
    node(&mut c, &mut found, 0)?;
    let whole = c.is_empty();
    let mut frames = found.frames.iter();
    let (first, left_after) = frames.next().filter(|_| whole)?;
    let start = bytes.len() - left_after + shift.unwrap_or(0);
    let worst = found.frames.iter().map(|(f, _)| f).find(|f| f.class == Class::Broken).unwrap_or(first);
    let kinds: Vec<&str> = found.frames.iter().map(|(f, _)| f.format).collect();
    let protocol = if found.facebook { "Messenger (Signal protocol)" } else { "WhatsApp (Signal protocol)" };
    let envelope = Envelope::new("whatsapp-node", protocol, worst.class, Tier::T1)
        .fact("frames", kinds)
        .fact("accounts_named", found.accounts)
        .sealed(first.ciphertext.clone().map(|r| start + r.start..start + r.end))
        .ephemeral(first.ephemeral.clone().map(|r| start + r.start..start + r.end));
    Some(match worst.why {
        Some(why) => envelope.because(why),
        None => envelope,
    })
}

fn list(c: &mut Cursor<'_>) -> Option<usize> {
    match c.u8()? {
        0 => Some(0),
        0xf8 => c.u8().map(usize::from),
        0xf9 => c.u16().map(usize::from),
        _ => None,
    }
}

/// A list of tag, attribute pairs and perhaps a content.
fn node(c: &mut Cursor<'_>, found: &mut Found, depth: usize) -> Option<()> {
    let size = list(c).filter(|n| *n > 0)?;
    found.left = found.left.checked_sub(1)?;
    if depth > DEEPEST {
        return None;
    }
    string(c, found)?;
    for _ in 0..(size - 1) / 2 {
        string(c, found)?;
        string(c, found)?;
    }
    if size % 2 == 1 {
        return Some(());
    }
    match c.peek()? {
        0 | 0xf8 | 0xf9 => {
            for _ in 0..list(c)? {
                node(c, found, depth + 1)?;
            }
        }
        _ => {
            let before = *c;
            if let Some(body) = string(c, found)? {
                leaf(body, before, found);
            }
        }
    }
    Some(())
}

/// Keeps a leaf that is a Signal frame, with how much was left at its first byte.
fn leaf(body: &[u8], before: Cursor<'_>, found: &mut Found) {
    if body.len() < LEAST_FRAME {
        return;
    }
    let frame =
        recognise_as("signal", body).filter(|f| f.class == Class::E2eeMessage || f.class == Class::Broken);
    let Some(frame) = frame.filter(|f| f.tier != Tier::T3) else {
        return;
    };
    let head = match before.peek() {
        Some(0xfc) => 2,
        Some(0xfd) => 4,
        _ => 5,
    };
    found.frames.push((frame, before.left() - head));
}

/// A token, packed digits, an account or bytes; only bytes are handed back.
fn string<'a>(c: &mut Cursor<'a>, found: &mut Found) -> Option<Option<&'a [u8]>> {
    atom(c, found, Place::Anywhere)
}

/// Where a string stands: accounts hold strings that are no accounts themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    InAccount,
}

fn atom<'a>(c: &mut Cursor<'a>, found: &mut Found, place: Place) -> Option<Option<&'a [u8]>> {
    found.left = found.left.checked_sub(1)?;
    match c.u8()? {
        1..=0xeb => Some(None),
        0 => Some(None),
        0xec..=0xef => c.u8().map(|_| None),
        0xfc => c.vec8().map(Some),
        0xfd => {
            let n = c.u24()? & 0x000f_ffff;
            c.take(n as usize).map(Some)
        }
        0xfe => {
            let n = c.u32()? as usize;
            c.take(n).map(Some)
        }
        0xfb | 0xff => {
            let n = usize::from(c.u8()? & 0x7f);
            c.take(n).map(|_| None)
        }
        kind if place == Place::Anywhere => account(kind, c, found).map(|()| None),
        _ => None,
    }
}

/// Account ids: pair, device, Facebook and interoperability forms.
fn account(kind: u8, c: &mut Cursor<'_>, found: &mut Found) -> Option<()> {
    found.accounts += 1;
    match kind {
        0xfa => {
            atom(c, found, Place::InAccount)?;
            atom(c, found, Place::InAccount)?;
        }
        0xf7 => {
            c.take(2)?;
            atom(c, found, Place::InAccount)?;
        }
        0xf6 => {
            found.facebook = true;
            atom(c, found, Place::InAccount)?;
            c.u16()?;
            atom(c, found, Place::InAccount)?;
        }
        0xf5 => {
            atom(c, found, Place::InAccount)?;
            c.take(4)?;
            atom(c, found, Place::InAccount)?;
        }
        _ => return None,
    }
    Some(())
}
