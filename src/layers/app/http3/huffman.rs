//! The Huffman code of header strings (RFC 7541 appendix B). It is canonical: the lengths alone tell it.

/// Bits of the code of each octet; the last is the end of string, which must not occur.
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

const LONGEST: usize = 30;

/// For each length the first code, the number of codes, and where their symbols start in `symbols`.
struct Table {
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    start: [u32; LONGEST + 1],
    symbols: [u16; 257],
}

static TABLE: Table = table();

const fn table() -> Table {
    let mut t = Table {
        first: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        start: [0; LONGEST + 1],
        symbols: [0; 257],
    };
    let (mut code, mut filled, mut length) = (0u32, 0usize, 1usize);
    while length <= LONGEST {
        t.first[length] = code;
        t.start[length] = filled as u32;
        let mut symbol = 0;
        while symbol < 257 {
            if LENGTHS[symbol] as usize == length {
                t.symbols[filled] = symbol as u16;
                filled += 1;
                code += 1;
            }
            symbol += 1;
        }
        t.count[length] = code - t.first[length];
        code <<= 1;
        length += 1;
    }
    t
}

/// Decodes a string. `None` where the bits are no code or the padding is not the start of the end of
/// string (RFC 7541 section 5.2).
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() * 8 / 5);
    let (mut code, mut length) = (0u32, 0usize);
    for byte in bytes {
        for shift in (0..8).rev() {
            code = code << 1 | u32::from(byte >> shift & 1);
            length += 1;
            if length > LONGEST {
                return None;
            }
            let Some(index) = code.checked_sub(TABLE.first[length]).filter(|i| *i < TABLE.count[length])
            else {
                continue;
            };
            let symbol = *TABLE.symbols.get((TABLE.start[length] + index) as usize)?;
            out.push(u8::try_from(symbol).ok()?);
            (code, length) = (0, 0);
        }
    }
    let padding = length < 8 && code == (1 << length) - 1;
    padding.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes by the codes that the table implies.
    fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits = Vec::new();
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let start = TABLE.start[length] as usize;
            let index = TABLE.symbols[start..].iter().position(|s| *s == u16::from(*byte)).unwrap();
            let code = TABLE.first[length] + index as u32;
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
    fn refuses_long_padding_and_the_end_of_string() {
        assert_eq!(decode(&[0x64, 0x02, 0xff]), None);
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decode(&[0x00, 0x00, 0x00]).map(|t| t.len()), None);
    }
}
