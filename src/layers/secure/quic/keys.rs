//! Packet protection (RFC 9001 section 5, RFC 9369 section 3.3): keys from secrets, header protection
//! and the three AEADs.

use super::hkdf::{Hash, expand_label};
use ccm::aead::AeadInOut;
use ccm::consts::{U12, U16};
use ring::aead::quic::{self, HeaderProtectionKey};
use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};

/// A QUIC version whose packets can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// RFC 9000 and the drafts that share its labels.
    V1(u32),
    /// RFC 9369.
    V2,
}

const V2: u32 = 0x6b33_43cf;
/// Draft 27 under the number that mvfst gave it.
const MVFST_27: u32 = 0xface_b002;

impl Version {
    pub fn read(code: u32) -> Option<Self> {
        match code {
            1 | 0xff00_0017..=0xff00_0022 | MVFST_27 => Some(Version::V1(code)),
            V2 => Some(Version::V2),
            _ => None,
        }
    }

    pub fn code(self) -> u32 {
        match self {
            Version::V1(code) => code,
            Version::V2 => V2,
        }
    }

    pub fn name(self) -> String {
        match self {
            Version::V1(1) => "QUIC v1".into(),
            Version::V1(MVFST_27) => "QUIC draft-27 (mvfst)".into(),
            Version::V1(code) => format!("QUIC draft-{}", code & 0xff),
            Version::V2 => "QUIC v2".into(),
        }
    }

    fn salt(self) -> [u8; 20] {
        match self {
            Version::V2 => [
                0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d,
                0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
            ],
            Version::V1(0xff00_0017..=0xff00_001c | MVFST_27) => [
                0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63,
                0x65, 0xbe, 0xf9, 0xf5, 0x02,
            ],
            Version::V1(0xff00_001d..=0xff00_0020) => [
                0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11,
                0xe0, 0x43, 0x90, 0xa8, 0x99,
            ],
            Version::V1(_) => [
                0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c,
                0xad, 0xcc, 0xbb, 0x7f, 0x0a,
            ],
        }
    }

    fn label(self, purpose: Purpose) -> &'static str {
        match (self, purpose) {
            (Version::V1(_), Purpose::Key) => "quic key",
            (Version::V1(_), Purpose::Iv) => "quic iv",
            (Version::V1(_), Purpose::Header) => "quic hp",
            (Version::V1(_), Purpose::Update) => "quic ku",
            (Version::V2, Purpose::Key) => "quicv2 key",
            (Version::V2, Purpose::Iv) => "quicv2 iv",
            (Version::V2, Purpose::Header) => "quicv2 hp",
            (Version::V2, Purpose::Update) => "quicv2 ku",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Purpose {
    Key,
    Iv,
    Header,
    Update,
}

/// Cipher suites of TLS 1.3 that QUIC uses (RFC 9001 section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suite {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20,
    Aes128Ccm,
}

impl Suite {
    pub fn read(code: u16) -> Option<Self> {
        Some(match code {
            0x1301 => Suite::Aes128Gcm,
            0x1302 => Suite::Aes256Gcm,
            0x1303 => Suite::ChaCha20,
            0x1304 => Suite::Aes128Ccm,
            _ => return None,
        })
    }

    pub fn code(self) -> u16 {
        match self {
            Suite::Aes128Gcm => 0x1301,
            Suite::Aes256Gcm => 0x1302,
            Suite::ChaCha20 => 0x1303,
            Suite::Aes128Ccm => 0x1304,
        }
    }

    /// Suites whose hash has that length, for sessions whose ServerHello is missing.
    pub fn of_length(secret: usize) -> &'static [Suite] {
        match secret {
            48 => &[Suite::Aes256Gcm],
            32 => &[Suite::Aes128Gcm, Suite::ChaCha20, Suite::Aes128Ccm],
            _ => &[],
        }
    }

    fn hash(self) -> Hash {
        match self {
            Suite::Aes256Gcm => Hash::Sha384,
            Suite::Aes128Gcm | Suite::ChaCha20 | Suite::Aes128Ccm => Hash::Sha256,
        }
    }

    fn key_length(self) -> usize {
        match self {
            Suite::Aes128Gcm | Suite::Aes128Ccm => 16,
            Suite::Aes256Gcm | Suite::ChaCha20 => 32,
        }
    }
}

enum Aead {
    Ring(LessSafeKey),
    Ccm(ccm::Ccm<aes::Aes128, U16, U12>),
}

/// Keys of one direction and one generation.
pub(super) struct Keys {
    version: Version,
    suite: Suite,
    secret: Vec<u8>,
    aead: Aead,
    iv: [u8; 12],
    header: HeaderProtectionKey,
}

/// A packet's header after its protection is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unmasked {
    /// First byte in clear.
    pub first: u8,
    /// Bytes of the packet number.
    pub length: usize,
    /// The packet number as sent, cut short.
    pub short: u64,
}

