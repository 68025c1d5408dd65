//! Heads of inner parts that a fragment from the middle of a file can hold, and escapes of text.
//!
//! Counts for the model, not evidence.

/// Members of ZIP archives, image chunks of PNG, blocks of Matroska, NAL units behind their lengths; then escapes of
/// quoted-printable and equals signs that are none, escapes of URLs and percent signs that are none.
pub fn figures(bytes: &[u8]) -> [f64; 8] {
    let fours = |wanted: fn(&[u8]) -> bool| bytes.windows(4).filter(|w| wanted(w)).count() as f64;
    let [quoted, other] = escapes(bytes, b'=');
    let [percent, bare] = escapes(bytes, b'%');
    [
        fours(|w| matches!(w, [b'P', b'K', 1 | 3 | 5 | 7, 2 | 4 | 6 | 8] if w[2] + 1 == w[3])),
        fours(|w| w == b"IDAT"),
        (0..bytes.len()).filter(|at| matroska_block(bytes.get(*at..).unwrap_or(&[]))).count() as f64,
        bytes.windows(5).filter(|w| nal_unit(w)).count() as f64,
        quoted,
        other,
        percent,
        bare,
    ]
}

/// A SimpleBlock of the first track (RFC 9559 section 5.1.3.4): its identifier, a size of one to four bytes, track
/// number 1, a time in two bytes, and flags of which the key frame's alone is set or none.
fn matroska_block(bytes: &[u8]) -> bool {
    let [0xa3, size @ 0x10..=0xff, ..] = *bytes else { return false };
    let at = 2 + size.leading_zeros() as usize;
    bytes.get(at) == Some(&0x81) && matches!(bytes.get(at + 3), Some(0 | 0x80))
}

/// A length under 128 KiB in four bytes and the head of a slice or parameter set of H.264 or H.265 (ISO 14496-15).
fn nal_unit(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [
            0,
            0 | 1,
            _,
            _,
            0x01 | 0x21 | 0x41 | 0x61 | 0x25 | 0x65 | 0x67 | 0x68 | 0x06 | 0x09 | 0x02 | 0x26 | 0x40 | 0x42
        ]
    )
}

/// The mark before two upper-case hexadecimal digits (or, as RFC 2045 section 6.7 has it, `=` at the end of a line),
/// and the mark before anything else.
fn escapes(bytes: &[u8], mark: u8) -> [f64; 2] {
    let hex = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
    let mut out = [0.0; 2];
    for w in bytes.windows(3).filter(|w| w[0] == mark) {
        let good = hex(w[1]) && hex(w[2]) || mark == b'=' && (w[1] == b'\n' || w[1..] == *b"\r\n");
        out[usize::from(!good)] += 1.0;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_head_is_counted() {
        let block = b"..\xa3\x44\x10\x81\x00\x21\x80..";
        assert_eq!(figures(b"...PK\x03\x04...PK\x01\x02.PK\x03\x05")[0], 2.0);
        assert_eq!(figures(b"..IDAT..IDA")[1], 1.0);
        assert_eq!(figures(block)[2], 1.0);
        assert_eq!(figures(&block[..8])[2], 0.0);
        assert_eq!(figures(b"..\x00\x00\x10\x22\x41\x9a")[3], 1.0);
        assert_eq!(figures(b"a=C3=A9 soft=\nx == y=")[4..6], [3.0, 2.0]);
        assert_eq!(figures(b"a%20b%2F 100% of")[6..], [2.0, 1.0]);
        assert_eq!(figures(b""), [0.0; 8]);
    }
}
