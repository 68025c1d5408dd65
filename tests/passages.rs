//! What stands in the way of a conversation and is passed through: proxies, StartTLS, compression of the
//! whole connection, names looked up over HTTPS. The exchanges are those of `tests/exchanges/`.

use plainsight::keys::KeyStore;
use plainsight::layers::REGISTRY;
use plainsight::model::{Arrival, Limits, Side};
use plainsight::peel::{Env, Recorder, Tree, Unit};

fn peel(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/exchanges/{name}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let unhex = |t: &str| -> Vec<u8> {
        (0..t.len() / 2).map(|i| u8::from_str_radix(&t[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    let words = || text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' '));
    let mut keys = KeyStore::default();
    words().filter(|(w, _)| *w == "k").for_each(|(_, line)| {
        keys.add_keylog(line.as_bytes(), "");
    });
    let port = words().find(|(w, _)| *w == "port").map_or(443, |(_, p)| p.parse().unwrap());
    let (limits, mut sink, mut tree) = (Limits::default(), Recorder::default(), Tree::new(Unit::Stream));
    let mut env = Env {
        registry: &REGISTRY,
        limits: &limits,
        keys: &keys,
        memory: &mut Default::default(),
        sink: &mut sink,
        server_port: port,
        at: Arrival::default(),
    };
    for (word, rest) in words() {
        match word {
            ">" => tree.feed(&mut env, Side::Client, &unhex(rest)),
            "<" => tree.feed(&mut env, Side::Server, &unhex(rest)),
            _ => {}
        }
    }
    tree.finish(&mut env);
    sink.lines.join("\n")
}

/// Everything in `wanted` must be said, and nothing in `unwanted`.
fn says(name: &str, wanted: &[&str], unwanted: &[&str]) {
    let text = peel(name);
    for w in wanted {
        assert!(text.contains(w), "{name} lacks {w:?}\n{text}");
    }
    for u in unwanted {
        assert!(!text.contains(u), "{name} has {u:?}\n{text}");
    }
}

const TEXT: &str = "Text Client Clear 31 757ce93d36ebae7c";

#[test]
fn what_goes_through_a_proxy_is_found() {
    let socks = ["socks.target=chat.example:443", "auth.password", "socks/tls/lines line> ", TEXT];
    says("socks5-login-tls", &socks, &["malformed"]);
    says("socks4a-http", &["socks.target=chat.example:80", "layer socks/http1", "$.text"], &["malformed"]);
    says("connect-tls", &["http.tunnel=chat.example:443", "layer http1/tls/lines", TEXT], &["Opaque"]);
}

#[test]
fn ldap_is_followed_through_starttls() {
    says("ldap-starttls", &["ldap.starttls=true", "layer ldap/tls/lines", TEXT], &["malformed"]);
    says("ldap-login", &["auth.password", ">value Text Server Clear 31 757ce93d36ebae7c"], &["malformed"]);
}

#[test]
fn compressed_connections_go_on_as_what_they_were() {
    says("imap-compress", &["layer imap/deflate-stream/imap", "/mime"], &["broken", "Opaque"]);
    says("xmpp-compress", &["layer xmpp/deflate-stream/xmpp", "body"], &["broken", "Opaque"]);
}

#[test]
fn names_looked_up_over_https_are_learned() {
    let text = peel("dns-over-https");
    assert_eq!(text.matches("dns.query=chat.example").count(), 4, "{text}");
    assert_eq!(text.matches("dns.address=chat.example, 10.0.0.7").count(), 2, "{text}");
}
