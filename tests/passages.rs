//! What stands in the way of a conversation and is passed through: proxies, StartTLS, compression of the
//! whole connection, disguises, frames of unknown protocols, names looked up over HTTPS and QUIC. The exchanges are those of `tests/exchanges/`.

use plainsight::layers::REGISTRY;
use plainsight::model::Side;
use plainsight::peel::{Exchange, Surroundings, Tree, Unit};

fn peel(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/exchanges/{name}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let said = Exchange::read(&text);
    let keys = said.keys();
    let mut around = Surroundings { keys: &keys, ..Surroundings::new(&REGISTRY, said.server_port) };
    around.record(said.tree(&REGISTRY), &said.turns).lines.join("\n")
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

#[test]
fn a_length_that_is_none_leaves_the_rest_as_it_stands() {
    let said = [
        "note framed framed-lost",
        "framed.length=u32 big",
        "Server Cut(Dead) 29",
        "frame>$.text Text Server",
    ];
    says("framed-wrong-length", &said, &[]);
}

#[test]
fn ssl_3_opens_with_its_own_derivation_mac_and_padding() {
    for (name, suite) in
        [("ssl3-rc4", "TLS_RSA_WITH_RC4_128_SHA"), ("ssl3-3des", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")]
    {
        let texts =
            ["$.text Text Client Clear 25", "$.text Text Server Clear 22", "$.text Text Client Clear 17"];
        says(name, &texts, &["Sealed"]);
        says(name, &["tls.version=SSL 3.0", suite, "tls.opened=true"], &["bad-tag"]);
    }
}

#[test]
fn records_with_connection_ids_open_and_their_padding_is_no_text() {
    let texts = ["$.text Text Client Clear 25", "$.text Text Server Clear 22", "tls.opened=true"];
    says("dtls12-connection-id", &texts, &["Sealed", "bad-tag", "dtls-record-malformed"]);
}

#[test]
fn a_disguise_of_shadowsocks_comes_off_and_what_it_carries_is_what_it_shows() {
    for (name, mode) in [("simple-obfs", "http"), ("simple-obfs-tls", "tls")] {
        let told = ["layer simple-obfs", "obfs.host=www.example.com", "Client Opaque", "Server Opaque"];
        says(name, &told, &["Sealed", "http1", "tls.", "websocket", "note "]);
        says(name, &[&format!("obfs.mode={mode}")], &[]);
    }
    says(
        "simple-obfs-clear",
        &["$.text Text Client Clear 42", "http.method=POST", "http.status=200"],
        &["tls."],
    );
}

#[test]
fn http_2_in_clear_begins_inside_a_request_that_asks_for_it() {
    let texts = ["$.text Text Client Clear 23", "$.text Text Server Clear 22", "$.text Text Client Clear 22"];
    says("h2c-upgrade", &texts, &["note ", "Opaque", "Cut"]);
}

#[test]
fn hellos_of_a_draft_open_with_its_own_salt() {
    says(
        "quic-draft29",
        &["quic.version=QUIC draft-29", "quic.sni=", "quic.alpn=", "quic.suite=TLS_"],
        &["note "],
    );
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
fn mail_and_chat_are_followed_through_starttls() {
    for (name, layer) in [
        ("smtp-starttls", "smtp"),
        ("imap-starttls", "imap"),
        ("pop3-stls", "pop3"),
        ("irc-starttls", "irc"),
        ("xmpp-starttls", "xmpp"),
    ] {
        says(name, &[&format!("layer {layer}/tls/lines"), TEXT], &["malformed", "Opaque"]);
    }
    says("xmpp-starttls-one-side", &["xmpp.starttls=true", "layer xmpp/tls"], &["malformed"]);
}

#[test]
fn a_message_that_lightspeed_brings_is_told_by_its_call() {
    let said = [
        "layer http1/websocket/dgw",
        "insertMessage.text Text Server Clear 33",
        "insertMessage.thread_id[1]",
    ];
    says("lightspeed", &said, &["malformed", "Opaque"]);
}

#[test]
fn what_follows_a_line_of_text_does_not_decide_whose_an_upgraded_stream_is() {
    let said = ["layer http1/lines Guessed", "line> Text Server Clear 25"];
    says("upgrade-text-then-bytes", &said, &["layer http1/http1", "framed"]);
}

#[test]
fn compressed_connections_go_on_as_what_they_were() {
    says("imap-compress", &["layer imap/deflate-stream/imap", "/mime"], &["broken", "Opaque"]);
    says("xmpp-compress", &["layer xmpp/deflate-stream/xmpp", "body"], &["broken", "Opaque"]);
}

#[test]
fn a_compressed_connection_damaged_from_its_start_is_given_up_whole() {
    says("damaged-deflate-stream", &["note deflate-stream compression-broken"], &["Cut(Dead)"]);
}

#[test]
fn messages_without_the_cookie_follow_each_other_over_a_stream() {
    let messages = ["Binding request", "Binding success", "SharedSecret request"];
    says("stun-without-cookie-over-tcp", &messages, &["stun-malformed"]);
}

#[test]
fn a_line_that_is_too_long_is_so_however_it_comes() {
    says("ssh-line-too-long", &["note ssh ssh-line-too-long"], &["ssh.client"]);
    says("msnp-line-too-long", &["note msnp msnp-line-too-long"], &["MSNP8\\r\\n"]);
}

#[test]
fn names_looked_up_over_https_are_learned() {
    let text = peel("dns-over-https");
    assert_eq!(text.matches("dns.query=chat.example").count(), 4, "{text}");
    assert_eq!(text.matches("dns.address=chat.example, 10.0.0.7").count(), 2, "{text}");
}

#[test]
fn names_looked_up_over_quic_and_by_multicast_are_learned() {
    let learned =
        ["layer quic/dns-tcp", "dns.query=chat.example.test", "dns.address=chat.example.test, 10.0.0.7"];
    says("doq", &learned, &["bad-tag", "malformed"]);
    let multicast =
        ["dns.query=_presence._tcp.local", "dns.query=phone.local", "dns.address=phone.local, 10.0.0.7"];
    says("mdns", &multicast, &["malformed"]);
}

#[test]
fn frames_of_an_unknown_protocol_are_told_apart() {
    let json = [
        "framed.length=u32 big",
        "layer framed/json",
        "$.text Text Client Clear 19",
        "$.text Text Client Clear 33",
    ];
    says("framed-u32-json", &json, &["framed-lost", "Opaque"]);
    says(
        "framed-u16-zlib",
        &["framed.length=u16 little", "layer framed/zlib/json Proven"],
        &["framed-lost", "Opaque"],
    );
    says(
        "framed-u8-text",
        &["framed.length=u8", "leaf framed frame> Text Client Clear 15"],
        &["framed-lost", "Opaque", "lines"],
    );
    let typed = ["framed.length=octet, u16 big", "layer framed/protobuf", "note framed framed-lost"];
    says("framed-typed-protobuf", &typed[..2], &["Opaque"]);
}

#[test]
fn text_in_datagrams_is_taken_for_what_it_stands_for() {
    let wanted =
        ["layer base64 ", "layer base64/gzip/json ", "layer quoted-printable ", "Text Client Clear 21"];
    says("text-datagrams", &wanted, &["Opaque", "layer lines"]);
}

#[test]
fn a_disguise_as_tls_is_seen_through_with_the_secret_of_the_proxy() {
    let wanted = [
        "mtproxy.sni=www.example.test",
        "layer mtproxy-tls/mtproto-obfuscated/mtproto",
        "mtproto.obfuscation=with a proxy's secret",
        "mtproto.opened=true",
    ];
    says("mtproxy-tls", &wanted, &["tls.version", "lost", "malformed"]);
}

#[test]
fn datagrams_by_a_proxy_go_to_their_other_ends() {
    let wanted = [
        "socks.target=dns.test.lan:53",
        "layer socks-udp/dns",
        "socks.target=203.0.113.9:7777",
        "layer socks-udp/json",
        "note socks-udp socks-datagram-fragment",
    ];
    says("socks-udp", &wanted, &[]);
}

#[test]
fn mtproto_over_websocket_is_one_stream() {
    let path = "layer http1/websocket/mtproto-obfuscated/mtproto";
    says("mtproto-apiws", &[path, "mtproto.opened=true"], &["lost", "malformed"]);
}

#[test]
fn a_mail_that_is_fetched_in_pieces_is_one_mail() {
    let whole = ">text/plain Text Server Clear 60 ";
    says("imap-pieces", &["layer imap/mime", whole, "mail-part> Text Server Clear 61 "], &[]);
}

#[test]
fn irc_over_websocket_is_lines_without_their_ends() {
    let wanted = [
        "layer http1/websocket/irc",
        ">auth.password Plain Client Clear 6 ",
        ">message Text Client Clear 33 ",
        ">message Text Server Clear 23 ",
    ];
    says("irc-over-websocket", &wanted, &["malformed"]);
}

#[test]
fn what_is_said_in_data_channels_is_put_together_and_read() {
    let wanted = [
        "layer sctp",
        "sctp.channel=team room",
        "sctp.protocol=chat.example",
        "label Text Client Clear 9",
        "message Text Client Clear 36",
        "message Text Client Clear 28",
        "message Text Client Clear 19",
        "message Text Client Clear 12",
        "message Text Server Clear 21",
        "message Text Server Clear 22",
        "layer sctp/json",
        "$.text Text Server Clear 22",
        "message Binary Server Opaque 16",
        "data Binary Client Opaque 21",
        "sctp.payload=46",
        "sctp.checksum=none",
        "sctp.ended=shutdown",
        "note sctp sctp-gap",
        "note sctp sctp-abandoned",
    ];
    says("sctp", &wanted, &["malformed", "incomplete", "checksum-wrong", "limit"]);
}

/// Between the same two hosts, an association on a stream and then a datagram.
#[test]
fn the_datagrams_of_an_association_are_known_by_it() {
    let datagram =
        [&[0, 0, 0, 1, 203, 0, 113, 9, 0x1e, 0x61][..], b"{\"text\":\"see you at noon\"}"].concat();
    let control: [(Side, &[u8]); 4] = [
        (Side::Client, &[5, 1, 0]),
        (Side::Server, &[5, 0]),
        (Side::Client, &[5, 3, 0, 1, 0, 0, 0, 0, 0, 0]),
        (Side::Server, &[5, 0, 0, 1, 10, 0, 0, 1, 4, 56]),
    ];
    let mut around = Surroundings::new(&REGISTRY, 1080);
    let mut run = |unit, turns: &[(Side, &[u8])]| around.record(Tree::new(unit), turns).lines.join("\n");
    let alone = run(Unit::Datagram, &[(Side::Client, &datagram)]);
    assert!(!alone.contains("socks"), "{alone}");
    let told = run(Unit::Stream, &control);
    assert!(told.contains("socks.relay=10.0.0.1:1080"), "{told}");
    let after = run(Unit::Datagram, &[(Side::Client, &datagram)]);
    assert!(after.contains("layer socks-udp/json"), "{after}");
}
