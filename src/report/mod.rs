//! The report: a versioned DTO and one renderer per file. Renderers are pure functions from the DTO
//! to text; they never see traffic, keys or the clock.

pub mod alike;
pub mod diff;
pub mod dto;
pub mod ends;
pub mod entropy;
pub mod explain;
pub mod html;
pub mod join;
pub mod json;
pub mod lines;
pub mod markdown;
pub mod meanings;
pub mod place;
pub mod prose;
pub mod terminal;
