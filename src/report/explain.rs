//! What the words of a report mean: findings, verdicts and grades, each with how to check and mend it.

/// One word explained.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// The id as it stands in reports.
    pub id: &'static str,
    /// The same as a phrase.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// How to check it with other means.
    pub check: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// The explanation of an id.
pub fn find(id: &str) -> Option<&'static Explanation> {
    ALL.iter().find(|e| e.id == id)
}

/// The title of an id, or the id itself.
pub fn title(id: &str) -> &str {
    find(id).map_or(id, |e| e.title)
}

const fn word(
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    check: &'static str,
    fix: &'static str,
) -> Explanation {
    Explanation { id, title, meaning, check, fix }
}

const FRAMES: &str =
    "Open the frames named in the evidence in Wireshark with the filter given, and read the field.";
const FRAMES_KEYS: &str =
    "Open the frames in Wireshark with the same key log and the filter given, and read the decrypted field.";
const SEAL: &str =
    "Encrypt message content on the sender's device for the receivers' keys, before any other layer.";

/// Every word that has an explanation, findings first.
pub static ALL: &[Explanation] = &[
    word(
        "plaintext-message",
        "A message can be read by anyone on the path",
        "Message text crossed the network without encryption, or under an encoding that needs no secret to undo.",
        FRAMES,
        "Send messages over TLS at least, and encrypt them end to end.",
    ),
    word(
        "provider-readable-message",
        "The service can read a message",
        "The text is protected on the path, but reaches the service in a form it reads.",
        FRAMES_KEYS,
        SEAL,
    ),
    word(
        "plaintext-call",
        "A call can be heard by anyone on the path",
        "Sound or pictures of a call crossed the network in a codec that anybody can play, without encryption.",
        "Open the frames in Wireshark and play the stream with Telephony, RTP, RTP Player.",
        "Send media as SRTP, with keys that the ends agree on among themselves (DTLS-SRTP or ZRTP).",
    ),
    word(
        "provider-readable-call",
        "The service can hear a call",
        "The media of a call is protected on the path, but reaches a relay of the service without encryption.",
        FRAMES_KEYS,
        "Send media as SRTP between the ends, inside whatever connection carries it.",
    ),
    word(
        "weak-obfuscation",
        "A message is hidden by something that is not encryption",
        "The bytes look scrambled, but a trivial transformation such as a short repeating XOR key undoes them.",
        "Undo the transformation named in the evidence on the bytes of the field.",
        "Replace the obfuscation by authenticated encryption with keys that only the ends hold.",
    ),
    word(
        "encoded-not-encrypted",
        "A message is encoded, not encrypted",
        "Encodings and compression change how text looks and protect nothing.",
        "Decode the field with the chain of encodings named in the evidence.",
        SEAL,
    ),
    word(
        "repeated-ciphertext",
        "Equal messages give equal ciphertext",
        "Encryption without a fresh nonce shows which messages or blocks are the same.",
        "Compare the bytes of the fields named in the evidence.",
        "Use an authenticated cipher with a fresh nonce for every message.",
    ),
    word(
        "keystream-reuse",
        "Two messages share a keystream",
        "The XOR of two ciphertexts is the XOR of their texts; either reveals the other.",
        "XOR the two fields named in the evidence.",
        "Never use a key with the same nonce or counter twice.",
    ),
    word(
        "static-ratchet",
        "A ratchet stands still",
        "Messages go both ways and neither side's ratchet key changes, so an old key opens all of them, and the protocol is not the one it looks like.",
        "Compare the ratchet keys of the messages named in the evidence.",
        "Answer every new ratchet key with a new one, as the protocol says.",
    ),
    word(
        "repeated-message-key",
        "Two messages share a message key",
        "Different ciphertexts stand under one ratchet key and counter: one key was used twice.",
        "Compare ratchet key and counter of the frames named in the evidence.",
        "Never seal twice at the same place of a chain; save the state before sending.",
    ),
    word(
        "weak-key-transport",
        "Message keys are wrapped with RSA PKCS #1 v1.5",
        "A receiver that tells good padding from bad lets an attacker unwrap the key by asking often.",
        FRAMES_KEYS,
        "Use RSA-OAEP or an agreement on elliptic curves.",
    ),
    word(
        "export-cipher",
        "An export cipher protects the connection",
        "Its keys were made short on purpose and are searched through in hours.",
        "Read the cipher suite in the ServerHello.",
        "Switch export suites off at both ends.",
    ),
    word(
        "static-nonce",
        "A nonce comes again",
        "A nonce that repeats under one key breaks most ciphers.",
        "Compare the nonces of the messages named in the evidence.",
        "Draw or count a fresh nonce for every message.",
    ),
    word(
        "key-visible-to-network",
        "A key can be seen by anyone on the path",
        "A secret key crossed the network readably; what it encrypts counts as readable.",
        FRAMES,
        "Never send secret keys; agree on them, or wrap them for the receiver's public key.",
    ),
    word(
        "key-visible-to-provider",
        "A key can be seen by the service",
        "The service receives the key of content it carries, so it can open that content.",
        FRAMES_KEYS,
        "Keep keys on the devices, or wrap them for the receiver's public key.",
    ),
    word(
        "content-copy",
        "A copy of the message travels on a side path",
        "The same text, or readable text beside sealed messages, goes to another place: notification, analytics, preview, draft.",
        FRAMES_KEYS,
        "Remove the text from side channels, or seal it there as well.",
    ),
    word(
        "broken-envelope",
        "An envelope has the form of encryption and does not seal",
        "The structure claims end-to-end encryption, but a field in it shows that the content is not protected.",
        FRAMES_KEYS,
        "Refuse to send when encryption fails; never fall back to clear content.",
    ),
    word(
        "credentials-in-clear",
        "A password or token can be read by anyone on the path",
        "Something that opens an account crossed the network unprotected: whoever saw it can read and send in the user's name.",
        FRAMES,
        "Put the protocol inside TLS, and change the password.",
    ),
    word(
        "metadata-in-clear",
        "Metadata can be read by anyone on the path",
        "Names, identifiers or other data about messages cross the network unprotected.",
        FRAMES,
        "Put the protocol inside TLS.",
    ),
    word(
        "weak-transport",
        "The transport protection is weak",
        "The version, cipher suite or certificate of the connection is below what is safe today.",
        "Look at the handshake in Wireshark: version, suite, certificate.",
        "Offer TLS 1.2 with forward secrecy and TLS 1.3 only.",
    ),
    word(
        "null-cipher",
        "The connection is not encrypted at all",
        "The handshake agreed on a suite that authenticates and does not encrypt.",
        "Look at the cipher suite in the ServerHello, and at the records after it.",
        "Take suites without encryption out of client and server.",
    ),
    word(
        "anonymous-key-exchange",
        "Nobody proved who the server is",
        "The key exchange has no certificate and no signature, so whoever is on the path can be the other end.",
        "Look at the cipher suite in the ServerHello.",
        "Use suites with a certificate or a key that was agreed on before.",
    ),
    word(
        "weak-cipher",
        "Messages are under a cipher that is broken or too small",
        "The cipher has blocks of 64 bits, repeats equal blocks, or is known to be broken.",
        "Look at the format that the evidence names.",
        "Use AES-GCM or ChaCha20-Poly1305.",
    ),
    word(
        "unauthenticated-encryption",
        "Ciphertext can be changed without notice",
        "The content is encrypted without a tag or MAC, so whoever carries it can alter it, and padding may tell the text.",
        "Change a byte of the ciphertext and see whether the receiver refuses it.",
        "Use an authenticated cipher.",
    ),
    word(
        "no-forward-secrecy",
        "A stolen server key opens old sessions",
        "The key exchange has no ephemeral part.",
        "Look at the cipher suite in the ServerHello.",
        "Use (EC)DHE suites or TLS 1.3.",
    ),
    word(
        "expired-certificate",
        "The certificate had expired",
        "At capture time the server's certificate was outside its validity, and the client went on.",
        "Compare its dates with the time of the frame.",
        "Renew the certificate and make the client refuse expired ones.",
    ),
    word(
        "self-signed-certificate",
        "The certificate is signed by nobody but itself",
        "A client that accepts any such certificate can be intercepted.",
        "Compare issuer and subject of the certificate.",
        "Use a certificate of a trusted authority, or pin the key.",
    ),
    word(
        "contact-upload",
        "Contacts are uploaded",
        "The service receives data from the address book.",
        FRAMES_KEYS,
        "Ask first, and use private contact discovery.",
    ),
    word(
        "stable-identifier",
        "An identifier stays the same across sessions",
        "Whoever sees it can link a person's sessions.",
        FRAMES_KEYS,
        "Rotate identifiers, and keep them inside encryption.",
    ),
    word(
        "link-preview-leak",
        "A link in a message was fetched",
        "Somebody asked for the address inside a private message, and so learned it.",
        "Look for the request to the linked host.",
        "Build previews on the sender's device only.",
    ),
    word(
        "content-hash",
        "A hash stands beside every sealed message",
        "Whoever gets the hash of a text can tell whether a text that he suspects was sent. Nobody can see what the hash is of: that of the ciphertext tells nothing.",
        "Hash the texts sent, in every usual way, and compare.",
        "Send no hash of the content, or put it inside the encryption.",
    ),
    word(
        "length-leak",
        "Sizes tell the length of messages",
        "Ciphertext grows with the text, without padding.",
        "Plot size against the length of the texts sent.",
        "Pad messages to a few sizes.",
    ),
    word(
        "hop-reencryption",
        "Messages are opened and sealed again on the way",
        "What one end seals never reaches the other, while other messages of like sizes arrive at the same times. Whoever changes the bytes reads the text.",
        "Compare the digests of what was sent and of what arrived, in both recordings.",
        "Encrypt for the receivers' keys, and let the service pass the bytes on untouched.",
    ),
    word(
        "identity-key-mismatch",
        "One end was given another identity key than the other published",
        "Whoever swaps the key can open what is sealed for it. A device that was set up anew in between looks the same.",
        "Compare the safety numbers on both phones, and the key fields in both recordings.",
        "Let clients warn of changed keys, and publish keys where they can be audited.",
    ),
    word(
        "failed-check",
        "A check outside the recording failed",
        "The plan records that a safety number differs, that a fresh phone shows old messages, or that a bait link was fetched. Somebody beside the ends may hold keys or text.",
        "Repeat the check.",
        "Find out who holds keys of the account, and where backups are kept.",
    ),
    word(
        "altered-report",
        "A saved verdict does not follow from the saved evidence",
        "The report was judged again by the evidence in it, and something else came out: somebody changed the file, or another version of plainsight wrote it. Evidence that was changed along with its verdict does not show this way.",
        "Audit the recordings again; their SHA-256 stands in the report.",
        "Keep reports where nobody can change them, or sign them.",
    ),
    word(
        "ghost-recipient",
        "A message is sealed for a device that no device list in the recording names",
        "The lists of devices that the service gave out while it was recorded do not name one of the message's recipients. It may be a device that was added or listed before the recording began, or somebody who reads along.",
        "Compare the recipients of the message with the device lists in the frames named.",
        "Show users every device that their messages are sealed for, and bind device lists to identity keys.",
    ),
    word(
        "plaintext",
        "Anyone on the path can read messages",
        "Content was readable without any secret. One clean proof is enough for this verdict.",
        FRAMES,
        SEAL,
    ),
    word(
        "transport-only",
        "The path is protected, the service can read messages",
        "Content is encrypted on the way to the service and readable there.",
        FRAMES_KEYS,
        SEAL,
    ),
    word(
        "e2ee",
        "Content is in end-to-end form, as far as the grade says",
        "At G2 messages are E2EE-shaped: they travel in known envelopes. Each higher grade excludes more. A recording can refute end-to-end encryption and can never prove it.",
        "Read what the grade does not rule out.",
        "Raise the grade: planted texts with a control, two vantages, out-of-band checks.",
    ),
    word(
        "undetermined",
        "The recording cannot tell who can read messages",
        "Keys are missing, too little was understood, or nothing in it carries messages.",
        "Read the reason and the next step of each conversation.",
        "Record again with a key log and planted texts.",
    ),
    word(
        "G0",
        "Nothing opened that would tell",
        "Nothing was decrypted or parsed, or coverage is under the floor.",
        "Read the coverage of the conversation.",
        "Record keys along with the traffic.",
    ),
    word(
        "G1",
        "Statistics only",
        "Bytes were measured and not understood; they are opaque, no more.",
        "Measure them with another tool.",
        "Record keys, or plant texts.",
    ),
    word(
        "G2",
        "Structure",
        "For e2ee: bytes parse strictly as a known end-to-end envelope, and nothing beside it is readable. For other verdicts: a known message field holds readable text.",
        "Parse the field with the format's own library.",
        "Plant texts and a control for G3.",
    ),
    word(
        "G3",
        "Planted texts",
        "For e2ee: known messages were searched everywhere and not found, while a control was. For other verdicts: planted text was found, or text was recovered from its protection.",
        "Search the decrypted traffic for the texts yourself.",
        "Record sender and receiver for G4.",
    ),
    word(
        "G4",
        "Two vantages",
        "The same opaque bytes leave the sender and reach the receiver.",
        "Compare the digests at both ends.",
        "Record out-of-band checks for G5.",
    ),
    word(
        "G5",
        "Two vantages and out-of-band checks",
        "The user's own checks (safety numbers, a fresh phone, a bait link) agree as well.",
        "Repeat the checks.",
        "Nothing beyond this can be reached from outside.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_texts_are_there() {
        let ids: BTreeSet<_> = ALL.iter().map(|e| e.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for e in ALL {
            assert!(
                !e.title.is_empty() && e.meaning.ends_with('.') && !e.check.is_empty() && !e.fix.is_empty(),
                "{}",
                e.id
            );
        }
        for v in crate::report::dto::Verdict::ALL {
            assert!(find(v.word()).is_some(), "{v}");
        }
    }
}
