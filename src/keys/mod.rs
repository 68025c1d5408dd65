//! Secrets that open transport layers: key logs, secrets embedded in captures, private keys, PSKs.

mod messengers;
mod private;
pub mod srtp;

pub use messengers::{AUTH_KEY, Messengers, NoisePrivate, NoiseTransport, auth_key_id};
pub use private::{KeyFault, RsaKey};

use crate::bytes::unhex;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// What a line of a TLS key log holds (RFC 9850 and the older NSS labels).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// TLS 1.2 and before: the master secret.
    Master,
    /// TLS 1.2 and before: the premaster secret.
    Premaster,
    /// TLS 1.3 0-RTT data of the client.
    ClientEarly,
    /// TLS 1.3 handshake messages of the client.
    ClientHandshake,
    /// TLS 1.3 handshake messages of the server.
    ServerHandshake,
    /// TLS 1.3 application data of the client, first generation.
    ClientTraffic,
    /// TLS 1.3 application data of the server, first generation.
    ServerTraffic,
    /// TLS 1.3 exporter, from which other protocols take their keys.
    Exporter,
}

impl Label {
    const ALL: [Label; 8] = [
        Label::Master,
        Label::Premaster,
        Label::ClientEarly,
        Label::ClientHandshake,
        Label::ServerHandshake,
        Label::ClientTraffic,
        Label::ServerTraffic,
        Label::Exporter,
    ];

    fn parse(text: &str) -> Option<Self> {
        Some(match text.strip_prefix("QUIC_").unwrap_or(text) {
            "CLIENT_RANDOM" => Label::Master,
            "PMS_CLIENT_RANDOM" => Label::Premaster,
            "CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
            "CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
            "SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
            "EXPORTER_SECRET" => Label::Exporter,
            _ => return None,
        })
    }
}

/// Every secret that the user or the capture gave. Looked up by layers; immutable while they work.
#[derive(Debug, Clone, Default)]
pub struct KeyStore {
    secrets: HashMap<([u8; 32], Label), Arc<[u8]>>,
    /// RSA premaster secrets by the first bytes of their ciphertext (label `RSA`).
    premasters: HashMap<[u8; 8], Arc<[u8]>>,
    /// Client randoms in order of arrival, for searches without a handshake.
    order: Vec<[u8; 32]>,
    /// Secrets of protections other than TLS.
    messengers: Messengers,
    /// RSA private keys of servers.
    rsa: Vec<Arc<RsaKey>>,
    /// Keys that both ends had before.
    psks: Vec<Arc<[u8]>>,
    /// Whether a premaster secret stands in a log under a client random.
    premaster_named: bool,
}

/// What reading a key log came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeylogReport {
    /// Lines of three words.
    pub lines: usize,
    /// Lines with a secret of a known label.
    pub secrets: usize,
    /// Lines with a label that is not used here.
    pub unknown: usize,
    /// Numbers of lines that do not parse, the first few.
    pub malformed: Vec<usize>,
}

/// Secrets that are kept at most.
const MOST: usize = 2_000_000;

/// Text in units of two octets, as shells of Windows redirect it into files, in UTF-8; other text as it is.
fn narrow(text: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match text {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(text),
    };
    let units = text.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let wide = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Cow::Owned(wide.collect::<String>().into_bytes())
}

