//! SMPP 3.4: short messages between an SMS centre and those who send through it, with their alphabets
//! (3GPP TS 23.038) and the payload in an optional parameter (`message_payload`). Other parameters are shown by
//! number, and what does not read is shown as it stands.

mod alphabet;
mod packet;

use crate::bytes::Cursor;
use crate::model::{PerSide, Side};
use crate::peel::{AfterGap, Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use alphabet::decode;
use packet::{
    Bind, Message, Parameter, answer, bind, data_message, multi_message, replacement, short_message,
};

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
            7 => replacement(body).map(|m| tell(input.side, &m, out)),
            0x8000_0001 | 0x8000_0002 | 0x8000_0004 | 0x8000_0005 | 0x8000_0009 | 0x8000_0103 => answer(body)
                .map(|(name, options)| {
                    if !name.is_empty() {
                        out.item("id", Form::Text, input.side, name);
                    }
                    parameters(input.side, &options, out);
                }),
            _ if body.is_empty() => Some(()),
            _ => {
                out.item("unread", form_of(body), input.side, body);
                Some(())
            }
        };
        if read.is_none() {
            out.note("smpp-packet-malformed");
            out.item("unread", form_of(body), input.side, body);
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
    for body in &message.bodies {
        let header = match (message.headed, body.first()) {
            (true, Some(n)) => 1 + usize::from(*n),
            _ => 0,
        };
        if let Some(header) = body.get(..header).filter(|h| h.len() > NUMBERS) {
            out.item("header", Form::Binary, side, header);
        }
        if let Some(said) = body.get(header..).filter(|s| !s.is_empty()) {
            say(side, message.coding, said, out);
        }
    }
    parameters(side, &message.options, out);
}

/// A header before the text with the numbers of a part in it and nothing else is no longer than this.
const NUMBERS: usize = 7;
/// Values of parameters up to this are numbers.
const NUMBER: usize = 2;

fn parameters(side: Side, options: &[Parameter<'_>], out: &mut Out<'_, '_>) {
    for (tag, value) in options.iter().filter(|(_, value)| value.len() > NUMBER) {
        out.item(&format!("option.{tag:04x}"), form_of(value), side, value);
    }
}

fn form_of(bytes: &[u8]) -> Form {
    if std::str::from_utf8(bytes).is_ok() { Form::Text } else { Form::Binary }
}

fn say(side: Side, coding: u8, said: &[u8], out: &mut Out<'_, '_>) {
    let (alphabet, text) = decode(coding, said);
    out.fact("smpp.alphabet", alphabet);
    match text {
        Some(text) => out.item("message", Form::Text, side, text.as_bytes()),
        None => out.item("message", Form::Binary, side, said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
