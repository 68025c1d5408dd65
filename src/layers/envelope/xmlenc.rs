//! XML Encryption (W3C `xmlenc-core1`, sections 3 and 5.5): mostly between services, so never called a
//! message between people. How its key is wrapped is told.

use super::grammar::encoding::base64_lines;
use super::grammar::xml::{self, Element};
use super::{Class, Envelope, Form, PKCS1, Recogniser, Tier};

/// Encrypted elements.
pub const ELEMENTS: Recogniser =
    Recogniser { format_family: "xmlenc", title: "XML Encryption", tries: Form::Text, recognise };

const NAMESPACE: &str = "http://www.w3.org/2001/04/xmlenc#";

fn recognise(bytes: &[u8]) -> Option<Envelope> {
    if bytes.first() != Some(&b'<') || memchr::memmem::find(bytes, NAMESPACE.as_bytes()).is_none() {
        return None;
    }
    let root = xml::parse(std::str::from_utf8(bytes).ok()?)?;
    let data = alone(&root)?;
    let value = data.child("CipherData")?.child("CipherValue")?;
    let length = base64_lines(&value.text)?.len() as u64;
    let key = root.find(NAMESPACE, "EncryptedKey").and_then(algorithm);
    let wrapped = match key {
        Some("rsa-1_5") => Some(PKCS1),
        other => other,
    };
    let envelope = Envelope::new("xmlenc-data", "XML Encryption", Class::TransportCrypto, Tier::T1)
        .maybe("algorithm", algorithm(data))
        .maybe("key_transport", wrapped)
        .fact("ciphertext_bytes", length);
    Some(envelope)
}

/// The encrypted element, where nothing readable stands around it: what does is read as the text it is.
fn alone(root: &Element) -> Option<&Element> {
    let mut at = root;
    loop {
        if at.is(NAMESPACE, "EncryptedData") {
            return Some(at);
        }
        if !at.text.trim().is_empty() {
            return None;
        }
        // The key may stand beside the data (SAML 2.0, EncryptedAssertion).
        let mut inner = at.children.iter().filter(|c| !c.is(NAMESPACE, "EncryptedKey"));
        at = inner.next().filter(|_| inner.next().is_none())?;
    }
}

/// The last part of the name of an element's algorithm.
fn algorithm(element: &Element) -> Option<&str> {
    element.child("EncryptionMethod")?.attribute("Algorithm")?.rsplit('#').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(transport: &str, around: &str) -> String {
        let key = format!(
            "<e:EncryptedKey><e:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#{transport}\"/>\
             <e:CipherData><e:CipherValue>c2VhbGVkIGtleQ==</e:CipherValue></e:CipherData></e:EncryptedKey>"
        );
        let inner = format!(
            "<e:EncryptedData xmlns:e=\"{NAMESPACE}\"><e:EncryptionMethod \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes256-cbc\"/><k:KeyInfo xmlns:k=\"urn:k\">{key}\
             </k:KeyInfo><e:CipherData><e:CipherValue>\nc2VhbGVkIHRleHQ=\n</e:CipherValue></e:CipherData></e:EncryptedData>"
        );
        around.replace("DATA", &inner)
    }

    #[test]
    fn the_old_padding_of_rsa_is_told_and_nothing_is_claimed() {
        for around in ["DATA", "<a:EncryptedAssertion xmlns:a=\"urn:a\"> DATA </a:EncryptedAssertion>"] {
            for (transport, shown) in [("rsa-1_5", PKCS1), ("rsa-oaep-mgf1p", "rsa-oaep-mgf1p")] {
                let found = recognise(data(transport, around).as_bytes()).expect("XML Encryption");
                assert_eq!((found.format, found.class.claim()), ("xmlenc-data", 0));
                assert_eq!(found.fact_named("key_transport"), Some(&shown.into()));
            }
        }
    }

    #[test]
    fn what_stands_readable_around_it_is_not_taken_away() {
        for around in ["<m>see you at nine DATA</m>", "<m><body>see you at nine</body>DATA</m>"] {
            assert!(recognise(data("rsa-1_5", around).as_bytes()).is_none(), "{around}");
        }
        let empty = format!("<e:EncryptedData xmlns:e=\"{NAMESPACE}\"/>");
        assert!(recognise(empty.as_bytes()).is_none());
    }
}
