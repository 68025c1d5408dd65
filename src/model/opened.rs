//! What a recorder says of the protection that it took off before it wrote something down.

use serde::{Deserialize, Serialize};

/// The first line of the client's bytes in a recording of what is already decrypted, as JSON. Only
/// `capture` writes it, and only flows that `capture` marks are read that way, so no traffic can forge it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Opened {
    /// The server's name in the hello.
    pub sni: Option<String>,
    /// Such as `TLS 1.3`.
    pub version: Option<String>,
    /// The cipher suite by the recorder's name for it.
    pub suite: Option<String>,
    /// The application protocol that was agreed on.
    pub alpn: Option<String>,
    /// What was inside, where the recorder knows it.
    pub inside: Option<Inside>,
}

/// What a recorder found inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    /// HTTP of any version, written as HTTP/1.1.
    Http,
    /// Frames of a WebSocket whose handshake stands elsewhere.
    WebSocket,
}
