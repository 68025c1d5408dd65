//! Strict readers that the recognisers share: each reads a whole buffer in canonical form or not at
//! all. No protocol is named here.

pub mod cbor;
pub mod der;
pub mod encoding;
pub mod notice;
pub mod plist;
pub mod protobuf;
pub mod signs;
pub mod xml;
