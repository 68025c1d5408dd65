//! Reads hellos and certificates (RFC 8446 section 4, RFC 5246 section 7.4), as TLS, DTLS, QUIC and disguises as
//! TLS carry them.

use super::suite::is_grease;
use crate::bytes::Cursor;

/// What a ClientHello offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ClientHello {
    pub random: [u8; 32],
    pub version: u16,
    pub session: Vec<u8>,
    pub suites: Vec<u16>,
    pub sni: Option<String>,
    pub alpn: Vec<String>,
    /// The first protocol offered, as it stands.
    pub alpn_raw: Vec<u8>,
    pub versions: Vec<u16>,
    pub groups: Vec<u16>,
    pub shares: Vec<u16>,
    pub extensions: Vec<u16>,
    pub point_formats: Vec<u8>,
    pub signatures: Vec<u16>,
    pub ech: bool,
    pub early_data: bool,
    pub psk: bool,
    /// The cookie of a hello over DTLS (RFC 6347 section 4.2.1); `None` over TLS.
    pub cookie: Option<Vec<u8>>,
    /// SRTP protection profiles (RFC 5764 section 4.1.1).
    pub srtp: Vec<u16>,
    /// The connection id that the client wants to see (RFC 9146 section 3).
    pub connection_id: Option<Vec<u8>>,
    /// Session ticket of TLS 1.2 (RFC 5077), empty if none is shown.
    pub ticket: Vec<u8>,
    /// Proofs of knowledge of the pre-shared keys offered (RFC 8446 section 4.2.11.2).
    pub binders: Vec<Vec<u8>>,
    /// Bytes at the end of the message that the binders do not cover.
    pub binders_len: usize,
}

/// What a ServerHello chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub random: [u8; 32],
    /// The version of TLS whose rules hold.
    pub version: u16,
    /// The version as it was said: DTLS counts its own downwards.
    pub said: u16,
    pub session: Vec<u8>,
    pub suite: u16,
    pub group: Option<u16>,
    pub alpn: Option<String>,
    pub encrypt_then_mac: bool,
    pub psk: bool,
    /// Which of the offered pre-shared keys was taken.
    pub psk_index: u16,
    pub extended_master: bool,
    pub retry: bool,
    /// The chosen SRTP protection profile.
    pub srtp: Option<u16>,
    /// The connection id that the server wants to see.
    pub connection_id: Option<Vec<u8>>,
}

/// SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

fn list16(c: &mut Cursor<'_>) -> Vec<u16> {
    let mut list = Vec::new();
    while let Some(v) = c.u16() {
        list.push(v);
    }
    list
}

