//! Short values that tell something though they are no sentence: a reaction, a link to somewhere else, a position, an
//! amount. Beside sealed messages they may be what was sealed, and they are no labels where they differ.

use super::aside::{self, Near};
use super::collector::Collector;
use super::sink::join_fields;
use super::{Evidence, Kind, Polarity, Strength, same_service};
use crate::model::Side;
use crate::peel::{Family, Form, Leaf, NodeRef};

/// What a value tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Reaction,
    Link,
    Position,
    Amount,
}

impl Told {
    /// The rule that stands for it.
    fn rule(self) -> &'static str {
        match self {
            Told::Reaction => REACTION,
            Told::Link => LINK,
            Told::Position => POSITION,
            Told::Amount => "amount",
        }
    }
}

/// Rules that stand for what was told, in words for people by `words`.
pub const REACTION: &str = "reaction";
/// A link to another operator's service.
pub const LINK: &str = "link";
/// A position.
pub const POSITION: &str = "position";

/// Longest such value.
const LONGEST: usize = 512;

impl Collector {
    /// A short value that tells something, in a field that no rule knows or that is called so.
    pub(super) fn told(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, slot: Option<&str>) {
        let readable = matches!(node.family(), Some(Family::Codec | Family::App)) && node.scope() != 0;
        if !readable || leaf.bytes.len() > LONGEST || slot.is_some() || leaf.form == Form::Binary {
            return;
        }
        let Some(text) = leaf.text() else { return };
        let field = join_fields(node.field(), leaf.field);
        if field.contains("header.") {
            return;
        }
        let Some(told) = what(&field, text.trim(), leaf.form, || self.endpoint(node)) else { return };
        let path = node.label("path").or(node.label("topic")).unwrap_or_default();
        let way = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
        let endpoint = self.endpoint(node);
        let kind = Kind::Readable {
            slot: aside::BESIDE_SLOT.to_owned(),
            rule: told.rule().to_owned(),
            language_percent: 0,
        };
        let e = self.evidence(node, leaf, kind, Strength::Strong, Polarity::Neutral);
        match told {
            // Sent by itself it is no message, but whoever reads it learns it (Matrix never seals reactions).
            Told::Reaction if is_reaction(&field, &way, leaf.side) => {
                let kind = Kind::Metadata { item: REACTION.to_owned(), rule: REACTION.to_owned() };
                let message = self.message(node, leaf.at);
                message.other.push(Evidence { kind, ..e.clone() });
                if is_pictures(text) {
                    message.words.few(e);
                }
            }
            Told::Link if leaf.side == Side::Client && PREVIEWS.iter().any(|w| way.contains(w)) => {
                self.result.asides.add(&endpoint, Near::Said, e);
            }
            Told::Position if leaf.side == Side::Client && PLACES.iter().any(|w| way.contains(w)) => {
                self.result.asides.add(&endpoint, Near::Service(Side::Client), e.clone());
                self.message(node, leaf.at).words.few(e);
            }
            // A word for a reaction is one only where it is called so.
            Told::Reaction if !is_pictures(text) => {}
            _ => self.message(node, leaf.at).words.few(e),
        }
    }
}

/// Whether a value may tell something whatever its field is called: most look like none of these.
pub(super) fn may_tell(text: &str) -> bool {
    let text = text.trim_start();
    let amount = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() || b".,' $".contains(&b);
    !text.is_ascii()
        || text.starts_with("http")
        || text.starts_with("geo:")
        || text.bytes().all(amount) && text.bytes().any(|b| !b.is_ascii_digit())
}

/// Whether a field is called after a position or a reaction.
pub(super) fn is_name(field: &str) -> bool {
    last_names(field).first().is_some_and(|last| last == REACTION || DEGREES.contains(&last.as_str()))
}

