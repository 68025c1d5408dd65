//! Whose devices a message is sealed for, against the lists of devices that the service gave out: one that
//! no list names is told, and only where a list of its account was seen in the same recording.

use super::collector::Collector;
use super::{Draft, Evidence, Kind, Polarity, Strength};
use crate::model::{Origin, PerSide, Side, Value, digest16};
use crate::peel::{Guard, Leaf, NodeRef};
use std::collections::{BTreeMap, BTreeSet};

/// The finding.
pub const GHOST: &str = "ghost-recipient";

/// Lists, devices of one list, and recipients that are kept of one flow; of an audit, 16 times as many.
const LISTS: usize = 512;
const DEVICES: usize = 64;
const SENT: usize = 256;
const FLOWS: usize = 16;

/// Devices of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct List {
    devices: BTreeSet<String>,
    /// Whether it was given out as the list of all of them.
    whole: bool,
}

/// One device that a message is sealed for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    origin: Origin,
    guard: Guard,
    /// Service and protocols of the message.
    endpoint: String,
    path: String,
    /// The accounts that it is meant for; with several nobody can say which.
    accounts: Vec<String>,
    device: String,
}

/// Lists of devices and recipients of messages. Joining is commutative and associative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// By service and account.
    lists: BTreeMap<(String, String), List>,
    /// Devices that published themselves, by service.
    own: BTreeSet<(String, String)>,
    sent: BTreeSet<Sent>,
    /// More was seen than is kept: then nothing may be concluded from what no list names.
    full: bool,
}

impl Devices {
    fn list(&mut self, endpoint: &str, account: &str, device: &str, whole: Whole) {
        let key = (endpoint.to_owned(), account.to_owned());
        if self.lists.len() >= LISTS && !self.lists.contains_key(&key) {
            self.full = true;
            return;
        }
        let list = self.lists.entry(key).or_default();
        list.whole |= whole == Whole::Yes;
        if list.devices.len() >= DEVICES && !list.devices.contains(device) {
            self.full = true;
            return;
        }
        list.devices.insert(device.to_owned());
    }

    fn sent(&mut self, sent: Sent) {
        // The same recipient of many messages is told once, where it was met first.
        let known = |s: &Sent| {
            (&s.endpoint, &s.path, &s.accounts, &s.device)
                == (&sent.endpoint, &sent.path, &sent.accounts, &sent.device)
        };
        if self.sent.len() < SENT && !self.sent.iter().any(known) {
            self.sent.insert(sent);
        }
    }

    /// Joins another flow's or shard's.
    pub fn merge(&mut self, other: Devices) {
        for (key, list) in other.lists {
            let known = self.lists.entry(key).or_default();
            known.whole |= list.whole;
            known.devices.extend(list.devices);
        }
        self.own.extend(other.own);
        self.sent.extend(other.sent);
        while self.sent.len() > FLOWS * SENT {
            self.sent.pop_last();
        }
        self.full |= other.full || self.lists.len() > FLOWS * LISTS || self.own.len() > FLOWS * LISTS;
        if self.full {
            (self.lists, self.own) = Default::default();
        }
    }

    /// One record for each recipient that no list of its accounts names, with the service and protocols of
    /// its message.
    pub fn evidence(&self) -> Vec<(Place, Evidence)> {
        if self.full {
            return Vec::new();
        }
        let ghosts = self.sent.iter().filter(|s| self.is_ghost(s));
        ghosts.map(|s| (Place { endpoint: s.endpoint.clone(), path: s.path.clone() }, told(s))).collect()
    }

    fn is_ghost(&self, sent: &Sent) -> bool {
        let of = |account: &String| self.lists.get(&(sent.endpoint.clone(), account.clone()));
        let all_seen = sent.accounts.iter().all(|a| of(a).is_some_and(|l| l.whole));
        let named = sent.accounts.iter().filter_map(of).any(|l| l.devices.contains(&sent.device));
        let published = self.own.contains(&(sent.endpoint.clone(), sent.device.clone()));
        !sent.accounts.is_empty() && all_seen && !named && !published
    }
}

/// Where a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name and port of the service.
    pub endpoint: String,
    /// Protection and application layers.
    pub path: String,
}

impl Place {
    /// Whether a conversation is there.
    pub fn holds(&self, draft: &Draft) -> bool {
        draft.key.endpoint == self.endpoint && draft.key.path == self.path
    }
}

fn told(sent: &Sent) -> Evidence {
    let detail = match sent.accounts.len() {
        1 => "the device lists seen in this recording name other devices of the account, and not this one",
        _ => "the device lists of both ends seen in this recording do not name one of the recipients",
    };
    Evidence {
        kind: Kind::Weak { finding: GHOST.to_owned(), detail: detail.to_owned() },
        // Without a name for whose device it is, less is sure.
        strength: if sent.accounts.len() == 1 { Strength::Strong } else { Strength::Weak },
        polarity: Polarity::Neutral,
        guard: sent.guard,
        origin: sent.origin.clone(),
        count: 1,
        shown: None,
    }
}

