//! Which application a conversation belongs to, how sure that is, whether its host makes sealed traffic
//! weigh, and how vendors' claims stand beside what was observed. None of it moves a verdict.

use super::{Confidence, Judgement, Verdict};
use crate::evidence::{Content, Draft, Kind};
use crate::model::{Timestamp, Value};
use crate::ruleset::apps::{self, App, Claim, Hosts, Mark, MarkKind, Role, Says, Sureness};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// An application seen in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Short name.
    pub id: String,
    /// Name as people know it.
    pub name: String,
    /// How sure.
    pub confidence: Confidence,
    /// Why, one phrase each.
    pub signs: Vec<String>,
    /// What else uses the host.
    pub ambiguous: Option<String>,
}

/// What is known of a conversation's application and of its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recognised {
    /// The application, if anything names one.
    pub app: Option<Sighting>,
    /// What the host is for, if a table knows it, and whose it is.
    pub role: Option<(Role, String)>,
    /// Whether something else uses the host as well.
    pub shared: bool,
}

/// Kinds of sign. Two of different kinds support each other; two of one kind may be one lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Name,
    Address,
    Protocol,
    Envelope,
}

type Signs = BTreeMap<&'static str, BTreeSet<(Sign, String)>>;

/// What the conversation's names, addresses and marks tell of its application.
pub fn recognise(draft: &Draft) -> Recognised {
    let host = host_of(&draft.key.endpoint);
    let named = host.and_then(apps::by_host);
    let role = named.map(|m| (m.hosts.role, m.app.name.clone()));
    let shared = named.is_some_and(|m| m.hosts.ambiguous.is_some());
    let mut signs = Signs::new();
    for app in apps::all() {
        let found = signs_of(app, draft, named.filter(|m| m.app.id == app.id).map(|m| m.hosts), host);
        if !found.is_empty() {
            signs.insert(&app.id, found);
        }
    }
    let hosts = named.map(|m| m.hosts);
    let app = match &draft.app {
        Some(name) => Some(by_device(name, &signs)),
        None => by_signs(&signs, hosts),
    };
    Recognised { app, role, shared }
}

/// The endpoint's host name, if it is one and not an address.
fn host_of(endpoint: &str) -> Option<&str> {
    if endpoint.parse::<SocketAddr>().is_ok() {
        return None;
    }
    Some(endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host))
}

fn signs_of(
    app: &'static App,
    draft: &Draft,
    named: Option<&'static Hosts>,
    host: Option<&str>,
) -> BTreeSet<(Sign, String)> {
    let mut found = BTreeSet::new();
    if let (Some(hosts), Some(host)) = (named, host) {
        let how = if is_sni(draft, host) { "the server name in clear" } else { "the host's name" };
        found.insert((Sign::Name, format!("{how} is {host} ({})", hosts.role.word())));
    }
    if let Ok(server) = draft.server.parse::<SocketAddr>()
        && let Some(list) = app.addresses.iter().find(|a| a.nets.iter().any(|n| n.holds(server.ip())))
    {
        found.insert((Sign::Address, format!("the address is in its list ({})", list.source)));
    }
    for mark in &app.marks {
        if let Some(sign) = shows(mark, draft) {
            found.insert((sign, mark.what.clone()));
        }
    }
    found
}

fn is_sni(draft: &Draft, host: &str) -> bool {
    draft.facts.iter().any(|(name, v)| name.ends_with(".sni") && v.as_text() == Some(host))
}

fn shows(mark: &Mark, draft: &Draft) -> Option<Sign> {
    let text = |v: &Value, wanted: &str| match v {
        Value::List(l) => l.iter().any(|v| v.to_string() == wanted),
        v => v.to_string() == wanted,
    };
    let has = |ending: &str, wanted: &str| {
        draft.facts.iter().any(|(name, v)| name.ends_with(ending) && text(v, wanted))
    };
    let value = mark.value.as_str();
    match mark.kind {
        MarkKind::Alpn => has(".alpn", value).then_some(Sign::Protocol),
        MarkKind::Layer => draft.key.path.split('/').any(|l| l == value).then_some(Sign::Protocol),
        MarkKind::Fact => {
            let (name, wanted) = value.split_once('=')?;
            draft.facts.get(name).any(|v| text(v, wanted)).then_some(Sign::Protocol)
        }
        MarkKind::Envelope => {
            let fits = |kind: &Kind| matches!(kind, Kind::Envelope { format, protocol, .. } if format.starts_with(value) || protocol.starts_with(value));
            draft.evidence.iter().any(|e| fits(&e.kind)).then_some(Sign::Envelope)
        }
    }
}