impl Keys {
    pub fn new(version: Version, suite: Suite, secret: &[u8]) -> Option<Self> {
        let hp = expand_label(suite.hash(), secret, version.label(Purpose::Header), suite.key_length());
        let algorithm = match suite {
            Suite::Aes128Gcm | Suite::Aes128Ccm => &quic::AES_128,
            Suite::Aes256Gcm => &quic::AES_256,
            Suite::ChaCha20 => &quic::CHACHA20,
        };
        Self::with_header(version, suite, secret, HeaderProtectionKey::new(algorithm, &hp).ok()?)
    }

    fn with_header(
        version: Version,
        suite: Suite,
        secret: &[u8],
        header: HeaderProtectionKey,
    ) -> Option<Self> {
        let key = expand_label(suite.hash(), secret, version.label(Purpose::Key), suite.key_length());
        let iv = expand_label(suite.hash(), secret, version.label(Purpose::Iv), 12).try_into().ok()?;
        let ring = |algorithm| Some(Aead::Ring(LessSafeKey::new(UnboundKey::new(algorithm, &key).ok()?)));
        let aead = match suite {
            Suite::Aes128Gcm => ring(&aead::AES_128_GCM)?,
            Suite::Aes256Gcm => ring(&aead::AES_256_GCM)?,
            Suite::ChaCha20 => ring(&aead::CHACHA20_POLY1305)?,
            Suite::Aes128Ccm => Aead::Ccm(aes::cipher::KeyInit::new_from_slice(&key).ok()?),
        };
        Some(Self { version, suite, secret: secret.to_vec(), aead, iv, header })
    }

    /// Initial keys of client and server (RFC 9001 section 5.2).
    pub fn initial(version: Version, dcid: &[u8]) -> Option<(Self, Self)> {
        let initial = Hash::Sha256.mac(&version.salt(), dcid);
        let side = |label| {
            let secret = expand_label(Hash::Sha256, &initial, label, 32);
            Self::new(version, Suite::Aes128Gcm, &secret)
        };
        Some((side("client in")?, side("server in")?))
    }

    /// A second copy.
    pub fn again(&self) -> Option<Self> {
        Self::new(self.version, self.suite, &self.secret)
    }

    /// The next generation of 1-RTT keys; header protection stays (RFC 9001 section 6.1).
    pub fn updated(&self) -> Option<Self> {
        let label = self.version.label(Purpose::Update);
        let secret = expand_label(self.suite.hash(), &self.secret, label, self.secret.len());
        let hp = expand_label(
            self.suite.hash(),
            &self.secret,
            self.version.label(Purpose::Header),
            self.suite.key_length(),
        );
        // The key made here is never used: packets are unmasked with the first generation's.
        let header = HeaderProtectionKey::new(self.header.algorithm(), &hp).ok()?;
        Self::with_header(self.version, self.suite, &secret, header)
    }

    /// Takes header protection off (RFC 9001 section 5.4). `at` is where the packet number starts.
    pub fn unmask(&self, packet: &[u8], at: usize) -> Option<Unmasked> {
        let sample = packet.get(at.checked_add(4)?..)?.get(..16)?;
        let mask = self.header.new_mask(sample).ok()?;
        let first = *packet.first()?;
        let bits = if first & 0x80 != 0 { 0x0f } else { 0x1f };
        let first = first ^ (mask[0] & bits);
        let length = usize::from(first & 3) + 1;
        let number = packet.get(at..at + length)?;
        let short = number.iter().zip(&mask[1..]).fold(0, |n, (b, m)| n << 8 | u64::from(b ^ m));
        Some(Unmasked { first, length, short })
    }

    /// Opens the payload of a packet whose header is `unmasked` and whose whole number is `number`.
    pub fn open(&self, packet: &[u8], at: usize, unmasked: Unmasked, number: u64) -> Option<Vec<u8>> {
        let body = at.checked_add(unmasked.length)?;
        let mut head = packet.get(..body)?.to_vec();
        *head.first_mut()? = unmasked.first;
        let short = unmasked.short.to_be_bytes();
        head.get_mut(at..)?.copy_from_slice(short.get(8 - unmasked.length..)?);
        let mut nonce = self.iv;
        nonce[4..].iter_mut().zip(number.to_be_bytes()).for_each(|(n, b)| *n ^= b);
        let mut text = packet.get(body..)?.to_vec();
        let plain = text.len().checked_sub(16)?;
        match &self.aead {
            Aead::Ring(key) => {
                key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(head), &mut text).ok()?;
            }
            Aead::Ccm(key) => {
                let (text, tag) = text.split_at_mut_checked(plain)?;
                key.decrypt_inout_detached(&nonce.into(), &head, text.into(), (&*tag).try_into().ok()?)
                    .ok()?;
            }
        }
        text.truncate(plain);
        Some(text)
    }
}

/// The whole packet number (RFC 9000 appendix A.3). `expected` is one more than the largest so far.
pub(super) fn whole_number(expected: u64, short: u64, length: usize) -> u64 {
    let window = 1u64 << (8 * length.clamp(1, 4));
    let candidate = (expected & !(window - 1)) | short;
    if candidate.saturating_add(window / 2) <= expected && candidate < (1 << 62) - window {
        return candidate + window;
    }
    if candidate > expected.saturating_add(window / 2) && candidate >= window {
        return candidate - window;
    }
    candidate
}
