//! What counts as a copy, what does not, and that joining in any order gives the same.

use super::*;
use crate::bytes::hex;
use crate::model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

const TEXT: &str = "We meet under the old bridge at nine";
const LIMIT: usize = 1000;

fn conversation(endpoint: &str) -> ConversationKey {
    ConversationKey { endpoint: endpoint.into(), path: "tls/http1".into(), content: Content::Text }
}

fn origin(at: i64) -> Origin {
    let flow = "tcp 10.0.0.1:5000 > 10.0.0.9:443".into();
    Origin { flow, layers: "tls/http1/json".into(), field: "$.x".into(), ..Origin::at(Timestamp(at)) }
}

fn say(copies: &mut Copies, endpoint: &str, text: &str, at: i64) {
    copies.said(text, (&conversation(endpoint), Guard::Confidential), || origin(at), LIMIT);
}

fn see(copies: &mut Copies, endpoint: &str, bytes: &[u8], slot: Option<&str>) {
    for digest in seen_digests(bytes).iter().copied() {
        let place = Place {
            role: Role::Seen(slot.map(str::to_owned)),
            conversation: ConversationKey { content: Content::Background, ..conversation(endpoint) },
            guard: Guard::Confidential,
        };
        copies.add(digest, place, Sighting { first: origin(50), count: 1, forms: None }, LIMIT);
    }
}

/// What was met of one text at `seen`, said at chat.example.
fn met(text: &str, seen: &str, bytes: &[u8], slot: Option<&str>) -> Vec<(String, Strength)> {
    let mut copies = Copies::default();
    say(&mut copies, "chat.example:443", text, 1);
    see(&mut copies, seen, bytes, slot);
    of(&copies)
}

fn of(copies: &Copies) -> Vec<(String, Strength)> {
    let all = copies.evidence(&[], str::to_owned);
    all.iter()
        .map(|c| {
            assert_eq!(c.evidence.polarity, Polarity::Against, "a copy never speaks for anything");
            let Kind::Copy { of, said_at, seen_at, service } = &c.evidence.kind else { panic!("{c:?}") };
            assert!(seen_at.starts_with(service.as_str()) && !said_at.is_empty());
            (of.clone(), c.evidence.strength)
        })
        .collect()
}

#[test]
fn a_text_its_link_and_its_hashes_are_met_again() {
    let sha = "sha256 below";
    let hashes = Hashes::of(TEXT.as_bytes());
    let hex = hex(&hashes.sha256);
    let b64 = hashes.named().map(|(n, h)| (n, STANDARD_NO_PAD.encode(h)));
    let strong = |what: &str| vec![(what.to_owned(), Strength::Strong)];
    assert_eq!(met(TEXT, "stats.example2:443", TEXT.as_bytes(), None), strong("text"), "{sha}");
    let shouted = TEXT.to_uppercase().replace(' ', "  ");
    assert_eq!(met(TEXT, "stats.example2:443", shouted.as_bytes(), None), strong("text"));
    assert_eq!(met(TEXT, "push.example2:443", format!("Anna: {TEXT}").as_bytes(), None), strong("text"));
    assert_eq!(
        met(TEXT, "stats.example2:443", hex.to_uppercase().as_bytes(), None),
        strong("SHA-256 of the text")
    );
    for (name, text) in b64 {
        assert_eq!(
            met(TEXT, "stats.example2:443", text.as_bytes(), None),
            strong(&format!("{name} of the text"))
        );
    }
    let raw = Hashes::of(TEXT.as_bytes()).sha256;
    assert_eq!(met(TEXT, "stats.example2:443", &raw, None), strong("SHA-256 of the text"));
    let said = "look at https://photos.test/a/8817, now";
    let link = b"https://photos.test/a/8817";
    assert_eq!(met(said, "preview.example2:443", link, None), [("link".to_owned(), Strength::Weak)]);
}

#[test]
fn the_way_of_a_message_and_set_phrases_are_no_copies() {
    // The same service, another of its hosts, and another text.
    assert_eq!(met(TEXT, "chat.example:443", TEXT.as_bytes(), None), []);
    assert_eq!(met(TEXT, "edge7.chat.example:443", TEXT.as_bytes(), None).len(), 0);
    assert_eq!(met(TEXT, "stats.example2:443", b"We meet under the old bridge at ten", None), []);
    // Too short, too few words, too uniform.
    for text in ["see you at six", "incomprehensibilities", "no no no no no no no no"] {
        assert_eq!(met(text, "stats.example2:443", text.as_bytes(), None), [], "{text}");
    }
    // A link to a host alone.
    assert_eq!(
        met("go to https://photos.test/ now please", "p.example2:443", b"https://photos.test/", None),
        []
    );
    // Said at many services: a phrase of software.
    let mut copies = Copies::default();
    for n in 0..=SERVICES {
        say(&mut copies, &format!("chat.service{n}:443"), TEXT, n as i64);
    }
    see(&mut copies, "stats.example2:443", TEXT.as_bytes(), None);
    assert_eq!(of(&copies), []);
}

#[test]
fn a_side_path_of_the_same_service_counts() {
    for slot in SIDE_SLOTS {
        let found = met(TEXT, "chat.example:443", TEXT.as_bytes(), Some(slot));
        assert_eq!(found, [("text".to_owned(), Strength::Strong)], "{slot}");
    }
}

