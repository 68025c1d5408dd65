//! LDAP (RFC 4511): enough of its BER to follow a connection through StartTLS and to show simple logins.

use super::starttls;
use crate::bytes::Cursor;
use crate::model::{Bucket, Side};
use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step, Then};

/// The row.
pub static SPEC: Spec = Spec {
    name: "ldap",
    title: "LDAP (RFC 4511)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &["ldap.starttls", "ldap.operation"],
    notes: &["ldap-malformed", "ldap-message-too-long"],
    open: || Box::new(Ldap::default()),
};

const PORTS: [u16; 4] = [389, 636, 3268, 3269];
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";
const BIND_REQUEST: u8 = 0x60;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;

/// Tag, content and whole length of a BER element with a definite length.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (tag, head, len) = head(bytes)?;
    Some((tag, bytes.get(head..head + len)?, head + len))
}

/// Tag, length of the head and length of the content.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let mut c = Cursor::new(bytes);
    let tag = c.u8()?;
    let len = match c.u8()? {
        n @ 0..=0x7f => usize::from(n),
        0x81 => usize::from(c.u8()?),
        0x82 => usize::from(c.u16()?),
        0x83 => c.u24()? as usize,
        0x84 => c.u32()? as usize,
        _ => return None,
    };
    Some((tag, c.consumed(), len))
}

/// Operation and its content of an LDAPMessage whose parts fill it exactly.
fn message(content: &[u8]) -> Option<(u8, &[u8])> {
    let (id_tag, id, n) = element(content)?;
    if id_tag != 2 || !(1..=4).contains(&id.len()) || id.first().is_some_and(|b| *b > 0x7f) {
        return None;
    }
    let rest = content.get(n..)?;
    let (operation, inside, n) = element(rest)?;
    let known = matches!(operation, 0x60..=0x79 | 0x42 | 0x4a | 0x50);
    let controls = rest.get(n..)?;
    let filled =
        controls.is_empty() || element(controls).is_some_and(|(t, _, n)| t == 0xa0 && n == controls.len());
    (known && filled).then_some((operation, inside))
}

fn starts_tls(operation: u8, inside: &[u8]) -> bool {
    operation == EXTENDED_REQUEST
        && element(inside).is_some_and(|(tag, name, _)| tag == 0x80 && name == START_TLS)
}

/// On its ports any message; elsewhere a login of version 2 or 3, or StartTLS.
fn probe(p: &Probe<'_>) -> Guess {
    match p.bytes.first() {
        None => return Guess::More,
        Some(0x30) => {}
        Some(_) => return Guess::No,
    }
    let Some((_, head, len)) = head(p.bytes) else {
        return if p.bytes.len() < 6 && !p.end { Guess::More } else { Guess::No };
    };
    let Some(content) = p.bytes.get(head..head + len) else {
        return if !p.end && len < 1500 { Guess::More } else { Guess::No };
    };
    let Some((operation, inside)) = message(content) else { return Guess::No };
    let login = operation == BIND_REQUEST && matches!(inside, [2, 1, 2 | 3, 4, ..]);
    if PORTS.contains(&p.server_port) || login || starts_tls(operation, inside) {
        Guess::Sure
    } else {
        Guess::No
    }
}

#[derive(Default)]
struct Ldap {
    asked: bool,
}

impl Peeler for Ldap {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if self.asked && starttls::begins(&input) {
            begin_tls(out);
            return Step::again(0);
        }
        let Some((tag, head, len)) = head(bytes) else {
            return match bytes.len() {
                0..6 if !input.end => Step::more(0, bytes.len() + 1),
                _ => Step::die("ldap-malformed"),
            };
        };
        if tag != 0x30 {
            return Step::die("ldap-malformed");
        }
        if head + len > out.limits().buffer {
            out.note("ldap-message-too-long");
            return Step::skip(0, (head + len) as u64, Bucket::Cut);
        }
        let Some(content) = bytes.get(head..head + len) else {
            return match input.end {
                true => Step { consumed: 0, then: Then::Rest(Bucket::Cut) },
                false => Step::more(0, head + len),
            };
        };
        match message(content) {
            Some((operation, inside)) => self.message(side, operation, inside, out),
            None => out.note("ldap-malformed"),
        }
        Step::again(head + len)
    }
}

impl Ldap {
    fn message(&mut self, side: Side, operation: u8, inside: &[u8], out: &mut Out<'_, '_>) {
        out.begin_message();
        match operation {
            BIND_REQUEST => {
                out.fact("ldap.operation", "bind");
                return bind(side, inside, out);
            }
            EXTENDED_RESPONSE if self.asked => {
                let granted = element(inside).is_some_and(|(tag, code, _)| tag == 0x0a && code == [0]);
                self.asked = granted;
                if granted {
                    begin_tls(out);
                }
                return;
            }
            _ if starts_tls(operation, inside) => {
                self.asked = true;
                return;
            }
            _ => {}
        }
        texts(side, inside, 0, out);
    }
}

fn begin_tls(out: &mut Out<'_, '_>) {
    out.fact("ldap.starttls", true);
    starttls::begin(out);
}

/// Name and, for simple logins, the password in clear (RFC 4511 section 4.2).
fn bind(side: Side, inside: &[u8], out: &mut Out<'_, '_>) {
    let mut rest = inside;
    while let Some((tag, value, n)) = element(rest) {
        match tag {
            4 if !value.is_empty() => out.item("auth.user", Form::Text, side, value),
            0x80 if !value.is_empty() => out.item("auth.password", Form::Text, side, value),
            _ => {}
        }
        rest = rest.get(n..).unwrap_or_default();
    }
}

/// Every string of an operation; what each means needs the schema of the directory.
fn texts(side: Side, inside: &[u8], depth: usize, out: &mut Out<'_, '_>) {
    const DEEPEST: usize = 12;
    let mut rest = inside;
    while let Some((tag, value, n)) = element(rest) {
        match tag {
            4 if !value.is_empty() => {
                let form = if std::str::from_utf8(value).is_ok() { Form::Text } else { Form::Binary };
                out.item("value", form, side, value);
            }
            t if t & 0x20 != 0 && depth < DEEPEST => texts(side, value, depth + 1, out),
            _ => {}
        }
        rest = rest.get(n..).unwrap_or_default();
    }
}
