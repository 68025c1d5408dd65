//! HPACK (RFC 7541) as a bystander decodes it: entries that were added before the reader joined, or
//! that were lost, are unknown, and a reference to one yields a placeholder instead of an error.
//!
//! A decoder made for an endpoint must fail there (RFC 7541 section 2.3.3), hence this one.

use super::huffman;
use super::statics::STATIC;
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

/// Size of the dynamic table until the encoder says otherwise (RFC 9113 section 6.5.2).
const DEFAULT: usize = 4096;
/// Largest dynamic table that is followed. Browsers announce 64 KiB.
const LARGEST: usize = 1 << 20;
/// What a table entry costs beyond its octets (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;
/// Octets of names and values that one header list may come to.
const LIST_BYTES: usize = 1 << 20;
/// Fields that one header list may hold.
const LIST_FIELDS: usize = 1024;

/// A part of a field; `None` where the dynamic table entry is not known.
pub(super) type Part = Option<Arc<[u8]>>;

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: Part,
    pub value: Part,
}

/// The static table, shared.
static FIXED: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let part = |text: &str| Some(text.as_bytes().into());
    STATIC.iter().map(|(name, value)| Field { name: part(name), value: part(value) }).collect()
});

/// What a header block came to.
#[derive(Debug, Default)]
pub(super) struct List {
    pub fields: Vec<Field>,
    /// References to entries that are not known.
    pub unknown: usize,
    /// The list was longer than is kept.
    pub cut: bool,
    /// The block broke off or is not HPACK; what came before is in `fields`.
    pub broken: bool,
}

/// The decoder of one direction.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Newest first.
    entries: VecDeque<Field>,
    size: usize,
    max: usize,
    /// Whether entries may exist that were not seen.
    partial: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, max: DEFAULT, partial: false }
    }
}

fn cost(field: &Field) -> usize {
    let len = |p: &Part| p.as_ref().map_or(0, |b| b.len());
    len(&field.name) + len(&field.value) + OVERHEAD
}

impl Decoder {
    /// The state is not known from here on: joined late, or a block was lost. The table may be
    /// larger than the default then, so that nothing is dropped too early.
    pub(super) fn forget(&mut self) {
        *self = Self { max: self.max.max(64 << 10), partial: true, ..Self::default() };
    }

    /// Decodes one whole header block.
    pub(super) fn decode(&mut self, block: &[u8]) -> List {
        let mut list = List::default();
        let mut spent = 0;
        let mut reader = Reader(block);
        while !reader.0.is_empty() {
            let Some(step) = self.step(&mut reader) else {
                list.broken = true;
                break;
            };
            let Some(field) = step else { continue };
            list.unknown += usize::from(field.name.is_none() || field.value.is_none());
            spent += cost(&field);
            match list.fields.len() < LIST_FIELDS && spent <= LIST_BYTES {
                true => list.fields.push(field),
                false => list.cut = true,
            }
        }
        if list.broken {
            self.forget();
        }
        list
    }

    /// One representation (RFC 7541 section 6): a field, or none for a size update.
    fn step(&mut self, r: &mut Reader<'_>) -> Option<Option<Field>> {
        let first = *r.0.first()?;
        if first & 0x80 != 0 {
            return match r.integer(7)? {
                0 => None,
                index => self.entry(index).map(Some),
            };
        }
        if first & 0xe0 == 0x20 {
            let size = r.integer(5)?;
            if size > LARGEST {
                return None;
            }
            self.resize(size);
            return Some(None);
        }
        let added = first & 0x40 != 0;
        let name = match r.integer(if added { 6 } else { 4 })? {
            0 => Some(r.string()?.into()),
            index => self.entry(index)?.name,
        };
        let field = Field { name, value: Some(r.string()?.into()) };
        if added {
            self.add(field.clone());
        }
        Some(Some(field))
    }

    fn entry(&self, index: usize) -> Option<Field> {
        if let Some(field) = FIXED.get(index.checked_sub(1)?) {
            return Some(field.clone());
        }
        match self.entries.get(index - STATIC.len() - 1) {
            Some(field) => Some(field.clone()),
            None if self.partial && index <= LARGEST / OVERHEAD => Some(Field { name: None, value: None }),
            None => None,
        }
    }

    fn add(&mut self, field: Field) {
        self.size += cost(&field);
        self.entries.push_front(field);
        self.shrink();
    }

    fn resize(&mut self, max: usize) {
        self.max = max;
        if max == 0 {
            self.partial = false;
        }
        self.shrink();
    }

