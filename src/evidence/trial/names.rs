//! What a field's name says of its value: a key or a password, something that is known to be neither, or
//! nothing. A name decides in which order values are tried and never whether an opening counts.

use serde::{Deserialize, Serialize};

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Named {
    /// A key, a secret, a password.
    Secret,
    /// Nothing that helps.
    #[default]
    Nothing,
    /// A public key, a signature, a digest, a nonce, an identifier, a token of access.
    Other,
}

/// Parts of names that stand for something only its owner may know, whatever else the name says.
const SECRETS: [&str; 14] = [
    "secret",
    "private",
    "privkey",
    "passw",
    "passphrase",
    "passcode",
    "kennwort",
    "psk",
    "seed",
    "mnemonic",
    "decrypt",
    "symmetric",
    "aeskey",
    "masterkey",
];

/// Parts of names that stand for something else than a symmetric key.
const OTHERS: [&str; 34] = [
    "public",
    "pubkey",
    "signature",
    "signed",
    "signing",
    "fingerprint",
    "thumbprint",
    "digest",
    "checksum",
    "hash",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "etag",
    "nonmatch",
    "nonce",
    "token",
    "cookie",
    "authorization",
    "uuid",
    "guid",
    "identity",
    "prekey",
    "ephemeral",
    "curve25519",
    "ed25519",
    "x25519",
    "apikey",
    "websocket",
    "idempotency",
    "statekey",
    "senderkey",
    "traceparent",
];

/// Words that are a whole name, or one word of it, and stand for something else.
const OTHER_WORDS: [&str; 28] = [
    "id", "ids", "kid", "keyid", "iv", "salt", "mac", "hmac", "tag", "sig", "ver", "version", "pk", "epk",
    "node", "cursor", "cid", "sid", "uid", "rid", "jid", "crc", "ref", "since", "from", "date", "boundary",
    "csrf",
];

/// Names of maps whose values are public keys, signatures or digests, whatever stands below.
const MAPS: [&str; 9] = [
    "signatures",
    "device_keys",
    "one_time_keys",
    "fallback_keys",
    "hashes",
    "master_keys",
    "self_signing_keys",
    "user_signing_keys",
    "prekeys",
];

/// Words that are a whole name, or one word of it, and stand for a key.
const KEY_WORDS: [&str; 8] = ["k", "sk", "cek", "dek", "kek", "fragment", "inline", "ratchet"];

/// Names that say how a value is written and leave what it is to the name above.
const FORMS: [&str; 9] = ["value", "data", "bytes", "raw", "hex", "base64", "b64", "text", "(whole)"];

/// Components of a path that are looked at.
const DEEPEST: usize = 16;

impl Named {
    /// What a field path says of its value (`$.device_keys.X.signatures.Y`, `header.etag`, `message.@id`).
    pub fn of(path: &str) -> Named {
        let mut above =
            path.rsplit(['.', '>', '/']).filter(|c| !c.trim_matches('$').is_empty()).take(DEEPEST);
        let mut first = Named::Nothing;
        for component in above.by_ref() {
            let name = component.split('[').next().unwrap_or("").trim_start_matches('@').to_ascii_lowercase();
            if name.is_empty() || FORMS.contains(&name.as_str()) {
                continue;
            }
            first = word(&name);
            if is_private(&name) {
                return Named::Secret;
            }
            if MAPS.contains(&name.as_str()) {
                return Named::Other;
            }
            break;
        }
        // A map of public keys holds them however they are called there.
        let in_map = |c: &str| MAPS.iter().any(|m| c.eq_ignore_ascii_case(m));
        if above.any(in_map) { Named::Other } else { first }
    }
}

/// The name as one run of letters and digits: nested fields have lost their capitals.
fn run(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn is_private(name: &str) -> bool {
    let run = run(name);
    SECRETS.iter().any(|s| run.contains(s))
}

/// What one name in small letters says.
pub fn word(name: &str) -> Named {
    if is_private(name) {
        return Named::Secret;
    }
    let run = run(name);
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    if OTHERS.iter().any(|s| run.contains(s)) || words().any(|w| OTHER_WORDS.contains(&w)) {
        return Named::Other;
    }
    // `sessionId` without its capital.
    let ends = |ends: &str| run.len() > ends.len() + 2 && run.ends_with(ends);
    if ["keyid", "sessionid", "userid", "deviceid", "messageid", "requestid", "clientid"]
        .iter()
        .any(|e| ends(e))
    {
        return Named::Other;
    }
    let is_key = run.ends_with("key") || run.ends_with("keys") || words().any(|w| KEY_WORDS.contains(&w));
    if is_key { Named::Secret } else { Named::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_go_before_names_that_say_nothing_and_those_before_names_of_other_things() {
        let secret = [
            "$.file.key.k",
            "$.key",
            "$.keys[3]",
            "header.x-encryption-key",
            "json>$.mediakey",
            "query.psk",
            "$.device_keys.ABC.private_key",
            "$.seed.base64",
            "message.content_key.value",
            "$.masterSecret",
        ];
        let nothing = ["$.body", "", "(whole)", "$.x[7]", "message.body", "1.4.2"];
        let other = [
            "$.device_keys.@alice:lab.test.CGRL.keys.curve25519:CGRL",
            "$.one_time_keys.signed_curve25519:AAAA.key",
            "$.signatures.@alice:lab.test.ed25519:CGRL",
            "$.rooms.join.!x.timeline.events[3].content.session_id",
            "$.content.sender_key",
            "header.etag",
            "header.sec-websocket-key",
            "message.@id",
            "$.access_token",
            "$.publicKey",
            "$.identitykey",
            "$.hashes.sha256",
            "$.kid",
            "$.iv",
        ];
        for (paths, named) in
            [(&secret[..], Named::Secret), (&nothing, Named::Nothing), (&other, Named::Other)]
        {
            for path in paths {
                assert_eq!(Named::of(path), named, "{path}");
            }
        }
    }
}
