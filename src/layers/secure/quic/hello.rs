//! The TLS handshake inside CRYPTO frames (RFC 9001 section 4): what the hellos tell.

use super::packet::{prefixed, varint};
use crate::bytes::Cursor;

/// What a ClientHello tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientHello {
    pub random: [u8; 32],
    pub sni: Option<String>,
    pub alpn: Vec<String>,
    pub ech: bool,
    pub early: bool,
}

/// Extensions in order: code and body.
fn extensions(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut c = Cursor::new(bytes);
    std::iter::from_fn(move || Some((c.u16()?, c.vec16()?)))
}

fn protocols(body: &[u8]) -> Vec<String> {
    let mut list = Cursor::new(Cursor::new(body).vec16().unwrap_or_default());
    std::iter::from_fn(|| list.vec8().map(|n| String::from_utf8_lossy(n).into_owned())).collect()
}

/// Takes one handshake message off the front: type, body and the length of both.
pub(super) fn message(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let mut c = Cursor::new(bytes);
    let kind = c.u8()?;
    let body = c.vec24()?;
    Some((kind, body, c.consumed()))
}

impl ClientHello {
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(body);
        c.u16()?;
        let random = c.array()?;
        c.vec8()?;
        c.vec16()?;
        c.vec8()?;
        let mut hello = Self { random, sni: None, alpn: Vec::new(), ech: false, early: false };
        for (code, body) in extensions(c.vec16()?) {
            match code {
                0 => hello.sni = server_name(body),
                16 => hello.alpn = protocols(body),
                42 => hello.early = true,
                0xfe0d => hello.ech = true,
                _ => {}
            }
        }
        Some(hello)
    }
}

fn server_name(body: &[u8]) -> Option<String> {
    let mut list = Cursor::new(Cursor::new(body).vec16()?);
    if list.u8()? != 0 {
        return None;
    }
    std::str::from_utf8(list.vec16()?).ok().map(str::to_ascii_lowercase)
}

/// The suite of a ServerHello and the group of its key share.
pub(super) fn server_hello(body: &[u8]) -> Option<(u16, Option<u16>)> {
    let mut c = Cursor::new(body);
    c.u16()?;
    c.array::<32>()?;
    c.vec8()?;
    let suite = c.u16()?;
    c.u8()?;
    let group = extensions(c.vec16()?).find(|(code, _)| *code == 51).and_then(|(_, b)| Cursor::new(b).u16());
    Some((suite, group))
}

/// The application protocol that EncryptedExtensions names.
pub(super) fn selected_protocol(body: &[u8]) -> Option<String> {
    let list = Cursor::new(body).vec16()?;
    extensions(list).find(|(code, _)| *code == 16).and_then(|(_, b)| protocols(b).into_iter().next())
}

/// The stateless reset token among the server's transport parameters (RFC 9000 section 18.2, RFC 9001
/// section 8.2; the drafts used another code point).
pub(super) fn reset_token(body: &[u8]) -> Option<&[u8]> {
    let list = Cursor::new(body).vec16()?;
    let (_, parameters) = extensions(list).find(|(code, _)| matches!(code, 57 | 0xffa5))?;
    let mut c = Cursor::new(parameters);
    while let (Some(name), Some(value)) = (varint(&mut c), prefixed(&mut c)) {
        if name == 2 && value.len() == 16 {
            return Some(value);
        }
    }
    None
}
