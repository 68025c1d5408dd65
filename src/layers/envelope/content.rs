//! What containers hold that could be encrypted and are not: OpenPGP literal data, clear-signed text,
//! CMS signed, plain and compressed data.

use super::grammar::der::{self, Tlv};
use super::grammar::encoding::base64url;
use super::grammar::xml::{self, Element};
use super::openpgp;
use super::{Class, Envelope};
use crate::bytes::Cursor;
use std::io::Read;

/// Containers inside one another.
const DEEPEST: usize = 6;

/// The readable content of a recognised container. `input` is what was recognised, `decoded` the same
/// without armor; at most `most` bytes come out.
pub(super) fn readable(envelope: &Envelope, input: &[u8], decoded: &[u8], most: usize) -> Option<Vec<u8>> {
    match envelope.format {
        "openpgp-cleartext-signed" => clear_signed(input),
        "xep-0373" if is_open(envelope.class) => literal(decoded, most, 0).map(stanza_content),
        "jws" | "didcomm-signed" => jws(input),
        "cms-data" | "cms-signed-data" | "cms-compressed-data" => cms(decoded, most),
        // Whatever carries the packets: a stanza has a format of its own.
        _ if envelope.protocol == openpgp::PROTOCOL && is_open(envelope.class) => literal(decoded, most, 0),
        _ => None,
    }
}

/// The payload of a JWS in compact or JSON form, if it is text (RFC 7515 section 7). Anybody reads it.
fn jws(input: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(input).ok()?.trim();
    let payload = match text.starts_with('{') {
        true => serde_json::from_str::<serde_json::Value>(text).ok()?.get("payload")?.as_str()?.to_owned(),
        false => text.split('.').nth(1)?.to_owned(),
    };
    base64url(&payload).filter(|plain| std::str::from_utf8(plain).is_ok())
}

fn is_open(class: Class) -> bool {
    matches!(class, Class::NotEncrypted | Class::SignedOnly)
}

/// The body of what XEP-0373 wraps into an element for the signature (section 3.1), or else all of it.
fn stanza_content(plain: Vec<u8>) -> Vec<u8> {
    let body = |root: Element| Some(root.all().into_iter().find(|e| e.name == "body")?.text.clone());
    let text = std::str::from_utf8(&plain).ok().and_then(xml::parse).and_then(body);
    text.map_or(plain, String::into_bytes)
}

/// The text between the armor header and the signature, dash escapes undone (RFC 9580 section 7).
fn clear_signed(input: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(input).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PGP SIGNED MESSAGE-----")?;
    let mut lines = rest.lines();
    // The rest of the first line, then headers, then an empty line.
    lines.next();
    lines.by_ref().take_while(|l| !l.trim().is_empty()).for_each(drop);
    let signed = lines.take_while(|l| !l.starts_with("-----BEGIN PGP SIGNATURE"));
    let plain: Vec<&str> = signed.map(|l| l.strip_prefix("- ").unwrap_or(l)).collect();
    (!plain.is_empty()).then(|| plain.join("\n").into_bytes())
}

/// The first literal data packet, also inside compressed ones (RFC 9580 sections 5.6 and 5.9).
fn literal(bytes: &[u8], most: usize, depth: usize) -> Option<Vec<u8>> {
    let mut c = Cursor::new(bytes);
    while let Some((tag, body)) = packet(&mut c) {
        match tag {
            11 => {
                let mut c = Cursor::new(&body);
                c.u8()?;
                c.vec8()?;
                c.u32()?;
                return Some(c.rest().to_vec());
            }
            8 if depth < DEEPEST => {
                let (algorithm, data) = body.split_first()?;
                let plain = match algorithm {
                    0 => data.to_vec(),
                    1 => bounded(flate2::read::DeflateDecoder::new(data), most),
                    2 => bounded(flate2::read::ZlibDecoder::new(data), most),
                    3 => bounded(bzip2::read::BzDecoder::new(data), most),
                    _ => return None,
                };
                return literal(&plain, most, depth + 1);
            }
            _ => {}
        }
    }
    None
}

/// What can be read, up to `most` bytes, even if the end is missing.
fn bounded(reader: impl Read, most: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    let _ = reader.take(most as u64).read_to_end(&mut plain);
    plain
}

/// A packet with the parts of its body joined.
fn packet(c: &mut Cursor<'_>) -> Option<(u8, Vec<u8>)> {
    let header = c.u8()?;
    if header & 0x80 == 0 {
        return None;
    }
    if header & 0x40 == 0 {
        let n = match header & 3 {
            0 => usize::from(c.u8()?),
            1 => usize::from(c.u16()?),
            2 => c.u32()? as usize,
            _ => c.left(),
        };
        return Some((header >> 2 & 0x0f, c.take(n)?.to_vec()));
    }
    let mut body = Vec::new();
    loop {
        let (n, partial) = match c.u8()? {
            l @ 0..192 => (usize::from(l), false),
            l @ 192..224 => (((usize::from(l) - 192) << 8) + usize::from(c.u8()?) + 192, false),
            255 => (c.u32()? as usize, false),
            l => (1usize << (l & 31), true),
        };
        body.extend_from_slice(c.take(n)?);
        if !partial {
            return Some((header & 0x3f, body));
        }
    }
}

