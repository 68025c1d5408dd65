//! The keys that key agreements and signalling between the same two hosts left for media.

use crate::keys::srtp::{Profile, Session};
use crate::peel::{Guard, Out};

/// Places for keys that DTLS and ZRTP left, and for those of SDP.
const AGREED: u8 = 16;
const SIGNALLED: u8 = 32;

/// Who agreed on keys that stand in SDP (RFC 4568).
pub(super) const SIGNALLING: &str = "SDES";

/// A key that may be that of some packets.
pub(super) struct Candidate {
    pub session: Session,
    /// Who agreed on it.
    pub agreed: &'static str,
    /// How the signalling that holds it was guarded: whoever read that has the key. `None` where the ends agreed on
    /// it without showing it, so that packets do not tell who else reads what it opens.
    pub shown: Option<Guard>,
}

/// Who agreed on the keys of SRTP, as far as the ends showed it.
pub(super) fn agreement(code: u8) -> &'static str {
    match code {
        b'd' => "DTLS",
        b'z' => "ZRTP",
        b's' => SIGNALLING,
        _ => "unknown",
    }
}

/// Who agreed on keys that are not at hand, if anybody did.
pub(super) fn keyed_by(out: &Out<'_, '_>) -> Option<&'static str> {
    if let Some(value) = out.recall("srtp", &[0]) {
        return Some(value.first().map_or("unknown", |o| agreement(*o)));
    }
    let signalled = out.recall("sdp.keying", b"").and_then(|v| v.first().copied());
    signalled.filter(|how| *how != b'-').map(agreement)
}

/// All of them, both ends'.
pub(super) fn candidates(out: &Out<'_, '_>) -> Vec<Candidate> {
    let mut all = Vec::new();
    for value in (0..AGREED).map_while(|n| out.recall("srtp", &[n])) {
        all.extend(agreed(&value).into_iter().flatten());
    }
    all.extend((0..SIGNALLED).map_while(|n| out.recall("sdes", &[n])).filter_map(|v| signalled(&v)));
    all
}

/// The keys of both ends as DTLS leaves them: who agreed, the profile, two keys, two salts.
fn agreed(value: &[u8]) -> Option<[Candidate; 2]> {
    let ([origin, high, low], keys) = value.split_first_chunk::<3>()?;
    let profile = Profile::of_code(u16::from_be_bytes([*high, *low]))?;
    let (key, salt) = profile.sizes();
    if keys.len() != 2 * (key + salt) {
        return None;
    }
    let end = |end: usize| {
        let key_of = keys.get(end * key..(end + 1) * key)?;
        let salt_of = keys.get(2 * key + end * salt..2 * key + (end + 1) * salt)?;
        let session = Session::new(profile, key_of, salt_of)?;
        Some(Candidate { session, agreed: agreement(*origin), shown: None })
    };
    Some([end(0)?, end(1)?])
}

/// A key as SDP leaves it.
fn signalled(value: &[u8]) -> Option<Candidate> {
    let ([guard, length], rest) = value.split_first_chunk::<2>()?;
    let (suite, keys) = rest.split_at_checked(usize::from(*length))?;
    let profile = Profile::of_name(std::str::from_utf8(suite).ok()?)?;
    let (key, salt) = keys.split_at_checked(profile.sizes().0)?;
    let guard = if *guard == 0 { Guard::Open } else { Guard::Confidential };
    Some(Candidate { session: Session::new(profile, key, salt)?, agreed: SIGNALLING, shown: Some(guard) })
}
