//! Observers: what the layers show, as evidence. Each observer is a module of its own.

pub mod randomness;
