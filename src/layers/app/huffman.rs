//! The Huffman code of header strings, in HPACK and QPACK alike (RFC 7541 appendix B), rebuilt from its code lengths: the code is
//! canonical, so lengths alone fix every code word.

use std::sync::LazyLock;

/// Longest code word in bits.
const LONGEST: usize = 30;
/// Symbol number of the end of string.
const EOS: u16 = 256;

/// Bits of the code word of each octet, and of the end of string.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];

/// Canonical decoding table: per length the first code word, how many there are, and where their
/// symbols start.
struct Code {
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    start: [u32; LONGEST + 1],
    symbols: Vec<u16>,
    /// For every octet of input that starts with a short code word: its symbol and length.
    short: [(u8, u8); 256],
}

static CODE: LazyLock<Code> = LazyLock::new(build);

fn build() -> Code {
    let mut code =
        Code { first: [0; 31], count: [0; 31], start: [0; 31], symbols: Vec::new(), short: [(0, 0); 256] };
    let mut next = 0u32;
    for bits in 1..=LONGEST {
        next <<= 1;
        code.first[bits] = next;
        code.start[bits] = code.symbols.len() as u32;
        for symbol in (0..=EOS).filter(|s| usize::from(LENGTHS[usize::from(*s)]) == bits) {
            if bits <= 8 {
                let from = (next << (8 - bits)) as usize;
                code.short[from..from + (1 << (8 - bits))].fill((symbol as u8, bits as u8));
            }
            code.symbols.push(symbol);
            code.count[bits] += 1;
            next += 1;
        }
    }
    code
}

/// Decodes a string literal. `None` if the bits are no valid code (RFC 7541 section 5.2).
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let code = &*CODE;
    let mut plain = Vec::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut pool, mut have) = (0u64, 0usize);
    let mut input = bytes.iter();
    loop {
        while have <= 56 {
            let Some(b) = input.next() else { break };
            pool = pool << 8 | u64::from(*b);
            have += 8;
        }
        if have >= 8 {
            let (symbol, bits) = code.short[(pool >> (have - 8) & 0xff) as usize];
            if bits > 0 {
                plain.push(symbol);
                have -= usize::from(bits);
                continue;
            }
        }
        match word(code, pool, have) {
            Some((EOS, _)) => return None,
            Some((symbol, bits)) => {
                plain.push(symbol as u8);
                have -= bits;
            }
            // What is left is padding: fewer than eight bits, all ones.
            None => return (have < 8 && pool & ((1 << have) - 1) == (1 << have) - 1).then_some(plain),
        }
    }
}

/// The code word at the top of the `have` lowest bits of `pool`.
fn word(code: &Code, pool: u64, have: usize) -> Option<(u16, usize)> {
    for bits in 5..=LONGEST.min(have) {
        let value = (pool >> (have - bits) & ((1 << bits) - 1)) as u32;
        let place = value.wrapping_sub(code.first[bits]);
        if value >= code.first[bits] && place < code.count[bits] {
            let symbol = code.symbols.get((code.start[bits] + place) as usize)?;
            return Some((*symbol, bits));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes by the codes that the table implies.
    fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits = Vec::new();
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let start = CODE.start[length] as usize;
            let index = CODE.symbols[start..].iter().position(|s| *s == u16::from(*byte)).unwrap();
            let code = CODE.first[length] + index as u32;
            bits.extend((0..length).rev().map(|s| code >> s & 1));
        }
        bits.chunks(8).map(|c| (0..8).fold(0u8, |b, i| b << 1 | *c.get(i).unwrap_or(&1) as u8)).collect()
    }

    #[test]
    fn every_octet_survives_a_round_trip() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
    }

    /// RFC 7541 appendix C.4.1 and C.6.1.
    #[test]
    fn decodes_the_examples_of_rfc_7541() {
        let host = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&host).unwrap(), b"www.example.com");
        assert_eq!(decode(&[0x64, 0x02]).unwrap(), b"302");
    }

    #[test]
    fn the_code_is_complete() {
        let kraft: u64 = LENGTHS.iter().map(|n| 1u64 << (LONGEST - usize::from(*n))).sum();
        assert_eq!(kraft, 1 << LONGEST);
    }

    #[test]
    fn padding_must_be_short_and_all_ones() {
        // "a" is 00011; three bits of padding.
        assert_eq!(decode(&[0b0001_1111]).as_deref(), Some(&b"a"[..]));
        assert_eq!(decode(&[0b0001_1110]), None);
        assert_eq!(decode(&[0b0001_1111, 0xff]), None);
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xfc]), None, "the end of string is not allowed");
        assert_eq!(decode(&[]).as_deref(), Some(&b""[..]));
    }
}
