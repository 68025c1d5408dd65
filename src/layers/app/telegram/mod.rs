//! Telegram's API (core.telegram.org/schema) as its servers read it: wrappers, containers and the requests
//! and updates that carry messages. Constructors change every few weeks; what is not known is searched for
//! messages and texts and said to be no more than that.

mod tl;
mod updates;

use crate::model::Side;
use crate::peel::{Child, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use tl::{Peer, Tl};
use updates::Found;

/// A message of the API.
pub static SPEC: Spec = Spec {
    name: "telegram",
    title: "Telegram API in TL (core.telegram.org/schema)",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(|p| if p.stated && p.bytes.len() >= 4 { Guess::Maybe } else { Guess::No }),
    facts: &[],
    notes: &["telegram-object-malformed", "telegram-nesting-limit"],
    open: || Box::new(Telegram),
};

/// A request of a newer layer, by its shape: flags, a peer, a text.
pub static REQUEST: Spec = Spec {
    name: "telegram-request",
    title: "Telegram request of an unknown layer",
    family: Family::App,
    eats: Eats::Message,
    forms: &[Form::Binary],
    answers: |_: &Hint| false,
    shapes: &[],
    probe: Some(request_probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Request),
};

/// Objects inside one another.
const DEPTH: usize = 16;
/// Texts of one unknown object that are shown.
const TEXTS: usize = 64;

struct Telegram;

impl Peeler for Telegram {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        object(input.bytes, input.side, out, 0);
        Step::again(input.bytes.len())
    }
}

/// One object and what it wraps.
fn object(data: &[u8], side: Side, out: &mut Out<'_, '_>, depth: usize) {
    if depth > DEPTH {
        return out.note("telegram-nesting-limit");
    }
    let mut tl = Tl::new(data);
    let Some(constructor) = tl.int() else { return };
    if SERVICE.contains(&constructor) {
        return;
    }
    let read = match constructor {
        0x73f1_f8dc => container(&mut tl, side, out, depth),
        0x3072_cfa1 => packed(&mut tl, side, out),
        0xc1cd_5ea9 => connection(&mut tl, side, out).map(|()| object(tl.0.rest(), side, out, depth + 1)),
        _ if wrapper(&mut tl, constructor).is_some() => {
            object(tl.0.rest(), side, out, depth + 1);
            Some(())
        }
        0x44fa_7a15 | 0x5559_481d | 0x32d4_39a4 => {
            out.item("messages.sendEncrypted", Form::Binary, side, data);
            Some(())
        }
        _ => request(&mut tl, constructor, side, out),
    };
    if read.is_none() {
        unknown(data, side, out);
    }
}

/// Answers and words of the protocol itself, which carry nothing that anybody said.
const SERVICE: &[u32] = &[
    0x62d6_b459,
    0x3477_73c5,
    0x7abe_77ec,
    0xf342_7b8c,
    0x9ec2_0908,
    0xedab_447b,
    0xa7ef_f811,
    0xae50_0895,
    0x9299_359f,
    0xda69_fb52,
    0x04de_b57d,
    0x276d_3ec6,
    0x809d_b6df,
    0xe751_2126,
    0xb921_bd04,
    0x58e4_a740,
    0xcdd4_2a05,
    0x997275b5,
    0xbc79_9737,
];

/// Reads what stands before the object inside a wrapper.
fn wrapper(tl: &mut Tl<'_>, constructor: u32) -> Option<()> {
    match constructor {
        // invokeWithLayer, invokeWithoutUpdates, invokeAfterMsg, invokeWithTakeout, rpc_result
        0xda9b_0d0d => tl.int().map(drop),
        0xbf94_59b7 => Some(()),
        0xcb9f_372d | 0xaca9_fd2e | 0xf35c_6d01 => tl.long().map(drop),
        // invokeAfterMsgs
        0x3dc4_b4f0 => {
            let count = tl.vector()?;
            tl.0.take(count.checked_mul(8)?).map(drop)
        }
        // invokeWithMessagesRange
        0x3652_75f2 => tl.0.take(12).map(drop),
        // invokeWithBusinessConnection
        0xdd28_9f8e => tl.string().map(drop),
        // invokeWithGooglePlayIntegrity, invokeWithApnsSecret
        0x1df9_2984 | 0x0dae_54f8 => {
            tl.string()?;
            tl.string().map(drop)
        }
        _ => None,
    }
}

