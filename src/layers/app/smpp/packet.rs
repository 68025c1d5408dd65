//! The bodies of packets (SMPP 3.4 section 4).

use crate::bytes::Cursor;

/// Destinations of one `submit_multi` (section 4.5.1).
const DESTINATIONS: u8 = 254;
const MESSAGE_PAYLOAD: u16 = 0x0424;

/// A text that ends with a zero, of at most `most` bytes with it.
fn text<'a>(c: &mut Cursor<'a>, most: usize) -> Option<&'a [u8]> {
    let len = c.rest().iter().take(most).position(|b| *b == 0)?;
    let text = c.take(len)?;
    c.u8()?;
    text.iter().all(|b| (0x20..0x7f).contains(b)).then_some(text)
}

pub(super) struct Bind<'a> {
    pub system: &'a [u8],
    pub password: &'a [u8],
}

pub(super) fn bind(body: &[u8]) -> Option<Bind<'_>> {
    let mut c = Cursor::new(body);
    let (system, password) = (text(&mut c, 16)?, text(&mut c, 9)?);
    text(&mut c, 13)?;
    let version = c.u8()?;
    c.take(2)?;
    text(&mut c, 41)?;
    (c.is_empty() && version <= 0x50).then_some(Bind { system, password })
}

#[derive(Default)]
pub(super) struct Message<'a> {
    pub from: &'a [u8],
    pub to: Vec<&'a [u8]>,
    /// A header before the text (3GPP TS 23.040), such as the numbers of a long message's parts.
    pub headed: bool,
    pub coding: u8,
    /// The text in its place, and those in parameters.
    pub bodies: Vec<&'a [u8]>,
    pub options: Vec<Parameter<'a>>,
}

/// An optional parameter (section 5.3): its tag and its value.
pub(super) type Parameter<'a> = (u16, &'a [u8]);

fn address<'a>(c: &mut Cursor<'a>, most: usize) -> Option<&'a [u8]> {
    c.take(2)?;
    text(c, most)
}

pub(super) fn short_message(body: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(body);
    text(&mut c, 6)?;
    let from = address(&mut c, 21)?;
    let to = vec![address(&mut c, 21)?];
    submitted(c, Message { from, to, ..Message::default() })
}

pub(super) fn multi_message(body: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(body);
    text(&mut c, 6)?;
    let from = address(&mut c, 21)?;
    let mut to = Vec::new();
    let destinations = c.u8().filter(|n| (1..=DESTINATIONS).contains(n))?;
    for _ in 0..destinations {
        to.push(match c.u8()? {
            1 => address(&mut c, 21)?,
            2 => text(&mut c, 21)?,
            _ => return None,
        });
    }
    submitted(c, Message { from, to, ..Message::default() })
}

/// What follows the addresses of a submitted or delivered message (section 4.4.1).
fn submitted<'a>(mut c: Cursor<'a>, mut message: Message<'a>) -> Option<Message<'a>> {
    message.headed = c.u8()? & 0x40 != 0;
    c.take(2)?;
    text(&mut c, 17)?;
    text(&mut c, 17)?;
    c.take(2)?;
    message.coding = c.u8()?;
    c.u8()?;
    message.bodies.push(c.vec8()?);
    options(&mut c, &mut message)?;
    Some(message)
}

/// What is to stand in place of a message that was not delivered yet (section 4.10.1).
pub(super) fn replacement(body: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(body);
    text(&mut c, 65)?;
    let mut message = Message { from: address(&mut c, 21)?, ..Message::default() };
    text(&mut c, 17)?;
    text(&mut c, 17)?;
    c.take(2)?;
    message.bodies.push(c.vec8()?);
    options(&mut c, &mut message)?;
    Some(message)
}

/// An answer: the name of a message or of the other end where there is one, and optional parameters.
pub(super) fn answer(body: &[u8]) -> Option<(&[u8], Vec<Parameter<'_>>)> {
    let mut c = Cursor::new(body);
    let name = if c.is_empty() { &[][..] } else { text(&mut c, 65)? };
    let mut message = Message::default();
    options(&mut c, &mut message)?;
    let payloads = message.bodies.into_iter().map(|b| (MESSAGE_PAYLOAD, b));
    message.options.extend(payloads);
    Some((name, message.options))
}

pub(super) fn data_message(body: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(body);
    text(&mut c, 6)?;
    let from = address(&mut c, 65)?;
    let to = vec![address(&mut c, 65)?];
    let headed = c.u8()? & 0x40 != 0;
    c.u8()?;
    let coding = c.u8()?;
    let mut message = Message { from, to, headed, coding, ..Message::default() };
    options(&mut c, &mut message)?;
    Some(message)
}

/// Optional parameters to the end of the packet, each whole.
fn options<'a>(c: &mut Cursor<'a>, message: &mut Message<'a>) -> Option<()> {
    while !c.is_empty() {
        let tag = c.u16()?;
        let value = c.vec16()?;
        match tag {
            MESSAGE_PAYLOAD => message.bodies.push(value),
            _ => message.options.push((tag, value)),
        }
    }
    Some(())
}