/// What a value tells, by its look and the name of its field.
fn what(field: &str, text: &str, form: Form, endpoint: impl FnOnce() -> String) -> Option<Told> {
    let names = last_names(field);
    let last = names.first().map(String::as_str).unwrap_or_default();
    let called = |words: &[&str]| names.iter().any(|n| words.iter().any(|w| n.contains(w)));
    if is_position(last, text) {
        return Some(Told::Position);
    }
    if form != Form::Text {
        return None;
    }
    if is_pictures(text) {
        return (!called(&PORTRAITS)).then_some(Told::Reaction);
    }
    let word = |t: &str| t.len() <= 24 && !t.is_empty() && t.chars().all(|c| c.is_alphabetic() || c == '_');
    if last == REACTION && word(text) {
        return Some(Told::Reaction);
    }
    if let Some(host) = host_of(text) {
        let elsewhere = !same_service(&endpoint(), host);
        let pointer = called(&POINTERS) && !called(&PREVIEWS);
        return (elsewhere && !pointer).then_some(Told::Link);
    }
    (is_amount(text) && !called(&PRICES)).then_some(Told::Amount)
}

/// Whether a value is somebody's reaction, by the name of its field or the way that it goes.
fn is_reaction(field: &str, way: &str, side: Side) -> bool {
    let names = last_names(field);
    let last = names.first().map(String::as_str).unwrap_or_default();
    let called = last == "reaction" || field.ends_with("m.relates_to.key");
    called
        || side == Side::Client && (matches!(last, "reactions" | "emoji" | "react") || way.contains("react"))
}

/// The last names on the way to a field, in small letters, the last one first.
fn last_names(field: &str) -> Vec<String> {
    let names = field.rsplit(['.', '>', '[', ']']);
    names
        .filter(|n| !n.is_empty() && !n.bytes().all(|b| b.is_ascii_digit()))
        .take(3)
        .map(str::to_ascii_lowercase)
        .collect()
}

/// The host of a link that names more than a host.
fn host_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit('@').next().unwrap_or(host);
    (path.len() >= 4 && host.contains('.') && !text.contains(char::is_whitespace)).then_some(host)
}

/// Whether a text consists of pictures for feelings and things (emoji) alone.
pub(super) fn is_pictures(text: &str) -> bool {
    let text = text.trim();
    let picture = |c: char| {
        matches!(c as u32, 0x2190..=0x21ff | 0x2300..=0x23ff | 0x25a0..=0x27bf | 0x2b00..=0x2bff | 0x3030 | 0x303d
            | 0x1f000..=0x1faff)
    };
    // Joiners, variants, keycaps, tags of flags.
    let part = |c: char| matches!(c as u32, 0x200d | 0xfe0f | 0x20e3 | 0xe0020..=0xe007f) || c == ' ';
    text.len() <= 96 && text.chars().any(picture) && text.chars().all(|c| picture(c) || part(c))
}

/// A degree of latitude or longitude, exact to a street, in a field called so; or a `geo:` URI (RFC 5870).
fn is_position(last: &str, text: &str) -> bool {
    let degree = |t: &str| {
        let t = t.strip_prefix('-').unwrap_or(t);
        let (whole, part) = t.split_once('.').unwrap_or_default();
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        digits(whole) && whole.len() <= 3 && digits(part) && part.len() >= 3
    };
    if let Some(rest) = text.strip_prefix("geo:") {
        return rest.split([',', ';']).take(2).all(degree);
    }
    DEGREES.contains(&last) && degree(text)
}

/// A number with the sign or the name of a currency.
fn is_amount(text: &str) -> bool {
    let signs = ['€', '$', '£', '¥', '₹', '₽', '₿'];
    let name: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    let named = CURRENCIES.contains(&name.as_str()) || name.is_empty() && text.contains(signs);
    let part = |c: char| {
        c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ') || signs.contains(&c) || c.is_alphabetic()
    };
    named && text.bytes().any(|b| b.is_ascii_digit()) && text.chars().all(part)
}

