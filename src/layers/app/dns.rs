//! DNS (RFC 1035) over UDP, TCP, TLS (RFC 7858), HTTPS (RFC 8484) and QUIC (RFC 9250), with its multicast
//! relatives: who asks for which name, and which addresses have which names.

use crate::bytes::Cursor;
use crate::model::{Side, Value};
use crate::peel::{Eats, Family, Form, Guess, Hint, Input, Out, Peeler, Probe, Spec, Step};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

macro_rules! row {
    ($static:ident, $name:literal, $eats:expr, $probe:expr, $open:expr) => {
        /// The row.
        pub static $static: Spec = Spec {
            name: $name,
            title: "DNS (RFC 1035)",
            family: Family::App,
            eats: $eats,
            forms: &[Form::Binary],
            answers: |h| match h {
                Hint::Alpn(a) => $name == "dns-tcp" && (a == "dot" || a == "doq" || a.starts_with("doq-i")),
                Hint::ContentType(t) => $name == "dns" && t == "application/dns-message",
                _ => false,
            },
            shapes: &[],
            probe: Some($probe),
            facts: &["dns.query", "dns.address"],
            notes: &["dns-malformed"],
            open: $open,
        };
    };
}

row!(UDP, "dns", Eats::Message, |p| probe(p, p.bytes), || Box::new(Dns));
row!(TCP, "dns-tcp", Eats::Stream, tcp_probe, || Box::new(DnsTcp));

const PORTS: [u16; 3] = [53, 5353, 5355];
/// Names followed through compression pointers, and records read, of one message.
const JUMPS: usize = 32;
const RECORDS: usize = 256;

fn probe(p: &Probe<'_>, bytes: &[u8]) -> Guess {
    match read(bytes, Names::Skipped) {
        Some(_) if PORTS.contains(&p.server_port) || p.stated => Guess::Sure,
        Some(m) if m.exact && m.questions == 1 => Guess::Maybe,
        _ => Guess::No,
    }
}

fn tcp_probe(p: &Probe<'_>) -> Guess {
    if p.server_port != 53 && p.server_port != 853 {
        return Guess::No;
    }
    let mut c = Cursor::new(p.bytes);
    let Some(len) = c.u16() else { return if p.end { Guess::No } else { Guess::More } };
    match c.take(usize::from(len)) {
        Some(message) => {
            if read(message, Names::Skipped).is_some() {
                Guess::Sure
            } else {
                Guess::No
            }
        }
        None if p.end || p.bytes.len() > 1500 => Guess::No,
        None => Guess::More,
    }
}

struct Message<'a> {
    questions: usize,
    query: String,
    addresses: Vec<IpAddr>,
    /// Of TXT records.
    texts: Vec<&'a [u8]>,
    exact: bool,
}

/// Whether names are made out or only stepped over: a probe needs none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Read,
    Skipped,
}

/// Reads a whole message; `None` if it is none.
fn read(bytes: &[u8], names: Names) -> Option<Message<'_>> {
    let mut c = Cursor::new(bytes);
    c.u16()?;
    let flags = c.u16()?;
    let opcode = flags >> 11 & 15;
    let counts = [c.u16()?, c.u16()?, c.u16()?, c.u16()?].map(usize::from);
    let answer = flags & 0x8000 != 0;
    let total: usize = counts.iter().sum();
    if opcode > 5
        || total == 0
        || total > RECORDS
        || !answer && counts[1] > 0 && opcode == 0 && counts[0] == 0
    {
        return None;
    }
    let (query, addresses, texts) = (String::new(), Vec::new(), Vec::new());
    let mut message = Message { questions: counts[0], query, addresses, texts, exact: false };
    for i in 0..counts[0] {
        let name = name(&mut c, bytes, names)?;
        c.u16()?;
        c.u16()?;
        if i == 0 {
            message.query = name;
        }
    }
    for i in 0..total - counts[0] {
        let answer = i < counts[1];
        // In multicast answers there is no question: the owner is the name.
        let nameless = answer && message.query.is_empty();
        let owner = name(&mut c, bytes, if nameless { names } else { Names::Skipped })?;
        let kind = c.u16()?;
        c.u16()?;
        c.u32()?;
        let data = c.vec16()?;
        if nameless {
            message.query = owner;
        }
        match (kind, data.len()) {
            (1, 4) if answer => {
                message.addresses.extend(data.first_chunk::<4>().map(|a| IpAddr::V4(Ipv4Addr::from(*a))))
            }
            (28, 16) if answer => {
                message.addresses.extend(data.first_chunk::<16>().map(|a| IpAddr::V6(Ipv6Addr::from(*a))))
            }
            (16, _) if names == Names::Read => {
                let mut strings = Cursor::new(data);
                message.texts.extend(std::iter::from_fn(|| strings.vec8()).filter(|text| !text.is_empty()));
            }
            _ => {}
        }
    }
    message.exact = c.is_empty();
    Some(message)
}

