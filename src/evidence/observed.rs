//! What programs and things say of themselves: reports of what was observed, and states that are told to a broker. Nobody
//! says it to anybody, whatever its fields are called.

use super::message::is_named;
use super::purpose::{CHATS, words_of};
use crate::model::Side;
use crate::peel::{Family, Leaf, NodeRef};

/// Whether a request brings what a program observes of itself and its users, by its path or by whom it goes to.
fn is_report(node: &NodeRef<'_>) -> bool {
    let is =
        |place: &str, list: &[&str]| words_of(place).any(|w| list.iter().any(|l| w.eq_ignore_ascii_case(l)));
    let path = node.label("path").unwrap_or_default();
    let host = node.label("host").or(node.label("sni")).unwrap_or_default();
    (is(path, &OBSERVED) || is(host, &OBSERVED)) && !is(path, &CHATS)
}

/// Whether a topic is one of things in a house or a machine, or of programs, that tell their states.
fn is_of_a_thing(topic: &str) -> bool {
    let is = |list: &[&str]| words_of(topic).any(|w| list.iter().any(|l| w.eq_ignore_ascii_case(l)));
    (is(&THINGS) || topic.starts_with('$') || topic.contains("/$")) && !is(&CHATS)
}

/// Whether a path or a topic is of messages between people.
fn is_of_chats(place: &str) -> bool {
    words_of(place).any(|w| CHATS.iter().any(|l| w.eq_ignore_ascii_case(l)))
}

/// Whether a text that a rule knows by the name of its field alone is part of a report.
pub(super) fn is_observed(node: &NodeRef<'_>, leaf: &Leaf<'_>, rule: &str) -> bool {
    leaf.side == Side::Client && is_named(rule) && is_report(node)
}

/// Whether it is a state of a person, a device or a program: one word published where nothing says that people talk, or
/// anything where things tell theirs.
pub(super) fn is_state(node: &NodeRef<'_>, leaf: &Leaf<'_>) -> bool {
    let word = || {
        leaf.bytes.len() <= 24
            && leaf.bytes.iter().all(|b| b.is_ascii_graphic())
            && !leaf.bytes.contains(&b'!')
    };
    let Some(topic) = node.label("topic") else { return leaf.field == "will.payload" && word() };
    let states = ["presence", "status", "typing", "online", "lastseen", "last_seen", "receipt", "lwt"];
    let lower = || topic.to_ascii_lowercase();
    let bare = || node.family() != Some(Family::Codec) && !is_of_chats(topic);
    is_of_a_thing(topic) || word() && (bare() || states.iter().any(|s| lower().contains(s)))
}

/// Words in the paths of requests, and names of services, for what programs observe.
const OBSERVED: [&str; 15] = [
    "telemetry",
    "analytics",
    "collect",
    "metrics",
    "crash",
    "crashes",
    "crashlytics",
    "sentry",
    "logs",
    "debuglogs",
    "debuglog",
    "rum",
    "diagnostics",
    "track",
    "impressions",
];

/// Words in the topics of things: of bridges and firmwares for houses, and for what a machine says of itself.
const THINGS: [&str; 34] = [
    "homeassistant",
    "zigbee2mqtt",
    "esphome",
    "homie",
    "shellies",
    "tele",
    "stat",
    "cmnd",
    "sensor",
    "sensors",
    "telemetry",
    "state",
    "status",
    "log",
    "logs",
    "logging",
    "debug",
    "alarm",
    "alarms",
    "error",
    "errors",
    "diagnostics",
    "firmware",
    "availability",
    "syslog",
    "frigate",
    "tasmota",
    "discovery",
    "spbv1",
    "valetudo",
    "teslamate",
    "octoprint",
    "wled",
    "evcc",
];
