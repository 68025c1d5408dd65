//! Secure RTP (RFC 3711, RFC 6188, RFC 7714): which keys fit packets, and what is in them. The packets'
//! authentication decides; nothing is shown that it does not bear out.

mod control;
mod packet;
mod receiver;
mod session;

pub use packet::Packet;
pub use receiver::Receiver;
pub use session::Session;

/// How packets of a stream are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// AES in counter mode with a key of that many bytes, HMAC-SHA1 cut to that many.
    Counter(usize, usize),
    /// AES-GCM with a key of that many bytes and a tag of 16.
    Gcm(usize),
}

impl Profile {
    /// By its code in DTLS (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
    pub fn of_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::Counter(16, 10),
            2 => Self::Counter(16, 4),
            7 => Self::Gcm(16),
            8 => Self::Gcm(32),
            _ => return None,
        })
    }

    /// By its name in SDP (RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2).
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "AES_CM_128_HMAC_SHA1_80" => Self::Counter(16, 10),
            "AES_CM_128_HMAC_SHA1_32" => Self::Counter(16, 4),
            "AES_192_CM_HMAC_SHA1_80" => Self::Counter(24, 10),
            "AES_192_CM_HMAC_SHA1_32" => Self::Counter(24, 4),
            "AES_256_CM_HMAC_SHA1_80" => Self::Counter(32, 10),
            "AES_256_CM_HMAC_SHA1_32" => Self::Counter(32, 4),
            "AEAD_AES_128_GCM" => Self::Gcm(16),
            "AEAD_AES_256_GCM" => Self::Gcm(32),
            _ => return None,
        })
    }

    /// The name in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter(16, 4) => "AES_CM_128_HMAC_SHA1_32",
            Self::Counter(16, _) => "AES_CM_128_HMAC_SHA1_80",
            Self::Counter(24, 4) => "AES_192_CM_HMAC_SHA1_32",
            Self::Counter(24, _) => "AES_192_CM_HMAC_SHA1_80",
            Self::Counter(_, 4) => "AES_256_CM_HMAC_SHA1_32",
            Self::Counter(..) => "AES_256_CM_HMAC_SHA1_80",
            Self::Gcm(16) => "AEAD_AES_128_GCM",
            Self::Gcm(_) => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of master key and master salt.
    pub fn sizes(self) -> (usize, usize) {
        match self {
            Self::Counter(key, _) => (key, 14),
            Self::Gcm(key) => (key, 12),
        }
    }

    /// Bytes of the authentication tag.
    pub fn tag(self) -> usize {
        match self {
            Self::Counter(_, tag) => tag,
            Self::Gcm(_) => 16,
        }
    }
}
