//! A small XML tree with resolved namespaces, bounded in size, depth and elements. Document types,
//! processing instructions and unknown entities make the whole text unreadable.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

const LONGEST: usize = 4 * 1024 * 1024;
const DEEPEST: usize = 32;
const MOST: usize = 20_000;

/// An element with what it holds.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Namespace, empty if unbound.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// Attributes by local name.
    pub attributes: Vec<(String, String)>,
    /// Child elements in order.
    pub children: Vec<Element>,
    /// The element's own text, joined.
    pub text: String,
}

impl Element {
    /// Whether this is `name` in `namespace`.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The first child called `name`, in this element's namespace.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|c| c.is(&self.namespace, name))
    }

    /// This element and all below it, outermost first.
    pub fn all(&self) -> Vec<&Element> {
        let mut out = vec![self];
        let mut at = 0;
        while let Some(element) = out.get(at).copied() {
            out.extend(element.children.iter());
            at += 1;
        }
        out
    }

    /// The first element of this name and namespace, at any depth.
    pub fn find(&self, namespace: &str, name: &str) -> Option<&Element> {
        self.all().into_iter().find(|e| e.is(namespace, name))
    }
}

/// The document element, if the whole text is one.
pub fn parse(text: &str) -> Option<Element> {
    if text.len() > LONGEST {
        return None;
    }
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let (namespace, event) = reader.read_resolved_event().ok()?;
        match event {
            Event::Start(start) => {
                count += 1;
                if root.is_some() || open.len() >= DEEPEST || count > MOST {
                    return None;
                }
                open.push(element(&namespace, &start)?);
            }
            Event::Empty(start) => {
                count += 1;
                if root.is_some() || count > MOST {
                    return None;
                }
                close(element(&namespace, &start)?, &mut open, &mut root);
            }
            Event::End(_) => close(open.pop()?, &mut open, &mut root),
            Event::Text(part) => add(&mut open, &part.xml10_content())?,
            Event::CData(part) => add(&mut open, &part.xml10_content())?,
            Event::GeneralRef(name) => {
                let resolved = match name.resolve_char_ref().ok()? {
                    Some(c) => c.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)?.to_owned(),
                };
                add(&mut open, &resolved)?;
            }
            Event::Comment(_) | Event::Decl(_) => {}
            Event::PI(_) | Event::DocType(_) => return None,
            Event::Eof => return if open.is_empty() { root } else { None },
        }
    }
}

fn element(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Option<Element> {
    let namespace = match namespace {
        ResolveResult::Bound(name) => name.0.to_string(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(_) => return None,
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        attributes.push((attribute.key.local_name().as_ref().to_string(), value.into_owned()));
    }
    let name = start.local_name().as_ref().to_string();
    Some(Element { namespace, name, attributes, ..Element::default() })
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None => *root = Some(done),
    }
}

fn add(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_resolve_and_half_documents_do_not_read() {
        let root = parse("<m xmlns='a'><x:y xmlns:x='b' k='1'>t&amp;&#65;</x:y><z/></m>").unwrap();
        let inner = root.find("b", "y").unwrap();
        assert_eq!((inner.text.as_str(), inner.attribute("k")), ("t&A", Some("1")));
        assert!(root.child("z").is_some());
        for bad in ["<a>", "<a/><b/>", "<!DOCTYPE a><a/>", "text", "<a>&what;</a>", "<x:a/>"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
