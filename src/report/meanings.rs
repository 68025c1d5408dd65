//! What a counted remark about the input means for the result, one sentence per code.

/// The meaning of a note's code: its own, or that of its ending, or one that holds for all.
pub fn of(code: &str) -> &'static str {
    let own = ALL.iter().find(|(known, _)| *known == code);
    let of_kind = || ENDINGS.iter().find(|(end, _)| code.ends_with(end));
    own.or_else(of_kind).map_or(UNKNOWN, |(_, meaning)| meaning)
}

const UNKNOWN: &str = "something in the input was damaged, unusual or beyond a bound, and was passed over";

/// Endings that say the same in every protocol.
static ENDINGS: &[(&str, &str)] = &[
    ("-cut-by-gap", "a part misses bytes that the recording lost, so it was read in part"),
    ("-lost-by-gap", "a protocol could not be followed across bytes that the recording lost"),
    ("-gap", "bytes are missing in the recording, so something was read in part"),
    ("-lost", "something that later parts build on is missing, so they could not be read"),
    ("-too-long", "a part was longer than the bound and was read in part or not at all"),
    ("-malformed", "something breaks the rules of its protocol and was passed over"),
    ("-limit", "there was more than a bound allows; the rest was not taken apart"),
    ("-resynchronised", "the start of a message had to be searched after bytes were lost"),
    ("-unfinished", "the recording ends in the middle of a message, which was read in part"),
    ("-unknown", "something of a kind that this version does not know was passed over"),
    ("-unsupported", "an algorithm that this version does not implement stayed closed"),
];

