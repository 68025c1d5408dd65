//! Runs the envelope recognisers over a folder of labelled files and prints where they are wrong.
//!
//! `cargo run --release --example vectors -- FOLDER`, where FOLDER/index.csv has the columns `file`,
//! `format`, `class` (pos, neg, fake, mut, transport) and others. One line a wrong file, then a table.

use plainsight::layers::envelope::{Class, Envelope, explain_deep, repeats};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// How an answer compares with the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Named as it should be, or rightly not called end-to-end encrypted.
    Right,
    /// No label, and the format cannot be told from its bytes alone.
    NeedsCarrier,
    /// No answer where one was due.
    Missed,
    /// A wrong name.
    Misnamed,
    /// Called end-to-end encrypted and is not.
    Overclaimed,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: vectors FOLDER");
        return ExitCode::from(2);
    };
    match run(Path::new(&folder)) {
        Ok(wrong) => ExitCode::from(u8::from(wrong > 0)),
        Err(problem) => {
            eprintln!("{folder}: {problem}");
            ExitCode::from(3)
        }
    }
}

/// One labelled file and what was made of it.
struct Case {
    class: String,
    format: String,
    file: String,
    bytes: Vec<u8>,
    found: Option<(Envelope, Vec<&'static str>)>,
}

fn run(folder: &Path) -> std::io::Result<usize> {
    let mut cases = read(folder)?;
    let again = compare_messages(&mut cases);
    let mut counts: Counts<Outcome> = BTreeMap::new();
    let mut answers: Counts<String> = BTreeMap::new();
    let mut wrong = 0;
    for case in &cases {
        let envelope = case.found.as_ref().map(|(e, _)| e);
        let outcome = judge(&case.class, &case.format, envelope);
        if outcome > Outcome::NeedsCarrier {
            wrong += 1;
            let answer = case.found.as_ref().map_or("-".to_owned(), |(e, chain)| said(e, chain));
            println!("{outcome:?}\t{}\t{}\t{answer}", case.class, case.file);
        }
        let key = (case.class.clone(), case.format.clone());
        *counts.entry(key.clone()).or_default().entry(outcome).or_default() += 1;
        let answer = envelope.map_or("-".to_owned(), short);
        *answers.entry(key).or_default().entry(answer).or_default() += 1;
    }
    print_table(&counts, &answers);
    println!("\n{} files, {again} of them judged only by comparing messages of one shape", cases.len());
    Ok(wrong)
}

fn read(folder: &Path) -> std::io::Result<Vec<Case>> {
    let index = std::fs::read_to_string(folder.join("index.csv"))?;
    let mut rows = index.lines().map(csv_row);
    let header = rows.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|h| h == name);
    let (Some(file), Some(format), Some(class)) = (column("file"), column("format"), column("class")) else {
        return Err(std::io::Error::other("index.csv lacks file, format or class"));
    };
    let mut cases = Vec::new();
    for row in rows {
        let (Some(file), Some(format), Some(class)) = (row.get(file), row.get(format), row.get(class)) else {
            continue;
        };
        let bytes = std::fs::read(folder.join(file))?;
        let found = explain_deep(&bytes);
        cases.push(Case { class: class.clone(), format: format.clone(), file: file.clone(), bytes, found });
    }
    Ok(cases)
}

/// What one home-made envelope cannot show, several of the same fields may. How many this settles.
fn compare_messages(cases: &mut [Case]) -> usize {
    let mut shapes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, case) in cases.iter().enumerate() {
        let Some((envelope, _)) = &case.found else {
            continue;
        };
        if let Some(shape) = envelope.fact_named("shape") {
            shapes.entry(shape.to_string()).or_default().push(i);
        }
    }
    let mut settled = 0;
    for group in shapes.values() {
        let messages: Vec<(&Envelope, &[u8])> = group
            .iter()
            .filter_map(|&i| cases.get(i))
            .filter_map(|c| c.found.as_ref().map(|(e, _)| (e, e.decoded.as_deref().unwrap_or(&c.bytes))))
            .collect();
        let Some(sign) = repeats(&messages) else {
            continue;
        };
        for &i in group {
            if let Some((envelope, _)) = cases.get_mut(i).and_then(|c| c.found.as_mut())
                && envelope.class != Class::Broken
            {
                envelope.class = Class::Broken;
                envelope.why = Some(sign);
                settled += 1;
            }
        }
    }
    settled
}

