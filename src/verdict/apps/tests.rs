//! Recognition and claims on made conversations.

use super::*;
use crate::evidence::{ConversationKey, Coverage};
use crate::model::{Timestamp, Value};
use crate::verdict::{Experiment, Grade, Network, Provider, Verdict, judge};

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
