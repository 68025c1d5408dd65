//! The messages of the handshake inside CRYPTO frames (RFC 9001 section 4), and what QUIC adds to them.

use super::hello::encrypted_extension;
use super::packet::prefixed;
use crate::bytes::Cursor;

/// Takes one handshake message off the front: type, body and the length of both.
pub(super) fn message(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let mut c = Cursor::new(bytes);
    let kind = c.u8()?;
    let body = c.vec24()?;
    Some((kind, body, c.consumed()))
}

/// The stateless reset token among the server's transport parameters (RFC 9000 section 18.2, RFC 9001
/// section 8.2; the drafts used another code point).
pub(super) fn reset_token(body: &[u8]) -> Option<&[u8]> {
    let parameters = encrypted_extension(body, |code| matches!(code, 57 | 0xffa5))?;
    let mut c = Cursor::new(parameters);
    while let (Some(name), Some(value)) = (c.quic_varint(), prefixed(&mut c)) {
        if name == 2 && value.len() == 16 {
            return Some(value);
        }
    }
    None
}
