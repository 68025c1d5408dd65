//! Judges one conversation: the two axes, the grade, the reasons, what stays open, and the test that
//! would settle it.

mod sealed;

pub use sealed::COVERAGE_FLOOR;

use super::lattice::{Grade, Network, Provider, Verdict, headline};
use crate::evidence::{Content, Draft, Evidence, Kind, Polarity, Strength};
use crate::peel::{Guard, Why};
use serde::{Deserialize, Serialize};

/// What the user planted and what became of it, over the whole audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// Texts that were searched for, controls aside.
    pub planted: usize,
    /// Of those, found anywhere in message content.
    pub found: usize,
    /// Controls that were searched for.
    pub controls: usize,
    /// Of those, found.
    pub controls_found: usize,
}

impl Experiment {
    /// Whether absence of the planted texts says anything: the search is shown to work.
    pub fn speaks(&self) -> bool {
        self.planted > 0 && self.controls > 0 && self.controls_found == self.controls
    }
}

/// The judgement of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The headline.
    pub verdict: Verdict,
    /// How far the evidence goes.
    pub grade: Grade,
    /// First axis.
    pub network: Network,
    /// Second axis.
    pub provider: Provider,
    /// Indices into the conversation's evidence that carry the verdict.
    pub reasons: Vec<usize>,
    /// The reason in one sentence.
    pub reason: String,
    /// What the evidence leaves possible.
    pub not_ruled_out: Vec<String>,
    /// The test that would settle or strengthen it.
    pub next_step: String,
    /// Why it weighs in the summary; `None` for background traffic.
    pub weighs: Option<String>,
}

/// Judges a conversation from its evidence.
pub fn judge(draft: &Draft, experiment: &Experiment) -> Judgement {
    let mut judgement = content(draft, experiment);
    if draft.key.path.split('/').next() == Some("opened") {
        judgement.not_ruled_out.push(
            "the way may have been protected less than the recording program says: its packets were not seen"
                .into(),
        );
    }
    judgement
}

fn content(draft: &Draft, experiment: &Experiment) -> Judgement {
    match &draft.key.content {
        Content::Text => text(draft),
        Content::Envelope(protocol) => sealed::envelope(draft, protocol, experiment),
        Content::Opaque => sealed::opaque(draft, experiment),
        Content::Sealed => transport(draft),
        Content::Unknown => unknown(draft),
        Content::Call => super::call::judge(draft),
        Content::Background => background(draft),
    }
}

pub(super) fn select(draft: &Draft, keep: impl Fn(&Evidence) -> bool) -> Vec<usize> {
    let mut all: Vec<usize> = (0..draft.evidence.len()).filter(|i| keep(&draft.evidence[*i])).collect();
    all.sort_by_key(|i| (std::cmp::Reverse(draft.evidence[*i].strength), draft.evidence[*i].origin.time));
    all.truncate(8);
    all
}

/// Evidence that somebody besides the ends reads content.
pub(super) fn reads(e: &Evidence) -> bool {
    let content = matches!(e.kind, Kind::Canary { .. } | Kind::Readable { .. });
    content && e.polarity == Polarity::Against && e.strength >= Strength::Strong
}

/// How far content gets that is read without the ends' secrets: to anybody on the path where any of it stood
/// in the open, else to whoever takes off the protection of the way. All evidence counts, not only the
/// pieces that a judgement names.
pub(super) fn reach(draft: &Draft, read: impl Fn(&Evidence) -> bool) -> Network {
    match draft.evidence.iter().any(|e| read(e) && e.guard == Guard::Open) {
        true => Network::Readable,
        false => Network::Protected,
    }
}

