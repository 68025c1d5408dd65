//! An experiment with planted texts: what was typed on purpose, when, and what the people at both ends
//! checked themselves. Written by `canary new`, filled in by its user, read back by `--plan`.

mod mint;
mod page;
mod words;

pub use mint::{Order, mint};

use super::Canary;
use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The form this version writes and reads.
pub const FORMAT: &str = "plainsight.plan/1";
/// Bytes of a plan that are read; longer files are no plans.
pub const LONGEST_PLAN: usize = 4 << 20;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// A message like any other.
    Message,
    /// One of a series of growing lengths, which shows how sizes follow the text.
    Ladder,
    /// A message sent several times, which shows whether equal texts give equal ciphertexts.
    Repeat,
    /// Stands in the name and the metadata of an attached file.
    Attachment,
    /// A link that nobody but the receiver may ever fetch.
    Bait,
    /// Stands where it must be visible, and so proves that the search works there.
    Control,
}

impl Use {
    /// The word in plans.
    pub fn word(self) -> &'static str {
        match self {
            Use::Message => "message",
            Use::Ladder => "ladder",
            Use::Repeat => "repeat",
            Use::Attachment => "attachment",
            Use::Bait => "bait",
            Use::Control => "control",
        }
    }
}

/// Which phone sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The one whose traffic `--sender` holds.
    #[default]
    Sender,
    /// The other one.
    Receiver,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Its name in reports.
    pub label: String,
    /// What it is for.
    pub kind: Use,
    /// What to type.
    pub text: String,
    /// How often to send it.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// Which phone sends it.
    #[serde(default)]
    pub from: From,
    /// When it was sent: filled in by the user, RFC 3339 with a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<toml::value::Datetime>,
}

fn once() -> u32 {
    1
}

fn is_once(n: &u32) -> bool {
    *n == 1
}

impl Text {
    /// Capture time at which it was sent, where the user noted one.
    pub fn sent(&self) -> Option<Timestamp> {
        self.sent_at.as_ref().and_then(timestamp)
    }
}

/// The check that compares the identity keys of both ends.
pub const SAFETY_NUMBER: &str = "the safety number is equal on both phones";

/// What the people at both ends looked at themselves: `true` passed, `false` failed, absent not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// The safety numbers (security codes, fingerprints) shown on both phones are equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_number_equal: Option<bool>,
    /// The account restored on a fresh phone, without the old one's help, shows no old messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_phone_shows_no_history: Option<bool>,
    /// The server behind the bait link was never asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bait_link_never_fetched: Option<bool>,
}

impl Checks {
    /// Every check with its name in words.
    pub fn all(&self) -> [(&'static str, Option<bool>); 3] {
        [
            (SAFETY_NUMBER, self.safety_number_equal),
            ("a restore on a fresh phone shows no history", self.fresh_phone_shows_no_history),
            ("the bait link was never fetched", self.bait_link_never_fetched),
        ]
    }

    /// Whether all were made and all passed.
    pub fn passed(&self) -> bool {
        self.all().iter().all(|(_, c)| *c == Some(true))
    }

    /// Those that failed, in words.
    pub fn failed(&self) -> Vec<&'static str> {
        self.all().into_iter().filter(|(_, c)| *c == Some(false)).map(|(name, _)| name).collect()
    }
}

/// The whole experiment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planting {
    /// Always [`FORMAT`].
    pub format: String,
    /// What the texts were drawn from; the same seed gives the same texts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seed: String,
    /// Checks outside the recording.
    #[serde(default)]
    pub checks: Checks,
    /// The texts, in the order in which they are sent.
    #[serde(default, rename = "text")]
    pub texts: Vec<Text>,
}

/// Why a plan could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError(String);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