/// The encapsulated content (RFC 5652 sections 4 and 5, RFC 3274).
fn cms(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let parts = der::children(der::read(bytes, 0)?.content)?;
    let [kind, wrapper, ..] = parts.as_slice() else { return None };
    let inner = der::read(wrapper.content, 0)?;
    if matches!(inner.tag, 4 | 0x24) {
        return octets(&inner, 0);
    }
    let fields = der::children(inner.content)?;
    // The encapsulated content comes third in both: version, algorithms, content.
    let encapsulated = der::children(fields.get(2).filter(|f| f.tag == 0x30)?.content)?;
    let wrapped = encapsulated.get(1).filter(|w| w.tag == 0xa0)?;
    let content = octets(&der::read(wrapped.content, 0)?, 0)?;
    match kind.content.last() {
        Some(9) => Some(bounded(flate2::read::ZlibDecoder::new(content.as_slice()), most)),
        _ => Some(content),
    }
}

/// An octet string in one piece or in several.
fn octets(tlv: &Tlv<'_>, depth: usize) -> Option<Vec<u8>> {
    match tlv.tag {
        4 => Some(tlv.content.to_vec()),
        0x24 if depth < DEEPEST => {
            let mut out = Vec::new();
            let mut at = 0;
            while at < tlv.content.len() {
                let piece = der::read(tlv.content, at)?;
                at = piece.next;
                out.extend(octets(&piece, depth + 1)?);
            }
            Some(out)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn clear_signed_text_comes_out() {
        let text = b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nsee you\r\n- -- me\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\nx";
        assert_eq!(clear_signed(text).unwrap(), b"see you\n-- me");
    }

    #[test]
    fn literal_data_comes_out_of_compression_and_parts() {
        let mut plain = vec![0xcb, 6 + 7, b'b', 0, 0, 0, 0, 0];
        plain.extend(b"see you");
        assert_eq!(literal(&plain, 1000, 0).unwrap(), b"see you");
        let mut z = flate2::write::ZlibEncoder::new(vec![2], flate2::Compression::default());
        z.write_all(&plain).unwrap();
        let packed = z.finish().unwrap();
        let mut outer = vec![0xc8, packed.len() as u8];
        outer.extend(&packed);
        assert_eq!(literal(&outer, 1000, 0).unwrap(), b"see you");
        let mut bz = bzip2::write::BzEncoder::new(vec![3], bzip2::Compression::default());
        bz.write_all(&plain).unwrap();
        let squeezed = bz.finish().unwrap();
        let outer_bz = [&[0xc8, squeezed.len() as u8], squeezed.as_slice()].concat();
        assert_eq!(literal(&outer_bz, 1000, 0).unwrap(), b"see you");
        // The same body in two parts: two bytes, then the rest.
        let mut parts = vec![0xc8, 0xe1];
        parts.extend(&packed[..2]);
        parts.push(packed.len() as u8 - 2);
        parts.extend(&packed[2..]);
        assert_eq!(literal(&parts, 1000, 0).unwrap(), b"see you");
        assert_eq!(literal(&[0xc8], 1000, 0), None);
    }

    #[test]
    fn signed_stanza_content_comes_down_to_its_body() {
        let sign = b"<sign xmlns='urn:xmpp:openpgp:0'><to jid='b@x'/><payload><body xmlns='jabber:client'>see &amp; you</body></payload></sign>";
        assert_eq!(stanza_content(sign.to_vec()), b"see & you");
        assert_eq!(stanza_content(b"see you".to_vec()), b"see you");
    }

    #[test]
    fn signed_data_gives_its_content() {
        let tlv = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let oid = |kind: u8| tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, kind]);
        let pieces = tlv(0x24, &[tlv(4, b"see "), tlv(4, b"you")].concat());
        let encapsulated = tlv(0x30, &[oid(1), tlv(0xa0, &pieces)].concat());
        let signed = tlv(0x30, &[tlv(2, &[1]), tlv(0x31, &[]), encapsulated, tlv(0x31, &[])].concat());
        let whole = tlv(0x30, &[oid(2), tlv(0xa0, &signed)].concat());
        assert_eq!(cms(&whole, 1000).unwrap(), b"see you");
        // A detached signature holds nothing.
        let bare = tlv(0x30, &[tlv(2, &[1]), tlv(0x31, &[]), tlv(0x30, &oid(1)), tlv(0x31, &[])].concat());
        assert_eq!(cms(&tlv(0x30, &[oid(2), tlv(0xa0, &bare)].concat()), 1000), None);
    }
}
