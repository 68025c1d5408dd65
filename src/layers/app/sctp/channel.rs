//! Data channels of WebRTC (RFC 8831) and how they are opened (DCEP, RFC 8832): one stream number each, the same
//! in both directions, with a label and perhaps a subprotocol. What is said in them goes on from here.

use super::pieces::{Lost, Message};
use crate::bytes::Cursor;
use crate::model::Side;
use crate::peel::{Child, CutWhy, End, Form, Handle, Hint, Out};

/// Channels of one association that are known by name.
const CHANNELS: usize = 128;
/// Bytes of a label that are kept for what follows in its channel.
const LABEL: usize = 256;

/// Payload protocol identifiers (RFC 8831 section 8, RFC 8832 section 8.1).
const CONTROL: u32 = 50;
const STRING: u32 = 51;
const BINARY_PART: u32 = 52;
const BINARY: u32 = 53;
const STRING_PART: u32 = 54;
const STRING_EMPTY: u32 = 56;
const BINARY_EMPTY: u32 = 57;

const OPEN: u8 = 3;
const ACK: u8 = 2;

/// A channel whose opening was seen.
#[derive(Debug)]
struct Channel {
    stream: u16,
    label: String,
    /// Where its subprotocol is one that runs over it as over a connection.
    inside: Option<Handle>,
}

/// The beginning of a message that is sent in parts, which was given up (RFC 8831 section 6.6).
#[derive(Debug)]
struct Begun {
    side: Side,
    stream: u16,
    bytes: Vec<u8>,
}

/// The channels of one association.
#[derive(Debug, Default)]
pub(super) struct Channels {
    all: Vec<Channel>,
    begun: Vec<Begun>,
    /// Identifiers of other protocols that were told.
    told: Vec<u32>,
}

impl Channels {
    /// One message of the association.
    pub fn message(&mut self, side: Side, message: Message, out: &mut Out<'_, '_>) {
        out.begin_message();
        match message.protocol {
            CONTROL => {
                if self.control(side, &message, out).is_none() {
                    out.note("sctp-channel-malformed");
                }
            }
            STRING_PART | BINARY_PART => self.part(side, message, out),
            STRING => self.whole(side, message, Form::Text, out),
            BINARY => self.whole(side, message, Form::Binary, out),
            // One byte stands for none, which SCTP cannot carry.
            STRING_EMPTY | BINARY_EMPTY => {}
            other => self.foreign(side, other, &message.bytes, out),
        }
    }

    /// A message that stays without its other pieces: what was had of it is shown.
    pub fn cut(side: Side, Lost(message, code): Lost, out: &mut Out<'_, '_>) {
        out.begin_message();
        out.note(code);
        let form = if matches!(message.protocol, STRING | STRING_PART) { Form::Text } else { Form::Binary };
        let why = if code.ends_with("-limit") { CutWhy::Limit } else { CutWhy::Gap };
        let total = message.bytes.len();
        let kept = message.bytes.get(..out.limits().sample.min(total)).unwrap_or_default();
        out.leaf("message", form, side, total as u64, End::Cut(why), kept);
    }