/// Codes and meanings, by the stage that counts them.
static ALL: &[(&str, &str)] = &[
    ("fields-unmeasured", "more random-looking fields of no known kind than are measured one by one"),
    (
        "copy-limit",
        "more texts and fields were seen than are remembered to find copies; a copy may be missed",
    ),
    (
        "aside-limit",
        "more places with texts in fields of no known kind were seen than are remembered; what they stood beside is not called end-to-end encrypted",
    ),
    (
        "upload-limit",
        "more files were sent in clear than are compared with the portraits that they became; messages of their services are not called end-to-end encrypted",
    ),
    (
        "trial-key-limit",
        "more different secrets were in sight than are tried; conversations with ciphertexts that they may have opened are not called end-to-end encrypted",
    ),
    (
        "trial-misnamed-limit",
        "more values that are called an identifier, a digest, a signature, a public key or the like were in sight than are tried as keys; conversations with ciphertexts that they may have opened are not called end-to-end encrypted",
    ),
    (
        "trial-field-limit",
        "more ciphertexts were in sight than secrets are tried on; the conversations that those left out belong to are not called end-to-end encrypted",
    ),
    (
        "trial-limit",
        "more keys and fields were in sight than are tried on one another; conversations with fields that stayed untried are not called end-to-end encrypted",
    ),
    ("capture-file-cut", "the file ends in the middle of a packet; what followed is not in the report"),
    ("capture-frame-cut", "frames were recorded only in part (snap length), so content may be missing"),
    ("capture-block-damaged", "a block of the file is damaged and was passed over"),
    ("capture-block-malformed", "a block of the file does not follow the format and was passed over"),
    ("capture-interface-unknown", "packets name an interface that the file does not describe"),
    ("capture-length-absurd", "a length in the file cannot be true; reading went on after it"),
    ("capture-packing-damaged", "the packed file is damaged; what follows the damage is not in the report"),
    (
        "recording-entry-unread",
        "entries of a HAR file or proxy dump hold something else than HTTP, a WebSocket or a TCP flow, or lack what is needed, and were passed over",
    ),
    ("opened-head-malformed", "what a recorder says of the protection it took off could not be read"),
    ("link-header-malformed", "frames whose link header could not be read were passed over"),
    ("wlan-protected", "radio frames were still encrypted by the Wi-Fi network and were passed over"),
    ("wlan-aggregate", "aggregated radio frames were passed over"),
    ("wlan-fragment", "radio frames in pieces were passed over"),
    ("macsec-protected", "frames encrypted on the wired link were passed over"),
    ("ppp-protected", "frames encrypted on the dial-up link were passed over"),
    ("ppp-compressed", "frames compressed on the dial-up link were passed over"),
    ("ppp-headers-compressed", "frames with compressed headers were passed over"),
    ("ppp-multilink-piece", "pieces of frames spread over several links were passed over"),
    ("gre-malformed", "tunnelled packets could not be read and were passed over"),
    ("etherip-malformed", "tunnelled frames could not be read and were passed over"),
    (
        "vantage-limit",
        "more messages passed than are kept to be found at the other end; the later ones were not compared",
    ),
    ("encapsulations-limit", "tunnels inside tunnels went beyond the bound and were passed over"),
    ("ip-version-unknown", "packets of neither IPv4 nor IPv6 were passed over"),
    ("ip-header-malformed", "packets with a header that cannot be true were passed over"),
    ("ip-fragment-cut", "a fragment was recorded only in part, so its packet is missing"),
    ("ip-fragment-impossible", "fragments that fit no packet were passed over"),
    (
        "ip-fragments-evicted",
        "more packets were in pieces than the bound allows, so the oldest were given up",
    ),
    ("ip-fragments-timed-out", "packets miss fragments and were given up"),
    ("ip-overlap-differs", "fragments overlap with different content; somebody may have forged one"),
    ("tcp-malformed", "segments with a header that cannot be true were passed over"),
    ("sctp-cut", "SCTP packets without their ports were passed over"),
    ("udp-malformed", "datagrams with a header that cannot be true were passed over"),
    (
        "conversation-limit",
        "more services were talked to than are told apart; the rest stands together as \"others\"",
    ),
    ("flow-evicted", "more connections were open than the bound allows, so the quietest was closed early"),
    ("tcp-before-start", "bytes from before a connection's first byte were passed over"),
    ("tcp-data-after-close", "data came after a connection had closed and was passed over"),
    ("tcp-data-after-fin", "data came after a side had said it was done and was passed over"),
    ("tcp-fin-inside", "a side said it was done in the middle of data that had come already"),
    ("tcp-out-of-window", "segments far outside the connection's window were passed over"),
    (
        "tcp-overlap-differs",
        "the same bytes were sent twice with different content; somebody may have forged one, and the first was kept",
    ),
    ("tcp-reorder-limit", "too much came out of order, so a gap was assumed and counted as lost"),
    ("tcp-reset-ignored", "a reset that does not fit the connection was ignored"),
    ("tcp-stray-reset", "a reset came for a connection that was not open"),
    (
        "layer-lost-by-gap",
        "a protocol could not be followed across bytes that the recording lost; the rest of that direction is missing",
    ),
    ("depth-limit", "layers inside layers went beyond the bound; the innermost were not taken apart"),
    ("node-limit", "a flow held more parts than the bound allows; the rest was not taken apart"),
    ("work-limit", "a part asked for more work than the bound allows; its rest was not taken apart"),
    ("field-limit", "a message held more fields than the bound allows; the rest was not searched"),
    ("message-limit", "a message was longer than the bound and was read in part"),
    ("buffer-limit", "an unfinished unit grew beyond the bound and was given up"),
    ("peeler-stuck", "a parser made no progress and was stopped; the rest of that direction is missing"),
    ("tls-bad-record", "a record breaks the rules of TLS; the rest of that direction may be missing"),
    (
        "tls-bad-tag",
        "a key was found, but it did not open some records: bytes are damaged, lost or of another session",
    ),
    ("tls-handshake-too-long", "a handshake message was longer than the bound and was not read"),
    ("tls-lost-record", "records are missing, so the count of records had to be found again"),
    ("tls-resynchronised", "the start of a record had to be searched after bytes were lost"),
    ("noise-tag-wrong", "messages did not open with the Noise keys given for their connection"),
    (
        "mtproto-message-key-wrong",
        "packets did not open with the authorization key given for their identifier",
    ),
    ("mtproto-checksum-wrong", "frames whose checksum does not fit were read all the same"),
    ("tls-suite-unsupported", "the cipher suite cannot be opened by this version, even with keys"),
    ("dtls-bad-tag", "a key was found, but it did not open some records: damaged, or of another session"),
    ("srtp-bad-tag", "keys were agreed on between the same hosts, but they do not open a stream of media"),
    ("quic-bad-tag", "a key was found, but it did not open some packets: damaged, or of another connection"),
    ("quic-bad-frame", "an opened packet breaks the rules of QUIC; its rest was not read"),
    ("quic-no-connection", "packets belong to no connection whose start was recorded, so they stayed closed"),
    ("quic-version-negotiation", "the ends had to agree on another version of QUIC first"),
    ("http2-data-without-head", "content came for a request whose head was not recorded"),
    ("http2-joined-late", "the recording starts inside the connection, so some header fields are unknown"),
    ("http3-fields-missing", "header fields refer to a table whose start was not recorded"),
    ("socks-login-unknown", "a proxy asked for a login of a kind that is not read here"),
    ("http-body-cut-by-gap", "a body misses bytes that the recording lost"),
    ("http-chunk-malformed", "a body in chunks breaks the format; its rest was not read"),
    ("http-head-malformed", "a request or response could not be read as HTTP"),
    ("http-head-too-long", "the header of a message was longer than the bound"),
    ("http-resynchronised", "the start of a message had to be searched after bytes were lost"),
    ("websocket-deflate-broken", "a compressed message could not be unpacked; its start may be missing"),
    (
        "websocket-frame-malformed",
        "a frame breaks the rules of WebSocket; the rest of that direction is missing",
    ),
    ("websocket-message-too-long", "a message was longer than the bound and was read in part"),
    ("sctp-malformed", "a packet breaks the rules of SCTP"),
    ("sctp-checksum-wrong", "packets whose checksum does not fit were read all the same"),
    ("sctp-gap", "pieces of messages were lost by the recording"),
    ("sctp-abandoned", "the sender gave up pieces of messages that did not arrive"),
    ("sctp-message-incomplete", "a message misses pieces and was read in part"),
    (
        "sctp-message-limit",
        "a message was longer than the bound, or too many were under way; it was read in part",
    ),
    ("sctp-channel-malformed", "a message that should open a data channel could not be read"),
    ("sctp-channel-limit", "more data channels than the bound; those beyond it have no names"),
    ("sctp-association-limit", "more associations in one flow than the bound; those beyond it were not read"),
    ("mqtt-packet-malformed", "a packet breaks the rules of MQTT"),
    ("mqtt-packet-too-long", "a packet was longer than the bound and was not read"),
    ("sip-head-too-long", "the header of a SIP message was longer than the bound"),
    ("sip-body-too-long", "the body of a SIP message was longer than the bound and was read in part"),
    ("dns-malformed", "a name look-up could not be read, so names may be missing from endpoints"),
    ("openvpn-session-differs", "packets of another OpenVPN session came on the same connection"),
    (
        "ssh-not-encrypted",
        "the ends of an SSH connection agreed to encrypt nothing; its content was not followed",
    ),
    ("esp-packets", "IPsec packets (ESP) were passed over: nobody here can say what is inside"),
    ("json-truncated", "a JSON text ends early; its rest was not searched"),
    ("line-too-long", "a line was longer than the bound and was read in part"),
    ("compressed-trailing-bytes", "bytes follow the end of compressed data"),
    ("compression-broken", "compressed data could not be unpacked to its end"),
    ("expansion-limit", "compressed or encoded data grew beyond the bound and was read in part"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_one_meaning_and_unknown_ones_have_a_sentence() {
        let codes: BTreeSet<_> = ALL.iter().map(|(c, _)| c).collect();
        assert_eq!(codes.len(), ALL.len());
        assert!(ALL.iter().all(|(_, m)| m.len() > 20 && !m.ends_with('.')));
        assert_eq!(of("never-heard-of"), UNKNOWN);
        assert_ne!(of("novel-protocol-frame-malformed"), UNKNOWN);
    }
}