/// A name, with compression (RFC 1035 section 4.1.4).
fn name<'a>(c: &mut Cursor<'a>, whole: &'a [u8], names: Names) -> Option<String> {
    let mut text = String::new();
    let mut length = 0;
    let mut jumped: Option<Cursor<'a>> = None;
    for _ in 0..JUMPS * 4 {
        let at = match &mut jumped {
            Some(elsewhere) => elsewhere,
            None => &mut *c,
        };
        let len = at.u8()?;
        match len {
            0 => {
                text.make_ascii_lowercase();
                return Some(text);
            }
            1..=63 => {
                let label = at.take(usize::from(len))?;
                length += label.len() + 1;
                if length > 256 {
                    return None;
                }
                if names == Names::Skipped {
                    continue;
                }
                if text.is_empty() {
                    text.reserve(64);
                } else {
                    text.push('.');
                }
                text.push_str(&String::from_utf8_lossy(label));
            }
            0xc0.. => {
                let offset = usize::from(len & 0x3f) << 8 | usize::from(at.u8()?);
                jumped = Some(Cursor::new(whole.get(offset..)?));
            }
            _ => return None,
        }
    }
    None
}

/// Who is asked for and where it is; what records of text say, such as the state of somebody nearby (XEP-0174).
fn tell(bytes: &[u8], side: Side, out: &mut Out<'_, '_>) {
    let Some(message) = read(bytes, Names::Read) else { return out.note("dns-malformed") };
    for text in &message.texts {
        let form = if std::str::from_utf8(text).is_ok() { Form::Text } else { Form::Binary };
        out.item("txt", form, side, text);
    }
    if message.query.is_empty() {
        return;
    }
    out.fact("dns.query", message.query.as_str());
    for ip in message.addresses {
        out.fact("dns.address", Value::List(vec![message.query.as_str().into(), ip.to_string().into()]));
    }
}

struct Dns;

impl Peeler for Dns {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        tell(input.bytes, input.side, out);
        Step::again(input.bytes.len())
    }
}

struct DnsTcp;

impl Peeler for DnsTcp {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let mut c = Cursor::new(input.bytes);
        let Some(message) = c.vec16() else {
            let len = Cursor::new(input.bytes).u16().map_or(2, |n| 2 + usize::from(n));
            return Step::more(0, len);
        };
        out.begin_message();
        tell(message, input.side, out);
        Step::again(c.consumed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_compression_and_names_the_question() {
        let mut m = vec![0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        m.extend(b"\x04chat\x07example\x03org\0\0\x01\0\x01");
        m.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06\x03cdn\xc0\x11");
        m.extend(b"\xc0\x2e\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x07");
        let read = read(&m, Names::Read).unwrap();
        assert_eq!(read.query, "chat.example.org");
        assert_eq!(read.addresses, ["10.0.0.7".parse::<IpAddr>().unwrap()]);
        assert!(read.exact);
    }

    #[test]
    fn a_pointer_to_itself_ends() {
        let mut m = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        m.extend(b"\xc0\x0c\0\x01\0\x01");
        assert!(read(&m, Names::Read).is_none() && read(&m, Names::Skipped).is_none());
    }
}