/// The device that captured knows which program made the traffic; what the traffic shows may agree.
fn by_device(name: &str, signs: &Signs) -> Sighting {
    let mut said = vec![format!("the capturing device names {name}")];
    let known = apps::by_device(name);
    let agreeing = known.and_then(|app| signs.get(app.id.as_str()));
    for (id, others) in signs {
        let own = known.is_some_and(|a| a.id == *id);
        for (_, what) in others {
            said.push(if own { what.clone() } else { format!("{what}, which is of {id}") });
        }
    }
    Sighting {
        id: known.map_or_else(|| slug(name), |a| a.id.clone()),
        name: name.to_owned(),
        confidence: if agreeing.is_some() { Confidence::High } else { Confidence::Medium },
        signs: said,
        ambiguous: None,
    }
}

fn slug(name: &str) -> String {
    let letters = name.trim().chars().map(|c| if c.is_alphanumeric() { c } else { '-' });
    letters.collect::<String>().to_lowercase()
}

/// A name alone is what anybody can write, and an address may be handed to somebody else: low. Two kinds of
/// sign: medium. The app's own envelopes under its own name: high. A shared host stays low whatever else
/// the connection shows, unless envelopes tell whose it is.
fn by_signs(signs: &Signs, hosts: Option<&'static Hosts>) -> Option<Sighting> {
    let kinds = |set: &BTreeSet<(Sign, String)>| set.iter().map(|(s, _)| *s).collect::<BTreeSet<Sign>>();
    let (id, set) =
        signs.iter().max_by_key(|(_, set)| (kinds(set).len(), kinds(set).contains(&Sign::Name)))?;
    let app = apps::all().iter().find(|a| a.id == *id)?;
    let kinds = kinds(set);
    let own_name = kinds.contains(&Sign::Name);
    let ambiguous = hosts.filter(|_| own_name).and_then(|h| h.ambiguous.clone());
    let sealed_for_it = kinds.contains(&Sign::Envelope);
    if ambiguous.is_some() && !sealed_for_it {
        let telling = hosts.is_some_and(|h| matches!(h.role, Role::Messages | Role::Calls));
        if !telling {
            return None;
        }
    }
    if kinds.len() == 1 && kinds.contains(&Sign::Address) && !owns_range(app) {
        return None;
    }
    let confidence = match kinds.len() {
        _ if ambiguous.is_some() && !sealed_for_it => Confidence::Low,
        1 => Confidence::Low,
        _ if sealed_for_it && own_name => Confidence::High,
        _ => Confidence::Medium,
    };
    Some(Sighting {
        id: app.id.clone(),
        name: app.name.clone(),
        confidence,
        signs: set.iter().map(|(_, what)| what.clone()).collect(),
        ambiguous: ambiguous.filter(|_| !sealed_for_it),
    })
}

/// Whether the app's message addresses are its own by the vendor's word, and not a cloud's.
fn owns_range(app: &App) -> bool {
    app.addresses.iter().any(|a| a.role == Role::Messages && a.confidence == Sureness::High)
}

/// Sealed traffic weighs where an app's message host is at the other end, and does not where the host is
/// one for statistics, pictures or notifications. What was opened speaks for itself.
pub fn reweigh(draft: &Draft, known: &Recognised, judgement: &mut Judgement) {
    if draft.key.content != Content::Sealed {
        return;
    }
    match &known.role {
        Some((Role::Messages, app)) if !known.shared => {
            judgement.weighs =
                Some(format!("an app's message host ({app}) with traffic that nobody here can open"));
        }
        Some((role, _)) if role.is_background() => judgement.weighs = None,
        _ => {}
    }
}

/// How a claim stands against the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Observed as claimed.
    Confirmed,
    /// Observed otherwise.
    Contradicted,
    /// The recording does not speak to it.
    Untested,
    /// Withdrawn before the recording was made.
    Expired,
}

/// A vendor's claim beside the observation.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The app.
    pub app: &'static App,
    /// What its vendor says.
    pub claim: &'static Claim,
    /// How that stands.
    pub standing: Standing,
    /// Why, in one sentence.
    pub why: String,
    /// Conversations that speak to it.
    pub conversations: Vec<usize>,
}