fn container(tl: &mut Tl<'_>, side: Side, out: &mut Out<'_, '_>, depth: usize) -> Option<()> {
    let count = tl.int()?;
    for _ in 0..count.min(1024) {
        tl.0.take(12)?;
        let length = tl.int()? as usize;
        let Some(body) = tl.0.take(length) else {
            out.note("telegram-object-malformed");
            return Some(());
        };
        out.begin_message();
        object(body, side, out, depth + 1);
    }
    Some(())
}

fn packed(tl: &mut Tl<'_>, side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    let child = Child::message().hint(Hint::Encoding("gzip".into())).hint(Hint::Layer("telegram"));
    let bytes = tl.bytes()?;
    out.message(child, side, bytes);
    Some(())
}

/// `initConnection`: what the client says of itself.
fn connection(tl: &mut Tl<'_>, side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    let flags = tl.int()?;
    tl.int()?;
    for name in
        ["device_model", "system_version", "app_version", "system_lang_code", "lang_pack", "lang_code"]
    {
        let text = tl.string()?;
        if !text.is_empty() {
            out.item(&format!("initConnection.{name}"), Form::Text, side, text.as_bytes());
        }
    }
    if flags & 1 != 0 {
        tl.int()?;
        tl.string()?;
        tl.int()?;
    }
    if flags & 2 != 0 {
        tl.json()?;
    }
    Some(())
}

/// Requests that carry what somebody said, or whom somebody knows.
fn request(tl: &mut Tl<'_>, constructor: u32, side: Side, out: &mut Out<'_, '_>) -> Option<()> {
    match constructor {
        // messages.sendMessage, by layer
        0xfa88_427a | 0x520c_3870 | 0x0d9d_75a4 | 0x1cc2_0387 | 0x280d_096f | 0xdff8_042c | 0x983f_9745
        | 0xfbf2_340a | 0xfe05_dc9a | 0x545c_d15a | 0xfef4_8f62 => {
            let (peer, text) = addressed(tl)?;
            spoken("messages.sendMessage", peer, text, side, out);
        }
        // messages.editMessage
        0x48f7_1778 | 0xdfd1_4005 | 0xb106_e66c => {
            let flags = tl.int()?;
            let peer = tl.peer()?;
            tl.int()?;
            let text = if flags & 1 << 11 != 0 { tl.string()? } else { "" };
            spoken("messages.editMessage", peer, text, side, out);
        }
        // messages.saveDraft: what is typed and not sent yet
        0xbc39_e14b | 0xb433_1e3f | 0xd372_c5ce | 0x54ae_308e | 0xad0f_a15c => {
            let flags = tl.int()?;
            match constructor {
                0xbc39_e14b | 0xb433_1e3f if flags & 1 != 0 => tl.reply(flags)?,
                0xd372_c5ce | 0x54ae_308e | 0xad0f_a15c if flags & 16 != 0 => tl.reply(flags)?,
                _ => {}
            }
            let (peer, text) = (tl.peer()?, tl.string()?);
            spoken("messages.saveDraft", peer, text, side, out);
        }
        // auth.sendCode
        0xa677_244f => {
            let phone = tl.string()?;
            out.item("auth.sendCode.phone_number", Form::Text, side, phone.as_bytes());
        }
        // contacts.importContacts
        0x2c80_0be5 => {
            for i in 0..tl.vector()?.min(4096) {
                let flagged = match tl.int()? {
                    0xf392_b7f4 => false,
                    0x6a1d_c4be => true,
                    _ => return None,
                };
                if flagged {
                    tl.int()?;
                }
                tl.long()?;
                for name in ["phone", "first_name", "last_name"] {
                    let text = tl.string()?;
                    let field = format!("contacts.importContacts.contacts[{i}].{name}");
                    out.item(&field, Form::Text, side, text.as_bytes());
                }
            }
        }
        _ => return None,
    }
    Some(())
}

