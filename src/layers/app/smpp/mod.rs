//! SMPP 3.4: short messages between an SMS centre and those who send through it, with their alphabets
//! (3GPP TS 23.038) and the payload in an optional parameter (`message_payload`).

use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "smpp",
    title: "SMPP 3.4",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("smpp")),
    shapes: &[],
    probe: Some(probe),
    facts: &["smpp.command", "smpp.alphabet"],
    notes: &["smpp-packet-malformed", "smpp-packet-too-long", "smpp-resynchronised"],
    open: || Box::new(Smpp::default()),
};

/// Longest packet: a message payload has at most 64 KiB.
const LONGEST: usize = 70_000;
/// Destinations of one `submit_multi` (section 4.5.1).
const DESTINATIONS: u8 = 254;
const MESSAGE_PAYLOAD: u16 = 0x0424;
const HEAD: usize = 16;

struct Head {
    length: usize,
    command: u32,
    name: &'static str,
}

fn head(bytes: &[u8]) -> Option<Head> {
    let mut c = Cursor::new(bytes);
    let length = usize::try_from(c.u32()?).ok()?;
    let (command, status, sequence) = (c.u32()?, c.u32()?, c.u32()?);
    let name = command_name(command)?;
    let request = command & 0x8000_0000 == 0;
    // Requests have status 0; sequence numbers start at 1 (section 3.2), answers to noise may have 0.
    let sound = (HEAD..=LONGEST).contains(&length)
        && sequence <= 0x7fff_ffff
        && (!request || status == 0 && sequence > 0)
        && status < 0x1000;
    sound.then_some(Head { length, command, name })
}

fn command_name(command: u32) -> Option<&'static str> {
    Some(match command {
        0x01 => "bind_receiver",
        0x02 => "bind_transmitter",
        0x03 => "query_sm",
        0x04 => "submit_sm",
        0x05 => "deliver_sm",
        0x06 => "unbind",
        0x07 => "replace_sm",
        0x08 => "cancel_sm",
        0x09 => "bind_transceiver",
        0x0b => "outbind",
        0x15 => "enquire_link",
        0x21 => "submit_multi",
        0x102 => "alert_notification",
        0x103 => "data_sm",
        0x8000_0000 => "generic_nack",
        0x8000_0001..=0x8000_0009 | 0x8000_0015 | 0x8000_0021 | 0x8000_0103 => "response",
        _ => return None,
    })
}

fn probe(p: &Probe<'_>) -> Guess {
    if p.bytes.len() < HEAD {
        let begins = p.bytes.iter().take(2).all(|b| *b <= 1);
        return if p.end || !begins { Guess::No } else { Guess::More };
    }
    let Some(head) = head(p.bytes) else { return Guess::No };
    let Some(body) = p.bytes.get(HEAD..head.length) else {
        // The whole first packet is looked at; longer ones come later.
        return if p.end || head.length > 2048 { Guess::No } else { Guess::More };
    };
    let read = match head.command {
        1 | 2 | 9 => bind(body).is_some(),
        4 | 5 => short_message(body).is_some(),
        0x103 => data_message(body).is_some(),
        0x21 => multi_message(body).is_some(),
        0x06 | 0x15 | 0x8000_0006 | 0x8000_0015 | 0x8000_0000 => body.is_empty(),
        0x8000_0001..=0x8000_0009 => body.last().is_none_or(|b| *b == 0) || body.len() > 5,
        _ => false,
    };
    if read { Guess::Sure } else { Guess::No }
}

/// A text that ends with a zero, of at most `most` bytes with it.
fn text<'a>(c: &mut Cursor<'a>, most: usize) -> Option<&'a [u8]> {
    let len = c.rest().iter().take(most).position(|b| *b == 0)?;
    let text = c.take(len)?;
    c.u8()?;
    text.iter().all(|b| (0x20..0x7f).contains(b)).then_some(text)
}

