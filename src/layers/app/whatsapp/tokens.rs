//! Words of WhatsApp's binary XML that stand for one byte, as far as they matter for reading messages.

/// Number and word, in order of number. Other numbers stay numbers.
static SINGLE: &[(u8, &str)] = &[
    (2, "xmlstreamend"),
    (3, "s.whatsapp.net"),
    (4, "type"),
    (5, "participant"),
    (6, "from"),
    (7, "receipt"),
    (8, "id"),
    (9, "notification"),
    (13, "broadcast"),
    (17, "to"),
    (19, "message"),
    (24, "notify"),
    (25, "iq"),
    (26, "t"),
    (27, "ack"),
    (28, "g.us"),
    (29, "enc"),
    (31, "presence"),
    (38, "mediatype"),
    (46, "chatstate"),
    (48, "unavailable"),
    (50, "skmsg"),
    (55, "media"),
    (56, "text"),
    (65, "count"),
    (69, "2"),
    (76, "success"),
    (77, "msg"),
    (81, "v"),
    (83, "pkmsg"),
    (85, "1"),
    (100, "call"),
    (107, "participants"),
    (118, "lid"),
    (132, "decrypt-fail"),
    (148, "recipient"),
    (149, "edit"),
    (157, "stream:error"),
    (162, "3"),
    (204, "msgr"),
    (205, "hide"),
    (230, "device-identity"),
];

/// The word for a byte.
pub fn word(token: u8) -> String {
    match SINGLE.iter().find(|(n, _)| *n == token) {
        Some((_, word)) => (*word).to_owned(),
        None => format!("token-{token}"),
    }
}
