//! What a handshake tells with or without keys.

use super::Tls;
use super::certificate::certificate;
use super::fingerprint;
use super::hello::{ClientHello, ServerHello};
use super::suite::{Cipher, group_name, is_grease, post_quantum, suite, suite_name};
use crate::model::Side;
use crate::peel::Out;

/// Facts that the layer may state.
pub(super) static NAMES: &[&str] = &[
    "tls.sni",
    "tls.alpn",
    "tls.alpn_selected",
    "tls.version",
    "tls.versions_offered",
    "tls.suite",
    "tls.group",
    "tls.groups_offered",
    "tls.post_quantum",
    "tls.ech",
    "tls.early_data",
    "tls.resumed",
    "tls.key_update",
    "tls.client_certificate",
    "tls.certificate.subject",
    "tls.certificate.issuer",
    "tls.certificate.names",
    "tls.certificate.not_before",
    "tls.certificate.not_after",
    "tls.certificate.self_signed",
    "tls.forward_secrecy",
    "tls.anonymous",
    "tls.weak",
    "tls.opened",
    "tls.secret",
    "tls.keys_used",
    "tls.psk",
    "tls.ja3",
    "tls.ja3_digest",
    "tls.ja4",
    "dtls.cookie",
    "dtls.srtp_profile",
    "dtls.fingerprint",
];

fn version_name(code: u16) -> String {
    match code {
        0x0300 => "SSL 3.0".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        0x0100 => "DTLS before 1.0".into(),
        0xfeff => "DTLS 1.0".into(),
        0xfefd => "DTLS 1.2".into(),
        0xfefc => "DTLS 1.3".into(),
        _ => format!("0x{code:04x}"),
    }
}

impl Tls {
    pub(super) fn client_facts(&mut self, hello: &ClientHello, out: &mut Out<'_, '_>) {
        if let Some(sni) = &hello.sni {
            out.fact("tls.sni", sni.as_str());
        }
        if !hello.alpn.is_empty() {
            out.fact("tls.alpn", hello.alpn.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let versions: Vec<String> = hello.versions.iter().map(|v| version_name(*v)).collect();
        if !versions.is_empty() {
            out.fact("tls.versions_offered", versions);
        }
        let groups = hello.groups.iter().filter(|g| !is_grease(**g));
        let groups: Vec<String> = groups.map(|g| group_name(*g)).collect();
        if !groups.is_empty() {
            out.fact("tls.groups_offered", groups);
        }
        // Whether an offer is real or GREASE only the server can tell.
        out.fact("tls.ech", if hello.ech { "offered" } else { "none" });
        let ja3 = fingerprint::ja3(hello);
        out.fact("tls.ja3_digest", fingerprint::ja3_digest(&ja3));
        out.fact("tls.ja3", ja3);
        out.fact("tls.ja4", fingerprint::ja4(hello));
        if hello.early_data {
            out.fact("tls.early_data", true);
        }
    }

    pub(super) fn server_facts(&mut self, hello: &ServerHello, out: &mut Out<'_, '_>) {
        if hello.retry {
            return;
        }
        out.fact("tls.version", version_name(hello.said));
        out.fact("tls.suite", suite_name(hello.suite));
        out.label("tls", &version_name(hello.said));
        if let Some(group) = hello.group {
            out.fact("tls.group", group_name(group));
            out.fact("tls.post_quantum", post_quantum(group));
        }
        let name = suite_name(hello.suite);
        let anonymous = name.contains("_anon_");
        // A pre-shared key alone (psk_ke of TLS 1.3) gives none.
        let secret = hello.version >= 0x0304 && hello.group.is_some() || name.contains("DHE");
        out.fact("tls.forward_secrecy", secret);
        if anonymous {
            out.fact("tls.anonymous", true);
        }
        let tls12_resumed =
            self.client.as_ref().is_some_and(|c| !c.session.is_empty() && c.session == hello.session);
        // A key that both ends had from elsewhere is no resumption, where that can be told.
        if hello.version < 0x0304 && tls12_resumed || hello.psk && self.early.is_none() {
            out.fact("tls.resumed", true);
        }
        if hello.psk {
            out.fact("tls.psk", true);
        }
        let null = matches!(suite(hello.suite).map(|s| s.cipher), Some(Cipher::Null(_)));
        for (holds, reason) in [
            (hello.version < 0x0303, "protocol version before TLS 1.2"),
            (anonymous, "anonymous key exchange"),
            (null, "no encryption"),
            (name.contains("RC4"), "RC4"),
            (name.contains("EXPORT"), "export cipher"),
            (name.contains("DES"), "DES or 3DES"),
        ] {
            if holds {
                self.weak.push(reason);
                out.fact("tls.weak", reason);
            }
        }
    }

    pub(super) fn key_exchange_facts(&mut self, body: &[u8], out: &mut Out<'_, '_>) {
        // ServerECDHParams: named_curve(3) and the group (RFC 8422 section 5.4).
        if let [3, a, b, ..] = body
            && self.suite().is_some_and(|s| s.name.contains("ECDHE") || s.name.contains("ECDH_anon"))
        {
            out.fact("tls.group", group_name(u16::from_be_bytes([*a, *b])));
            out.fact("tls.post_quantum", false);
        }
    }

    pub(super) fn certificate_facts(&mut self, side: Side, der: &[u8], out: &mut Out<'_, '_>) {
        if side == Side::Client {
            return out.fact("tls.client_certificate", true);
        }
        let Some(certificate) = certificate(der) else { return };
        if let Some(modulus) = &certificate.modulus {
            self.modulus = Some(modulus.clone());
        }
        for (name, value) in &certificate.facts {
            out.fact(name, value.clone());
        }
        let (from, to) = certificate.valid;
        let now = out.at().time;
        if now > to || now < from {
            out.fact("tls.weak", "certificate outside its dates");
        }
    }

    pub(super) fn last_facts(&mut self, out: &mut Out<'_, '_>) {
        if !self.encrypted_seen {
            return;
        }
        out.fact("tls.opened", self.opened);
        let null = matches!(self.suite().map(|s| s.cipher), Some(Cipher::Null(_)));
        let secret = match (self.opened, null) {
            (_, true) => "not needed",
            (true, _) => self.source.unwrap_or("key log"),
            (false, _) => "none",
        };
        out.fact("tls.secret", secret);
        if secret == "key log"
            && let Some(random) = self.random()
        {
            out.fact("tls.keys_used", random.iter().map(|b| format!("{b:02x}")).collect::<String>());
        }
    }
}
