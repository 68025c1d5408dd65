//! Observers: from what the layers found to evidence records. One observer per file. Nothing here
//! decides a verdict, and nothing behind here sees bytes again.

mod canary;
mod collector;
mod draft;
mod fields;
mod masked;
mod media;
mod message;
pub mod randomness;
mod record;
mod sink;
pub mod trial;
pub mod uniform;
pub mod weak;

pub use canary::{Canaries, Canary, CanaryHit};
pub use collector::{Collector, FlowEvidence, Shared};
pub use draft::{Content, ConversationKey, Coverage, Draft, Drops};
pub use media::{Media, MediaKey, MediaSample};
pub use record::{Evidence, Kind, Polarity, Strength};