/// Who reads what gets so far; `behind` is whoever stands behind the protection of the way.
pub(super) fn reader(network: Network, behind: &'static str) -> &'static str {
    match network {
        Network::Readable => "anybody on the path",
        Network::Protected | Network::Unknown => behind,
    }
}

fn text(draft: &Draft) -> Judgement {
    if let Some(judgement) = super::peer::judge(draft) {
        return judgement;
    }
    let reasons = select(draft, reads);
    let planted = reasons.iter().any(|i| matches!(draft.evidence[*i].kind, Kind::Canary { .. }));
    let (network, provider) = match reasons.is_empty() {
        true => (Network::Unknown, Provider::Unknown),
        false => (reach(draft, reads), Provider::Readable),
    };
    let grade = match (reasons.is_empty(), planted) {
        (true, _) => Grade::G0,
        (_, true) => Grade::G3,
        (_, false) => Grade::G2,
    };
    let what = if planted { "planted message text was found" } else { "message fields hold readable text" };
    let place = match network {
        Network::Readable => "in bytes that anybody on the path can read",
        _ => "once the transport encryption is opened, as it is at the provider",
    };
    Judgement {
        verdict: headline(network, provider, grade),
        grade,
        network,
        provider,
        reason: format!("{what} {place}"),
        reasons,
        not_ruled_out: vec!["other conversations of the same app may be protected differently".into()],
        next_step: match planted {
            true => {
                "none needed: one clean sighting refutes end-to-end encryption for this conversation".into()
            }
            false => {
                "send a planted text and audit again with --canary to turn the sighting into proof".into()
            }
        },
        weighs: Some(if planted {
            "a planted text".into()
        } else {
            "a known message field with readable text".into()
        }),
    }
}

/// Bytes that each side must have sent before sealed or unknown traffic counts as an exchange.
const EXCHANGE: u64 = 64;

pub(super) fn two_way(draft: &Draft) -> Option<String> {
    let enough = draft.bytes.client >= EXCHANGE && draft.bytes.server >= EXCHANGE;
    enough.then(|| "a two-way exchange that nobody here can open".to_owned())
}

/// Traffic that stayed inside a protection of the way.
fn transport(draft: &Draft) -> Judgement {
    let why = draft.evidence.iter().find_map(|e| match e.kind {
        Kind::Sealed { why } => Some(why),
        _ => None,
    });
    let (reason, next_step) = match why {
        Some(Why::BadTag) => (
            "at least transport-encrypted: the keys given do not fit what was recorded",
            "record again with the key log of the very process that made the traffic",
        ),
        Some(Why::Unsupported) => (
            "at least transport-encrypted with a cipher that is not implemented here",
            "make the app negotiate a common cipher suite, or open it with another instrument",
        ),
        _ => (
            "at least transport-encrypted: without its keys nobody can say what is inside",
            "record again with a TLS key log (SSLKEYLOGFILE, a hook, or an intercepting proxy) and give it with --keylog",
        ),
    };
    let (reason, next_step) =
        super::tunnel::told(&draft.key.path).unwrap_or_else(|| (reason.to_owned(), next_step.to_owned()));
    Judgement {
        verdict: headline(Network::Protected, Provider::Unknown, Grade::G0),
        grade: Grade::G0,
        network: Network::Protected,
        provider: Provider::Unknown,
        reasons: select(draft, |e| matches!(e.kind, Kind::Sealed { .. })),
        reason,
        not_ruled_out: vec![
            "the provider reads everything".into(),
            "messages are end-to-end encrypted inside".into(),
        ],
        next_step,
        weighs: two_way(draft),
    }
}

fn unknown(draft: &Draft) -> Judgement {
    let (reason, next_step) = super::tunnel::disguised(&draft.key.path).unwrap_or((
        "no known protocol fits these bytes; that they look random would prove nothing",
        "find out which app speaks here, and send planted texts to see whether they appear",
    ));
    Judgement {
        verdict: headline(Network::Unknown, Provider::Unknown, Grade::G0),
        grade: Grade::G0,
        network: Network::Unknown,
        provider: Provider::Unknown,
        reasons: Vec::new(),
        reason: reason.into(),
        not_ruled_out: vec!["a home-made protocol with or without real encryption".into()],
        next_step: next_step.into(),
        weighs: two_way(draft),
    }
}

fn background(draft: &Draft) -> Judgement {
    let open = draft.evidence.iter().any(|e| e.guard == Guard::Open) || draft.coverage.decrypted == 0;
    // Media that are sealed may have their keys in sight: only the judge of calls knows.
    let media = ["rtp", "rtcp"].iter().any(|layer| draft.key.path.ends_with(layer));
    let sealed = draft.coverage.sealed > 0 && !media;
    Judgement {
        verdict: Verdict::Undetermined,
        grade: Grade::G0,
        network: if open && !sealed { Network::Unknown } else { Network::Protected },
        provider: Provider::Unknown,
        reasons: Vec::new(),
        reason: "no sign of messages between people".into(),
        not_ruled_out: vec!["messages in a form that no rule knows".into()],
        next_step: "send planted texts while recording and audit again with --canary".into(),
        weighs: None,
    }
}

#[cfg(test)]
mod tests;
