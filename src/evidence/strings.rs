//! Readable text in the middle of octets of no known format: a serialization without a row (FlatBuffers, AMF, Avro,
//! pickles and the like) keeps what somebody wrote as it is. A sentence there is one that the service reads.

use super::aside;
use super::collector::Collector;
use super::copies::is_file;
use super::sink::join_fields;
use super::{Polarity, Strength};
use crate::model::{Side, digest16};
use crate::peel::{Leaf, NodeRef};

/// Octets that are looked at, and of what a service sends: programs and pictures are longer.
const LOOKED_AT: usize = 16 << 10;
const OF_A_SERVICE: u64 = 4 << 10;
/// Shortest run of characters, and texts that are told of one field.
const LEAST: usize = 12;
const MOST: usize = 4;

impl Collector {
    /// Sentences inside a field that nobody can take apart.
    pub(super) fn sentences_inside(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        let long = leaf.side == Side::Server && leaf.total > OF_A_SERVICE;
        if node.scope() == 0 || long || is_file(leaf.bytes) {
            return;
        }
        let bytes = leaf.bytes.get(..LOOKED_AT).unwrap_or(leaf.bytes);
        let said = |text: String| aside::sentence(&text).map(|natural| (text, natural));
        let mut found: Vec<(String, f32)> = runs(bytes).into_iter().filter_map(said).collect();
        // Those beyond the bound are one text: where any of them differs, it does.
        if let Some(rest) = found.get(MOST - 1..).filter(|rest| rest.len() > 1) {
            let text = rest.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
            found.truncate(MOST - 1);
            found.push((text, 1.0));
        }
        for (text, natural) in found {
            let mut record =
                self.evidence(node, leaf, aside::kind(natural), Strength::Strong, Polarity::Neutral);
            record.origin.field = join_fields(&record.origin.field, "strings").into_owned();
            record.origin.length = text.len() as u64;
            record.origin.digest = digest16(text.as_bytes());
            record.shown = self.shared.reveal.then_some(text);
            self.said_aside(node, leaf, record);
        }
    }
}

/// Runs of characters, in UTF-8 and in UTF-16 of either order.
fn runs(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for chunk in bytes.utf8_chunks() {
        let pieces = chunk.valid().split(char::is_control);
        found.extend(pieces.filter(|t| t.len() >= LEAST).map(str::to_owned));
    }
    for from in [0, 1] {
        let units = bytes.get(from..).unwrap_or_default().chunks_exact(2);
        let mut run = String::new();
        // One order from an odd place is the other from an even one, up to the first and the last character.
        for unit in units.map(|u| [u[0], u[1]]).chain([[0, 0]]) {
            let plain = unit[1] == 0 && (unit[0].is_ascii_graphic() || unit[0] == b' ');
            if plain {
                run.push(char::from(unit[0]));
                continue;
            }
            let run = std::mem::take(&mut run);
            if run.len() >= LEAST {
                found.push(run);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_characters_are_found_among_octets() {
        let text = "see you at the old bridge";
        let among = |inner: &[u8]| [&b"\x00\x10\xff\x01\x8e"[..], inner, b"\x00\xfe\x03"].concat();
        assert_eq!(runs(&among(text.as_bytes())), [text]);
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(runs(&among(&wide)), [text]);
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(runs(&among(&wide)).iter().any(|run| text.contains(run.as_str())));
        assert!(runs(b"\x80\x81short\x00").is_empty());
    }
}
