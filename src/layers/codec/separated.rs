//! Records of what runs over WebSocket and long polling: with the separator U+001E behind or between them (SignalR's
//! JSON messages, Engine.IO's payloads, JSON text sequences of RFC 7464), behind their length in characters
//! (Engine.IO 3), and in the list of a SockJS frame.

use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};

/// The row.
pub static SPEC: Spec = Spec {
    name: "separated",
    title: "Records with a separator, a length or in a list (SignalR, Engine.IO, SockJS, RFC 7464)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Separated),
};

const SEPARATOR: u8 = 0x1e;

fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == SEPARATOR).filter(|r| !r.trim_ascii().is_empty())
}

fn probe(p: &Probe<'_>) -> Guess {
    if behind_lengths(p.bytes).is_some() || listed(p.bytes).is_some() {
        return Guess::Sure;
    }
    if memchr::memchr(SEPARATOR, p.bytes).is_none() || std::str::from_utf8(p.bytes).is_err() {
        return Guess::No;
    }
    let mut any = false;
    for record in records(p.bytes) {
        any = true;
        if !is_object(record) && !is_packet(record) {
            return Guess::No;
        }
    }
    if any { Guess::Sure } else { Guess::No }
}

fn is_object(record: &[u8]) -> bool {
    record.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<serde::de::IgnoredAny>(record).is_ok()
}

/// A packet of Engine.IO: its type in one digit, or `b` before base64.
fn is_packet(record: &[u8]) -> bool {
    matches!(record.first(), Some(b'0'..=b'6' | b'b'))
}

/// Packets of Engine.IO 3 over polling, each behind its length in characters: `12:42["event"]`.
fn behind_lengths(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    bytes.first().filter(|b| b.is_ascii_digit())?;
    let mut rest = std::str::from_utf8(bytes).ok()?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_once(':')?;
        let length: usize = length.parse().ok().filter(|_| length.len() <= 8)?;
        let end = behind.char_indices().nth(length).map_or(behind.len(), |(at, _)| at);
        let packet = behind.get(..end)?;
        if packet.chars().count() != length || !is_packet(packet.as_bytes()) {
            return None;
        }
        found.push(packet.as_bytes());
        rest = behind.get(end..)?;
    }
    Some(found)
}

/// Messages in a frame of SockJS: `a["...","..."]`.
fn listed(bytes: &[u8]) -> Option<Vec<String>> {
    let list = bytes.trim_ascii_end().strip_prefix(b"a")?;
    let list = list.starts_with(b"[").then(|| serde_json::from_slice::<Vec<String>>(list).ok())??;
    (!list.is_empty()).then_some(list)
}

struct Separated;

impl Peeler for Separated {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        if let Some(list) = listed(input.bytes) {
            list.iter().for_each(|m| out.item("", Form::Text, input.side, m.as_bytes()));
        } else if let Some(packets) = behind_lengths(input.bytes) {
            packets.into_iter().for_each(|m| out.item("", Form::Text, input.side, m));
        } else {
            records(input.bytes).for_each(|r| out.item("", Form::Text, input.side, r));
        }
        Step::again(input.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_by_their_lengths_or_their_list_and_must_fill_the_whole() {
        assert_eq!(behind_lengths("4:42[]2:40".as_bytes()), Some(vec![&b"42[]"[..], b"40"]));
        assert_eq!(behind_lengths("7:42[\"é\"]".as_bytes()).map(|p| p.len()), Some(1));
        for other in ["12:30", "4:42[]x", "10.5:1", "", "3:abc"] {
            assert!(behind_lengths(other.as_bytes()).is_none_or(|p| p.is_empty()), "{other}");
        }
        assert_eq!(listed(b"a[\"x\",\"y\"]\n"), Some(vec!["x".to_owned(), "y".to_owned()]));
        assert!(listed(b"a[1]").is_none() && listed(b"a[]").is_none() && listed(b"ab").is_none());
    }
}
