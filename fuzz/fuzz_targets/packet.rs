//! One frame of any link type (the first byte), several times over, so that fragments meet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plainsight::capture::LinkType;
use plainsight::model::{Arrival, Limits};
use plainsight::wire::Decoder;

/// LINKTYPE_ numbers that are decoded, and one that is not.
const LINKS: [u16; 16] = [1, 0, 101, 113, 276, 105, 127, 9, 108, 12, 239, 258, 228, 229, 51, 147];

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let link = LinkType(LINKS[usize::from(*kind) % LINKS.len()]);
    let mut decoder = Decoder::new(&Limits::default());
    for frame in rest.chunks(200) {
        let original = frame.len() as u32;
        if let Some(packet) = decoder.decode(link, frame, original, Arrival::default()) {
            assert!(packet.payload.bytes(frame).len() <= 65_535 + frame.len());
        }
    }
});
