//! What is written for everybody: articles, offers, reviews, songs, forecasts, records of payments. They have texts, authors
//! and times like messages, and tell by what stands beside the text, or by the collection that they are of.

use super::speech::words;

/// What a member says of the object that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing.
    Nothing,
    /// Somebody wrote it, at some time: a message, or an article.
    Written,
    /// Somebody speaks to somebody, in some place.
    Addressed,
    /// It is for everybody: it has a heading, a price, stars.
    Published,
}

/// What a name says, in any spelling.
pub(super) fn says(name: &str) -> Says {
    let mut plain = [0u8; 24];
    let mut n = 0;
    for b in name.bytes().filter(u8::is_ascii_alphanumeric) {
        let Some(slot) = plain.get_mut(n) else { return Says::Nothing };
        *slot = b.to_ascii_lowercase();
        n += 1;
    }
    let Some(Ok(plain)) = plain.get(..n).map(std::str::from_utf8) else { return Says::Nothing };
    let is = |list: &[&str]| list.contains(&plain);
    match () {
        () if is(&WRITTEN) => Says::Written,
        () if is(&ADDRESSED) => Says::Addressed,
        () if is(&PUBLISHED) => Says::Published,
        () => Says::Nothing,
    }
}

/// Whether a path, of a request or of a field, leads to something that is for everybody.
pub(super) fn is_collection(path: &str) -> bool {
    words(path)
        .any(|w| [w.as_str(), w.strip_suffix('s').unwrap_or(&w)].iter().any(|w| COLLECTIONS.contains(w)))
}

/// Members that say who wrote something, or when, in small letters, without what parts words.
const WRITTEN: [&str; 21] = [
    "author",
    "authorid",
    "user",
    "userid",
    "username",
    "uid",
    "owner",
    "by",
    "role",
    "group",
    "groupid",
    "seq",
    "ts",
    "time",
    "timestamp",
    "date",
    "datetime",
    "created",
    "createdat",
    "edited",
    "eventid",
];

/// Members that say who speaks to whom, in which place.
const ADDRESSED: [&str; 37] = [
    "from",
    "fromid",
    "fromme",
    "isfromme",
    "to",
    "toid",
    "sender",
    "senderid",
    "recipient",
    "recipients",
    "recipientid",
    "receiver",
    "nick",
    "nickname",
    "handle",
    "peer",
    "peerid",
    "direction",
    "outgoing",
    "incoming",
    "participant",
    "member",
    "room",
    "roomid",
    "channel",
    "channelid",
    "dialog",
    "dialogid",
    "messageid",
    "msgid",
    "mid",
    "sent",
    "sentat",
    "originserverts",
    "receivedat",
    "deliveredat",
    "readat",
];

/// Members that messages between people do not have.
const PUBLISHED: [&str; 43] = [
    "title",
    "headline",
    "subtitle",
    "rating",
    "stars",
    "score",
    "price",
    "currency",
    "amount",
    "balance",
    "sku",
    "cta",
    "publishedat",
    "published",
    "pubdate",
    "publisher",
    "slug",
    "tags",
    "category",
    "categories",
    "excerpt",
    "summary",
    "tagname",
    "changelog",
    "releasenotes",
    "instruction",
    "maneuver",
    "distance",
    "temperature",
    "severity",
    "start",
    "starttime",
    "startms",
    "tstartms",
    "impressions",
    "campaignid",
    "advertiser",
    "license",
    "viewcount",
    "wordcount",
    "byline",
    "section",
    "genre",
];

/// Words of paths, without their plural.
const COLLECTIONS: [&str; 53] = [
    "article",
    "news",
    "headline",
    "review",
    "ad",
    "adm",
    "advert",
    "bid",
    "seatbid",
    "banner",
    "promo",
    "campaign",
    "offer",
    "product",
    "catalog",
    "lyric",
    "transaction",
    "payment",
    "step",
    "leg",
    "route",
    "recipe",
    "ingredient",
    "question",
    "quiz",
    "alert",
    "forecast",
    "weather",
    "condition",
    "revision",
    "release",
    "transcript",
    "caption",
    "subtitle",
    "timedtext",
    "episode",
    "podcast",
    "faq",
    "help",
    "glossary",
    "locale",
    "translation",
    "poi",
    "departure",
    "timetable",
    "course",
    "lesson",
    "horoscope",
    "trivia",
    "commit",
    "flight",
    "trip",
    "shipment",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_an_object_is_in_any_spelling() {
        assert_eq!(says("createdAt"), Says::Written);
        assert_eq!(says("origin_server_ts"), Says::Addressed);
        assert_eq!(says("published-at"), Says::Published);
        assert_eq!(says("a_name_that_is_longer_than_any_of_them"), Says::Nothing);
        assert_eq!(says("tooth"), Says::Nothing);
    }

    #[test]
    fn collections_are_words_of_a_path() {
        for path in ["/v2/news", "$.reviews[0]", "$.data.productReviews[1]", "/lyrics/12"] {
            assert!(is_collection(path), "{path}");
        }
        for path in ["/v1/items", "$.renewals[0]", "/address/1", "$.adults", "/posts/new", "/x/7"] {
            assert!(!is_collection(path), "{path}");
        }
    }
}
