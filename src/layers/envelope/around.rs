//! What stands in a text beside the envelope that was recognised in it, and is read like the rest of the text:
//! words before and behind armor, the values of its headers, further armor, the words behind an offer of OTR.

use super::grammar::notice::is_fallback;

/// Pieces that are handed on by themselves.
const MOST: usize = 64;

/// Everything besides the first armored block, and that block's headers. Blank pieces are left out.
pub(super) fn around(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    if let Some(rest) = text.strip_prefix("?OTR").filter(|r| r.starts_with(['?', 'v'])) {
        let versions = rest.trim_start_matches(['?', 'v']).trim_start_matches(|c: char| c.is_ascii_digit());
        let behind = versions.strip_prefix('?').unwrap_or(versions);
        pieces.extend((!is_fallback(behind)).then_some(behind));
    }
    let mut rest = text;
    let mut first = true;
    while let Some((before, block, after)) = next_block(rest).filter(|_| pieces.len() < MOST) {
        pieces.push(before);
        match std::mem::take(&mut first) {
            true => pieces.extend(headers(block)),
            false => pieces.push(block),
        }
        rest = after;
    }
    if !first {
        pieces.push(rest);
    }
    pieces.retain(|p| p.contains(char::is_alphanumeric));
    pieces
}

/// The text before a block, the block with its first and last line, and the text behind it. A signed text ends
/// with its signature (RFC 9580 section 7).
fn next_block(text: &str) -> Option<(&str, &str, &str)> {
    let (before, from) = text.split_at(text.find("-----BEGIN ")?);
    let label = from.get(11..)?.split("-----").next()?;
    let label = if label == "PGP SIGNED MESSAGE" { "PGP SIGNATURE" } else { label };
    let tail = format!("-----END {label}-----");
    let (block, after) = from.split_at(from.find(&tail)? + tail.len());
    Some((before, block, after))
}

/// The values of an armor's headers (RFC 9580 section 6.2.2). Those that programs write say nothing of people.
fn headers(block: &str) -> impl Iterator<Item = &str> {
    let lines = block.lines().skip(1).map_while(|l| l.split_once(": "));
    lines.filter(|(name, _)| !matches!(*name, "Version" | "Hash" | "Charset")).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN PGP MESSAGE-----\nVersion: X 1\n\nhF4D\n=abcd\n-----END PGP MESSAGE-----";

    #[test]
    fn one_block_has_nothing_around_it() {
        assert!(around(BLOCK).is_empty());
        assert!(around(&format!("\r\n{BLOCK}\r\n")).is_empty());
        assert!(around("?OTR:AAMD.").is_empty());
        assert!(around("see you at the old bridge").is_empty());
    }

    #[test]
    fn words_and_blocks_beside_the_first_come_out() {
        let text = format!("see you at noon\n{BLOCK}\nand bring the papers\n{BLOCK}\n");
        assert_eq!(around(&text), ["see you at noon\n", "\nand bring the papers\n", BLOCK]);
        let noted = BLOCK.replace("Version: X 1", "Version: X 1\nComment: see you at noon");
        assert_eq!(around(&noted), ["see you at noon"]);
        let signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nyes\n-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\nno";
        assert_eq!(around(signed), ["\nno"]);
        assert_eq!(around("?OTRv23?see you at noon"), ["see you at noon"]);
        let offer = "?OTR?v2? al has requested an Off-the-Record private conversation. See http://x for more information.";
        assert!(around(offer).is_empty());
    }
}
