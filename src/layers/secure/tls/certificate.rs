//! What a certificate says (RFC 5280). Servers send the same one again and again, so those met lately are
//! not read anew.

use crate::model::{Memo, Timestamp, Value};
use std::cell::RefCell;
use std::rc::Rc;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Certificates remembered, and the longest of them in bytes.
const PLACES: usize = 256;
const LONGEST: usize = 4096;
/// Extensions and names that are read.
const EXTENSIONS: usize = 64;
const NAMES: usize = 100;

/// A certificate that could be read.
#[derive(Debug)]
pub(super) struct Certificate {
    /// Facts by name, in the order in which they are told.
    pub facts: Vec<(&'static str, Value)>,
    /// The modulus of an RSA key, without leading zeros.
    pub modulus: Option<Vec<u8>>,
    /// The first and last second of its validity.
    pub valid: (Timestamp, Timestamp),
}

thread_local! {
    static KNOWN: RefCell<Memo<Option<Rc<Certificate>>>> = RefCell::new(Memo::sized(PLACES, LONGEST));
}

/// Reads a certificate; `None` where it is none.
pub(super) fn certificate(der: &[u8]) -> Option<Rc<Certificate>> {
    KNOWN.with_borrow_mut(|known| known.answer(0, der, || read(der).map(Rc::new)))
}

fn read(der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let modulus = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => Some(key.modulus.iter().copied().skip_while(|b| *b == 0).collect()),
        _ => None,
    };
    let validity = certificate.validity();
    let second = |t: i64| Timestamp::new(t, 0);
    let valid = (second(validity.not_before.timestamp()), second(validity.not_after.timestamp()));
    let mut facts = vec![
        ("tls.certificate.subject", certificate.subject().to_string().into()),
        ("tls.certificate.issuer", certificate.issuer().to_string().into()),
        ("tls.certificate.self_signed", (certificate.subject() == certificate.issuer()).into()),
        ("tls.certificate.not_before", valid.0.to_string().into()),
        ("tls.certificate.not_after", valid.1.to_string().into()),
    ];
    let names = names(&certificate);
    if !names.is_empty() {
        facts.push(("tls.certificate.names", Value::List(names)));
    }
    Some(Certificate { facts, modulus, valid })
}

/// The DNS names that it is for (RFC 5280 section 4.2.1.6).
fn names(certificate: &X509Certificate<'_>) -> Vec<Value> {
    let lists = certificate.extensions().iter().take(EXTENSIONS).filter_map(|e| match e.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(list) => Some(list),
        _ => None,
    });
    let name = |n: &GeneralName<'_>| match n {
        GeneralName::DNSName(name) => Some(Value::from(*name)),
        _ => None,
    };
    lists.flat_map(|list| list.general_names.iter().take(NAMES).filter_map(name)).collect()
}
