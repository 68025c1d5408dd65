//! Notices that stand beside ciphertext for clients without the key: what they say, and that they say nothing
//! else.

/// Words for encryption in the languages of the common clients.
const ENCRYPTION: &[&str] = &[
    "encrypt",
    "off-the-record",
    "decrypt",
    "omemo",
    "openpgp",
    "crypt",
    "chiffr",
    "verschlüssel",
    "entschlüssel",
    "cifrad",
    "cifrat",
    "versleutel",
    "kryptert",
    "krypterat",
    "szyfrowan",
    "šifrov",
    "шифр",
    "加密",
    "暗号",
    "암호",
];

/// Words for what is encrypted, or for whom it is not.
const SUBJECT: &[&str] = &[
    "message",
    "conversation",
    "client",
    "support",
    "decrypt",
    "nachricht",
    "entschlüssel",
    "mensaje",
    "mensagem",
    "messaggio",
    "bericht",
    "meddel",
    "melding",
    "besked",
    "wiadomo",
    "zpráv",
    "správ",
    "сообщ",
    "повідомл",
    "клиент",
    "消息",
    "信息",
    "訊息",
    "メッセージ",
    "메시지",
    "viesti",
    "üzenet",
    "mesaj",
];

/// Words by which a notice goes on: where to learn more, and what to install.
const POINTERS: &[&str] = &[
    "http",
    "client",
    "cliente",
    "клиент",
    "plugin",
    "support",
    "unterstütz",
    "informat",
    "informac",
    "install",
];

/// Longer texts are none.
const LONGEST: usize = 400;

/// Whether a readable text beside ciphertext only says that the message is encrypted. One sentence has to say
/// so and no other may speak of something else: a message that was copied behind a notice is no notice.
pub fn is_fallback(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has = |sentence: &str, words: &[&str]| words.iter().any(|w| sentence.contains(w));
    let sentences: Vec<&str> =
        sentences(&lower).into_iter().filter(|s| s.contains(char::is_alphabetic)).collect();
    let says = sentences.iter().any(|s| has(s, ENCRYPTION) && has(s, SUBJECT));
    let only = sentences.iter().all(|s| has(s, ENCRYPTION) || has(s, POINTERS));
    text.len() < LONGEST && says && only
}

/// Parts of a text up to a full stop and white space. A link keeps its stops.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut stopped = false;
    for (at, c) in text.char_indices() {
        let ends = matches!(c, '\n' | '。' | '！' | '？') || stopped && c.is_whitespace();
        if ends {
            found.push(&text[from..at]);
            from = at + c.len_utf8();
        }
        stopped = matches!(c, '.' | '!' | '?' | ']') || stopped && matches!(c, ')' | '*' | '"');
    }
    found.push(&text[from..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_of_clients_are_told() {
        for text in [
            "I sent you an OMEMO encrypted message but your client doesn’t seem to support that. Find more information on https://conversations.im/omemo",
            "You received a message encrypted with OMEMO but your client doesn't support OMEMO.",
            "[This message is OMEMO encrypted]",
            "[This message is *encrypted* (See :XEP:`27`)]",
            "[ERROR: This message is encrypted, and you are unable to decrypt it.]",
            "This message is encrypted using OpenPGP.",
            "** Unable to decrypt: The sender's device has not sent us the keys for this message. **",
            "This user has requested an Off-the-Record private conversation. However, you do not have a plugin to support that. See http://otr.cypherpunks.ca/ for more information.",
            "Diese Nachricht ist mit OMEMO verschlüsselt.",
            "この消息は暗号化されています。",
        ] {
            assert!(is_fallback(text), "{text}");
        }
    }

    #[test]
    fn messages_about_encryption_and_behind_notices_are_none() {
        for text in [
            "I sent you an OMEMO encrypted message but your client doesn't seem to support that. the lawyer called again today",
            "[This message is OMEMO encrypted] see you at the old bridge at noon",
            "[This message is OMEMO encrypted]\nsee you at the old bridge at noon",
            "let us meet in the crypt of the old church at noon",
            "they chiffre everything there, bring your own lunch",
            "see you at the old bridge at noon",
            "",
        ] {
            assert!(!is_fallback(text), "{text}");
        }
    }
}
