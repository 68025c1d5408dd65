//! The layers: one file (or folder) and one table row for each. Layers never import each other; an
//! outer layer names an inner one by hint, and the engine chooses. What several of them read in the same way
//! is beside them.

pub mod app;
mod bplist;
pub mod codec;
pub mod envelope;
mod imitation;
mod protobuf;
pub mod secure;

use crate::peel::Registry;

/// All layers. The order decides between equal guesses: what is most distinctive comes first.
pub static REGISTRY: Registry =
    Registry { tables: &[secure::TABLE, app::TABLE, envelope::TABLE, codec::TABLE] };