    /// Drops the oldest entries until the table fits; a field larger than the table empties it.
    fn shrink(&mut self) {
        while self.size > self.max {
            let Some(old) = self.entries.pop_back() else { break };
            self.size -= cost(&old);
            // What was never seen is older and was dropped before it.
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// An integer with an `n`-bit prefix (RFC 7541 section 5.1), below 2^28.
    fn integer(&mut self, n: u8) -> Option<usize> {
        let mask = (1usize << n) - 1;
        let mut value = usize::from(self.octet()?) & mask;
        if value < mask {
            return Some(value);
        }
        for shift in [0, 7, 14, 21] {
            let octet = self.octet()?;
            value += usize::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A string literal (RFC 7541 section 5.2).
    fn string(&mut self) -> Option<Vec<u8>> {
        let huffman = self.0.first()? & 0x80 != 0;
        let len = self.integer(7)?;
        let (raw, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        if huffman { huffman::decode(raw) } else { Some(raw.to_vec()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let nibble = |b: u8| (b as char).to_digit(16).expect("a digit") as u8;
        digits.chunks(2).map(|p| nibble(p[0]) << 4 | nibble(p[1])).collect()
    }

    fn text(list: &List) -> String {
        let part = |p: &Part| p.as_deref().map_or("?".into(), |b| String::from_utf8_lossy(b).into_owned());
        list.fields.iter().map(|f| format!("{}: {}\n", part(&f.name), part(&f.value))).collect()
    }

    /// Decodes block after block and compares lists and table sizes.
    fn check(max: usize, blocks: [(&str, &str, usize); 3]) {
        let mut decoder = Decoder::default();
        decoder.resize(max);
        for (block, expected, size) in blocks {
            let list = decoder.decode(&hex(block));
            assert!(!list.broken && list.unknown == 0);
            assert_eq!(text(&list), expected);
            assert_eq!(decoder.size, size);
        }
    }

    #[test]
    fn integers_of_appendix_c_1() {
        assert_eq!(Reader(&[0b0000_1010]).integer(5), Some(10));
        assert_eq!(Reader(&[0b0001_1111, 0b1001_1010, 0b0000_1010]).integer(5), Some(1337));
        assert_eq!(Reader(&[42]).integer(8), Some(42));
        assert_eq!(Reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).integer(7), None, "too large");
        assert_eq!(Reader(&[0xff, 0x80]).integer(7), None, "cut");
    }

    #[test]
    fn literals_of_appendix_c_2() {
        let mut d = Decoder::default();
        let list = d.decode(&hex("400a637573746f6d2d6b65790d637573746f6d2d686561646572"));
        assert_eq!((text(&list).as_str(), d.size), ("custom-key: custom-header\n", 55));
        let mut d = Decoder::default();
        let list = d.decode(&hex("040c2f73616d706c652f70617468"));
        assert_eq!((text(&list).as_str(), d.size), (":path: /sample/path\n", 0));
        let list = d.decode(&hex("100870617373776f726406736563726574"));
        assert_eq!((text(&list).as_str(), d.size), ("password: secret\n", 0));
        assert_eq!((text(&d.decode(&[0x82])).as_str(), d.size), (":method: GET\n", 0));
    }

    const REQUESTS: [&str; 3] = [
        ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n",
        ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache\n",
        ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\n\
         custom-key: custom-value\n",
    ];

    #[test]
    fn requests_of_appendix_c_3_and_c_4() {
        let [a, b, c] = REQUESTS;
        check(
            4096,
            [
                ("828684410f7777772e6578616d706c652e636f6d", a, 57),
                ("828684be58086e6f2d6361636865", b, 110),
                ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", c, 164),
            ],
        );
        check(
            4096,
            [
                ("828684418cf1e3c2e5f23a6ba0ab90f4ff", a, 57),
                ("828684be5886a8eb10649cbf", b, 110),
                ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", c, 164),
            ],
        );
    }

    const RESPONSES: [&str; 3] = [
        ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n\
         location: https://www.example.com\n",
        ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n\
         location: https://www.example.com\n",
        ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n\
         location: https://www.example.com\ncontent-encoding: gzip\n\
         set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n",
    ];

    #[test]
    fn responses_of_appendix_c_5_and_c_6_with_eviction() {
        let [a, b, c] = RESPONSES;
        check(
            256,
            [
                (
                    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d\
                     546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                    a,
                    222,
                ),
                ("4803333037c1c0bf", b, 222),
                (
                    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f\
                     6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d33363030\
                     3b2076657273696f6e3d31",
                    c,
                    215,
                ),
            ],
        );
        check(
            256,
            [
                (
                    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c7\
                     8f0b97c8e9ae82ae43d3",
                    a,
                    222,
                ),
                ("4883640effc1c0bf", b, 222),
                (
                    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335\
                     dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
                    c,
                    215,
                ),
            ],
        );
    }

    #[test]
    fn what_was_added_before_the_reader_joined_is_a_placeholder() {
        let mut d = Decoder::default();
        d.forget();
        // An unknown entry, a literal that is added, the literal again, the unknown one moved by it.
        let list = d.decode(&hex("be 4001610162 be bf"));
        assert_eq!(text(&list), "?: ?\na: b\na: b\n?: ?\n");
        assert_eq!((list.unknown, list.broken), (2, false));
        // Whoever saw everything knows that there is no such entry.
        assert!(Decoder::default().decode(&hex("be")).broken);
        // An emptied table holds nothing unknown.
        assert!(d.decode(&hex("20 be")).broken);
    }

    #[test]
    fn a_bomb_is_cut() {
        let mut d = Decoder::default();
        let mut block = hex("400161 7fa11e");
        block.extend([b'x'; 4000]);
        assert_eq!(d.decode(&block).fields.len(), 1);
        let list = d.decode(&[0xbe; 100_000]);
        assert!(list.cut && list.fields.len() <= LIST_BYTES / 4000);
    }

    #[test]
    fn any_cut_is_harmless() {
        let block =
            hex("828684418cf1e3c2e5f23a6ba0ab90f4ff5886a8eb10649cbf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
        for n in 0..block.len() {
            let list = Decoder::default().decode(&block[..n]);
            assert!(list.fields.len() <= 6);
        }
    }
}
