//! Observers: from what the layers found to evidence records. One observer per file. Nothing here
//! decides a verdict, and nothing behind here sees bytes again.

mod answer;
mod aside;
mod canary;
mod clear;
mod collector;
mod copies;
mod devices;
mod draft;
mod drafts;
mod fields;
pub mod length;
mod lookups;
mod masked;
mod media;
mod message;
pub mod parcel;
pub mod planting;
pub mod pooled;
pub mod purpose;
pub mod randomness;
mod record;
pub mod relay;
pub mod sequence;
mod service;
mod sink;
pub mod trial;
pub mod uniform;
pub mod weak;

pub use aside::Asides;
pub use canary::{Canaries, Canary, CanaryHit};
pub use collector::{Collector, FlowEvidence, Shared};
pub use copies::{Copied, Copies, SIDE_SLOTS};
pub use devices::{Devices, GHOST};
pub use draft::{Content, ConversationKey, Coverage, Draft, Drops, OTHERS, Vantage};
pub use lookups::{ADDRESSES, Lookups};
pub use media::{Media, MediaKey, MediaSample};
pub use message::is_message_slot;
pub use parcel::{Identity, Parcel, Size};
pub use planting::{Checks, Planting};
pub use record::{Evidence, Kind, Polarity, Strength};
pub use service::same_service;