struct Bind<'a> {
    system: &'a [u8],
    password: &'a [u8],
}

fn bind(body: &[u8]) -> Option<Bind<'_>> {
    let mut c = Cursor::new(body);
    let (system, password) = (text(&mut c, 16)?, text(&mut c, 9)?);
    text(&mut c, 13)?;
    let version = c.u8()?;
    c.take(2)?;
    text(&mut c, 41)?;
    (c.is_empty() && version <= 0x50).then_some(Bind { system, password })
}

#[derive(Default)]
struct Message<'a> {
    from: &'a [u8],
    to: Vec<&'a [u8]>,
    /// A header before the text (3GPP TS 23.040), such as the numbers of a long message's parts.
    headed: bool,
    coding: u8,
    body: &'a [u8],
}

fn address<'a>(c: &mut Cursor<'a>, most: usize) -> Option<&'a [u8]> {
    c.take(2)?;
    text(c, most)
}

fn short_message(body: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(body);
    text(&mut c, 6)?;
    let from = address(&mut c, 21)?;
    let to = vec![address(&mut c, 21)?];
    submitted(c, Message { from, to, ..Message::default() })
}

fn multi_message(body: &[u8]) -> Option<Message<'_>> {
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
    message.body = c.vec8()?;
    options(&mut c, &mut message)?;
    Some(message)
}

fn data_message(body: &[u8]) -> Option<Message<'_>> {
    let mut c = Cursor::new(body);
    text(&mut c, 6)?;
    let from = address(&mut c, 65)?;
    let to = vec![address(&mut c, 65)?];
    let headed = c.u8()? & 0x40 != 0;
    c.u8()?;
    let coding = c.u8()?;
    let mut message = Message { from, to, headed, coding, body: &[] };
    options(&mut c, &mut message)?;
    Some(message)
}

/// Optional parameters to the end of the packet, each whole.
fn options<'a>(c: &mut Cursor<'a>, message: &mut Message<'a>) -> Option<()> {
    while !c.is_empty() {
        let tag = c.u16()?;
        let value = c.vec16()?;
        if tag == MESSAGE_PAYLOAD {
            message.body = value;
        }
    }
    Some(())
}

#[derive(Default)]
struct Smpp {
    /// Bytes were lost: the start of a packet has to be searched.
    searching: PerSide<bool>,
}

impl Peeler for Smpp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if input.bytes.len() < HEAD {
            return Step::more(0, HEAD);
        }
        if self.searching[input.side] {
            let last = input.bytes.len() - HEAD;
            let Some(at) = (0..=last).find(|at| head(input.bytes.get(*at..).unwrap_or_default()).is_some())
            else {
                return Step::more(last + 1, HEAD);
            };
            self.searching[input.side] = false;
            out.note("smpp-resynchronised");
            return Step::again(at);
        }
        let Some(head) = head(input.bytes) else { return Step::die("smpp-packet-malformed") };
        if head.length > out.limits().buffer {
            return Step::die("smpp-packet-too-long");
        }
        let Some(body) = input.bytes.get(HEAD..head.length) else { return Step::more(0, head.length) };
        out.begin_message();
        out.fact("smpp.command", head.name);
        let read = match head.command {
            1 | 2 | 9 => bind(body).map(|b| login(input.side, &b, out)),
            4 | 5 => short_message(body).map(|m| tell(input.side, &m, out)),
            0x21 => multi_message(body).map(|m| tell(input.side, &m, out)),
            0x103 => data_message(body).map(|m| tell(input.side, &m, out)),
            _ => Some(()),
        };
        if read.is_none() {
            out.note("smpp-packet-malformed");
        }
        Step::again(head.length)
    }

    fn gap(&mut self, side: Side, _len: u64, _out: &mut Out<'_, '_>) -> AfterGap {
        self.searching[side] = true;
        AfterGap::Continue
    }
}

