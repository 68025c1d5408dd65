//! What to say of traffic that stayed inside a protection other than TLS, a tunnel or a remote shell: its
//! protocol by name, and which key opens it or where to record instead. The names are those of layers in a conversation's path.

/// The protocol's name and the next step, where the innermost layer is such a protocol.
pub(super) fn told(path: &str) -> Option<(String, String)> {
    let (name, inside) = match path.rsplit('/').next()? {
        "ssh" => (
            "SSH",
            "no passive key exists for it: record at one of its ends, before the shell or the forwarded port enters it",
        ),
        "wireguard" => ("WireGuard", INSIDE),
        "openvpn" | "openvpn-tcp" => ("OpenVPN", INSIDE),
        "ipsec" => ("IPsec", INSIDE),
        "mtproto" | "mtproto-obfuscated" => (
            "MTProto",
            "give the client's authorization keys: lines MTPROTO_AUTH_KEY in the file of --keylog (docs/keys.md)",
        ),
        "noise" | "noise-wa" => (
            "Noise",
            "give the client's keys: lines NOISE_TRANSPORT or NOISE_PRIVATE in the file of --keylog (docs/keys.md)",
        ),
        _ => return None,
    };
    let reason =
        format!("at least transport-encrypted: it stayed inside {name}, and what is in there cannot be said");
    Some((reason, inside.to_owned()))
}

/// The reason and the next step, where bytes of no known protocol came out of a disguise.
pub(super) fn disguised(path: &str) -> Option<(&'static str, &'static str)> {
    (path == "simple-obfs").then_some((
        "a disguise that anybody takes off (simple-obfs), and behind it bytes of no known protocol: Shadowsocks, for which it is made, \
         has no mark of its own, and that they look random would prove nothing",
        "record on the device before its proxy's client, where the app's own traffic shows",
    ))
}

const INSIDE: &str =
    "record inside the tunnel (on the device's tunnel interface), where the app's own traffic shows";
