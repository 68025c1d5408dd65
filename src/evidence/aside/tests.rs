//! What sentences, words and places tell, and that joining them is the same in any order.

use super::*;
use crate::evidence::{Content, Polarity};
use crate::model::{Origin, digest16};

#[test]
fn markup_is_no_part_of_a_sentence_and_labels_are_none() {
    assert!(sentence("<p>Meet me at the <b>station</b> at five</p>").is_some());
    assert!(sentence("我们明天五点在车站见面").is_some());
    assert!(sentence("Meet me").is_none() && sentence("a < b").is_none());
}

#[test]
fn a_few_words_may_be_said_and_names_and_identifiers_are_not() {
    for said in ["meet me", "The doctor", "ok see u tmrw at 5", "call 555-0199 now", "明天见面"] {
        assert!(may_be_said(said), "{said}");
    }
    for other in [
        "Henrik Olsen",
        "Eva van der Vries",
        "4711",
        "c0ffee00-1111",
        "text/html; charset",
        "Pixel 8",
        "en-GB",
        "sent",
    ] {
        assert!(!may_be_said(other), "{other}");
    }
}

fn record(field: &str, text: &str, at: i64) -> Evidence {
    let origin = Origin {
        field: field.into(),
        digest: digest16(text.as_bytes()),
        ..Origin::at(crate::model::Timestamp(at))
    };
    Evidence {
        kind: kind(0.9),
        strength: Strength::Strong,
        polarity: Polarity::Neutral,
        guard: crate::peel::Guard::Open,
        origin,
        count: 1,
        shown: None,
    }
}

#[test]
fn one_text_tells_nothing_and_several_in_one_place_do_in_any_order() {
    let telling = |texts: &[&str], side: Side| {
        let each = |(at, text): (usize, &&str)| {
            let mut one = Asides::default();
            one.add("a:1", Near::Service(side), record(&format!("$.list[{at}].x"), text, at as i64));
            one
        };
        let all: Vec<Asides> = texts.iter().enumerate().map(each).collect();
        let join = |parts: Vec<Asides>| {
            parts.into_iter().fold(Asides::default(), |mut sum, part| {
                sum.merge(part);
                sum
            })
        };
        let forwards = join(all.clone());
        assert_eq!(forwards, join(all.into_iter().rev().collect()));
        forwards
            .evidence()
            .map(|b| (b.service, b.evidence.count, b.evidence.origin.time.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(telling(&["one", "one", "one"], Side::Client), []);
    assert_eq!(telling(&["one", "two", "one"], Side::Client), [("a:1".to_owned(), 2, 0)]);
    assert_eq!(telling(&["one", "two", "one"], Side::Server), []);
    assert_eq!(telling(&["one", "two", "six", "ten"], Side::Server), [("a:1".to_owned(), 3, 0)]);
}

#[test]
fn in_the_item_of_an_envelope_only_what_stays_the_same_is_a_label() {
    let tells = |texts: &[&str]| {
        let content = Content::Envelope("P".into());
        let key = ConversationKey { endpoint: "a:1".into(), path: "http1".into(), content };
        let mut asides = Asides::default();
        texts.iter().for_each(|t| asides.add("a:1", Near::Item(key.clone()), record("$.x", t, 0)));
        asides.evidence().any(|b| b.evidence.is_beside())
    };
    assert!(tells(&["meet me"]) && tells(&["one", "one"]) && tells(&["one", "one", "one", "two"]));
    assert!(!tells(&["one", "one", "one"]));
}

#[test]
fn places_beyond_the_bound_are_said_to_be_left_out() {
    let mut asides = Asides::default();
    for n in 0..OF_A_FLOW + 1 {
        assert!(!asides.is_cut(), "{n}");
        asides.add(&format!("{n}:1"), Near::Service(Side::Client), record("x", "one", 0));
    }
    assert!(asides.is_cut());
}

#[test]
fn places_are_the_same_at_any_position() {
    assert_eq!(without_positions("$.a[12].words[3]"), "$.a[].words[]");
    assert_eq!(without_positions("$.p17"), "$.p");
    assert_eq!(without_positions("header.x-preview>"), "header.x-preview>");
}