fn login(side: Side, bind: &Bind<'_>, out: &mut Out<'_, '_>) {
    out.item("username", Form::Text, side, bind.system);
    if !bind.password.is_empty() {
        out.item("password", Form::Text, side, bind.password);
    }
}

fn tell(side: Side, message: &Message<'_>, out: &mut Out<'_, '_>) {
    out.label("from", &String::from_utf8_lossy(message.from));
    out.item("from", Form::Text, side, message.from);
    for to in &message.to {
        out.item("to", Form::Text, side, to);
    }
    let header = match (message.headed, message.body.first()) {
        (true, Some(n)) => 1 + usize::from(*n),
        _ => 0,
    };
    let Some(said) = message.body.get(header..).filter(|s| !s.is_empty()) else { return };
    let (alphabet, text) = decode(message.coding, said);
    out.fact("smpp.alphabet", alphabet);
    match text {
        Some(text) => out.item("message", Form::Text, side, text.as_bytes()),
        None => out.item("message", Form::Binary, side, said),
    }
}

/// The alphabet by `data_coding` (section 5.2.19) and the text, where it is one.
fn decode(coding: u8, said: &[u8]) -> (&'static str, Option<String>) {
    let ascii = said.is_ascii();
    match coding {
        // The centre's default: GSM 7 bit, one letter an octet. Octets above that are what no such text has.
        0 | 0xf0..=0xf3 if ascii => ("GSM 7 bit", Some(gsm(said))),
        0 | 0xf0..=0xf3 => ("unknown", std::str::from_utf8(said).ok().map(str::to_owned)),
        1 if ascii => ("ASCII", Some(String::from_utf8_lossy(said).into_owned())),
        3 => ("Latin-1", Some(said.iter().map(|b| char::from(*b)).collect())),
        8 if said.len().is_multiple_of(2) => {
            let units = said.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]));
            ("UCS-2", Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()))
        }
        _ => ("binary", None),
    }
}

/// The default alphabet (3GPP TS 23.038 section 6.2.1) and its extension after an escape.
fn gsm(said: &[u8]) -> String {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    let letter = |n: u8| BASIC.chars().nth(usize::from(n)).unwrap_or('\u{fffd}');
    let mut text = String::with_capacity(said.len());
    let mut octets = said.iter();
    while let Some(octet) = octets.next() {
        if *octet != 0x1b {
            text.push(letter(*octet));
            continue;
        }
        let Some(next) = octets.next() else { break };
        text.push(match next {
            0x0a => '\u{c}',
            0x14 => '^',
            0x28 => '{',
            0x29 => '}',
            0x2f => '\\',
            0x3c => '[',
            0x3d => '~',
            0x3e => ']',
            0x40 => '|',
            0x65 => '€',
            other => letter(*other),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_decode() {
        assert_eq!(decode(0, b"at 5 \x02 \x1b\x65 \x00 noon").1.unwrap(), "at 5 $ € @ noon");
        assert_eq!(decode(8, &[0x20, 0xac, 0, b'5']).1.unwrap(), "€5");
        assert_eq!(decode(3, &[0xe9]).1.unwrap(), "é");
        assert_eq!(decode(4, &[1, 2]), ("binary", None));
        assert_eq!(decode(0, &[0xd3, 0x61]), ("unknown", None));
        assert_eq!(gsm(&[0x7f, 0x1b]), "à");
    }

    #[test]
    fn a_packet_is_taken_only_whole() {
        let body = b"\0\x01\x01123\0\x01\x01456\0\0\0\0\0\0\0\0\0\0\x02hi";
        let mut packet = vec![0, 0, 0, 16 + body.len() as u8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1];
        packet.extend(body);
        let ask = |bytes: &[u8]| probe(&Probe::alone(bytes, 9));
        assert_eq!(ask(&packet), Guess::Sure);
        packet[17] = 0;
        packet.push(9);
        packet[3] += 1;
        assert_eq!(ask(&packet), Guess::No);
    }
}
