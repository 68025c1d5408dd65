//! Snapchat's request that carries a message, and what its encryption field says about the content: sealed
//! for devices, keyed in clear, or not encrypted at all, which is no envelope. Field numbers as public
//! re-implementations have them; the older sealed forms are too little known to be claimed.

use super::grammar::protobuf::varint;
use super::grammar::signs;
use super::{Class, Envelope, Form, Recogniser, Tier};

/// Requests that create a message.
pub const REQUESTS: Recogniser = Recogniser {
    format_family: "snapchat",
    title: "Snapchat content envelopes",
    tries: Form::Binary,
    recognise,
};

const PROTOCOL: &str = "Snapchat EEL";

/// Fields of a message in wire order: number, and bytes or a number.
type Fields<'a> = Vec<(u64, Part<'a>)>;

#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8], usize),
}

/// All fields of the whole buffer, which lies `base` bytes behind the input's start.
fn fields(bytes: &[u8], base: usize) -> Option<Fields<'_>> {
    let mut list = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (tag, after) = varint(rest)?;
        if tag >> 3 == 0 || list.len() > 64 {
            return None;
        }
        rest = match tag & 7 {
            0 => {
                let (n, after) = varint(after)?;
                list.push((tag >> 3, Part::Number(n)));
                after
            }
            2 => {
                let (n, after) = varint(after)?;
                let (body, after) = after.split_at_checked(usize::try_from(n).ok()?)?;
                let at = base + bytes.len() - after.len() - body.len();
                list.push((tag >> 3, Part::Bytes(body, at)));
                after
            }
            _ => return None,
        };
    }
    Some(list)
}

fn bytes<'a>(list: &Fields<'a>, number: u64) -> Option<(&'a [u8], usize)> {
    let mut all = list.iter().filter(|(n, _)| *n == number);
    match (all.next()?, all.next()) {
        ((_, Part::Bytes(b, at)), None) => Some((b, *at)),
        _ => None,
    }
}

fn number(list: &Fields<'_>, number: u64) -> Option<u64> {
    list.iter().find(|(n, _)| *n == number).and_then(|(_, p)| match p {
        Part::Number(n) => Some(*n),
        Part::Bytes(..) => None,
    })
}

fn inner<'a>(list: &Fields<'a>, number: u64) -> Option<Fields<'a>> {
    let (body, at) = bytes(list, number)?;
    fields(body, at)
}

fn recognise(input: &[u8]) -> Option<Envelope> {
    if !input.starts_with(&[0x0a, 0x12, 0x0a, 0x10]) {
        return None;
    }
    let request = fields(input, 0)?;
    (bytes(&inner(&request, 1)?, 1)?.0.len() == 16).then_some(())?;
    let destinations = inner(&request, 3)?;
    let envelope = inner(&request, 4)?;
    let kind = number(&envelope, 2).filter(|k| *k <= 64)?;
    let encryption = inner(&envelope, 3)?;
    let (contents, at) = bytes(&envelope, 4)?;
    let [(choice, Part::Bytes(body, body_at))] = encryption.as_slice() else { return None };
    let keys = fields(body, *body_at)?;
    let sealed = Some(at..at + contents.len());
    let broken = |format, why| {
        Some(Envelope::new(format, PROTOCOL, Class::Broken, Tier::T1).fact("content_type", kind).because(why))
    };
    match choice {
        4 if matches!(bytes(&keys, 1)?.0.len(), 16 | 32) => {
            broken("snapchat-clear-media-key", "the key of the media stands beside the message in clear")
        }
        6 if bytes(&keys, 2)?.0.len() >= 16 => {
            broken("snapchat-clear-key", "the key of the content stands beside it in clear")
                .map(|e| e.sealed(sealed))
        }
        5 => {
            if bytes(&keys, 16).is_some() {
                let why = "the key of the content stands beside it";
                return broken("snapchat-clear-key", why).map(|e| e.sealed(sealed));
            }
            let (nonce, nonce_at) = bytes(&keys, 2)?;
            let shaped = (12..=24).contains(&bytes(&keys, 1)?.0.len())
                && (12..=24).contains(&nonce.len())
                && matches!(bytes(&keys, 3)?.0.len(), 32 | 33 | 65)
                && number(&keys, 4)? <= 64
                && contents.len() >= 16;
            let devices = wrapped(&destinations)?;
            (shaped && devices > 0).then(|| {
                Envelope::new("snapchat-eel", PROTOCOL, Class::E2eeMessage, Tier::T2)
                    .fact("content_type", kind)
                    .fact("recipient_devices", devices)
                    .sealed(sealed)
                    .nonce(Some(nonce_at..nonce_at + nonce.len()))
                    .broken_if(signs::not_ciphertext(contents))
            })
        }
        _ => None,
    }
}

/// Devices for which the content's key is wrapped beside the destinations.
fn wrapped(destinations: &Fields<'_>) -> Option<u64> {
    let list = inner(&inner(destinations, 99)?, 5)?;
    let mut devices = 0;
    for (name, part) in &list {
        let (1, Part::Bytes(body, at)) = (name, part) else { return None };
        let entry = fields(body, *at)?;
        let whole = bytes(&entry, 1)?.0.len() >= 16 && bytes(&entry, 3)?.0.len() >= 32;
        whole.then(|| devices += 1)?;
    }
    Some(devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u64, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for mut n in [number << 3 | 2, body.len() as u64] {
            while n > 127 {
                out.push(n as u8 | 0x80);
                n >>= 7;
            }
            out.push(n as u8);
        }
        out.extend_from_slice(body);
        out
    }

    fn noise(n: u8) -> Vec<u8> {
        (0..n).map(|i| i.wrapping_mul(73) ^ i.rotate_left(3) ^ 0xa5).collect()
    }

    fn request(encryption: Vec<u8>) -> Vec<u8> {
        let device = [field(1, &noise(32)), vec![0x10, 10], field(3, &noise(48))].concat();
        let destinations = field(99, &field(5, &field(1, &device)));
        let envelope = [vec![0x10, 1], field(3, &encryption), field(4, &noise(80))].concat();
        [field(1, &field(1, &noise(16))), vec![0x10, 7], field(3, &destinations), field(4, &envelope)]
            .concat()
    }

    #[test]
    fn the_encryption_field_decides() {
        let keys =
            [field(1, &noise(12)), field(2, &noise(12)), field(3, &noise(65)), vec![0x20, 10]].concat();
        let sealed = recognise(&request(field(5, &keys))).unwrap();
        assert_eq!((sealed.class, sealed.format), (Class::E2eeMessage, "snapchat-eel"));
        let open = [keys, field(16, &noise(32))].concat();
        assert_eq!(recognise(&request(field(5, &open))).unwrap().class, Class::Broken);
        let clear = [field(1, &noise(12)), field(2, &noise(32))].concat();
        assert_eq!(recognise(&request(field(6, &clear))).unwrap().class, Class::Broken);
        assert!(recognise(&request(field(1, &[]))).is_none());
        let whole = request(field(5, &[field(1, &noise(12))].concat()));
        assert!(recognise(&whole).is_none());
    }
}
