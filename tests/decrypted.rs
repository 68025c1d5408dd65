//! Recordings that are already decrypted: HAR files and mitmproxy's flows, read as any capture is. What was
//! protected on its way stays so in the verdict, and no capture can pretend to be such a recording.

use plainsight::audit::{Audit, Plan, run};
use plainsight::capture::{LinkType, PcapngWriter};
use plainsight::model::{Limits, Timestamp};
use plainsight::report::dto::Report;
use plainsight::verdict::Verdict;
use serde_json::{Value, json};
use std::path::Path;

fn audit(folder: &Path, name: &str, bytes: &[u8]) -> Result<Audit, String> {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a file");
    let plan = Plan { captures: vec![path], limits: Limits::default(), ..Plan::default() };
    run(&plan, &|_| {}).map_err(|e| e.to_string())
}

fn audited(bytes: &[u8]) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    audit(folder.path(), "recording", bytes).expect("a report").report()
}

fn har(entries: &[Value]) -> Vec<u8> {
    let creator = json!({"name": "test", "version": "1"});
    // The order matters: what begins otherwise is not taken for a HAR.
    format!(r#"{{"log": {{"version": "1.2", "creator": {creator}, "entries": {}}}}}"#, json!(entries))
        .into_bytes()
}

fn entry(url: &str, sent: Value, content: Value) -> Value {
    let headers = json!([{"name": "content-type", "value": "application/json"}]);
    json!({
        "startedDateTime": "2026-11-23T12:29:25.487444+00:00",
        "time": 12.5,
        "request": {"method": "POST", "url": url, "httpVersion": "h2", "headers": headers, "postData": sent},
        "response": {"status": 200, "statusText": "OK", "headers": [
            {"name": "Content-Type", "value": "application/json"},
            {"name": "content-encoding", "value": "br"},
            {"name": "set-cookie", "value": "a=1\nb=2"}], "content": content},
        "serverIPAddress": "192.0.2.7",
        "_securityDetails": {"protocol": "TLS 1.3"}
    })
}

const MESSAGE: &str = r#"{"to":"bob","text":"shall we meet at the old bridge tonight?"}"#;
const ANSWER: &str = r#"{"ok":true}"#;

fn message(url: &str) -> Value {
    let sent = json!({"mimeType": "application/json", "text": MESSAGE});
    entry(url, sent, json!({"size": ANSWER.len(), "text": ANSWER}))
}

#[test]
fn what_was_protected_on_its_way_is_protected_in_the_verdict() {
    let report = audited(&har(&[message("https://chat.example:8443/send?x=1")]));
    let c = &report.conversations[0];
    assert_eq!((c.endpoint.as_str(), c.protocol.as_str()), ("chat.example:8443", "opened/http1"));
    assert_eq!(c.verdict.to_string(), "transport-only");
    assert!(c.not_ruled_out.iter().any(|d| d.contains("recording program says")), "{:?}", c.not_ruled_out);
    let t = &report.transport[0];
    assert_eq!((t.version.as_deref(), t.sni.as_deref()), (Some("TLS 1.3"), Some("chat.example")));
    assert_eq!(report.inputs[0].packets, 1);
    assert_eq!(report.inputs[0].format, "HAR by test 1");
    // Nothing for Wireshark to show.
    assert!(
        report
            .evidence
            .iter()
            .all(|e| e.tshark.is_none() && e.origin.as_ref().is_some_and(|o| o.frames == [1]))
    );
    assert!(report.findings.iter().all(|f| f.tshark.is_none()));
    assert_eq!(report.summary.coverage.lost, 0);

    let report = audited(&har(&[message("http://chat.example/send")]));
    assert_eq!(report.conversations[0].protocol, "http1");
    assert_eq!(report.summary.verdict.to_string(), "plaintext");
}

#[test]
fn bodies_that_were_not_kept_are_lost_bytes() {
    let sent = json!({"mimeType": "application/json", "text": MESSAGE});
    for (size, lost) in [(150_000, 150_000), (u64::MAX, 1 << 29)] {
        let report = audited(&har(&[entry("https://chat.example/a", sent.clone(), json!({"size": size}))]));
        assert_eq!(report.summary.coverage.lost, lost);
        assert_eq!(report.summary.verdict.to_string(), "transport-only");
    }
    // An entry of more values than are held is lost, and known by its address.
    let mut wide = message("https://chat.example/a");
    wide["x"] = Value::Array(vec![Value::Null; 4 << 20]);
    let report = audited(&har(&[wide]));
    assert!(report.summary.coverage.lost > 16 << 20, "{:?}", report.summary.coverage);
    let packed = json!({"size": 11, "text": "eyJvayI6dHJ1ZX0=", "encoding": "base64"});
    let report = audited(&har(&[entry("https://chat.example/a", json!({}), packed)]));
    assert_eq!(report.summary.coverage.lost, 0);
}

/// What a recorder left out, or a bound passed over, may hold anything.
#[test]
fn what_is_missing_from_a_recording_takes_a_claim_away() {
    let sealed = include_str!("envelopes/matrix_room_encrypted_json.json");
    let url = "https://matrix.example/_matrix/client/v3/rooms/a/messages";
    let sent = || json!({"mimeType": "application/json", "text": "{}"});
    let whole = entry(url, sent(), json!({"size": sealed.len(), "text": sealed}));
    let report = audited(&har(&[whole.clone(), whole.clone()]));
    assert_eq!(report.summary.verdict.to_string(), "e2ee");
    let left_out = entry(url, sent(), json!({"size": 50_000}));
    let mut wide = message(url);
    wide["x"] = Value::Array(vec![Value::Null; 4 << 20]);
    for missing in [left_out, wide] {
        let report = audited(&har(&[whole.clone(), whole.clone(), missing]));
        assert_eq!(report.summary.verdict.to_string(), "undetermined");
        assert!(report.conversations.iter().all(|c| c.verdict.to_string() != "e2ee"));
    }
    let said = audited(&har(&[whole.clone(), whole, message("https://matrix.example/send")]));
    assert_eq!(said.summary.verdict.to_string(), "transport-only");
}

#[test]
fn messages_of_a_websocket_are_read() {
    let mut socket = message("wss://chat.example/ws");
    socket["response"]["status"] = json!(200);
    let said = |side: &str, opcode: u8, data: &str| json!({"type": side, "time": 1795436965.6, "opcode": opcode, "data": data});
    let long =
        format!(r#"{{"text":"{}"}}"#, "the ferry leaves at nine and comes back at five. ".repeat(1500));
    socket["_webSocketMessages"] =
        json!([said("send", 1, MESSAGE), said("receive", 1, &long), said("send", 2, "AAEC")]);
    let report = audited(&har(&[socket]));
    let c = report.conversations.iter().find(|c| c.protocol == "opened/http1/websocket").expect("a socket");
    assert_eq!(c.verdict.to_string(), "transport-only");
    assert!(c.messages >= 2, "{c:?}");
    assert!(c.coverage.explained > long.len() as u64, "{:?}", c.coverage);
}

/// A tnetstring of any JSON value; texts that begin with `b:` are bytes.
fn tnet(value: &Value) -> Vec<u8> {
    let (inside, kind) = match value {
        Value::Null => (Vec::new(), '~'),
        Value::Bool(b) => (b.to_string().into_bytes(), '!'),
        Value::Number(n) => (n.to_string().into_bytes(), if n.is_f64() { '^' } else { '#' }),
        Value::String(s) => match s.strip_prefix("b:") {
            Some(bytes) => (bytes.as_bytes().to_vec(), ','),
            None => (s.as_bytes().to_vec(), ';'),
        },
        Value::Array(all) => (all.iter().flat_map(tnet).collect(), ']'),
        Value::Object(all) => {
            (all.iter().flat_map(|(k, v)| [tnet(&json!(k)), tnet(v)].concat()).collect(), '}')
        }
    };
    [format!("{}:", inside.len()).into_bytes(), inside, vec![kind as u8]].concat()
}

fn flow(kind: &str, more: Value) -> Vec<u8> {
    let mut flow = json!({
        "type": kind,
        "version": 21,
        "client_conn": {
            "peername": ["10.0.0.5", 51_000], "tls_established": true, "sni": "chat.example",
            "timestamp_start": 1795436965.0, "tls_version": "TLSv1.3"},
        "server_conn": {"peername": ["192.0.2.7", 5223], "tls_established": true, "tls_version": "TLSv1", "alpn": "b:"},
    });
    flow.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    tnet(&flow)
}

fn request(scheme: &str) -> Value {
    json!({
        "request": {
            "method": "b:POST", "scheme": format!("b:{scheme}"), "host": "192.0.2.7", "port": 8080,
            "authority": "b:chat.example", "path": "b:/send", "http_version": "b:HTTP/2.0",
            "headers": [["b:content-type", "b:application/json"]],
            "content": format!("b:{MESSAGE}"), "trailers": null, "timestamp_start": 1795436965.2},
        "response": {
            "status_code": 200, "reason": "b:OK", "headers": [], "content": null, "timestamp_start": 1795436965.4},
    })
}

#[test]
fn flows_of_a_proxy_are_read_by_kind() {
    let report = audited(&flow("http", request("https")));
    let c = &report.conversations[0];
    assert_eq!((c.endpoint.as_str(), c.protocol.as_str()), ("chat.example:8080", "opened/http1"));
    assert_eq!(c.verdict.to_string(), "transport-only");
    assert_eq!(report.transport[0].version.as_deref(), Some("TLS 1.0"));
    assert!(report.findings.iter().any(|f| f.id == "weak-transport"), "{:?}", report.findings);
    assert_eq!(audited(&flow("http", request("http"))).summary.verdict.to_string(), "plaintext");

    // A connection of no known protocol inside TLS, and flows of a kind that is not read.
    let line = format!("b:{MESSAGE}\n");
    let said = json!({"messages": [[true, line, 1795436966.0], [false, "b:+ok\n", 1795436966.5]]});
    let udp = json!({"messages": [[true, "b:x", 1795436966.0]]});
    let both = [flow("tcp", said), flow("udp", udp)].concat();
    let report = audited(&both);
    assert_eq!(report.inputs[0].packets, 2);
    let tcp = report.conversations.iter().find(|c| c.protocol.starts_with("opened")).expect("the connection");
    assert_eq!(tcp.verdict.to_string(), "transport-only");
    assert!(
        report.notes.iter().any(|n| n.code == "recording-entry-unread" && n.count == 1),
        "{:?}",
        report.notes
    );
}

#[test]
fn what_is_cut_gives_what_came_before_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = har(&[message("https://a.example/1"), message("https://b.example/2")]);
    let flows = [flow("http", request("https")), flow("http", request("http"))].concat();
    let ends = [0, flow("http", request("https")).len()];
    for (name, bytes, least) in [("x.har", &whole, 900), ("x.mitm", &flows, 1000)] {
        for keep in (0..bytes.len()).step_by(7) {
            match audit(folder.path(), name, &bytes[..keep]) {
                // Behind a whole flow nothing is missing.
                Ok(audit) if name == "x.mitm" && ends.contains(&keep) => assert!(!audit.inputs[0].truncated),
                Ok(audit) => {
                    assert!(audit.inputs[0].truncated, "{name} cut at {keep}");
                    assert!(audit.notes.0.contains_key("capture-file-cut"), "{name} cut at {keep}");
                }
                Err(said) => assert!(keep < least && said.contains(name), "{keep}: {said}"),
            }
        }
    }
}

#[test]
fn no_capture_can_pretend_to_be_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("forged.pcapng");
    let file = std::fs::File::create(&path).expect("a file");
    let mut writer = PcapngWriter::new(file, "test").expect("a head");
    writer.interface(LinkType::OPENED, 0, "").expect("an interface");
    let body = format!(
        "{{\"sni\":\"chat.example\",\"inside\":\"http\"}}\nPOST /send HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{MESSAGE}",
        MESSAGE.len()
    );
    let length = (40 + body.len()) as u16;
    let mut frame = vec![0x45, 0];
    frame.extend(length.to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x90, 0, 0, 80]);
    frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 16, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(body.as_bytes());
    writer.frame(0, Timestamp::new(1, 0), &frame, u32::from(length)).expect("a frame");
    drop(writer);
    let plan = Plan { captures: vec![path], ..Plan::default() };
    let forged = run(&plan, &|_| {}).expect("a report");
    assert!(forged.drafts.iter().all(|d| !d.key.path.starts_with("opened")));
    assert_ne!(forged.summary.verdict, Verdict::TransportOnly);
}
