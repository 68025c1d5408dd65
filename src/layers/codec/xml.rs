//! XML (W3C, fifth edition) that no other layer knows: the text of every element under the names of those around it,
//! its attributes, and what stands in comments and instructions. Pages, pictures and feeds are left as they are.

use crate::model::Side;
use crate::peel::{Eats, Family, Form, Guess, Input, Out, Peeler, Probe, Spec, Step};
use quick_xml::events::{BytesStart, Event};
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
    let mut document = Document::default();
    for _ in 0..MOST {
        match reader.read_event().ok()? {
            Event::Start(tag) => document.begin(&tag)?,
            Event::Empty(tag) => {
                document.begin(&tag)?;
                document.end()?;
            }
            Event::End(_) => document.end()?,
            Event::Text(part) => document.text(&part.xml10_content())?,
            Event::CData(part) => document.text(&part.xml10_content())?,
            Event::GeneralRef(name) => {
                let known = match name.resolve_char_ref().ok()? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)?.to_owned(),
                };
                document.text(&known)?;
            }
            Event::Comment(text) => document.aside("#comment", &text.xml10_content()),
            Event::PI(text) => document.aside("#instruction", &text),
            Event::DocType(_) => return None,
            Event::Decl(_) => {}
            Event::Eof => return (document.whole && !document.found.is_empty()).then_some(document.found),
        }
    }
    None
}

/// A document as far as it was read.
#[derive(Default)]
struct Document {
    /// Elements around the place, each with its path and its text so far.
    open: Vec<(String, String)>,
    found: Vec<(String, String)>,
    /// The outermost element ended.
    whole: bool,
}

impl Document {
    /// An element begins, with its attributes.
    fn begin(&mut self, tag: &BytesStart<'_>) -> Option<()> {
        let name = tag.local_name().as_ref().to_ascii_lowercase();
        let published = self.open.is_empty() && PUBLISHED.contains(&name.as_str());
        if self.whole || self.open.len() >= DEEPEST || name.len() > LONGEST || published {
            return None;
        }
        let path = match self.open.last() {
            Some((outer, _)) => format!("{outer}.{name}"),
            None => name,
        };
        for attribute in tag.attributes() {
            let attribute = attribute.ok()?;
            let name = attribute.key.as_ref();
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
            if name.len() > LONGEST {
                return None;
            }
            // A namespace is a name, and has no spaces.
            let namespace = name.starts_with("xmlns") && !value.contains(' ');
            if !namespace && !value.trim().is_empty() {
                let name = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
                self.found.push((format!("{path}.@{name}"), value.into_owned()));
            }
        }
        self.open.push((path, String::new()));
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        let (path, text) = self.open.pop()?;
        self.whole = self.open.is_empty();
        if !text.trim().is_empty() {
            self.found.push((path, text.trim().to_owned()));
        }
        Some(())
    }

    /// Text outside of every element is no XML.
    fn text(&mut self, text: &str) -> Option<()> {
        match self.open.last_mut() {
            Some((_, all)) => all.push_str(text),
            None if text.trim().is_empty() => {}
            None => return None,
        }
        Some(())
    }

    /// What stands beside the text, under a name for its kind.
    fn aside(&mut self, kind: &str, text: &str) {
        if !text.trim().is_empty() {
            let place = self.open.last().map_or("document", |(path, _)| path);
            self.found.push((format!("{place}.{kind}"), text.trim().to_owned()));
        }
    }
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
        let found =
            read(b"<!-- one --><a x:Note='see &lt; hear'><b t=\"at noon\"/><?say well?><b xmlns='u:v'/></a>");
        let place = |at: usize| found.as_ref().map(|f| (f[at].0.as_str(), f[at].1.as_str()));
        assert_eq!(place(0), Some(("document.#comment", "one")));
        assert_eq!(place(1), Some(("a.@note", "see < hear")));
        assert_eq!(place(2), Some(("a.b.@t", "at noon")));
        assert_eq!(place(3), Some(("a.#instruction", "say well")));
        assert_eq!(found.as_ref().map(Vec::len), Some(4));
        // Every path below would repeat it.
        let name = "n".repeat(LONGEST + 1);
        assert!(read(format!("<{name}><b>see</b></{name}>").as_bytes()).is_none());
        assert!(read(b"<html><p>see</p></html>").is_none());
    }
}
