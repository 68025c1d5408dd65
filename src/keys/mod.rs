//! Secrets that open transport layers: key logs, secrets embedded in captures, private keys, PSKs.

/// Every secret that the user or the capture gave. Filled in order of arrival; looked up by layers.
#[derive(Debug, Clone, Default)]
pub struct KeyStore {}
