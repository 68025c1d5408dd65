//! plainsight answers one question from the traffic itself: who can read your messages?
//!
//! A recording goes through these modules from left to right, and each may use only those to its
//! left (`tests/architecture.rs` holds them to it):
//!
//! `model <- bytes <- capture <- wire <- flow <- keys <- peel <- layers <- ruleset <- evidence <- verdict <- report <- audit`
//!
//! frames -> packets -> ordered two-sided streams -> a tree of layers -> leaves -> evidence -> verdict -> report.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod audit;
pub mod bytes;
pub mod capture;
pub mod evidence;
pub mod flow;
pub mod keys;
pub mod layers;
pub mod model;
pub mod peel;
pub mod report;
pub mod ruleset;
pub mod verdict;
pub mod wire;