/// Whether a list is said to be all of an account's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// The addresses of one XMPP stanza, and the devices in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stanza {
    from: Option<String>,
    to: Option<String>,
    listed: Vec<String>,
    recipients: Vec<(Origin, Guard, String)>,
}

impl Stanza {
    /// Whether it is from the server of its recipient, whose address is the domain alone.
    pub fn is_of_the_server(&self) -> bool {
        let domain = self.to.as_deref().and_then(|to| to.split_once('@')).map(|(_, domain)| domain);
        domain.is_some() && domain == self.from.as_deref()
    }

    /// The account at the other end, by who sent the stanza: a number for it.
    pub fn partner(&self) -> PerSide<Option<u64>> {
        let number = |account: &Option<String>| {
            account.as_ref().map(|a| u64::from_str_radix(&digest16(a.as_bytes()), 16).unwrap_or_default())
        };
        PerSide { client: number(&self.to), server: number(&self.from) }
    }
}

/// What a flow knows of device lists so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub devices: Devices,
    /// The address without resource that the service delivers to here.
    me: Option<String>,
}

/// Stands for the account at this end until its address is known.
const ME: &str = "";

/// An address without its resource, in small letters (RFC 7622).
fn bare(address: &str) -> String {
    address.split('/').next().unwrap_or("").to_lowercase()
}

impl Collector {
    /// A field that may name a device or the account that it belongs to.
    pub(super) fn device_field(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, field: &str) {
        let last = field.rsplit('.').next().unwrap_or("");
        match last {
            "@from" | "@to" | "@id" => self.stanza_field(node, leaf, field),
            "device_id" | "algorithm" | "type" | "deviceId" | "destinationDeviceId" => {
                self.json_device(node, leaf, field, last);
            }
            _ if last.starts_with("curve25519:") || field.starts_with("$.missingDevices[") => {
                self.json_device(node, leaf, field, last);
            }
            _ => {}
        }
    }

    fn json_device(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, field: &str, last: &str) {
        let Some(value) = leaf.text() else { return };
        let path = node.label("path").unwrap_or("");
        let found = matrix(field, last, value, path).or_else(|| signal(field, value, path, leaf.side));
        let Some(found) = found else { return };
        let endpoint = self.endpoint(node);
        match found {
            Found::Listed { account, device, whole } => {
                self.seen.devices.list(&endpoint, &account, &device, whole);
            }
            Found::Own(device) => {
                if self.seen.devices.own.len() < LISTS {
                    self.seen.devices.own.insert((endpoint, device));
                } else {
                    self.seen.devices.full = true;
                }
            }
            Found::Recipient { account, device } => {
                let (origin, guard, path) = (self.origin(node, leaf), node.guard(), self.protocols(node));
                let accounts = vec![account];
                self.seen.devices.sent(Sent { origin, guard, endpoint, path, accounts, device });
            }
        }
    }

    /// Attributes of an XMPP stanza: its addresses, and devices in a list of OMEMO (XEP-0384).
    fn stanza_field(&mut self, node: &NodeRef<'_>, leaf: &Leaf<'_>, field: &str) {
        if node.spec().is_none_or(|s| s.name != "xmpp") {
            return;
        }
        let Some(value) = leaf.text() else { return };
        let own = bare(value);
        if leaf.side == Side::Server && matches!(field, "message.@to" | "iq.@to") && own.contains('@') {
            self.seen.me = Some(own.clone());
        }
        let names = matches!(field, "message.@from" | "iq.@from" | "message.@to" | "iq.@to");
        if node.scope() == 0 || !names && !is_device(field) {
            return;
        }
        let stanza = &mut self.message(node, leaf.at).stanza;
        match field {
            "message.@from" | "iq.@from" => stanza.from = Some(own),
            "message.@to" | "iq.@to" => stanza.to = Some(own),
            _ if stanza.listed.len() < DEVICES => stanza.listed.push(value.to_owned()),
            _ => {}
        }
    }

    /// Devices that an envelope says it is sealed for.
    pub(super) fn sealed_for(&mut self, node: &NodeRef<'_>, devices: &Value) {
        let devices: Vec<String> = match devices {
            Value::List(list) => list.iter().map(Value::to_string).collect(),
            Value::Text(one) => vec![one.clone()],
            _ => return,
        };
        let guard = node.guard();
        let Some(message) = self.messages.last_mut() else { return };
        let Some(origin) = message.envelopes.last().map(|e| e.origin.clone()) else { return };
        if origin.layers != node.path() {
            return;
        }
        let room = DEVICES.saturating_sub(message.stanza.recipients.len());
        let each = devices.into_iter().take(room).map(|d| (origin.clone(), guard, d));
        message.stanza.recipients.extend(each);
    }