/// Flags, a peer, perhaps what is answered, a text.
fn addressed<'a>(tl: &mut Tl<'a>) -> Option<(Peer, &'a str)> {
    let flags = tl.int()?;
    let peer = tl.peer()?;
    if flags & 1 != 0 {
        tl.reply(flags)?;
    }
    Some((peer, tl.string()?))
}

fn spoken(name: &str, peer: Peer, text: &str, side: Side, out: &mut Out<'_, '_>) {
    out.item(&format!("{name}.to"), Form::Plain, side, peer.to_string().as_bytes());
    if !text.is_empty() {
        out.item(&format!("{name}.message"), Form::Text, side, text.as_bytes());
    }
}

/// Anything else: messages inside it, or else its texts.
fn unknown(data: &[u8], side: Side, out: &mut Out<'_, '_>) {
    if side == Side::Client && shaped(data).is_some() {
        return out.message(Child::message().field("request"), side, data);
    }
    let found = updates::messages(data);
    if found.is_empty() {
        return texts(data, side, out);
    }
    for message in found {
        out.begin_message();
        match message {
            Found::Secret(bytes) => out.item("encryptedMessage", Form::Binary, side, bytes),
            Found::Text { from, to, date, text } => {
                for (name, peer) in [("message.from", from), ("message.to", to)] {
                    if let Some(peer) = peer {
                        out.item(name, Form::Plain, side, peer.to_string().as_bytes());
                    }
                }
                if let Some(date) = date {
                    out.item("message.date", Form::Plain, side, date.to_string().as_bytes());
                }
                out.item("message.message", Form::Text, side, text.as_bytes());
            }
        }
    }
}

/// Texts that stand in an unknown object where TL would put a string.
fn texts(data: &[u8], side: Side, out: &mut Out<'_, '_>) {
    let (mut at, mut shown) = (0, 0);
    while let Some(rest) = data.get(at..).filter(|r| r.len() >= 12 && shown < TEXTS) {
        let mut tl = Tl::new(rest);
        match tl.string().filter(|t| t.len() >= 8 && !t.chars().any(char::is_control)) {
            Some(text) => {
                out.item("unknown", Form::Text, side, text.as_bytes());
                shown += 1;
                at += tl.0.consumed();
            }
            None => at += 4,
        }
    }
}

/// The peer and the text of a request of unknown constructor: flags with their upper bits clear, a known
/// kind of peer, a text, and at least the random number that goes with a message.
fn shaped(data: &[u8]) -> Option<(Peer, &str)> {
    let mut tl = Tl::new(data);
    tl.int()?;
    if Tl(tl.0).int()? >> 28 != 0 {
        return None;
    }
    let (peer, text) = addressed(&mut tl)?;
    tl.long()?;
    (!text.is_empty() && !text.chars().any(|c| c.is_control() && c != '\n')).then_some((peer, text))
}

fn request_probe(p: &Probe<'_>) -> Guess {
    let fits = p.side == Side::Client && p.bytes.len().is_multiple_of(4) && shaped(p.bytes).is_some();
    if fits { Guess::Maybe } else { Guess::No }
}

struct Request;

impl Peeler for Request {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if let Some((peer, text)) = shaped(input.bytes) {
            spoken("unknown", peer, text, input.side, out);
        }
        Step::again(input.bytes.len())
    }
}