fn names(c: &mut Cursor<'_>) -> Vec<String> {
    let mut list = Vec::new();
    if let Some(mut inner) = c.vec16().map(Cursor::new) {
        while let Some(name) = inner.vec8() {
            list.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    list
}

/// Extensions in order: code and body.
fn extensions(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut c = Cursor::new(bytes);
    std::iter::from_fn(move || Some((c.u16()?, c.vec16()?)))
}

/// The first extension of such a code in EncryptedExtensions.
pub(super) fn encrypted_extension(body: &[u8], is: impl Fn(u16) -> bool) -> Option<&[u8]> {
    extensions(Cursor::new(body).vec16()?).find(|(code, _)| is(*code)).map(|(_, body)| body)
}

impl ClientHello {
    /// Reads the body of a ClientHello message.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(body);
        let hello = Self { version: c.u16()?, random: c.array()?, ..Self::default() };
        let session = c.vec8()?.to_vec();
        Self { session, ..hello }.rest(c)
    }

    /// Reads the body of a ClientHello message over DTLS, which has a cookie behind the session id.
    pub fn read_datagram(body: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(body);
        let hello = Self { version: c.u16()?, random: c.array()?, ..Self::default() };
        let session = c.vec8()?.to_vec();
        let cookie = Some(c.vec8()?.to_vec());
        Self { session, cookie, ..hello }.rest(c)
    }

    fn rest(self, mut c: Cursor<'_>) -> Option<Self> {
        let mut hello = self;
        hello.suites = list16(&mut Cursor::new(c.vec16()?));
        c.vec8()?;
        for (kind, body) in extensions(c.vec16().unwrap_or_default()) {
            hello.extensions.push(kind);
            hello.extension(kind, body);
        }
        Some(hello)
    }

    fn extension(&mut self, kind: u16, body: &[u8]) {
        let mut c = Cursor::new(body);
        match kind {
            0 => {
                let mut list = Cursor::new(c.vec16().unwrap_or_default());
                if let (Some(0), Some(name)) = (list.u8(), list.vec16()) {
                    self.sni = std::str::from_utf8(name).ok().map(str::to_ascii_lowercase);
                }
            }
            10 => self.groups = list16(&mut Cursor::new(c.vec16().unwrap_or_default())),
            11 => self.point_formats = c.vec8().unwrap_or_default().to_vec(),
            13 => self.signatures = list16(&mut Cursor::new(c.vec16().unwrap_or_default())),
            16 => {
                self.alpn_raw = Cursor::new(body)
                    .vec16()
                    .and_then(|l| Cursor::new(l).vec8())
                    .unwrap_or_default()
                    .to_vec();
                self.alpn = names(&mut c);
            }
            14 => self.srtp = list16(&mut Cursor::new(c.vec16().unwrap_or_default())),
            35 => self.ticket = body.to_vec(),
            41 => self.pre_shared(body),
            42 => self.early_data = true,
            43 => {
                self.versions = list16(&mut Cursor::new(c.vec8().unwrap_or_default()));
                self.versions.retain(|v| !is_grease(*v));
            }
            51 => {
                let mut list = Cursor::new(c.vec16().unwrap_or_default());
                while let (Some(group), Some(_)) = (list.u16(), list.vec16()) {
                    self.shares.push(group);
                }
                self.shares.retain(|g| !is_grease(*g));
            }
            54 => self.connection_id = c.vec8().map(<[u8]>::to_vec),
            0xfe0d | 0xffce => self.ech = true,
            _ => {}
        }
    }

    fn pre_shared(&mut self, body: &[u8]) {
        self.psk = true;
        let mut c = Cursor::new(body);
        c.vec16();
        self.binders_len = c.left();
        let mut list = Cursor::new(c.vec16().unwrap_or_default());
        while let Some(binder) = list.vec8() {
            self.binders.push(binder.to_vec());
        }
    }
}

impl ServerHello {
    /// Reads the body of a ServerHello message.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(body);
        let mut hello = Self { version: c.u16()?, random: c.array()?, ..Self::default() };
        hello.session = c.vec8()?.to_vec();
        hello.suite = c.u16()?;
        c.u8()?;
        hello.retry = hello.random == RETRY;
        for (kind, body) in extensions(c.vec16().unwrap_or_default()) {
            let mut c = Cursor::new(body);
            match kind {
                14 => hello.srtp = srtp_profile(body),
                16 => hello.alpn = names(&mut c).into_iter().next(),
                22 => hello.encrypt_then_mac = true,
                23 => hello.extended_master = true,
                41 => {
                    hello.psk = true;
                    hello.psk_index = c.u16().unwrap_or_default();
                }
                43 => hello.version = c.u16().unwrap_or(hello.version),
                51 => hello.group = c.u16(),
                54 => hello.connection_id = c.vec8().map(<[u8]>::to_vec),
                _ => {}
            }
        }
        Some(hello.told())
    }

    /// The rules of DTLS 1.0, 1.2 and 1.3 are those of TLS 1.1, 1.2 and 1.3.
    fn told(self) -> Self {
        let version = match self.version {
            0xfeff | 0x0100 => 0x0302,
            0xfefd => 0x0303,
            0xfefc => 0x0304,
            other => other,
        };
        Self { said: self.version, version, ..self }
    }
}

/// The one profile that a server chooses (RFC 5764 section 4.1.1).
fn srtp_profile(body: &[u8]) -> Option<u16> {
    Cursor::new(Cursor::new(body).vec16()?).u16()
}

/// The SRTP protection profile that EncryptedExtensions names.
pub(super) fn encrypted_srtp(body: &[u8]) -> Option<u16> {
    encrypted_extension(body, |code| code == 14).and_then(srtp_profile)
}

/// The application protocol that EncryptedExtensions names.
pub(super) fn encrypted_alpn(body: &[u8]) -> Option<String> {
    encrypted_extension(body, |code| code == 16).and_then(|b| names(&mut Cursor::new(b)).into_iter().next())
}

/// The first certificate of a Certificate message, as DER.
pub(super) fn leaf_certificate(body: &[u8], tls13: bool) -> Option<&[u8]> {
    let mut c = Cursor::new(body);
    if tls13 {
        c.vec8()?;
    }
    let mut list = Cursor::new(c.vec24()?);
    list.vec24()
}