impl KeyStore {
    /// A store that stays empty.
    pub fn none() -> &'static Self {
        static NONE: LazyLock<KeyStore> = LazyLock::new(KeyStore::default);
        &NONE
    }

    /// Reads a key log: one `LABEL random secret` a line, hexadecimal in either case, `#` comments, in
    /// UTF-8 or in UTF-16 with its mark.
    pub fn add_keylog(&mut self, text: &[u8], _origin: &str) -> KeylogReport {
        let mut report = KeylogReport::default();
        let text = narrow(text);
        let end = if text.contains(&b'\n') { b'\n' } else { b'\r' };
        for (number, line) in text.split(|b| *b == end).enumerate() {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let all: Vec<&str> = line.split_ascii_whitespace().take(8).collect();
            match self.messengers.take(&all) {
                messengers::Line::Other => {}
                messengers::Line::Taken => {
                    report.lines += 1;
                    report.secrets += 1;
                    continue;
                }
                messengers::Line::Malformed => {
                    report.malformed(number);
                    continue;
                }
            }
            let mut words = all.into_iter();
            let (Some(label), Some(random), Some(secret)) = (words.next(), words.next(), words.next()) else {
                report.malformed(number);
                continue;
            };
            report.lines += 1;
            if label.eq_ignore_ascii_case("RSA") {
                match (unhex(random).and_then(|r| <[u8; 8]>::try_from(r).ok()), unhex(secret)) {
                    (Some(name), Some(secret)) if secret.len() == 48 && self.premasters.len() < MOST => {
                        report.secrets += 1;
                        self.premasters.insert(name, secret.into());
                    }
                    _ => report.malformed(number),
                }
                continue;
            }
            let Some(label) = Label::parse(&label.to_ascii_uppercase()) else {
                report.unknown += 1;
                continue;
            };
            match (unhex(random).and_then(|r| <[u8; 32]>::try_from(r).ok()), unhex(secret)) {
                (Some(random), Some(secret)) if (16..=64).contains(&secret.len()) => {
                    report.secrets += 1;
                    self.insert(random, label, secret);
                }
                _ => report.malformed(number),
            }
        }
        report
    }

    fn insert(&mut self, random: [u8; 32], label: Label, secret: Vec<u8>) {
        if self.secrets.len() >= MOST {
            return;
        }
        if Label::ALL.iter().all(|l| !self.secrets.contains_key(&(random, *l))) {
            self.order.push(random);
        }
        self.premaster_named |= label == Label::Premaster;
        self.secrets.insert((random, label), secret.into());
    }

    /// Takes the RSA private keys of a file; answers how many there were.
    pub fn add_rsa(&mut self, data: &[u8], password: Option<&str>) -> Result<usize, KeyFault> {
        let keys = RsaKey::read(data, password)?;
        let count = keys.len();
        self.rsa.extend(keys.into_iter().map(Arc::new));
        Ok(count)
    }

    /// Takes a pre-shared key, written in hexadecimal. False if it is not.
    pub fn add_psk(&mut self, text: &str) -> bool {
        let text: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        match unhex(text.strip_prefix("0x").unwrap_or(&text)) {
            Some(psk) if (1..=256).contains(&psk.len()) => {
                self.psks.push(psk.into());
                true
            }
            _ => false,
        }
    }

    /// RSA private keys of servers.
    pub fn rsa(&self) -> &[Arc<RsaKey>] {
        &self.rsa
    }

    /// Pre-shared keys.
    pub fn psks(&self) -> &[Arc<[u8]>] {
        &self.psks
    }

    /// Whether secrets may have to be derived from the messages of a handshake.
    pub fn derives(&self) -> bool {
        !self.rsa.is_empty() || !self.psks.is_empty() || !self.premasters.is_empty() || self.premaster_named
    }

    /// Takes secrets that a capture carries; `kind` is the pcapng secrets type. False if it is not one
    /// that is understood.
    pub fn add_secrets(&mut self, kind: u32, data: &[u8]) -> bool {
        const TLS_KEY_LOG: u32 = 0x544c_534b;
        if kind != TLS_KEY_LOG {
            return false;
        }
        self.add_keylog(data, "embedded");
        true
    }

    /// The secret for a session, named by the client's random.
    pub fn secret(&self, client_random: &[u8; 32], label: Label) -> Option<&[u8]> {
        self.secrets.get(&(*client_random, label)).map(|s| &**s)
    }

    /// Secrets of one label, in order of arrival.
    pub fn all(&self, label: Label) -> impl Iterator<Item = (&[u8; 32], &[u8])> {
        self.order.iter().filter_map(move |r| Some((r, self.secret(r, label)?)))
    }

    /// The premaster secret whose RSA ciphertext starts with these bytes.
    pub fn premaster(&self, encrypted: &[u8; 8]) -> Option<&[u8]> {
        self.premasters.get(encrypted).map(|s| &**s)
    }

    /// Secrets of MTProto and Noise.
    pub fn messengers(&self) -> &Messengers {
        &self.messengers
    }

    /// Number of secrets.
    pub fn len(&self) -> usize {
        let logged = self.secrets.len() + self.premasters.len() + self.messengers.len();
        logged + self.rsa.len() + self.psks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl KeylogReport {
    fn malformed(&mut self, line: usize) {
        if self.malformed.len() < 8 {
            self.malformed.push(line + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_programs_really_write() {
        let random = "AB".repeat(32);
        let text = format!(
            "\u{feff}# a comment\r\n\r\nCLIENT_RANDOM {random} {}\r\nclient_traffic_secret_0 {} {}  \nECH_SECRET {random} 00\nnonsense\n",
            "01".repeat(48),
            random.to_lowercase(),
            "02".repeat(32)
        );
        let mut store = KeyStore::default();
        let report = store.add_keylog(text.as_bytes(), "test");
        assert_eq!((report.secrets, report.unknown, report.malformed), (2, 1, vec![6]));
        assert_eq!(store.secret(&[0xab; 32], Label::Master), Some([1u8; 48].as_slice()));
        assert_eq!(store.secret(&[0xab; 32], Label::ClientTraffic), Some([2u8; 32].as_slice()));
        assert_eq!(store.secret(&[0xab; 32], Label::ServerTraffic), None);
    }

    #[test]
    fn key_logs_in_other_text_encodings_are_read() {
        let text = format!("# log\nCLIENT_RANDOM {} {}\n", "ab".repeat(32), "01".repeat(48));
        let wide = |mark: u16, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(mark).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        let logs =
            [wide(0xfeff, u16::to_le_bytes), wide(0xfeff, u16::to_be_bytes), text.replace('\n', "\r").into()];
        for log in logs {
            let mut store = KeyStore::default();
            assert_eq!(store.add_keylog(&log, "test").secrets, 1);
            assert_eq!(store.secret(&[0xab; 32], Label::Master), Some([1u8; 48].as_slice()));
        }
    }
}
