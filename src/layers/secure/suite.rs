//! Cipher suites: what the code points stand for. `suites.txt` holds the names of the IANA TLS Cipher
//! Suites registry by code; how records are protected follows from the name.

use super::hkdf::Hash;
use std::sync::LazyLock;

/// A block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Aes,
    Aria,
    Camellia,
    Des,
    TripleDes,
}

/// How records are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// AES-GCM with a key of that many bytes (RFC 5288).
    Gcm(usize),
    /// ARIA or Camellia in GCM (RFC 6209, RFC 6367).
    OtherGcm(Block, usize),
    /// AES-CCM with a key and a tag of that many bytes (RFC 6655).
    Ccm(usize, usize),
    /// ChaCha20-Poly1305 (RFC 7905).
    ChaCha,
    /// CBC with HMAC: cipher, key bytes, MAC bytes.
    Cbc(Block, usize, usize),
    /// RC4 with a MAC of that many bytes.
    Rc4(usize),
    /// No encryption: only a MAC of that many bytes.
    Null(usize),
    /// Known by name, not opened here.
    Other,
}

/// A cipher suite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suite {
    pub code: u16,
    pub name: &'static str,
    pub cipher: Cipher,
    /// The hash of the key schedule, and of the PRF from TLS 1.2 on.
    pub hash: Hash,
}

/// Suites in the order of their codes.
static SUITES: LazyLock<Vec<Suite>> =
    LazyLock::new(|| include_str!("suites.txt").lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Suite> {
    let (code, name) = line.split_once(' ')?;
    let code = u16::from_str_radix(code, 16).ok()?;
    let hash = if name.ends_with("_SHA384") { Hash::Sha384 } else { Hash::Sha256 };
    Some(Suite { code, name, cipher: cipher(name), hash })
}

/// The protection that a suite's name stands for.
fn cipher(name: &str) -> Cipher {
    let how = name.split_once("_WITH_").map_or_else(|| name.trim_start_matches("TLS_"), |(_, how)| how);
    let mac = match how.rsplit('_').next() {
        Some("MD5") => 16,
        Some("SHA") => 20,
        Some("SHA384") => 48,
        _ => 32,
    };
    let key = if how.contains("_256_") { 32 } else { 16 };
    let block = match how.split('_').next() {
        Some("AES") => Block::Aes,
        Some("ARIA") => Block::Aria,
        Some("CAMELLIA") => Block::Camellia,
        Some("DES") => Block::Des,
        Some("3DES") => Block::TripleDes,
        Some("CHACHA20") => return Cipher::ChaCha,
        Some("NULL") => return Cipher::Null(mac),
        Some("RC4") if how.starts_with("RC4_128_") => return Cipher::Rc4(mac),
        _ => return Cipher::Other,
    };
    if name.contains("_EXPORT_") {
        return Cipher::Other;
    }
    match block {
        Block::Des => Cipher::Cbc(block, 8, mac),
        Block::TripleDes => Cipher::Cbc(block, 24, mac),
        _ if how.contains("_CBC_") => Cipher::Cbc(block, key, mac),
        Block::Aes if how.contains("_GCM_") => Cipher::Gcm(key),
        _ if how.contains("_GCM_") => Cipher::OtherGcm(block, key),
        Block::Aes if how.contains("_CCM") => {
            let key = if how.contains("_256_CCM") { 32 } else { 16 };
            Cipher::Ccm(key, if how.contains("_CCM_8") { 8 } else { 16 })
        }
        _ => Cipher::Other,
    }
}

/// The suite of that code, if its name is known.
pub(super) fn suite(code: u16) -> Option<&'static Suite> {
    SUITES.binary_search_by_key(&code, |s| s.code).ok().and_then(|i| SUITES.get(i))
}

/// The name, or the code in hexadecimal.
pub(super) fn suite_name(code: u16) -> String {
    suite(code).map_or_else(|| format!("0x{code:04x}"), |s| s.name.to_owned())
}

/// Names of key share groups (IANA TLS Supported Groups).
pub(super) fn group_name(code: u16) -> String {
    let name = match code {
        0x0017 => "secp256r1",
        0x0018 => "secp384r1",
        0x0019 => "secp521r1",
        0x001d => "x25519",
        0x001e => "x448",
        0x0100 => "ffdhe2048",
        0x0101 => "ffdhe3072",
        0x0102 => "ffdhe4096",
        0x0200 => "MLKEM512",
        0x0201 => "MLKEM768",
        0x0202 => "MLKEM1024",
        0x11eb => "SecP256r1MLKEM768",
        0x11ec => "X25519MLKEM768",
        0x11ed => "SecP384r1MLKEM1024",
        0x6399 => "X25519Kyber768Draft00",
        _ => return format!("0x{code:04x}"),
    };
    name.to_owned()
}

/// Whether a group resists an attacker with a quantum computer.
pub(super) fn post_quantum(code: u16) -> bool {
    matches!(code, 0x0200..=0x0202 | 0x11eb..=0x11ed | 0x6399)
}

/// GREASE values (RFC 8701), which mean nothing.
pub(super) fn is_grease(code: u16) -> bool {
    code & 0x0f0f == 0x0a0a && code >> 8 == code & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_row_is_found() {
        assert!(SUITES.windows(2).all(|w| w[0].code < w[1].code));
        assert_eq!(suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
        let of = |code| suite(code).map(|s| (s.cipher, s.hash == Hash::Sha384));
        assert_eq!(of(0x1302), Some((Cipher::Gcm(32), true)));
        assert_eq!(of(0x1305), Some((Cipher::Ccm(16, 8), false)));
        assert_eq!(of(0x0003), Some((Cipher::Other, false)));
        assert_eq!(of(0x0005), Some((Cipher::Rc4(20), false)));
        assert_eq!(of(0x000a), Some((Cipher::Cbc(Block::TripleDes, 24, 20), false)));
        assert_eq!(of(0xc028), Some((Cipher::Cbc(Block::Aes, 32, 48), true)));
        assert_eq!(of(0xc09d), Some((Cipher::Ccm(32, 16), false)));
        assert_eq!(of(0xc05d), Some((Cipher::OtherGcm(Block::Aria, 32), true)));
        assert_eq!(of(0xcca8), Some((Cipher::ChaCha, false)));
        assert!(is_grease(0x4a4a) && !is_grease(0x4a5a));
    }
}
