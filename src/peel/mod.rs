//! The contract between the engine and the layers, and the engine itself.
//!
//! A [`Peeler`] holds protocol state and nothing else. The engine ([`Tree`]) owns buffers and
//! budgets: it calls a peeler with all bytes of one side that were not consumed yet, and the peeler
//! answers how many it consumed and what it needs. What a peeler takes off it hands to children,
//! which it names by hint and never by type; the engine chooses the layer for them. What nobody can
//! take apart further is a leaf. Everything that is learned on the way goes to a [`Sink`].

mod choose;
mod datagrams;
mod driving;
mod ending;
mod feeding;
mod hashing;
mod memory;
mod node;
mod out;
mod peeler;
mod record;
mod spec;
mod tree;
mod units;

pub use hashing::Hashes;
pub use memory::Memory;
pub use node::NodeRef;
pub use out::{Child, Handle, Out};
pub use peeler::{
    AfterGap, By, CutWhy, End, Form, Guard, Input, Leaf, Line, LineEnd, Part, Peeler, Sink, Step, TextOf,
    Then, Unit, Why,
};
pub use record::{Exchange, Recorder, Surroundings};
pub use spec::{Before, Eats, Family, Guess, Hint, Probe, Registry, Spec};
pub use tree::{Env, Tree};