type Counts<T> = BTreeMap<(String, String), BTreeMap<T, usize>>;

fn said(envelope: &Envelope, chain: &[&str]) -> String {
    format!(
        "{:?} {} {:?} {:?} {}",
        envelope.tier,
        envelope.format,
        envelope.class,
        chain,
        envelope.why.unwrap_or("")
    )
}

fn short(envelope: &Envelope) -> String {
    match envelope.class {
        Class::E2eeMessage => envelope.format.to_owned(),
        class => format!("{} ({class:?})", envelope.format),
    }
}

/// Formats that no reader can tell from random bytes without the protocol around them.
const OPAQUE: &[&str] = &[
    "briar_btp_synthetic",
    "libsodium_secretstream",
    "nacl_box",
    "nacl_sealed_box",
    "nacl_secretbox",
    "sframe",
    "signal_sealed_v2_received",
    "srtp_packets",
    "telegram_secret_data",
    "tox_packets",
    "webrtc_insertable_jitsi_livekit",
];

fn judge(class: &str, format: &str, found: Option<&Envelope>) -> Outcome {
    let claims = found.is_some_and(|e| e.class.claim() >= 2);
    match (class, found) {
        ("pos", None) if OPAQUE.contains(&format) => Outcome::NeedsCarrier,
        ("pos", None) => Outcome::Missed,
        ("pos", Some(e)) if !matches(format, e) => Outcome::Misnamed,
        ("neg" | "transport", _) if claims => Outcome::Overclaimed,
        ("fake", _) if claims => Outcome::Overclaimed,
        ("fake", Some(e))
            if matches!(
                e.class,
                Class::Broken | Class::NotEncrypted | Class::SignedOnly | Class::SecretKey
            ) =>
        {
            Outcome::Right
        }
        ("fake", _) => Outcome::Missed,
        _ => Outcome::Right,
    }
}

