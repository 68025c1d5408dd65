//! RSA private keys as servers keep them: PEM or DER of PKCS#1 and PKCS#8, and PKCS#12.
//!
//! They open the RSA key exchange of TLS 1.2 and older only. Decryption happens on recordings, with
//! nobody there to time it, so the timing side channel that RSA in software may have gives nothing away.

use p12_keystore::Pkcs12Archive;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::Decode;
use pkcs8::der::pem;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Encrypt, PrivateKey};
use std::fmt;

/// An RSA private key.
#[derive(Clone)]
pub struct RsaKey {
    key: PrivateKey,
    modulus: Vec<u8>,
}

/// Why a file gave no RSA private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// It is encrypted and no password was given.
    Encrypted,
    /// It is encrypted and the password does not open it.
    Password,
    /// It is encrypted in OpenSSL's old PEM form, which is not read.
    OldPem,
    /// It holds a private key that is not RSA, or smaller than 1024 or larger than 8192 bits.
    NotRsa,
    /// It holds certificates or public keys only.
    Public,
    /// It is none of the forms that are read.
    Unknown,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyFault::Encrypted => "is encrypted; give its password with --tls-key-password",
            KeyFault::Password => "is encrypted with another password than the one given",
            KeyFault::OldPem => {
                "is encrypted in an old form of PEM; convert it with `openssl pkey -in OLD -out NEW`"
            }
            KeyFault::NotRsa => {
                "holds no RSA key of 1024 to 8192 bits; only the RSA key exchange can be opened with a private key"
            }
            KeyFault::Public => "holds a certificate or public key; the server's private key is needed",
            KeyFault::Unknown => "is no private key that can be read (PEM or DER of PKCS#1, PKCS#8 or PKCS#12)",
        })
    }
}

impl RsaKey {
    /// Reads a file's keys: all PEM blocks of it, or one DER structure.
    pub fn read(data: &[u8], password: Option<&str>) -> Result<Vec<Self>, KeyFault> {
        let text = std::str::from_utf8(data).unwrap_or_default();
        if text.contains("-----BEGIN ") {
            return Self::from_pem(text, password);
        }
        Self::from_der(data, password)
    }

    fn from_pem(text: &str, password: Option<&str>) -> Result<Vec<Self>, KeyFault> {
        let mut keys = Vec::new();
        let mut fault = KeyFault::Public;
        for block in blocks(text).take(64) {
            let Ok((label, der)) = pem::decode_vec(block.as_bytes()) else {
                let old = block.contains("Proc-Type: 4,ENCRYPTED");
                fault = if old { KeyFault::OldPem } else { KeyFault::Unknown };
                continue;
            };
            let read = match label {
                "RSA PRIVATE KEY" => pkcs1(&der),
                "PRIVATE KEY" => pkcs8(&der),
                "ENCRYPTED PRIVATE KEY" => encrypted(&der, password),
                l if l.ends_with("PRIVATE KEY") => Err(KeyFault::NotRsa),
                _ => continue,
            };
            match read {
                Ok(key) => keys.push(key),
                Err(e) => fault = e,
            }
        }
        if keys.is_empty() { Err(fault) } else { Ok(keys) }
    }

    fn from_der(data: &[u8], password: Option<&str>) -> Result<Vec<Self>, KeyFault> {
        if let Ok(key) = pkcs1(data) {
            return Ok(vec![key]);
        }
        match pkcs8(data) {
            Err(KeyFault::Unknown) => {}
            read => return read.map(|k| vec![k]),
        }
        if EncryptedPrivateKeyInfoRef::from_der(data).is_ok() {
            return encrypted(data, password).map(|k| vec![k]);
        }
        pkcs12(data, password)
    }

    /// The plaintext of an RSA encryption with the padding of PKCS#1 1.5, if it was made for this key.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        self.key.decrypt(Pkcs1v15Encrypt, ciphertext).ok()
    }

    /// The modulus, big-endian, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }
}

impl From<PrivateKey> for RsaKey {
    fn from(key: PrivateKey) -> Self {
        let modulus: Vec<u8> = key.n_bytes().iter().copied().skip_while(|b| *b == 0).collect();
        Self { key, modulus }
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({} bits)", self.modulus.len() * 8)
    }
}

/// The PEM blocks of a text, which may say more around them.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("-----BEGIN ").filter_map(|(from, _)| {
        let rest = text.get(from..)?;
        let end = rest.find("-----END ")?;
        let close = rest.get(end + 9..)?.find("-----")?;
        rest.get(..end + 9 + close + 5)
    })
}

fn pkcs1(der: &[u8]) -> Result<RsaKey, KeyFault> {
    PrivateKey::from_pkcs1_der(der).map(RsaKey::from).map_err(|_| KeyFault::NotRsa)
}

fn pkcs8(der: &[u8]) -> Result<RsaKey, KeyFault> {
    if pkcs8::PrivateKeyInfoRef::from_der(der).is_err() {
        return Err(KeyFault::Unknown);
    }
    PrivateKey::from_pkcs8_der(der).map(RsaKey::from).map_err(|_| KeyFault::NotRsa)
}

fn encrypted(der: &[u8], password: Option<&str>) -> Result<RsaKey, KeyFault> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| KeyFault::Unknown)?;
    let password = password.ok_or(KeyFault::Encrypted)?;
    let open = info.decrypt(password).map_err(|_| KeyFault::Password)?;
    pkcs8(open.as_bytes())
}

fn pkcs12(der: &[u8], password: Option<&str>) -> Result<Vec<RsaKey>, KeyFault> {
    use p12_keystore::error::Error;
    let archive = match (Pkcs12Archive::from_pkcs12(der, password.unwrap_or_default()), password) {
        (Ok(archive), _) => archive,
        (Err(Error::DerError(_) | Error::InvalidVersion), _) => return Err(KeyFault::Unknown),
        (Err(_), None) => return Err(KeyFault::Encrypted),
        (Err(_), Some(_)) => return Err(KeyFault::Password),
    };
    let keys: Vec<RsaKey> = archive.keys.iter().filter_map(|b| pkcs8(b.key.as_der()).ok()).collect();
    match (keys.is_empty(), archive.keys.is_empty()) {
        (false, _) => Ok(keys),
        (true, true) => Err(KeyFault::Public),
        (true, false) => Err(KeyFault::NotRsa),
    }
}
