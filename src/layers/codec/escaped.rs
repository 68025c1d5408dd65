//! Escapes that stand in several encodings, undone for their layers: percent escapes (RFC 3986 section 2.1) and
//! character references (HTML).

/// `%41` undone wherever it is whole; `plus` is what `+` stands for.
pub(super) fn percent(bytes: &[u8], plus: u8) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((b, tail)) = rest.split_first() {
        rest = tail;
        match (b, hex_pair(tail)) {
            (b'%', Some((byte, after))) => {
                plain.push(byte);
                rest = after;
            }
            (b'+', _) => plain.push(plus),
            _ => plain.push(*b),
        }
    }
    plain
}

/// The byte that two digits write, and what follows them.
pub(super) fn hex_pair(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let ([high, low], after) = bytes.split_first_chunk()?;
    Some(((digit(*high)? << 4 | digit(*low)?) as u8, after))
}

/// The character that a reference names, without its `&` and `;`.
pub(super) fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_escapes_are_undone() {
        assert_eq!(percent(b"a%20b+c%2", b' '), b"a b c%2");
        assert_eq!(percent(b"%zz%41+", b'+'), b"%zzA+");
        let names = ["amp", "#65", "#x1F600", "#", "#x110000", "unknown"];
        let told = [Some('&'), Some('A'), Some('\u{1f600}'), None, None, None];
        assert_eq!(names.map(character), told);
    }
}
