//! Property lists in XML (Apple's PropertyList-1.0.dtd).

use super::tree::Data;
use super::{DEEPEST, MOST, Whole, plist};
use crate::peel::{Eats, Family, Form, Guess, Hint, Probe, Spec};
use base64::Engine as _;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// The row.
pub static SPEC: Spec = Spec {
    name: "plist",
    title: "Property list in XML",
    family: Family::Codec,
    eats: Eats::Message,
    forms: &[Form::Text, Form::Binary],
    answers: |h| match h {
        Hint::ContentType(t) => {
            matches!(
                t.as_str(),
                "application/x-plist"
                    | "text/x-plist"
                    | "text/x-apple-plist+xml"
                    | "application/x-apple-plist+xml"
            )
        }
        _ => false,
    },
    shapes: &[],
    probe: Some(probe),
    facts: &[],
    notes: &[],
    open: || Box::new(Whole(read)),
};

fn probe(p: &Probe<'_>) -> Guess {
    let text = p.bytes.trim_ascii();
    let begins = [&b"<?xml"[..], b"<!DOCTYPE plist", b"<plist"].iter().any(|s| text.starts_with(s));
    match begins && text.ends_with(b"</plist>") && read(p.bytes).is_some() {
        true => Guess::Sure,
        false => Guess::No,
    }
}

/// An element that is being read.
#[derive(Default)]
struct Open {
    name: String,
    text: String,
    key: Option<String>,
    pairs: Vec<(String, Data<'static>)>,
    list: Vec<Data<'static>>,
}

impl Open {
    fn data(self) -> Data<'static> {
        match self.name.as_str() {
            "dict" => Data::Map(self.pairs),
            "array" | "set" => Data::List(self.list),
            "true" | "false" => Data::Plain(self.name),
            "integer" | "real" | "date" => Data::Plain(self.text.trim().to_owned()),
            "data" => {
                let compact: String = self.text.chars().filter(|c| !c.is_whitespace()).collect();
                match base64::engine::general_purpose::STANDARD.decode(&compact) {
                    Ok(bytes) => Data::Bytes(Cow::Owned(bytes)),
                    Err(_) => Data::Text(Cow::Owned(self.text)),
                }
            }
            _ => Data::Text(Cow::Owned(self.text)),
        }
    }
}

fn read(bytes: &[u8]) -> Option<Data<'_>> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
    let mut reader = Reader::from_str(text.trim());
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for _ in 0..4 * MOST {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < DEEPEST => {
                let name = start.local_name().as_ref().to_string();
                if open.is_empty() && name != "plist" {
                    return None;
                }
                open.push(Open { name, ..Open::default() });
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_string();
                close(Open { name, ..Open::default() }, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let done = open.pop()?;
                close(done, &mut open, &mut root)?;
            }
            Event::Text(part) => add(&mut open, &part.xml10_content()),
            Event::CData(part) => add(&mut open, &part.xml10_content()),
            Event::GeneralRef(name) => {
                let known = match name.resolve_char_ref().ok()? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)?.to_owned(),
                };
                open.last_mut()?.text.push_str(&known);
            }
            Event::Start(_) => return None,
            Event::Decl(_) | Event::DocType(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return root.filter(|_| open.is_empty()).map(plist::unarchived),
        }
    }
    None
}

fn add(open: &mut [Open], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Puts a finished element where it belongs.
fn close(done: Open, open: &mut [Open], root: &mut Option<Data<'static>>) -> Option<()> {
    let Some(parent) = open.last_mut() else {
        // The plist element itself: its one child is the value.
        *root = root.take().or(done.list.into_iter().next());
        return Some(());
    };
    if parent.name == "dict" {
        if done.name == "key" {
            parent.key = Some(done.text);
            return Some(());
        }
        let key = parent.key.take()?;
        parent.pairs.push((key, done.data()));
        return Some(());
    }
    parent.list.push(done.data());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_under_its_names() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict>\n<key>text</key><string>see &amp; hear</string>\n<key>a</key><array><true/><integer>7</integer><data>\nAP8=\n</data></array></dict></plist>\n";
        let data = read(text.as_bytes()).unwrap();
        assert_eq!(data.at("text").and_then(Data::as_text), Some("see & hear"));
        let Some(Data::List(list)) = data.at("a") else { panic!("a list") };
        assert_eq!(list[..2], [Data::plain(true), Data::plain(7)]);
        assert_eq!(list[2], Data::Bytes(Cow::Owned(vec![0, 255])));
        assert_eq!(read(b"<plist><dict><string>no key</string></dict></plist>"), None);
        assert_eq!(read(b"<html><body>x</body></html>"), None);
        assert_eq!(read("<plist>".repeat(100).as_bytes()), None);
    }
}