/// Names of fields with degrees.
const DEGREES: [&str; 6] = ["lat", "latitude", "lon", "lng", "long", "longitude"];
/// Words in the path of a request, or names of fields, that ask for or hold what a link leads to.
const PREVIEWS: [&str; 5] = ["preview", "unfurl", "oembed", "opengraph", "linkmeta"];
/// Words in the path of a request that shares where somebody is.
const PLACES: [&str; 5] = ["live", "share", "beacon", "location", "position"];
/// Names of fields with a picture that stands for somebody or something.
const PORTRAITS: [&str; 6] = ["icon", "status", "flag", "sticker", "mood", "avatar"];
/// Names of fields with links that programs follow.
const POINTERS: [&str; 24] = [
    "avatar", "photo", "picture", "icon", "image", "thumb", "attach", "media", "file", "download", "upload",
    "cdn", "blob", "sticker", "callback", "webhook", "redirect", "help", "docs", "schema", "endpoint",
    "server", "relay", "context",
];
/// Names of fields with what something costs.
const PRICES: [&str; 6] = ["price", "fee", "cost", "balance", "limit", "credit"];
const CURRENCIES: [&str; 12] =
    ["EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "RUB", "BRL", "BTC", "ETH", "XMR"];

/// Whether a field is called so that a text may stand in its place, with what is around it.
pub(super) fn may_be_words(outer: &str, inner: &str) -> bool {
    match if inner.is_empty() { outer } else { inner }.strip_prefix("header.") {
        Some(name) => aside::spelled(name).is_some(),
        None => is_joined(inner) || inner.contains(' ') || outer.contains(' '),
    }
}

/// Names with underscores are programs'.
fn is_joined(name: &str) -> bool {
    name.bytes().filter(|b| *b == b'-').count() >= 3
}

/// Texts as names of fields: nobody names a field like a sentence, but one that reads like it may hold one.
impl Collector {
    pub(super) fn told_by_name(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>) {
        if leaf.field.starts_with("header.") || leaf.field.is_empty() && node.field().starts_with("header.") {
            return self.spelled_header(node, leaf);
        }
        let joined = is_joined(leaf.field);
        if node.family() != Some(Family::Codec) || node.scope() == 0 {
            return;
        }
        let field = join_fields(node.field(), leaf.field).into_owned();
        let mut before = 0;
        for name in field.split(['.', '[', '>']) {
            let place = field.get(..before).unwrap_or_default().trim_end_matches(['.', '[', '>']);
            before += name.len() + 1;
            let kind = match name.contains(' ') {
                true if aside::may_be_said(name) => aside::kind(0.0),
                false if joined && aside::spelled(name).is_some() => aside::joined_kind(),
                _ => continue,
            };
            let record = self.evidence(node, leaf, kind, Strength::Weak, Polarity::Neutral);
            let record = name_of(record, place, self.shared.reveal.then_some(name));
            self.message(node, leaf.at).words.named(aside::without_positions(place), record, name);
        }
    }
}

/// A record of a name in the place where it stands.
fn name_of(mut record: Evidence, place: &str, shown: Option<&str>) -> Evidence {
    record.origin.field = place.to_owned();
    record.shown = shown.map(str::to_owned);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactions_links_positions_and_amounts_are_told_from_what_programs_say() {
        let told = |field: &str, text: &str| what(field, text, Form::Text, || "chat.test:443".to_owned());
        assert_eq!(told("$.x", "👍🏽"), Some(Told::Reaction));
        assert_eq!(told("$.reaction", "like"), Some(Told::Reaction));
        assert_eq!(told("$.group.icon", "🏠"), None);
        assert_eq!(told("$.x", "like"), None);
        assert_eq!(told("$.x", "https://news.example/2026/story"), Some(Told::Link));
        assert_eq!(told("$.x", "https://cdn.chat.test/2026/story"), None);
        assert_eq!(told("$.attachment.url", "https://store.example/b/1234"), None);
        assert_eq!(told("$.preview.image", "https://store.example/b/1234"), Some(Told::Link));
        assert_eq!(told("$.lat", "52.5123"), Some(Told::Position));
        assert_eq!(told("$.x", "geo:52.5123,13.3456;u=35"), Some(Told::Position));
        assert_eq!(told("$.late", "52.5123"), None);
        for amount in ["20.50 EUR", "€ 20", "1'000 CHF", "$5"] {
            assert_eq!(told("$.x", amount), Some(Told::Amount), "{amount}");
        }
        for other in ["20.50", "20 px", "EUR", "4711", "7.1.2 USD build", "$", "$abc0", "$a5EUR"] {
            assert_eq!(told("$.x", other), None, "{other}");
        }
    }

    #[test]
    fn pictures_are_told_from_signs_and_words() {
        for text in ["👍", "❤️", "👨‍👩‍👧", "🇩🇪", "😂 😂"] {
            assert!(is_pictures(text), "{text}");
        }
        for text in ["", "1", "ok 👍", "Ann 🌸", "…", "–"] {
            assert!(!is_pictures(text), "{text}");
        }
    }
}
