//! XML (W3C, fifth edition) that no other layer knows: the text of every element under the names of those around it.
//! Pages, pictures and feeds are left as they are.

use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

/// The row.
pub static SPEC: Spec = Spec {
    name: "xml",
    title: "XML (fifth edition)",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |_| false,
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Xml),
};

/// Elements inside one another, and all of them.
const DEEPEST: usize = 32;
const MOST: usize = 20_000;
/// Octets of a name: every path repeats those around it.
const LONGEST: usize = 128;
/// What is published or drawn, and not said to somebody.
const PUBLISHED: [&str; 12] = [
    "html",
    "svg",
    "rss",
    "feed",
    "rdf",
    "urlset",
    "sitemapindex",
    "opml",
    "manifest",
    "stylesheet",
    "plist",
    "crossdomain",
];

fn probe(p: &Probe<'_>) -> Guess {
    let text = p.bytes.trim_ascii();
    let begins = matches!(text, [b'<', b'?' | b'a'..=b'z' | b'A'..=b'Z', ..]);
    // Others that know what it is come first.
    if begins && text.ends_with(b">") && read(text).is_some() { Guess::Maybe } else { Guess::No }
}

/// The texts of a whole document with their paths.
fn read(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    let (mut open, mut found, mut whole) = (Vec::<(String, String)>::new(), Vec::new(), false);
    for _ in 0..MOST {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < DEEPEST && !whole => {
                let name = start.local_name().as_ref().to_ascii_lowercase();
                if name.len() > LONGEST {
                    return None;
                }
                if open.is_empty() && PUBLISHED.contains(&name.as_str()) {
                    return None;
                }
                let path = match open.last() {
                    Some((outer, _)) => format!("{outer}.{name}"),
                    None => name,
                };
                open.push((path, String::new()));
            }
            Event::Start(_) => return None,
            Event::End(_) => {
                let (path, text) = open.pop()?;
                whole = open.is_empty();
                if !text.trim().is_empty() {
                    found.push((path, text.trim().to_owned()));
                }
            }
            Event::Text(part) => add(&mut open, &part.xml10_content())?,
            Event::CData(part) => add(&mut open, &part.xml10_content())?,
            Event::GeneralRef(name) => {
                let known = match name.resolve_char_ref().ok()? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)?.to_owned(),
                };
                add(&mut open, &known)?;
            }
            Event::DocType(_) => return None,
            Event::Empty(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return (whole && !found.is_empty()).then_some(found),
        }
    }
    None
}

/// Text outside of every element is no XML.
fn add(open: &mut [(String, String)], text: &str) -> Option<()> {
    match open.last_mut() {
        Some((_, all)) => all.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

struct Xml;

impl Peeler for Xml {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let Some(found) = read(input.bytes.trim_ascii()) else { return Step::again(0) };
        found.iter().for_each(|(path, text)| hand_on(path, text, input.side, out));
        Step::again(input.bytes.len())
    }
}

fn hand_on(path: &str, text: &str, side: Side, out: &mut Out<'_, '_>) {
    out.item(path, Form::Text, side, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_under_the_names_around_them_and_endless_names_are_no_xml() {
        let found = read(b"<?xml version=\"1.0\"?><a><b>see &amp; hear</b></a>").expect("XML");
        assert_eq!(found, [("a.b".to_owned(), "see & hear".to_owned())]);
        // Every path below would repeat it.
        let name = "n".repeat(LONGEST + 1);
        assert!(read(format!("<{name}><b>see</b></{name}>").as_bytes()).is_none());
        assert!(read(b"<html><p>see</p></html>").is_none());
    }
}
