//! Applications: the hosts, addresses and protocol marks by which they show, and what their vendors claim.
//! TOML files under `apps/`, embedded in the binary. The table only says what a name belongs to;
//! what may be concluded from that is a judge's matter.

use serde::Deserialize;
use std::net::IpAddr;
use std::sync::OnceLock;

/// One application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Short name, equal to the file's.
    pub id: String,
    /// Name as people know it.
    pub name: String,
    /// Who runs the service.
    pub vendor: String,
    /// Month up to which the table was checked.
    pub as_of: String,
    /// How it treats messages, in a sentence or two.
    pub about: String,
    /// Names under which a capturing phone labels its traffic.
    pub device: Vec<String>,
    /// Host names.
    pub hosts: Vec<Hosts>,
    /// Addresses.
    #[serde(default)]
    pub addresses: Vec<Addresses>,
    /// Marks in protocols.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// What the vendor says.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

/// What a host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Carries messages.
    Messages,
    /// Carries attachments.
    Media,
    /// Sets up or carries calls.
    Calls,
    /// Accounts, keys and identities.
    Auth,
    /// Notifications.
    Push,
    /// Pictures of the app and other static content.
    Cdn,
    /// Statistics, crash reports, advertising.
    Telemetry,
    /// Everything else of the service.
    Other,
    /// Another site's name that the app may hide behind.
    Front,
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Messages => "messages",
            Role::Media => "media",
            Role::Calls => "calls",
            Role::Auth => "auth",
            Role::Push => "push",
            Role::Cdn => "cdn",
            Role::Telemetry => "telemetry",
            Role::Other => "other",
            Role::Front => "front",
        }
    }

    /// Whether such a host carries nothing that people say to each other.
    pub fn is_background(self) -> bool {
        matches!(self, Role::Push | Role::Cdn | Role::Telemetry)
    }
}

/// How sure the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sureness {
    /// One old or indirect source.
    Low,
    /// One source, or an older one.
    Medium,
    /// Read in a running client or a vendor's document.
    High,
}

/// Hosts of one role. `*` in a name stands for any characters of it; a leading dot for the domain and
/// everything below it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    /// What they are for.
    pub role: Role,
    /// How sure that is.
    pub confidence: Sureness,
    /// Names.
    pub names: Vec<String>,
    /// What else uses them, where something does: such a name alone never weighs as the app's.
    pub ambiguous: Option<String>,
}

/// Addresses of one role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// What they are for.
    pub role: Role,
    /// How sure that is.
    pub confidence: Sureness,
    /// Where the list comes from.
    pub source: String,
    /// Networks (`149.154.160.0/20`).
    pub nets: Vec<Net>,
}

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Net {
    base: u128,
    bits: u32,
    six: bool,
}

impl TryFrom<String> for Net {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text}: no network such as 192.0.2.0/24");
        let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits: u32 = bits.parse().map_err(|_| wrong())?;
        let (base, six) = number(address);
        match bits <= if six { 128 } else { 32 } {
            true => Ok(Self { base, bits, six }),
            false => Err(wrong()),
        }
    }
}

impl Net {
    /// Whether the address is one of it.
    pub fn holds(&self, address: IpAddr) -> bool {
        let (value, six) = number(address);
        let free = if six { 128 - self.bits } else { 32 - self.bits.min(32) };
        six == self.six && (value ^ self.base).checked_shr(free).unwrap_or(0) == 0
    }
}

fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(a) => (u128::from(u32::from(a)), false),
        IpAddr::V6(a) => (u128::from(a), true),
    }
}

/// What in a protocol tells the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkKind {
    /// An application protocol that the client offers.
    Alpn,
    /// A layer of the path, by name.
    Layer,
    /// A fact of a layer, `name=value`.
    Fact,
    /// The start of the format or protocol of an end-to-end envelope.
    Envelope,
}

/// A mark in a protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Where it shows.
    pub kind: MarkKind,
    /// What shows there.
    pub value: String,
    /// The mark in a few words.
    pub what: String,
}

/// What a claim amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// Messages are end-to-end encrypted.
    E2ee,
    /// Messages are protected on the path only.
    TransportOnly,
    /// End-to-end encryption can be chosen; nothing is said of the rest.
    Optional,
    /// Some kinds of messages are, some are not: no single conversation speaks against it.
    Mixed,
}

/// What the vendor says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The claim in our words.
    pub statement: String,
    /// What it amounts to.
    pub says: Says,
    /// Where it is made.
    pub source: String,
    /// Month in which it was made or last read.
    pub date: String,
    /// Kinds of conversation that the vendor excludes itself.
    pub except_for: Option<String>,
    /// First day on which it holds (`2026-05-09`).
    pub since: Option<String>,
    /// Last day on which it held.
    pub until: Option<String>,
}

/// What a host name belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Match<'a> {
    /// The app.
    pub app: &'a App,
    /// Its hosts of that role.
    pub hosts: &'a Hosts,
}