impl Planting {
    /// Reads a plan, and refuses one that would prove less than its user thinks.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let wrong = |why: String| Err(PlanError(why));
        if text.len() > LONGEST_PLAN {
            return wrong(format!("longer than {LONGEST_PLAN} bytes"));
        }
        let plan: Planting = toml::from_str(text).map_err(|e| PlanError(e.to_string().trim().to_owned()))?;
        if plan.format != FORMAT {
            return wrong(format!(
                "`format` is {:?}, but this version reads {FORMAT:?}; `plainsight canary new` writes one",
                plan.format
            ));
        }
        if plan.texts.is_empty() {
            return wrong("holds no [[text]]; `plainsight canary new` writes some".into());
        }
        for (i, t) in plan.texts.iter().enumerate() {
            let name = format!("text {:?}", t.label);
            if t.text.trim().is_empty() {
                return wrong(format!("{name} is empty"));
            }
            if t.times == 0 || t.times > 1000 {
                return wrong(format!("{name}: `times` is a number from 1 to 1000"));
            }
            if t.sent_at.is_some() && t.sent().is_none() {
                return wrong(format!(
                    "{name}: `sent_at` needs date, time and zone, such as 2026-01-31T12:00:00Z"
                ));
            }
            if plan.texts[..i]
                .iter()
                .any(|o| o.text == t.text && (o.kind == Use::Control) != (t.kind == Use::Control))
            {
                return wrong(format!("{name} is both a control and a text that must stay hidden"));
            }
        }
        Ok(plan)
    }

    /// What is to be searched for: every text once.
    pub fn canaries(&self) -> Vec<Canary> {
        let mut all: Vec<Canary> = Vec::new();
        for t in &self.texts {
            if !all.iter().any(|c| c.text == t.text) {
                let control = t.kind == Use::Control;
                all.push(Canary { text: t.text.clone(), label: Some(t.label.clone()), control });
            }
        }
        all
    }

    /// Messages of one phone in the order of sending, repeated ones as often as they are sent: what the
    /// sizes on the wire are compared with.
    pub fn sent(&self, from: From) -> Vec<&Text> {
        let message = |t: &&Text| {
            t.from == from && matches!(t.kind, Use::Message | Use::Ladder | Use::Repeat | Use::Bait)
        };
        let texts = self.texts.iter().filter(message);
        texts.flat_map(|t| std::iter::repeat_n(t, t.times as usize)).collect()
    }
}

/// Microseconds since 1970 of a date with time and zone, by the civil calendar.
fn timestamp(d: &toml::value::Datetime) -> Option<Timestamp> {
    let (date, time, zone) = (d.date?, d.time?, d.offset?);
    let minutes = match zone {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let (y, m, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
    // Days from civil: years begin in March, so that the leap day is the last.
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year = y.rem_euclid(400);
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468;
    let clock =
        i64::from(time.hour) * 3600 + i64::from(time.minute) * 60 + i64::from(time.second.unwrap_or(0));
    Some(Timestamp::new(days * 86_400 + clock - minutes * 60, i64::from(time.nanosecond.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "format = 'plainsight.plan/1'\n[checks]\nsafety_number_equal = true\n\
        [[text]]\nlabel = 'm1'\nkind = 'message'\ntext = 'copper lantern 7kq2mw'\nsent_at = 2026-03-01T00:00:01.5+01:00\n\
        [[text]]\nlabel = 'c1'\nkind = 'control'\ntext = 'quiet harbour 9fz4hx'\n";

    #[test]
    fn a_plan_reads_back_with_times_and_checks() {
        let plan = Planting::read(PLAN).expect("a plan");
        assert_eq!(plan.texts[0].sent().map(|t| t.to_string()), Some("2026-02-28T23:00:01.500Z".into()));
        assert_eq!(plan.checks.safety_number_equal, Some(true));
        assert!(!plan.checks.passed() && plan.checks.failed().is_empty());
        let canaries = plan.canaries();
        assert_eq!(canaries.iter().map(|c| c.control).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, says) in [
            ("plan/1", "plan/9", "plan/9"),
            ("'copper lantern 7kq2mw'", "' '", "m1"),
            ("00:00:01.5+01:00", "00:00:01.5", "zone"),
            ("safety_number_equal", "safety_numbr", "safety_numbr"),
            ("quiet harbour 9fz4hx", "copper lantern 7kq2mw", "both a control"),
        ] {
            let error = Planting::read(&PLAN.replace(from, to)).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
