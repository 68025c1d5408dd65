//! Keys inside bytes that no layer took apart, because they hold nothing that reads: a pair of keys as some library
//! writes it (protobuf: the public half, then the private one) is all random.

use super::candidates::is_key;
use crate::bytes::Cursor;

/// Longer bytes are hardly ever only keys.
const LONGEST: usize = 512;
/// Fields of one message.
const FIELDS: usize = 16;

/// The fields of a protobuf message that are as long as keys, if the bytes are one to the last octet and hold at
/// least two fields. Chance makes such a message of one random input in some thousands; then the pieces open
/// nothing.
pub(super) fn keys(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.len() > LONGEST {
        return Vec::new();
    }
    fields(bytes).filter(|all| all.len() >= 2).unwrap_or_default().into_iter().filter(|f| is_key(f)).collect()
}

fn fields(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut c = Cursor::new(bytes);
    let mut all = Vec::new();
    while !c.is_empty() {
        let tag = varint(&mut c)?;
        if tag >> 3 == 0 || all.len() == FIELDS {
            return None;
        }
        all.push(match tag & 7 {
            0 => {
                varint(&mut c)?;
                &[]
            }
            1 => c.take(8)?,
            2 => {
                let length = usize::try_from(varint(&mut c)?).ok()?;
                c.take(length)?
            }
            5 => c.take(4)?,
            _ => return None,
        });
    }
    Some(all)
}

fn varint(c: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..28).step_by(7) {
        let b = c.u8()?;
        value |= u64::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_a_pair_are_met_and_damage_is_not() {
        let half =
            |seed: u8| -> Vec<u8> { (0..32u8).map(|i| i.wrapping_mul(73).wrapping_add(seed)).collect() };
        let (public, private) = (half(5), half(9));
        let pair = [&b"\x0a\x21\x05"[..], &public, b"\x12\x20", &private].concat();
        assert_eq!(keys(&pair), [private.as_slice()]);
        assert!(keys(&pair[..68]).is_empty() && keys(&[&pair[..], b"\0"].concat()).is_empty());
        assert!(keys(&private).is_empty());
    }
}