/// The claims of the vendors of all apps that were recognised, beside what was observed.
pub fn claims(drafts: &[Draft], judgements: &[Judgement], known: &[Recognised]) -> Vec<Compared> {
    let day = drafts.iter().map(|d| d.last).max().filter(|t| *t != Timestamp(0)).map(|t| t.to_string());
    let mut all = Vec::new();
    for app in apps::all() {
        let own = |k: &Recognised| k.app.as_ref().filter(|s| s.id == app.id).map(|s| s.confidence);
        let seen: Vec<(usize, Confidence)> =
            known.iter().enumerate().filter_map(|(c, k)| Some((c, own(k)?))).collect();
        if seen.is_empty() {
            continue;
        }
        let decided = |want: &dyn Fn(&Draft, &Judgement) -> bool| -> Vec<usize> {
            let sure = seen.iter().filter(|(_, sure)| *sure >= Confidence::Medium).map(|(c, _)| *c);
            sure.filter(|c| want(&drafts[*c], &judgements[*c])).collect()
        };
        let sealed = decided(&|_, j| j.verdict == Verdict::E2ee);
        let read = decided(&|d, j| {
            d.key.content == Content::Text && matches!(j.verdict, Verdict::Plaintext | Verdict::TransportOnly)
        });
        let unsure = seen.iter().all(|(_, sure)| *sure == Confidence::Low);
        for claim in &app.claims {
            let (standing, why, conversations) = match timely(claim, day.as_deref()) {
                Some((standing, why)) => (standing, why, Vec::new()),
                None => compare(claim, &sealed, &read, unsure),
            };
            all.push(Compared { app, claim, standing, why, conversations });
        }
    }
    all
}

/// Claims that did not hold, by the vendor's own word, when the recording was made.
fn timely(claim: &Claim, day: Option<&str>) -> Option<(Standing, String)> {
    let day = day?.get(..10)?;
    if let Some(until) = claim.until.as_deref().filter(|until| day > *until) {
        return Some((Standing::Expired, format!("withdrawn after {until}; the recording is of {day}")));
    }
    let since = claim.since.as_deref().filter(|since| day < *since)?;
    Some((Standing::Untested, format!("holds from {since}; the recording is of {day}")))
}