    /// A message is over: its addresses say whose the devices in it are.
    pub(super) fn settle_stanza(&mut self, endpoint: &str, path: &str, stanza: Stanza) {
        let account = |a: &Option<String>| a.clone().unwrap_or_else(|| ME.to_owned());
        let owner = account(&stanza.from);
        for device in stanza.listed {
            self.seen.devices.list(endpoint, &owner, &device, Whole::Yes);
        }
        let accounts = vec![owner, account(&stanza.to)];
        for (origin, guard, device) in stanza.recipients {
            let (endpoint, path, accounts) = (endpoint.to_owned(), path.to_owned(), accounts.clone());
            self.seen.devices.sent(Sent { origin, guard, endpoint, path, accounts, device });
        }
    }

    /// The flow is over: the account at this end gets its name, or one that no other flow has.
    pub(super) fn settle_devices(&mut self) -> Devices {
        let devices = std::mem::take(&mut self.seen.devices);
        if devices.lists.is_empty() && devices.sent.is_empty() {
            return devices;
        }
        let me = self.seen.me.take().unwrap_or_else(|| format!("(the account of {})", self.flow));
        let named = |a: String| if a == ME { me.clone() } else { a };
        let mut settled = Devices { full: devices.full, own: devices.own, ..Devices::default() };
        for ((endpoint, account), list) in devices.lists {
            let known = settled.lists.entry((endpoint, named(account))).or_default();
            known.whole |= list.whole;
            known.devices.extend(list.devices);
        }
        let sent = devices.sent.into_iter();
        settled.sent =
            sent.map(|s| Sent { accounts: s.accounts.into_iter().map(named).collect(), ..s }).collect();
        settled
    }
}

/// Whether a field of a stanza is a device in a list of OMEMO, of either version.
fn is_device(field: &str) -> bool {
    field.ends_with(".item.list.device.@id") || field.ends_with(".item.devices.device.@id")
}

/// What a field says of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// An account has it.
    Listed { account: String, device: String, whole: Whole },
    /// It published itself.
    Own(String),
    /// A message is sealed for it.
    Recipient { account: String, device: String },
}

/// Matrix: what `keys/query` answers, `keys/upload` says and `sendToDevice` addresses (client-server API,
/// "End-to-end encryption"). A device is known by its id and by its Curve25519 key.
fn matrix(field: &str, last: &str, value: &str, path: &str) -> Option<Found> {
    if let Some(inner) = field.strip_prefix("$.device_keys.") {
        let device = value.to_owned();
        if matches!(inner, "device_id") || inner.starts_with("keys.curve25519:") {
            return Some(Found::Own(device));
        }
        let account = match last {
            "device_id" => inner.strip_suffix(".device_id")?.strip_suffix(value)?.strip_suffix('.')?,
            _ => {
                let id = last.strip_prefix("curve25519:")?;
                let keys = inner.strip_suffix(last)?.strip_suffix(".keys.")?;
                keys.strip_suffix(id)?.strip_suffix('.')?
            }
        };
        return Some(Found::Listed { account: account.to_owned(), device, whole: Whole::Yes });
    }
    if !path.contains("/sendToDevice/m.room.encrypted") {
        return None;
    }
    let inner = field.strip_prefix("$.messages.")?;
    let (to, device) = match inner.rsplit_once(".ciphertext.") {
        Some((to, key)) => (to, Some(key.strip_suffix(".type")?)),
        None => (inner.strip_suffix(".algorithm")?, None),
    };
    let (account, id) = to.rsplit_once('.')?;
    let device = device.unwrap_or(id);
    (device != "*").then(|| Found::Recipient { account: account.to_owned(), device: device.to_owned() })
}

/// The Signal service: `/v2/keys/ACCOUNT/*` answers with all devices, `/v1/messages/ACCOUNT` addresses each,
/// and says which were left out (Signal-Server, `KeysController`, `MessageController`).
fn signal(field: &str, value: &str, path: &str, side: Side) -> Option<Found> {
    let path = path.split('?').next()?;
    let (version, rest) = path.strip_prefix("/v")?.split_once('/')?;
    version.parse::<u8>().ok()?;
    value.parse::<u32>().ok()?;
    let mut parts = rest.split('/');
    let (what, account) = (parts.next()?, parts.next().filter(|a| !a.is_empty())?.to_owned());
    let device = value.to_owned();
    let in_list = |list: &str, name: &str| {
        let inner = field.strip_prefix(list).and_then(|f| f.split_once(']'));
        inner.is_some_and(|(n, rest)| n.parse::<u16>().is_ok() && rest == name)
    };
    match (what, side) {
        ("keys", Side::Server) if in_list("$.devices[", ".deviceId") => {
            let whole = if parts.next() == Some("*") { Whole::Yes } else { Whole::No };
            Some(Found::Listed { account, device, whole })
        }
        ("messages", Side::Server) if in_list("$.missingDevices[", "") => {
            Some(Found::Listed { account, device, whole: Whole::No })
        }
        ("messages", Side::Client) if in_list("$.messages[", ".destinationDeviceId") => {
            Some(Found::Recipient { account, device })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
