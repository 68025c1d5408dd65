//! Messages inside what the server sends. Their constructors change with every layer and stand deep inside
//! other types, so they are searched word by word; a match needs the known constructor and a strict
//! continuation.

use super::tl::{Peer, Tl};

/// Bytes of one answer that are searched.
const SEARCHED: usize = 256 << 10;
/// Words between a message's constructor and its text.
const REACH: usize = 128;
/// Found at most in one answer.
const MOST: usize = 256;

/// `message`, by layer.
const MESSAGES: &[u32] = &[
    0x44f9_b43d,
    0x452c_0e65,
    0x58ae_39c9,
    0xbce3_83d2,
    0x85d6_cbe2,
    0x3811_6ee0,
    0x9434_5242,
    0x9815_cec8,
    0x7600_b9d3,
];

/// A message that was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Text that the server can read.
    Text {
        /// Who wrote it, if it says.
        from: Option<Peer>,
        /// Where it was written.
        to: Option<Peer>,
        /// When, in seconds of Unix time.
        date: Option<u32>,
        /// What was written.
        text: &'a str,
    },
    /// A message of a secret chat, whole.
    Secret(&'a [u8]),
}

/// Every message inside an answer or an update.
pub fn messages(data: &[u8]) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = data.get(at..).filter(|r| r.len() >= 16 && at < SEARCHED) {
        match one(rest) {
            Some((message, len)) => {
                found.push(message);
                at += len.max(4).next_multiple_of(4);
            }
            None => at += 4,
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

fn one(bytes: &[u8]) -> Option<(Found<'_>, usize)> {
    let mut tl = Tl::new(bytes);
    let constructor = tl.int()?;
    let found = match constructor {
        0xed18_c118 | 0x2373_4b06 => return secret(bytes),
        0x313b_c7f8 | 0xfaef_f833 | 0x914f_bf11 => short(&mut tl, constructor)?,
        0x4d6d_eea5 | 0x1157_b858 | 0x1681_2688 => short_chat(&mut tl, constructor)?,
        _ if MESSAGES.contains(&constructor) => message(&mut tl)?,
        _ => return None,
    };
    Some((found, tl.0.consumed()))
}

fn plausible(date: u32) -> bool {
    (1_300_000_000..2_200_000_000).contains(&date)
}

fn said<'a>(tl: &mut Tl<'a>) -> Option<&'a str> {
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    tl.string().filter(|t| !t.is_empty() && t.chars().all(printable))
}

/// `message`: after flags and peers, which differ by layer, stands a date with the text right behind it.
fn message<'a>(tl: &mut Tl<'a>) -> Option<Found<'a>> {
    let mut peers: Vec<Peer> = Vec::new();
    for _ in 0..REACH {
        let mut here = *tl;
        if let Some(peer) = here.peer().filter(|p| p.id != 0) {
            peers.push(peer);
            *tl = here;
            continue;
        }
        let date = tl.int()?;
        if !plausible(date) {
            continue;
        }
        let mut here = *tl;
        if let Some(text) = said(&mut here) {
            *tl = here;
            let (from, to) = match peers.as_slice() {
                [from, to, ..] => (Some(*from), Some(*to)),
                [only] => (None, Some(*only)),
                [] => (None, None),
            };
            return Some(Found::Text { from, to, date: Some(date), text });
        }
    }
    None
}

/// `updateShortMessage {flags, id, user, text, pts, pts_count, date}`; users had four bytes once.
fn short<'a>(tl: &mut Tl<'a>, constructor: u32) -> Option<Found<'a>> {
    tl.0.take(8)?;
    let id = number(tl, constructor == 0x914f_bf11)?;
    let text = said(tl)?;
    tl.0.take(8)?;
    let date = tl.int().filter(|d| plausible(*d))?;
    Some(Found::Text { from: Some(Peer { kind: "user", id }), to: None, date: Some(date), text })
}

/// `updateShortChatMessage {flags, id, from, chat, text, pts, pts_count, date}`.
fn short_chat<'a>(tl: &mut Tl<'a>, constructor: u32) -> Option<Found<'a>> {
    tl.0.take(8)?;
    let old = constructor == 0x1681_2688;
    let (from, chat) = (number(tl, old)?, number(tl, old)?);
    let text = said(tl)?;
    tl.0.take(8)?;
    let date = tl.int().filter(|d| plausible(*d))?;
    let (from, to) = (Peer { kind: "user", id: from }, Peer { kind: "chat", id: chat });
    Some(Found::Text { from: Some(from), to: Some(to), date: Some(date), text })
}

fn number(tl: &mut Tl<'_>, old: bool) -> Option<i64> {
    if old { tl.int().map(i64::from) } else { tl.long() }
}

/// `encryptedMessage {random_id, chat, date, bytes, file}`, and without a file the service message.
fn secret(bytes: &[u8]) -> Option<(Found<'_>, usize)> {
    let mut tl = Tl::new(bytes);
    let constructor = tl.int()?;
    tl.0.take(12)?;
    tl.int().filter(|d| plausible(*d))?;
    tl.bytes()?;
    if constructor == 0xed18_c118 {
        match tl.int()? {
            0xc21f_497e => {}
            0xa800_8cd8 => tl.0.take(32).map(drop)?,
            0x4a70_994c => tl.0.take(28).map(drop)?,
            _ => return None,
        }
    }
    let len = tl.0.consumed();
    Some((Found::Secret(bytes.get(..len)?), len))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn text(t: &str) -> Vec<u8> {
        let mut bytes = vec![t.len() as u8];
        bytes.extend_from_slice(t.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// An update with a new message in it, for the tests of this layer.
    pub fn new_message(said: &str) -> Vec<u8> {
        let mut update = words(&[0x74ae_4240, super::super::tl::VECTOR, 1, 0x1f2b_0afd, 0x7600_b9d3]);
        update.extend(words(&[0x100, 0, 77, 0x5951_1722, 42, 0, 0x36c6_019a, 9, 0, 1_780_000_000]));
        update.extend(text(said));
        update.extend(words(&[5, 1]));
        update
    }

    #[test]
    fn a_message_is_found_inside_an_update() {
        let update = new_message("see you at six");
        let found = messages(&update);
        let from = Some(Peer { kind: "user", id: 42 });
        let to = Some(Peer { kind: "chat", id: 9 });
        assert_eq!(found, [Found::Text { from, to, date: Some(1_780_000_000), text: "see you at six" }]);
        for n in 0..update.len() {
            let _ = messages(&update[..n]);
        }
    }

    #[test]
    fn short_updates_say_who_and_what() {
        let mut update = words(&[0x313b_c7f8, 0, 5, 42, 0]);
        update.extend(text("hi there"));
        update.extend(words(&[1, 1, 1_780_000_000]));
        let from = Some(Peer { kind: "user", id: 42 });
        assert_eq!(
            messages(&update),
            [Found::Text { from, to: None, date: Some(1_780_000_000), text: "hi there" }]
        );
    }

    #[test]
    fn secret_messages_are_cut_out_whole() {
        let mut secret = words(&[0xed18_c118, 1, 2, 3, 1_780_000_000]);
        secret.push(56);
        secret.extend([0x5a; 56]);
        secret.extend([0; 3]);
        secret.extend(words(&[0xc21f_497e]));
        let mut update = words(&[0x12bc_bd9a]);
        update.extend(&secret);
        update.extend(words(&[1]));
        assert_eq!(messages(&update), [Found::Secret(&secret)]);
    }
}
