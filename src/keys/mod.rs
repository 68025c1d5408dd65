//! Secrets that open transport layers: key logs, secrets embedded in captures, private keys, PSKs.

/// Every secret that the user or the capture gave. Filled in order of arrival; looked up by layers.
#[derive(Debug, Clone, Default)]
pub struct KeyStore {}
#[allow(missing_docs)]
impl KeyStore { pub fn len(&self)->usize{0} pub fn add_secrets(&mut self,_k:u32,_d:&[u8]){} pub fn add_keylog(&mut self,_t:&[u8],_o:&str){} }