fn compare(claim: &Claim, sealed: &[usize], read: &[usize], unsure: bool) -> (Standing, String, Vec<usize>) {
    let is = |standing, why: &str, of: &[usize]| (standing, why.to_owned(), of.to_vec());
    let quiet = match unsure {
        true => "the app is only guessed, so its claim was not compared",
        false => "the recording shows no message of it that was opened far enough",
    };
    match (claim.says, sealed.is_empty(), read.is_empty()) {
        (Says::E2ee, _, false) => match &claim.except_for {
            Some(except) => {
                let why = format!(
                    "readable messages were seen; the vendor excludes {except}, and the recording does not tell whether these are such"
                );
                (Standing::Untested, why, read.to_vec())
            }
            None => is(Standing::Contradicted, "messages were readable", read),
        },
        (Says::E2ee, false, true) => {
            is(Standing::Confirmed, "messages were sealed, as far as their grade goes", sealed)
        }
        (Says::TransportOnly, false, _) => {
            is(Standing::Contradicted, "messages were sealed end to end", sealed)
        }
        (Says::TransportOnly, true, false) => {
            is(Standing::Confirmed, "the service could read messages", read)
        }
        (Says::Optional, false, _) => is(Standing::Confirmed, "sealed messages were seen", sealed),
        (Says::Mixed, false, false) => {
            is(Standing::Confirmed, "both sealed and readable messages were seen", &[sealed, read].concat())
        }
        _ => is(Standing::Untested, quiet, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{ConversationKey, Coverage};
    use crate::verdict::{Experiment, Grade, Network, Provider, judge};

    fn draft(endpoint: &str, server: &str, content: Content) -> Draft {
        let key = ConversationKey { endpoint: endpoint.into(), path: "tls".into(), content };
        let mut draft = Draft::new(key, Timestamp(1_785_000_000_000_000_000));
        draft.server = server.into();
        draft.coverage = Coverage { seen: 4000, sealed: 3000, ..Coverage::default() };
        (draft.bytes.client, draft.bytes.server) = (2000, 2000);
        draft
    }

    fn sure(d: &Draft) -> Option<(String, Confidence)> {
        recognise(d).app.map(|a| (a.id, a.confidence))
    }

    #[test]
    fn one_sign_is_low_and_a_second_kind_makes_it_medium() {
        let signal = |server| draft("chat.signal.org:443", server, Content::Sealed);
        assert_eq!(sure(&signal("10.0.0.1:443")), Some(("signal".into(), Confidence::Low)));
        assert_eq!(sure(&signal("76.223.66.180:443")), Some(("signal".into(), Confidence::Medium)));
        let telegram = draft("149.154.167.51:443", "149.154.167.51:443", Content::Unknown);
        assert_eq!(sure(&telegram), Some(("telegram".into(), Confidence::Low)));
        let mut framed = telegram.clone();
        framed.key.path = "mtproto".into();
        assert_eq!(sure(&framed), Some(("telegram".into(), Confidence::Medium)));
        // An address of a cloud, and of a vendor with many services, names nobody by itself.
        for server in ["76.223.66.180:443", "17.57.144.10:443"] {
            assert_eq!(sure(&draft(server, server, Content::Sealed)), None);
        }
    }

    #[test]
    fn shared_hosts_stay_low_and_fronts_name_nobody() {
        let mut courier = draft("7-courier.push.apple.com:5223", "17.57.144.10:5223", Content::Sealed);
        courier.facts.insert("tls.alpn", Value::from(vec!["apns-security-v3"]));
        let seen = recognise(&courier).app.unwrap();
        assert_eq!((seen.id.as_str(), seen.confidence), ("imessage", Confidence::Low));
        assert_eq!(seen.signs.len(), 3);
        assert!(seen.ambiguous.is_some());
        for host in ["www.google.com:443", "edge.facebook.com:443", "xp.apple.com:443"] {
            assert_eq!(sure(&draft(host, "192.0.2.1:443", Content::Sealed)), None, "{host}");
        }
    }

    #[test]
    fn the_device_s_word_comes_first() {
        let mut d = draft("web.whatsapp.com:443", "192.0.2.1:443", Content::Sealed);
        d.app = Some("Chrome".into());
        assert_eq!(sure(&d), Some(("chrome".into(), Confidence::Medium)));
        d.app = Some("WhatsApp".into());
        assert_eq!(sure(&d), Some(("whatsapp".into(), Confidence::High)));
        d.app = Some("My Own Chat".into());
        assert_eq!(sure(&d), Some(("my-own-chat".into(), Confidence::Medium)));
    }

    #[test]
    fn message_hosts_weigh_and_background_hosts_do_not() {
        let weighs = |endpoint: &str, content: Content| {
            let d = draft(endpoint, "192.0.2.1:443", content);
            let mut j = judge(&d, &Experiment::default());
            reweigh(&d, &recognise(&d), &mut j);
            j.weighs
        };
        assert!(weighs("im-ws.tiktok.com:443", Content::Sealed).unwrap().contains("message host (TikTok)"));
        assert_eq!(weighs("mcs.tiktokv.com:443", Content::Sealed), None);
        assert_eq!(weighs("mqtt-mini.facebook.com:443", Content::Sealed), None);
        assert!(weighs("www.facebook.com:443", Content::Sealed).unwrap().contains("two-way"));
        // Text that was seen at such a host is seen all the same.
        assert!(weighs("mcs.tiktokv.com:443", Content::Text).is_some());
    }

    fn judged(verdict: Verdict) -> Judgement {
        Judgement {
            verdict,
            grade: Grade::G2,
            network: Network::Protected,
            provider: Provider::Unknown,
            reasons: Vec::new(),
            reason: String::new(),
            not_ruled_out: Vec::new(),
            next_step: String::new(),
            weighs: Some(String::new()),
        }
    }

    fn standings(id: &str, name: &str, content: Content, verdict: Verdict, day: Timestamp) -> Vec<Standing> {
        let mut d = draft("192.0.2.1:443", "192.0.2.1:443", content);
        d.app = Some(name.into());
        d.last = day;
        let known = [recognise(&d)];
        let all = claims(&[d], &[judged(verdict)], &known);
        assert!(all.iter().all(|c| c.app.id == id));
        all.iter().map(|c| c.standing).collect()
    }

    #[test]
    fn claims_stand_beside_what_was_seen() {
        use Standing::*;
        let (before, after) = (Timestamp(1_777_000_000_000_000_000), Timestamp(1_785_000_000_000_000_000));
        let text = Content::Text;
        let sealed = Content::Envelope("P".into());
        let only = Verdict::TransportOnly;
        assert_eq!(standings("signal", "Signal", text.clone(), only, after), [Contradicted]);
        assert_eq!(standings("signal", "Signal", sealed.clone(), Verdict::E2ee, after), [Confirmed]);
        assert_eq!(standings("signal", "Signal", Content::Sealed, Verdict::Undetermined, after), [Untested]);
        assert_eq!(standings("whatsapp", "WhatsApp", text.clone(), only, after), [Untested]);
        assert_eq!(standings("telegram", "Telegram", text.clone(), only, after), [Confirmed, Untested]);
        assert_eq!(standings("instagram", "Instagram", text.clone(), only, after), [Expired, Confirmed]);
        assert_eq!(standings("instagram", "Instagram", text, only, before), [Untested, Untested]);
    }
}
