//! Cipher suites: what the code points stand for (IANA TLS Cipher Suites registry).

/// How records are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    /// AES-GCM with a key of that many bytes (RFC 5288).
    Gcm(usize),
    /// AES-CCM with a key and a tag of that many bytes (RFC 6655).
    Ccm(usize, usize),
    /// ChaCha20-Poly1305 (RFC 7905).
    ChaCha,
    /// AES-CBC with HMAC: key bytes, MAC bytes.
    Cbc(usize, usize),
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
    /// True where the hash of the key schedule is SHA-384.
    pub sha384: bool,
}

macro_rules! suites {
    ($($code:literal $name:literal $cipher:expr, $hash:literal;)*) => {
        &[$(Suite { code: $code, name: $name, cipher: $cipher, sha384: $hash == 384 }),*]
    };
}

use Cipher::{Cbc, Ccm, ChaCha, Gcm, Null, Other};

/// Suites in the order of their codes.
static SUITES: &[Suite] = suites! {
    0x0001 "TLS_RSA_WITH_NULL_MD5" Null(16), 256;
    0x0002 "TLS_RSA_WITH_NULL_SHA" Null(20), 256;
    0x0003 "TLS_RSA_EXPORT_WITH_RC4_40_MD5" Other, 256;
    0x0004 "TLS_RSA_WITH_RC4_128_MD5" Other, 256;
    0x0005 "TLS_RSA_WITH_RC4_128_SHA" Other, 256;
    0x0008 "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA" Other, 256;
    0x0009 "TLS_RSA_WITH_DES_CBC_SHA" Other, 256;
    0x000a "TLS_RSA_WITH_3DES_EDE_CBC_SHA" Other, 256;
    0x0016 "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA" Other, 256;
    0x0018 "TLS_DH_anon_WITH_RC4_128_MD5" Other, 256;
    0x001b "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA" Other, 256;
    0x002f "TLS_RSA_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0x0033 "TLS_DHE_RSA_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0x0034 "TLS_DH_anon_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0x0035 "TLS_RSA_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0x0039 "TLS_DHE_RSA_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0x003a "TLS_DH_anon_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0x003b "TLS_RSA_WITH_NULL_SHA256" Null(32), 256;
    0x003c "TLS_RSA_WITH_AES_128_CBC_SHA256" Cbc(16, 32), 256;
    0x003d "TLS_RSA_WITH_AES_256_CBC_SHA256" Cbc(32, 32), 256;
    0x0067 "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256" Cbc(16, 32), 256;
    0x006b "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256" Cbc(32, 32), 256;
    0x006c "TLS_DH_anon_WITH_AES_128_CBC_SHA256" Cbc(16, 32), 256;
    0x006d "TLS_DH_anon_WITH_AES_256_CBC_SHA256" Cbc(32, 32), 256;
    0x008c "TLS_PSK_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0x008d "TLS_PSK_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0x009c "TLS_RSA_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0x009d "TLS_RSA_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0x009e "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0x009f "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0x00a2 "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0x00a3 "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0x00a6 "TLS_DH_anon_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0x00a7 "TLS_DH_anon_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0x00a8 "TLS_PSK_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0x00a9 "TLS_PSK_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0x00aa "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0x00ab "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0x1301 "TLS_AES_128_GCM_SHA256" Gcm(16), 256;
    0x1302 "TLS_AES_256_GCM_SHA384" Gcm(32), 384;
    0x1303 "TLS_CHACHA20_POLY1305_SHA256" ChaCha, 256;
    0x1304 "TLS_AES_128_CCM_SHA256" Ccm(16, 16), 256;
    0x1305 "TLS_AES_128_CCM_8_SHA256" Ccm(16, 8), 256;
    0xc006 "TLS_ECDHE_ECDSA_WITH_NULL_SHA" Null(20), 256;
    0xc007 "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA" Other, 256;
    0xc008 "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA" Other, 256;
    0xc009 "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0xc00a "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0xc010 "TLS_ECDHE_RSA_WITH_NULL_SHA" Null(20), 256;
    0xc011 "TLS_ECDHE_RSA_WITH_RC4_128_SHA" Other, 256;
    0xc012 "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA" Other, 256;
    0xc013 "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0xc014 "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0xc015 "TLS_ECDH_anon_WITH_NULL_SHA" Null(20), 256;
    0xc016 "TLS_ECDH_anon_WITH_RC4_128_SHA" Other, 256;
    0xc018 "TLS_ECDH_anon_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0xc019 "TLS_ECDH_anon_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0xc023 "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" Cbc(16, 32), 256;
    0xc024 "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" Cbc(32, 48), 384;
    0xc027 "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256" Cbc(16, 32), 256;
    0xc028 "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384" Cbc(32, 48), 384;
    0xc02b "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0xc02c "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0xc02f "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" Gcm(16), 256;
    0xc030 "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" Gcm(32), 384;
    0xc035 "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA" Cbc(16, 20), 256;
    0xc036 "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA" Cbc(32, 20), 256;
    0xc09c "TLS_RSA_WITH_AES_128_CCM" Ccm(16, 16), 256;
    0xc09d "TLS_RSA_WITH_AES_256_CCM" Ccm(32, 16), 256;
    0xc09e "TLS_DHE_RSA_WITH_AES_128_CCM" Ccm(16, 16), 256;
    0xc09f "TLS_DHE_RSA_WITH_AES_256_CCM" Ccm(32, 16), 256;
    0xc0a0 "TLS_RSA_WITH_AES_128_CCM_8" Ccm(16, 8), 256;
    0xc0a1 "TLS_RSA_WITH_AES_256_CCM_8" Ccm(32, 8), 256;
    0xc0a2 "TLS_DHE_RSA_WITH_AES_128_CCM_8" Ccm(16, 8), 256;
    0xc0a3 "TLS_DHE_RSA_WITH_AES_256_CCM_8" Ccm(32, 8), 256;
    0xc0a4 "TLS_PSK_WITH_AES_128_CCM" Ccm(16, 16), 256;
    0xc0a5 "TLS_PSK_WITH_AES_256_CCM" Ccm(32, 16), 256;
    0xc0a8 "TLS_PSK_WITH_AES_128_CCM_8" Ccm(16, 8), 256;
    0xc0a9 "TLS_PSK_WITH_AES_256_CCM_8" Ccm(32, 8), 256;
    0xc0ac "TLS_ECDHE_ECDSA_WITH_AES_128_CCM" Ccm(16, 16), 256;
    0xc0ad "TLS_ECDHE_ECDSA_WITH_AES_256_CCM" Ccm(32, 16), 256;
    0xc0ae "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8" Ccm(16, 8), 256;
    0xc0af "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8" Ccm(32, 8), 256;
    0xcca8 "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" ChaCha, 256;
    0xcca9 "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" ChaCha, 256;
    0xccaa "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256" ChaCha, 256;
    0xccab "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256" ChaCha, 256;
    0xccac "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256" ChaCha, 256;
    0xccad "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256" ChaCha, 256;
};

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
        assert!(is_grease(0x4a4a) && !is_grease(0x4a5a));
    }
}
