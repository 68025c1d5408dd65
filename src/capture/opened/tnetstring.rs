//! Tagged netstrings (tnetstrings.info), in which mitmproxy saves its flows: a length, a colon, that many
//! bytes, and a letter that says what they are.

/// Lists and dictionaries inside one another.
const DEPTH: u32 = 32;
/// Values in one flow: each takes more room than its text may.
const ITEMS: usize = 1 << 20;

/// A value that borrows from the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item<'a> {
    /// Bytes and characters alike.
    Bytes(&'a [u8]),
    Number(f64),
    Truth(bool),
    Null,
    List(Vec<Item<'a>>),
    Pairs(Vec<(Item<'a>, Item<'a>)>),
}

/// Reads one value and gives what stands behind it. `None` where it is broken or cut.
pub(super) fn read(text: &[u8]) -> Option<(Item<'_>, &[u8])> {
    nested(text, DEPTH, &mut { ITEMS })
}

fn nested<'a>(text: &'a [u8], depth: u32, left: &mut usize) -> Option<(Item<'a>, &'a [u8])> {
    let depth = depth.checked_sub(1)?;
    *left = left.checked_sub(1)?;
    let digits = text.iter().take(11).take_while(|b| b.is_ascii_digit()).count();
    let length: usize = std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()?;
    let body = text.get(digits..)?.strip_prefix(b":")?;
    let (inside, rest) = body.split_at_checked(length)?;
    let (kind, rest) = rest.split_first()?;
    let plain = || std::str::from_utf8(inside).ok();
    let item = match kind {
        b',' | b';' => Item::Bytes(inside),
        b'#' | b'^' => Item::Number(plain()?.parse().ok()?),
        b'!' => Item::Truth(inside == b"true"),
        b'~' if inside.is_empty() => Item::Null,
        b']' => Item::List(items(inside, depth, left)?),
        b'}' => {
            let mut pairs = Vec::new();
            let mut items = items(inside, depth, left)?.into_iter();
            while let Some(key) = items.next() {
                pairs.push((key, items.next()?));
            }
            Item::Pairs(pairs)
        }
        _ => return None,
    };
    Some((item, rest))
}

fn items<'a>(mut inside: &'a [u8], depth: u32, left: &mut usize) -> Option<Vec<Item<'a>>> {
    let mut all = Vec::new();
    while !inside.is_empty() {
        let (item, rest) = nested(inside, depth, left)?;
        all.push(item);
        inside = rest;
    }
    Some(all)
}

impl<'a> Item<'a> {
    /// The value of that key; `None` where there is none, or null.
    pub fn of(&self, key: &str) -> Option<&Item<'a>> {
        let Item::Pairs(pairs) = self else { return None };
        let found = pairs.iter().find(|(k, _)| matches!(k, Item::Bytes(b) if *b == key.as_bytes()));
        found.map(|(_, v)| v).filter(|v| **v != Item::Null)
    }

    /// Bytes as they stand.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Item::Bytes(b) => Some(b),
            _ => None,
        }
    }

    /// Characters, if there are any.
    pub fn text(&self) -> Option<String> {
        self.bytes().filter(|b| !b.is_empty()).map(|b| String::from_utf8_lossy(b).into_owned())
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Item::Number(n) => Some(*n),
            _ => None,
        }
    }

    pub fn truth(&self) -> bool {
        matches!(self, Item::Truth(true))
    }

    pub fn list(&self) -> &[Item<'a>] {
        match self {
            Item::List(all) => all,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_read_and_cut_ones_are_not() {
        let text = b"53:1:a,2:12#1:b,4:true!1:c,0:~1:d,8:1:x,1:y;]1:e,4:1.25^}!";
        let (item, rest) = read(text).expect("whole");
        assert_eq!(rest, b"!");
        assert_eq!(item.of("a").and_then(Item::number), Some(12.0));
        assert!(item.of("b").is_some_and(Item::truth));
        assert_eq!(item.of("c"), None);
        assert_eq!(item.of("d").map(|d| d.list().len()), Some(2));
        assert_eq!(item.of("e").and_then(Item::number), Some(1.25));
        for cut in 0..text.len() - 1 {
            assert_eq!(read(&text[..cut]), None, "{cut}");
        }
        let deep = (0..100).fold(b"0:~".to_vec(), |inside, _| {
            [format!("{}:", inside.len()).as_bytes(), &inside, b"]"].concat()
        });
        assert_eq!(read(&deep), None);
        assert_eq!(read(b"99999999999999999999:x,"), None);
    }
}
