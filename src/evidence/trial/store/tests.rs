//! Bounds: what is kept, what is given up, and whom it concerns.

use super::*;
use crate::evidence::Content;
use crate::model::{Origin, Side, Timestamp, Trust};

fn origin(at: i64) -> Origin {
    Origin {
        frame: Default::default(),
        time: Timestamp(at),
        flow: String::new(),
        side: Side::Client,
        layers: String::new(),
        field: String::new(),
        trust: Trust::Stated,
        length: 64,
        digest: String::new(),
    }
}

fn key(n: u64, at: i64) -> Candidate {
    let bytes: Vec<u8> =
        (0..4).flat_map(|i| (n * 4 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).collect();
    Candidate {
        origin: origin(at),
        endpoint: "a:1".into(),
        stood: Stood::Alone,
        guard: Guard::Confidential,
        secret: Secret::Key(bytes),
    }
}

fn conversation(endpoint: &str) -> ConversationKey {
    ConversationKey { endpoint: endpoint.into(), path: "tls".into(), content: Content::Opaque }
}

fn field(endpoint: &str, format: Option<&str>, at: i64) -> Field {
    Field {
        origin: origin(at),
        conversation: conversation(endpoint),
        guard: Guard::Confidential,
        format: format.map(str::to_owned),
        named: Named::Nothing,
        bytes: at.to_be_bytes().repeat(8),
        nearby: Vec::new(),
        nonce: None,
        rounds: None,
    }
}

fn taken(mut store: Store) -> (Vec<Candidate>, Vec<Field>, Concerned, Notes) {
    let mut notes = Notes::default();
    let (candidates, fields, concerned) = store.take(&mut notes);
    (candidates, fields, concerned, notes)
}

fn these<const N: usize>(endpoints: [&str; N]) -> Concerned {
    Concerned::These(endpoints.map(conversation).into())
}

#[test]
fn within_the_bounds_nobody_is_concerned() {
    let mut store = Store::default();
    let fields = (0..FIELDS as i64).map(|n| field("a:1", None, n)).collect();
    store.add((0..CANDIDATES as u64).map(|n| key(n, 0)).collect(), fields, GivenUp::default());
    let (candidates, fields, concerned, notes) = taken(store);
    assert_eq!((candidates.len(), fields.len()), (CANDIDATES, FIELDS));
    assert_eq!((concerned, notes), (these([]), Notes::default()));
}

#[test]
fn a_key_too_many_concerns_what_it_may_have_opened_and_nothing_else() {
    let mut store = Store::default();
    let fields = vec![
        field("a:1", None, 0),
        field("j:1", Some("jwe-json"), 1),
        field("g:1", Some("megolm-message"), 2),
    ];
    store.add((0..=CANDIDATES as u64).map(|n| key(n, 0)).collect(), fields, GivenUp::default());
    let (candidates, _, concerned, notes) = taken(store);
    assert_eq!((candidates.len(), concerned), (CANDIDATES, these(["a:1", "j:1"])));
    assert_eq!(notes.0["trial-key-limit"].count, 1);
}

#[test]
fn a_key_too_many_in_a_recording_without_ciphertexts_is_no_news() {
    let mut store = Store::default();
    store.add((0..3 * CANDIDATES as u64).map(|n| key(n, 0)).collect(), Vec::new(), GivenUp::default());
    assert_eq!(taken(store).3, Notes::default());
}

#[test]
fn a_ciphertext_too_many_matters_where_a_secret_of_its_sort_was_seen() {
    let late = FIELDS as i64;
    let store = |candidates: Vec<Candidate>| {
        let mut store = Store::default();
        let mut fields: Vec<Field> = (0..late).map(|n| field("early:1", None, n)).collect();
        fields.extend([field("late:1", None, late), field("group:1", Some("megolm-message"), late + 1)]);
        store.add(candidates, fields, GivenUp::default());
        taken(store)
    };
    let (_, _, concerned, notes) = store(vec![key(1, 0)]);
    assert_eq!(concerned, these(["late:1"]));
    assert_eq!(notes.0["trial-field-limit"].count, 1);
    let (_, _, concerned, notes) = store(Vec::new());
    assert_eq!((concerned, notes), (these([]), Notes::default()));
}

#[test]
fn what_a_flow_gave_up_counts_like_what_the_whole_gave_up() {
    let mut store = Store::default();
    let mut up = GivenUp::default();
    up.field(conversation("f:1"), Lock::Bare, 3);
    up.secret(Stood::Alone, Sort::Key, 2);
    store.add(Vec::new(), vec![field("a:1", None, 0)], up);
    let (_, _, concerned, notes) = taken(store);
    assert_eq!(concerned, these(["a:1", "f:1"]));
    assert_eq!((notes.0["trial-key-limit"].count, notes.0["trial-field-limit"].count), (2, 3));
}

#[test]
fn more_conversations_than_are_counted_concern_all() {
    let mut up = GivenUp::default();
    for n in 0..=COUNTED {
        up.field(conversation(&format!("f:{n}")), Lock::Bare, 1);
    }
    let mut store = Store::default();
    store.add(vec![key(1, 0)], Vec::new(), up);
    let (_, _, concerned, notes) = taken(store);
    assert_eq!((concerned, notes.0["trial-field-limit"].count), (Concerned::All, COUNTED as u64 + 1));
}

#[test]
fn the_order_of_joining_changes_nothing() {
    // Secrets seen again and again, earlier and later, and more fields than are kept.
    let part = |n: u64| {
        let at = (n * 7919 % 1000) as i64;
        (vec![key(n % 1700, at), key(n % 300, -at)], vec![field(&format!("s{}:1", n % 5), None, at)])
    };
    let joined = |order: &mut dyn Iterator<Item = u64>| {
        let mut shards = [Store::default(), Store::default(), Store::default()];
        for (i, n) in order.enumerate() {
            let (candidates, fields) = part(n);
            shards[i % 3].add(candidates, fields, GivenUp::default());
        }
        let [mut all, two, three] = shards;
        all.merge(three);
        all.merge(two);
        taken(all)
    };
    let forwards = joined(&mut (0..2000));
    assert_eq!(forwards, joined(&mut (0..2000).rev()));
    assert_eq!(forwards, joined(&mut (0..2000).map(|n| n * 1201 % 2000)));
    assert_eq!(forwards.0.len(), CANDIDATES);
    assert!(forwards.3.0["trial-key-limit"].count > 0);
}

#[test]
fn what_is_called_something_else_takes_nobodys_place_and_limits_as_much_where_it_is_untried() {
    let mut store = Store::default();
    let decoy = |n: u64| Candidate { stood: Stood::Misnamed, ..key(n, 0) };
    let called = Candidate { stood: Stood::Called, ..key(7000, 9) };
    store.add(
        (0..2 * CANDIDATES as u64).map(decoy).collect(),
        vec![field("a:1", None, 0)],
        GivenUp::default(),
    );
    let signature = |n: i64| Field { named: Named::Other, ..field("s:1", None, n) };
    store.add(vec![called.clone()], (1..=3 * FIELDS as i64).map(signature).collect(), GivenUp::default());
    let (candidates, fields, concerned, notes) = taken(store);
    assert_eq!((candidates.len(), &candidates[0]), (CANDIDATES, &called));
    assert_eq!((fields.len(), &fields[0].conversation), (ASIDE + 1, &conversation("a:1")));
    assert_eq!(concerned, these(["a:1", "s:1"]));
    let told: Vec<&str> = notes.0.keys().map(String::as_str).collect();
    assert_eq!(told, ["trial-field-limit", "trial-misnamed-limit"]);
}

#[test]
fn so_many_bytes_of_fields_are_kept_whatever_the_order() {
    let large = |at: i64| Field { bytes: at.to_be_bytes().repeat(1024), ..field("a:1", None, at) };
    let kept = |order: &mut dyn Iterator<Item = i64>| {
        let mut parts = [Store::default(), Store::default()];
        for (i, at) in order.enumerate() {
            parts[i % 2].add(Vec::new(), vec![large(at)], GivenUp::default());
        }
        let [mut all, other] = parts;
        all.merge(other);
        taken(all).1
    };
    let forwards = kept(&mut (0..900));
    assert_eq!(forwards.len(), FIELD_BYTES / 8192);
    assert_eq!(forwards, kept(&mut (0..900).rev()));
}