static FILES: &[(&str, &str)] = &[
    ("imessage", include_str!("../../apps/imessage.toml")),
    ("instagram", include_str!("../../apps/instagram.toml")),
    ("messenger", include_str!("../../apps/messenger.toml")),
    ("signal", include_str!("../../apps/signal.toml")),
    ("snapchat", include_str!("../../apps/snapchat.toml")),
    ("telegram", include_str!("../../apps/telegram.toml")),
    ("tiktok", include_str!("../../apps/tiktok.toml")),
    ("whatsapp", include_str!("../../apps/whatsapp.toml")),
];

/// The applications that are part of the program, by id. They are tested, so that none is missing in a
/// release.
pub fn all() -> &'static [App] {
    static APPS: OnceLock<Vec<App>> = OnceLock::new();
    APPS.get_or_init(|| FILES.iter().filter_map(|(_, text)| toml::from_str(text).ok()).collect())
}

/// The app whose table knows the host best: an exact name before a pattern, a longer one before a shorter.
/// Fronts are never answered: their names are other sites'.
pub fn by_host(host: &str) -> Option<Match<'static>> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let known = all().iter().flat_map(|app| app.hosts.iter().map(move |hosts| Match { app, hosts }));
    let fits = known.filter(|m| m.hosts.role != Role::Front).filter_map(|m| {
        let best = m.hosts.names.iter().filter(|n| name_fits(n, &host)).map(|n| precision(n)).max()?;
        Some((best, m))
    });
    fits.max_by_key(|(precision, _)| *precision).map(|(_, m)| m)
}

/// The app to which that name on a device belongs.
pub fn by_device(name: &str) -> Option<&'static App> {
    all().iter().find(|a| a.device.iter().any(|d| d.eq_ignore_ascii_case(name.trim())))
}

/// Exact names first, then by the number of letters that are given.
fn precision(pattern: &str) -> (bool, usize) {
    let open = pattern.starts_with('.') || pattern.contains('*');
    (!open, pattern.bytes().filter(|b| *b != b'*').count())
}

fn name_fits(pattern: &str, host: &str) -> bool {
    if let Some(domain) = pattern.strip_prefix('.') {
        return host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| host.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_parses_and_is_named_by_its_id() {
        for (id, text) in FILES {
            let app: App = toml::from_str(text).unwrap_or_else(|e| panic!("{id}: {e}"));
            assert_eq!(app.id, *id);
            assert!(app.hosts.iter().any(|h| h.role == Role::Messages), "{id} has no message host");
            let front = |h: &Hosts| h.role != Role::Front || h.ambiguous.is_some();
            assert!(app.hosts.iter().all(front), "{id}: a front is always ambiguous");
            assert!(!app.claims.is_empty(), "{id} lacks what the vendor claims");
        }
        assert_eq!(all().len(), FILES.len());
    }

    #[test]
    fn the_most_precise_name_decides_and_fronts_name_nobody() {
        let of = |host: &str| by_host(host).map(|m| (m.app.id.as_str(), m.hosts.role));
        assert_eq!(of("chat.signal.org"), Some(("signal", Role::Messages)));
        assert_eq!(of("CDN3.signal.org."), Some(("signal", Role::Media)));
        assert_eq!(of("new-thing.signal.org"), Some(("signal", Role::Other)));
        assert_eq!(of("7-courier.push.apple.com"), Some(("imessage", Role::Messages)));
        assert_eq!(of("instagram.fxyz1-1.fna.fbcdn.net"), Some(("instagram", Role::Cdn)));
        assert_eq!(of("scontent.fxyz1-1.fna.fbcdn.net"), Some(("messenger", Role::Media)));
        assert_eq!(of("mcs-va.tiktokv.com"), Some(("tiktok", Role::Telemetry)));
        for nobody in ["www.google.com", "notsignal.org", "signal.org.example", "example.org", ""] {
            assert_eq!(of(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn no_host_stands_in_two_places() {
        let mut seen = std::collections::BTreeSet::new();
        for app in all() {
            for name in app.hosts.iter().flat_map(|h| &h.names) {
                assert!(seen.insert(name.as_str()), "{name} stands twice");
            }
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        let net = |t: &str| Net::try_from(t.to_owned());
        let four = net("149.154.160.0/20").unwrap();
        assert!(four.holds("149.154.175.50".parse().unwrap()));
        assert!(!four.holds("149.154.176.1".parse().unwrap()));
        assert!(!four.holds("2001:67c:4e8::1".parse().unwrap()));
        assert!(net("2001:67c:4e8::/48").unwrap().holds("2001:67c:4e8:f002::a".parse().unwrap()));
        assert!(net("0.0.0.0/0").unwrap().holds("10.0.0.1".parse().unwrap()));
        assert!(net("10.0.0.0/33").is_err() && net("ten").is_err());
    }
}
