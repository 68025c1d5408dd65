//! Notices that stand beside ciphertext for clients without the key: what they say, and that they say nothing
//! else.

use aho_corasick::AhoCorasick;
use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

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

/// All other words that notices of clients are made of, in the languages of the common clients.
const WORDS: &str = "
a able about access b capable compatible href http https an and another app application are as at available be because been before both but by can
cannot cant client clients contact contain contains content could couldnt decrypt did display device devices
do does doesnt download due e2e e2ee either else enable enabled end error failed find for format from further
get has hasnt however have hidden how i if in info information install installed into is isnt it its jep key keys know
latest learn like may method missing more my need needed needs new newer no not of off omemo on one only open
openpgp opened or order otr otrv2 otrv3 otrv23 our out own pgp please plugin private protected protocol read
reader reason receive received record recipient request requested required requires see seem seems send sender
senders sending sent session sessions set should show shown so software some someone supported supporting supports
text than that the their them they this to try turn unable understand unfortunately update upgrade us use used
user users uses using v2 v3 v23 version view viewed visit was wants was we were what which will wish with without
xep yet you your conversations gajim dino monal signal element matrix xmpp jabber ietf org im www
aber achtung als an anderen anwendung app auf aus bei benötigt benutze bitte das dein deine dem den der des diese
dieser dieses du eine einem einen einer ein erhalten es fehlt fur für gerät gesendet hat hast ich ihr ihre im in
informationen ist kann kannst kein keine können konnte leider lesen mehr mit nicht nutzt öffnen programm scheint
schlüssel sie so um und ungelesen unter von vom vor weitere welche werden wird wurde zu zum zur
avec avez ce cet cette clé clés client contenu dans de des du elle en est et être ici il je la le les lire logiciel
mais ne nest pas par peut plus pour prend pris que qui reçu sa semble ses son sur un une utilisant utilise vers vos
votre vous charge envoyé impossible mais ma
al aplicación con contenido cliente clientes de el ella en es esta está este está fue ha la las leer lo los más
mensaje mi no o para parece pero por puede que recibido se ser si sin su te tu un una usando usar versión y
alla che chi con contenuto dal del della di è e essere il inviato leggere ma non o per può più ricevuto sembra
sono stato suo ti tuo una uno usa usando è
ao aplicativo as com como conteúdo da do e ele em enviado esta eu foi isso mas mais na não nas no nos o os ou para
parece pela pelo pode por que seu sua suporta suportar um uma você usando
aan als bent bevat dat de deze die dit door een en er gebruik geen heb heeft het hebben ik is je jouw kan kunnen
lees lezen lijkt maar meer met naar niet of om ondersteund ondersteunt ontvangen op te u uw van verstuurd verzonden
voor werd wordt zijn
är att av den denna det detta ditt din du en er et ett för har i ikke inte kan klient med men og och som støtter stöder
til till
nie jest z przez ta ten to w wiadomość klient twój obsługuje zaszyfrowana że
je tato zpráva není pomocí klient váš
az ez egy nem ön
без был была в ваш вашем вы для его если есть и из или имеет как клиент ключ ключа ключей ключи ко может можно мне помощью
мы на не нет но о об он она от отправил отправлено по поддерживает поддерживается подробнее получили приложение при
прочитать расшифровать с сообщение сообщения так то у что чтобы это этого этой
";

/// Characters and words of the scripts that set no spaces, as notices need them.
const UNSPACED: &[&str] = &[
    "暗号化",
    "加密",
    "암호화",
    "メッセージ",
    "クライアント",
    "されて",
    "いません",
    "いる",
    "います",
    "できません",
    "できない",
    "ため",
    "ので",
    "消息",
    "信息",
    "訊息",
    "这条",
    "此",
    "已",
    "这是",
    "一条",
    "是",
    "您",
    "的",
    "你",
    "客户端",
    "不",
    "支持",
    "使用",
    "了",
    "无法",
    "解密",
    "復号",
    "この",
    "は",
    "が",
    "を",
    "に",
    "で",
    "と",
    "対応",
    "して",
    "あなた",
    "메시지",
    "이",
    "는",
    "은",
    "를",
    "을",
    "로",
    "된",
    "입니다",
    "되었습니다",
    "있습니다",
    "지원하지",
    "않습니다",
    "클라이언트",
];

/// Longer texts are none.
const LONGEST: usize = 400;
/// A link to where more can be learned is short.
const LONGEST_LINK: usize = 60;