    pub fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        self.all.iter().filter_map(|c| c.inside).for_each(|inside| out.close(inside, side));
        while let Some(at) = self.begun.iter().position(|b| b.side == side) {
            let Begun { stream, bytes, .. } = self.begun.remove(at);
            let message = Message { stream, protocol: BINARY_PART, bytes };
            Self::cut(side, Lost(message, "sctp-message-incomplete"), out);
        }
    }

    /// RFC 8832 section 5.
    fn control(&mut self, side: Side, message: &Message, out: &mut Out<'_, '_>) -> Option<()> {
        let mut c = Cursor::new(&message.bytes);
        match c.u8()? {
            ACK => return Some(()),
            OPEN => {}
            _ => return None,
        }
        let (kind, _priority, _reliability) = (c.u8()?, c.u16()?, c.u32()?);
        let (label, protocol) = (usize::from(c.u16()?), usize::from(c.u16()?));
        let (label, protocol) = (c.take(label)?, c.take(protocol)?);
        let (label_text, protocol) = (short(label), short(protocol));
        out.fact("sctp.channel", label_text.as_str());
        out.fact("sctp.channel_type", channel_type(kind));
        if !label.is_empty() {
            out.item("label", Form::Text, side, label);
        }
        let inside = self.inside(&protocol, &label_text, out);
        self.keep(Channel { stream: message.stream, label: label_text, inside }, out);
        Some(())
    }

    /// Subprotocols are those of WebSocket's registry (RFC 8832 section 8.3).
    fn inside(&self, protocol: &str, label: &str, out: &mut Out<'_, '_>) -> Option<Handle> {
        if protocol.is_empty() {
            return None;
        }
        out.fact("sctp.protocol", protocol);
        let hint = Hint::Upgrade(protocol.to_ascii_lowercase());
        let room = self.all.len() < CHANNELS;
        (room && out.knows(&hint)).then(|| out.open(Child::stream().hint(hint).label("channel", label)))
    }

    /// A stream number is free again once its channel is closed (RFC 8831 section 6.7).
    fn keep(&mut self, channel: Channel, out: &mut Out<'_, '_>) {
        if let Some(old) = self.all.iter_mut().find(|c| c.stream == channel.stream) {
            if let Some(inside) = old.inside {
                Side::BOTH.into_iter().for_each(|side| out.close(inside, side));
            }
            *old = channel;
        } else if self.all.len() < CHANNELS {
            self.all.push(channel);
        } else {
            out.note("sctp-channel-limit");
        }
    }

    fn part(&mut self, side: Side, message: Message, out: &mut Out<'_, '_>) {
        let held: usize = self.begun.iter().map(|b| b.bytes.len()).sum();
        let at = self.begun.iter().position(|b| (b.side, b.stream) == (side, message.stream));
        if held + message.bytes.len() > out.limits().message || at.is_none() && self.begun.len() >= CHANNELS {
            return Self::cut(side, Lost(message, "sctp-message-limit"), out);
        }
        match at.and_then(|at| self.begun.get_mut(at)) {
            Some(begun) => begun.bytes.extend(message.bytes),
            None => self.begun.push(Begun { side, stream: message.stream, bytes: message.bytes }),
        }
    }

    fn whole(&mut self, side: Side, message: Message, form: Form, out: &mut Out<'_, '_>) {
        let at = self.begun.iter().position(|b| (b.side, b.stream) == (side, message.stream));
        let mut bytes = at.map(|at| self.begun.remove(at).bytes).unwrap_or_default();
        bytes.extend(message.bytes);
        let channel = self.all.iter().find(|c| c.stream == message.stream);
        if let Some(inside) = channel.and_then(|c| c.inside) {
            return out.feed(inside, side, &bytes);
        }
        let mut child = Child::message().form(form).field("message");
        if let Some(channel) = channel {
            child = child.label("channel", &channel.label);
        }
        out.message(child, side, &bytes);
    }

    /// A message of another protocol over SCTP, by its number in the IANA registry; zero says nothing.
    fn foreign(&mut self, side: Side, protocol: u32, bytes: &[u8], out: &mut Out<'_, '_>) {
        if !self.told.contains(&protocol) && self.told.len() < 16 {
            self.told.push(protocol);
            out.fact("sctp.payload", u64::from(protocol));
        }
        out.message(Child::message().field("data"), side, bytes);
    }
}

/// RFC 8832 section 8.2.2.
fn channel_type(kind: u8) -> &'static str {
    match kind {
        0x00 => "reliable",
        0x80 => "reliable, unordered",
        0x01 => "limited retransmissions",
        0x81 => "limited retransmissions, unordered",
        0x02 => "limited lifetime",
        0x82 => "limited lifetime, unordered",
        _ => "unassigned",
    }
}

fn short(text: &[u8]) -> String {
    String::from_utf8_lossy(text.get(..LABEL).unwrap_or(text)).into_owned()
}