/// Whether an answer is a name of the labelled format.
fn matches(format: &str, envelope: &Envelope) -> bool {
    let names: &[&str] = match format {
        "signal_message" | "signal_message_v3" | "fake_signal_plaintext_inside" => &["signal-message"],
        "signal_prekey" | "signal_prekey_v3" => &["signal-prekey-message"],
        "signal_senderkey" | "signal_senderkey_v3" => &["signal-sender-key-message"],
        "signal_skdm" => &["signal-sender-key-distribution"],
        "signal_sealed_v1" => &["signal-sealed-sender-v1"],
        "signal_sealed_v2_received" => &["signal-sealed-sender-v2"],
        "signal_sealed_v2_sent" => &["signal-sealed-sender-v2-sent"],
        "olm_message" => &["olm-message"],
        "olm_prekey" => &["olm-prekey-message"],
        "megolm_message" => &["megolm-message"],
        "omemo_axolotl_key" => &["signal-message", "signal-prekey-message"],
        "omemo_axolotl_xml" => &["omemo-0.3"],
        "omemo_2_xml" => &["omemo-2"],
        "omemo_empty_keytransport_xml" => &["omemo-2", "omemo-0.3"],
        "omemo_2_key" => &["omemo-2-key", "omemo-2-key-exchange"],
        "matrix_room_encrypted_json" => &["matrix-room-encrypted"],
        "matrix_todevice_olm_json" => &["matrix-to-device-olm"],
        "xep0027_xml" => &["xep-0027"],
        "xep0373_openpgp_xml" => &["xep-0373"],
        "jwe_compact" => &["jwe"],
        "jwe_json" => &["jwe-json"],
        "didcomm_encrypted_json" => &["didcomm-encrypted"],
        "nostr_nip04_content" => &["nostr-nip04"],
        "nostr_nip04_event_json" => &["nostr-nip04-event"],
        "nostr_nip17_giftwrap_json" => &["nostr-gift-wrap"],
        "nostr_nip44_payload" => &["nostr-nip44"],
        "nostr_nip59_seal_json" => &["nostr-seal"],
        "session_envelope" => &["session-envelope"],
        "session_store_request_json" => &["session-store-request"],
        "age_armor" | "age_binary" => &["age"],
        "cms_authenveloped_der" => &["cms-auth-enveloped-data"],
        "cms_enveloped_der" | "smime_enveloped_eml" => &["cms-enveloped-data"],
        "cms_pem" => &["cms-enveloped-data", "cms-auth-enveloped-data"],
        "openpgp_armor" | "openpgp_binary" | "openpgp_sequoia" | "openpgp_v6_aead" | "pgp_mime" => {
            &["openpgp-encrypted"]
        }
        "openpgp_symmetric" => &["openpgp-password"],
        "otr_data_message" | "otr_data_message_binary" | "otr_v4_data_synthetic" => &["otr-data"],
        "otr_ake_message" => &["otr-key-exchange"],
        "imessage_pair_bplist" | "imessage_pair_payload" => &["imessage-pair"],
        "imessage_pairec_bplist" | "imessage_pairec_payload" => &["imessage-pair-ec"],
        "proteus_prekey" => &["proteus-prekey-message"],
        "rcs_cpim_google_etouffee" => &["rcs-google-encrypted"],
        "rcs_cpim_mls" => &["rcs-mls", "mls-private-message", "mls-welcome"],
        "saltpack_encrypted_armor" | "saltpack_encrypted_binary" => &["saltpack-encrypted"],
        "simplex_smp_block" => &["simplex-block"],
        "telegram_encryptedMessage_tl" | "telegram_sendEncrypted_tl" => &["telegram-secret-chat"],
        "threema_csp_message" => &["threema-message"],
        "threema_gateway_e2e_form" => &["threema-gateway"],
        "virgil_envelope" => &["virgil"],
        "wire_otr_message_protobuf" => &["wire-otr-message"],
        "whatsapp_enc_node" | "messenger_armadillo_node" => &["whatsapp-node"],
        "xmtp_v1_message" => &["xmtp-v1"],
        "xmtp_v2_message" => &["xmtp-v2"],
        "xmtp_v3_group_message" => &["xmtp-v3"],
        "zrtp_packets" => &["zrtp"],
        "megolm_session_key" => &["megolm-session-share", "megolm-session-export"],
        _ => return by_rule(format, envelope.format),
    };
    names.contains(&envelope.format)
}

/// The label's own words, with hyphens, begin the answer's name.
fn by_rule(label: &str, answer: &str) -> bool {
    answer == label.replace('_', "-")
}

fn print_table(counts: &Counts<Outcome>, answers: &Counts<String>) {
    println!(
        "\n| class | labelled | files | right | needs carrier | missed | misnamed | overclaimed | answers |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut sums: BTreeMap<&str, BTreeMap<Outcome, usize>> = BTreeMap::new();
    for (key, outcomes) in counts {
        let said: Vec<String> =
            answers.get(key).into_iter().flatten().map(|(a, n)| format!("{a}: {n}")).collect();
        print_row(&key.0, &key.1, outcomes, &said.join(", "));
        for (outcome, n) in outcomes {
            *sums.entry(&key.0).or_default().entry(*outcome).or_default() += n;
        }
    }
    for (class, outcomes) in sums {
        print_row(class, "**all**", &outcomes, "");
    }
}

fn print_row(class: &str, label: &str, outcomes: &BTreeMap<Outcome, usize>, answers: &str) {
    let of = |o| outcomes.get(&o).copied().unwrap_or(0);
    let files: usize = outcomes.values().sum();
    println!(
        "| {class} | {label} | {files} | {} | {} | {} | {} | {} | {answers} |",
        of(Outcome::Right),
        of(Outcome::NeedsCarrier),
        of(Outcome::Missed),
        of(Outcome::Misnamed),
        of(Outcome::Overclaimed)
    );
}

/// The fields of one line of CSV; quotes may enclose commas.
fn csv_row(line: &str) -> Vec<String> {
    let mut row = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(String::new()),
            c => row.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    row
}
