pub mod app;
pub mod codec;
pub mod envelope;
pub mod secure;
