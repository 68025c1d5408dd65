//! Conversations that nobody recorded, to try the judges on.

use plainsight::evidence::{Content, ConversationKey, Coverage, Draft, Evidence, Kind, Polarity, Strength};
use plainsight::model::{Origin, PerSide, Timestamp, Trust};
use plainsight::peel::{Guard, Why};
use plainsight::verdict::Experiment;
use proptest::prelude::*;

fn origin(place: u8) -> Origin {
    Origin {
        layers: format!("tls/json{}", place % 3),
        field: format!("$.f{place}"),
        trust: Trust::Proven,
        length: 64,
        ..Origin::at(Timestamp(i64::from(place)))
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    let class = prop::sample::select(vec![
        "e2ee-message",
        "e2ee-handshake",
        "symmetric",
        "broken",
        "secret-key",
        "signed-only",
        "not-encrypted",
    ]);
    let looks = prop::sample::select(vec!["random", "too-short", "compressed", "structured"]);
    prop_oneof![
        (0..3u32, any::<bool>()).prop_map(|(canary, control)| Kind::Canary {
            canary,
            control,
            chain: vec![],
            slot: None
        }),
        Just(Kind::Readable { slot: "message-text".into(), rule: "r".into(), language_percent: 80 }),
        (class, 1..4u8).prop_map(|(class, tier)| Kind::Envelope {
            format: "f".into(),
            protocol: "P".into(),
            class: class.into(),
            tier,
            why: None
        }),
        looks.prop_map(|class| Kind::Opaque {
            slot: Some("message-text".into()),
            class: class.into(),
            millibits: 7000,
            expected_millibits: 7000,
            z_hundredths: 0,
            decibits: 0,
            percent: 60,
            power_percent: 99
        }),
        any::<bool>().prop_map(|uniform| Kind::Pooled {
            messages: 4,
            bytes: 400,
            decibits: 0,
            uniform,
            strongest: "positions".into(),
            found: vec![],
            power_percent: 99
        }),
        Just(Kind::Sealed { why: Why::NoKey }),
        Just(Kind::Weak { finding: "keystream-reuse".into(), detail: String::new() }),
        prop::sample::select(vec!["a.example.org:1", "b.example.net:1"]).prop_map(|service| {
            Kind::KeyInSight {
                how: "AES-GCM".into(),
                party: "provider".into(),
                key_at: String::new(),
                service: service.into(),
            }
        }),
        Just(Kind::Copy {
            of: "text".into(),
            said_at: "a.example.org:1 $.body".into(),
            seen_at: "b.example.net:1 $.title".into(),
            service: "b.example.net:1".into(),
        }),
        Just(Kind::Metadata { item: "timing".into(), rule: "r".into() }),
        Just(Kind::Rule { finding: "key-visible".into(), rule: "r".into() }),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let strength = prop::sample::select(vec![Strength::Weak, Strength::Strong, Strength::Proof]);
    let polarity = prop::sample::select(vec![Polarity::Against, Polarity::For, Polarity::Neutral]);
    (kind(), strength, polarity, any::<bool>(), any::<u8>(), 1..5u64).prop_map(
        |(kind, strength, polarity, open, place, count)| Evidence {
            kind,
            strength,
            polarity,
            guard: if open { Guard::Open } else { Guard::Confidential },
            origin: origin(place),
            count,
            shown: None,
        },
    )
}

/// Evidence whose kind can speak against.
pub fn accusation() -> impl Strategy<Value = Evidence> {
    let rule = Kind::Rule { finding: "key-visible".into(), rule: "r".into() };
    evidence().prop_map(move |mut e| {
        if matches!(
            e.kind,
            Kind::Opaque { .. } | Kind::Metadata { .. } | Kind::Sealed { .. } | Kind::Pooled { .. }
        ) {
            e.kind = rule.clone();
        }
        e
    })
}

/// A conversation with evidence of any kind.
pub fn draft() -> impl Strategy<Value = Draft> {
    let content = prop_oneof![
        Just(Content::Envelope("P".into())),
        Just(Content::Text),
        Just(Content::Opaque),
        Just(Content::Sealed),
        Just(Content::Unknown),
        Just(Content::Call),
        Just(Content::Background),
    ];
    let amounts = (0..2000u64, 0..400u64, 0..400u64, 0..5u64, any::<bool>());
    (content, prop::collection::vec(evidence(), 0..6), amounts).prop_map(
        |(content, list, (seen, sealed, lost, messages, limited))| {
            let key =
                ConversationKey { endpoint: "a.example.org:1".into(), path: "tls/http1".into(), content };
            let mut draft = Draft::new(key, Timestamp(0));
            draft.coverage = Coverage { seen, sealed: sealed.min(seen), lost, ..Coverage::default() };
            draft.bytes = PerSide { client: seen, server: seen };
            draft.messages = messages;
            draft.limited = limited;
            list.into_iter().for_each(|e| draft.add(e, 64));
            draft.evidence.sort();
            draft
        },
    )
}

/// Planted texts and what became of them.
pub fn experiment() -> impl Strategy<Value = Experiment> {
    (0..3usize, 0..2usize, 0..2usize, 0..2usize).prop_map(|(planted, found, controls, seen)| Experiment {
        planted,
        found: found.min(planted),
        controls,
        controls_found: seen.min(controls),
    })
}