/// Whether a readable text beside ciphertext only says that the message is encrypted: it says so, and every word of
/// it is one that such notices are made of. What else stands in it somebody wrote.
pub fn is_fallback(text: &str) -> bool {
    if text.len() >= LONGEST {
        return false;
    }
    // Most texts say nothing of encryption; one look finds any of its words.
    if text.is_ascii() && !encryption().is_match(text) {
        return false;
    }
    let lower = text.to_lowercase().replace(['\'', '’'], "");
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    encryption().is_match(&lower) && has(SUBJECT) && only_words_of_notices(&lower)
}

fn encryption() -> &'static AhoCorasick {
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(ENCRYPTION);
        words.expect("a short list of words makes an automaton")
    });
    &WORDS
}

fn only_words_of_notices(lower: &str) -> bool {
    let Some(text) = without_link(without_asker(lower)) else { return false };
    let mut before = "";
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let numbered = matches!(before, "xep" | "jep" | "omemo" | "version");
        let number = numbered && word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit());
        if !(number || is_known(word)) {
            return false;
        }
        before = word;
    }
    true
}

/// The text without its link, which may stand in it several times; `None` where it has two or a long one.
fn without_link(text: &str) -> Option<String> {
    let mut pieces = text.split("://");
    let mut plain = pieces.next()?.to_owned();
    let mut link = None;
    for piece in pieces {
        let end = piece.find(|c: char| c.is_whitespace() || "\"<>)".contains(c)).unwrap_or(piece.len());
        let (this, rest) = piece.split_at(end);
        let this = this.trim_end_matches(['.', '/']);
        if this.len() > LONGEST_LINK || *link.get_or_insert(this) != this {
            return None;
        }
        plain.push(' ');
        plain.push_str(rest);
    }
    Some(plain)
}

fn is_known(word: &str) -> bool {
    static KNOWN: OnceLock<HashSet<&'static str>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| WORDS.split_whitespace().collect());
    known.contains(word)
        || ENCRYPTION.iter().chain(SUBJECT).any(|stem| word.contains(stem) && word.len() <= stem.len() + 24)
        || is_unspaced(word)
}

/// Text without spaces, of which nearly all is what notices say.
fn is_unspaced(word: &str) -> bool {
    if word.chars().all(|c| c < '\u{3000}') {
        return false;
    }
    let rest = UNSPACED.iter().fold(word.to_owned(), |rest, known| rest.replace(known, ""));
    rest.chars().count() <= 2
}

/// An offer of OTR names whoever makes it: "(somebody) has requested".
fn without_asker(text: &str) -> &str {
    let offer = text.find(" has requested ");
    let asker = |at: usize| text.get(..at).is_some_and(|name| name.split_whitespace().count() <= 2);
    offer.filter(|at| asker(*at)).and_then(|at| text.get(at..)).unwrap_or(text)
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
            "?OTR?v2? This user has requested an Off-the-Record private conversation. However, you do not have a plugin to support that.",
            "This is an OMEMO encrypted message which your client doesn’t seem to support. Find more information on https://conversations.im/omemo",
            "This message is encrypted with OMEMO (XEP-0384).",
            "Ce message est chiffré avec OMEMO.",
            "Este mensaje está cifrado con OMEMO.",
            "Dit bericht is versleuteld met OMEMO.",
            "Это сообщение зашифровано с помощью OMEMO.",
            "You received a message encrypted with OMEMO but your client doesn't support OMEMO.",
            "This message is *encrypted* with OMEMO (See :XEP:`384`).",
            "?OTRv23?\n<b>alice@x.example</b> has requested an <a href=\"https://otr.cypherpunks.ca/\">Off-the-Record private conversation</a>.  However, you do not have a plugin to support that.\nSee <a href=\"https://otr.cypherpunks.ca/\">https://otr.cypherpunks.ca/</a> for more information.",
            "** Unable to decrypt: The sender's device has not sent us the keys for this encrypted message. **",
            "This message is encrypted. You need OpenPGP to read it.",
            "I sent you an encrypted message. To read it, you need an OMEMO capable client.",
            "Open this message in a client that supports end-to-end encryption.",
            "This message is encrypted using OMEMO.",
            "You have received an encrypted message.",
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
            "This message is OMEMO encrypted see you at the old bridge at noon",
            "OMEMO encrypted message: hello",
            "Encrypted message - call me when you land",
            "see you at the old bridge at noon (this message is encrypted with OMEMO)",
            "Diese Nachricht ist mit OMEMO verschlüsselt wir treffen uns am Mittag an der Brücke",
            "encrypted message https://maps.example/x https://maps.example/y",
            "この消息は暗号化されています。明日の正午に古い橋で会いましょう",
            "let us meet in the crypt of the old church at noon",
            "they chiffre everything there, bring your own lunch",
            "see you at the old bridge at noon",
            "",
        ] {
            assert!(!is_fallback(text), "{text}");
        }
    }
}