#[test]
fn the_same_words_said_twice_are_only_a_hint() {
    let mut copies = Copies::default();
    say(&mut copies, "chat.example:443", TEXT, 1);
    say(&mut copies, "forum.other:443", TEXT, 2);
    assert_eq!(of(&copies), [("text".to_owned(), Strength::Weak)]);
    // The same server under its name and, where the handshake was not recorded, under its address.
    let mut copies = Copies::default();
    say(&mut copies, "chat.example:443", TEXT, 1);
    say(&mut copies, "10.0.0.9:443", TEXT, 2);
    assert_eq!(of(&copies), []);
}

#[test]
fn a_hash_of_a_planted_text_is_met_without_any_message() {
    let planted = |control| vec![Canary { text: "noon under the bridge".into(), label: None, control }];
    let raw = Hashes::of(b"noon under the bridge").sha256;
    let mut copies = Copies::default();
    see(&mut copies, "stats.example2:443", &raw, None);
    let found = copies.evidence(&planted(false), str::to_owned);
    assert_eq!(found.len(), 1);
    assert!(found[0].said.is_none() && found[0].evidence.strength == Strength::Strong);
    assert_eq!(copies.evidence(&planted(true), str::to_owned), []);
}

#[test]
fn the_order_of_joining_changes_nothing_and_the_bound_holds() {
    let part = |n: i64| {
        let mut copies = Copies::default();
        let text = format!("message number {} of some hundred different ones", n / 2 % 300);
        if n % 2 == 0 {
            say(&mut copies, &format!("chat{}.example:443", n % 3), &text, n);
        } else {
            see(&mut copies, &format!("stats{}.other:443", n % 13), text.as_bytes(), None);
        }
        copies
    };
    let joined = |order: &mut dyn Iterator<Item = i64>| {
        let mut shards = [Copies::default(), Copies::default()];
        for (i, n) in order.enumerate() {
            shards[i % 2].merge(part(n), 100);
        }
        let [mut all, other] = shards;
        all.merge(other, 100);
        all
    };
    let forwards = joined(&mut (0..900));
    assert_eq!(forwards, joined(&mut (0..900).rev()));
    assert_eq!(forwards, joined(&mut (0..900).map(|n| n * 541 % 900)));
    assert_eq!(forwards.contents.len(), 100);
    assert!(forwards.given_up() > 0 && !of(&forwards).is_empty());
}

const LONG: &str =
    "We meet under the old bridge at nine, bring the lamp, the rope and the map of the tunnels with you";

#[test]
fn a_cut_text_is_met_again_by_its_beginning() {
    let cut = |n: usize, ending: &str| LONG.chars().take(n).collect::<String>() + ending;
    let beginning = [("beginning".to_owned(), Strength::Strong)];
    for (n, ending) in [(40, "…"), (47, "..."), (60, " …"), (80, "[…]"), (97, "…")] {
        let seen = cut(n, ending);
        assert_eq!(met(LONG, "push.example2:443", seen.as_bytes(), None), beginning, "{seen}");
        let named = format!("Anna: {seen}");
        assert_eq!(met(LONG, "push.example2:443", named.as_bytes(), None), beginning, "{named}");
    }
    // Too short, not cut, and another text that begins alike but goes on otherwise.
    for seen in [cut(30, "…"), cut(60, ""), cut(44, " and so on and on, with the others, to the end …")] {
        assert_eq!(met(LONG, "push.example2:443", seen.as_bytes(), None), [], "{seen}");
    }
    assert_eq!(met(LONG, "push.chat.example:443", cut(60, "…").as_bytes(), None), []);
}

#[test]
fn a_beginning_that_several_messages_share_is_no_copy() {
    let mut copies = Copies::default();
    let form = "Dear customer, this is to tell you that your parcel number ";
    for n in 0..2 {
        say(&mut copies, "chat.example:443", &format!("{form}{n}8817 is on its way"), n);
    }
    see(&mut copies, "stats.example2:443", format!("{form}…").as_bytes(), None);
    assert_eq!(of(&copies), []);
}

fn file(seed: u8) -> Vec<u8> {
    b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..900u32).map(|i| (i * 7) as u8 ^ seed)).collect()
}

fn send(copies: &mut Copies, endpoint: &str, bytes: &[u8]) {
    let Some(digest) = of_file(bytes.len() as u64, bytes) else { return };
    let conversation = ConversationKey { content: Content::Background, ..conversation(endpoint) };
    let place = Place { role: Role::Said(What::Attachment), conversation, guard: Guard::Confidential };
    let forms = Some(Forms::of(bytes, None));
    copies.add(digest, place, Sighting { first: origin(3), count: 1, forms }, LIMIT);
}

#[test]
fn a_file_is_met_again_and_its_hash_and_ciphertext_is_not() {
    let with = |more: &dyn Fn(&mut Copies)| {
        let mut copies = Copies::default();
        send(&mut copies, "files.chat.example:443", &file(1));
        more(&mut copies);
        of(&copies)
    };
    let again = with(&|c| send(c, "scan.example2:443", &file(1)));
    assert_eq!(again, [("attachment".to_owned(), Strength::Weak)]);
    assert_eq!(with(&|c| send(c, "scan.example2:443", &file(2))), []);
    assert_eq!(with(&|c| send(c, "edge.chat.example:443", &file(1))), []);
    for (name, raw) in Hashes::of(&file(1)).named() {
        let met = with(&|c| see(c, "scan.example2:443", hex(raw).as_bytes(), None));
        assert_eq!(met, [(format!("{name} of the attachment"), Strength::Strong)]);
    }
    let sealed: Vec<u8> = file(1).iter().map(|b| b ^ 0x5a).collect();
    assert!(of_file(sealed.len() as u64, &sealed).is_none());
}
