//! Leaves the keys of SRTP, which DTLS agrees on, to the media of the same two hosts (RFC 5764).

use super::super::hello::leaf_certificate;
use super::super::hkdf::{Hash, Prefix, expand_label_of};
use super::super::schedule::{prf10, prf12};
use super::Dtls;
use crate::keys::Label;
use crate::peel::Out;
use sha2::{Digest, Sha256, Sha384};

/// Topic under which media finds its keys. A value is where the keys come from (`d` for DTLS), the
/// protection profile (RFC 5764 section 4.1.2), and the keys and salts of both ends, if they are known.
const TOPIC: &str = "srtp";
/// Sessions between two hosts whose keys are kept: several media, and those made anew.
const SESSIONS: u8 = 16;
const LABEL: &str = "EXTRACTOR-dtls_srtp";

impl Dtls {
    /// Once it is agreed that media follows, its keys are left for it.
    pub(super) fn export(&mut self, out: &mut Out<'_, '_>) {
        let Some(server) = self.tls.server.as_ref().filter(|_| !self.exported) else { return };
        let Some(profile) = server.srtp.or(self.srtp) else { return };
        self.exported = true;
        out.fact("dtls.srtp_profile", profile_name(profile));
        let keys = sizes(profile).and_then(|(key, salt)| self.material(2 * (key + salt), out));
        let mut value = vec![b'd'];
        value.extend(profile.to_be_bytes());
        value.extend(keys.unwrap_or_default());
        // The place after the newest; the oldest is overwritten.
        let places = 0..SESSIONS;
        let place = places.into_iter().find(|n| out.recall(TOPIC, &[*n]).is_none()).unwrap_or(SESSIONS - 1);
        out.remember(TOPIC, &[place], value);
    }

    /// Whether a certificate is one whose fingerprint stands in signalling between the same hosts (RFC 8122
    /// section 5); nothing is said where no signalling was seen.
    pub(super) fn compare_fingerprint(&self, body: &[u8], out: &mut Out<'_, '_>) {
        let Some(der) = leaf_certificate(body, self.tls.is_13()) else { return };
        let digests = [Sha256::digest(der).to_vec(), Sha384::digest(der).to_vec(), sha1(der)];
        let signalled = digests.iter().any(|d| out.recall("sdp.fingerprint", d).is_some());
        // Before both ends have spoken the right fingerprint may still come.
        let both = [&b"client"[..], b"server"].iter().all(|s| out.recall("sdp.fingerprint", s).is_some());
        match (signalled, both) {
            (true, _) => out.fact("dtls.fingerprint", "as signalled"),
            (false, true) => out.fact("dtls.fingerprint", "other than signalled"),
            (false, false) => {}
        }
    }

    /// Keying material of the exporter (RFC 5705 section 4, RFC 8446 section 7.5).
    fn material(&self, length: usize, out: &Out<'_, '_>) -> Option<Vec<u8>> {
        let (client, server) = (self.tls.client.as_ref()?, self.tls.server.as_ref()?);
        let hash = self.tls.suite()?.hash;
        if server.version >= 0x0304 {
            let secret = out.keys().secret(&client.random, Label::Exporter)?;
            return Some(exporter13(hash, secret, length));
        }
        let master = self.tls.masters(out).into_iter().next()?.secret;
        let seed = [client.random, server.random].concat();
        Some(match server.version {
            0x0303 => prf12(hash, &master, LABEL, &seed, length),
            _ => prf10(&master, LABEL, &seed, length),
        })
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

fn exporter13(hash: Hash, secret: &[u8], length: usize) -> Vec<u8> {
    let nothing = hash.digest(b"");
    let derived = expand_label_of(Prefix::Dtls, hash, secret, LABEL, &nothing, hash.len());
    expand_label_of(Prefix::Dtls, hash, &derived, "exporter", &nothing, length)
}

/// Bytes of master key and salt (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
fn sizes(profile: u16) -> Option<(usize, usize)> {
    match profile {
        1 | 2 => Some((16, 14)),
        7 => Some((16, 12)),
        8 => Some((32, 12)),
        _ => None,
    }
}

fn profile_name(profile: u16) -> String {
    let name = match profile {
        1 => "SRTP_AES128_CM_HMAC_SHA1_80",
        2 => "SRTP_AES128_CM_HMAC_SHA1_32",
        5 => "SRTP_NULL_HMAC_SHA1_80",
        6 => "SRTP_NULL_HMAC_SHA1_32",
        7 => "SRTP_AEAD_AES_128_GCM",
        8 => "SRTP_AEAD_AES_256_GCM",
        _ => return format!("0x{profile:04x}"),
    };
    name.to_owned()
}
