//! The verdict of a whole recording: the weakest of the conversations that carry messages.

use super::{Grade, Judgement, Network, Provider, Verdict};
use serde::{Deserialize, Serialize};

/// The verdict of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The weakest verdict.
    pub verdict: Verdict,
    /// The lowest grade among the conversations with that verdict.
    pub grade: Grade,
    /// First axis of the conversation that decided.
    pub network: Network,
    /// Second axis of it.
    pub provider: Provider,
    /// Why, in one sentence.
    pub reason: String,
    /// Conversations that weigh.
    pub weighing: usize,
    /// Conversations that do not.
    pub background: usize,
}

/// Sums up judgements.
pub fn summarise(judgements: &[Judgement]) -> Summary {
    let weighing: Vec<&Judgement> = judgements.iter().filter(|j| j.weighs.is_some()).collect();
    let background = judgements.len() - weighing.len();
    // Among equals the one whose reason says more, so that their order does not matter.
    fn rank(j: &Judgement) -> impl Ord + '_ {
        (j.verdict, j.grade, j.network, j.provider, std::cmp::Reverse(j.reason.len()), &j.reason)
    }
    let Some(decides) = weighing.iter().min_by(|a, b| rank(a).cmp(&rank(b))) else {
        return Summary {
            verdict: Verdict::Undetermined,
            grade: Grade::G0,
            network: Network::Unknown,
            provider: Provider::Unknown,
            reason: "the recording shows no messages".into(),
            weighing: 0,
            background,
        };
    };
    Summary {
        verdict: decides.verdict,
        grade: decides.grade,
        network: decides.network,
        provider: decides.provider,
        reason: decides.reason.clone(),
        weighing: weighing.len(),
        background,
    }
}
