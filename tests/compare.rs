//! Two ends through the program: recorded cases (`captures/*/ends.toml`) and made ones, in which a service
//! passes sealed bytes on, seals them anew, or delivers them readable.

use plainsight::capture::{LinkType, PcapngWriter};
use plainsight::model::Timestamp;
use plainsight::report::dto::Report;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

fn program(args: &[&str]) -> (Option<i32>, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_plainsight")).args(args).output().expect("the program starts");
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

fn compare(sender: &Path, receiver: &Path, more: &[&str]) -> Report {
    let path = |p: &Path| p.to_str().expect("UTF-8").to_owned();
    let (s, r) = (path(sender), path(receiver));
    let args = [&["compare", "--sender", &s, "--receiver", &r, "--json", "-", "-q"], more].concat();
    let (code, out, err) = program(&args);
    assert!(matches!(code, Some(0 | 4)), "{code:?}: {err}");
    Report::read(out.as_bytes()).expect("a report")
}

fn said(r: &Report) -> String {
    format!("{} {}", r.summary.verdict, r.summary.grade)
}

#[derive(Deserialize)]
struct Ends {
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    verdict: String,
    grade: String,
    grade_with_checks: Option<String>,
    #[serde(default)]
    some: Vec<String>,
    outcomes: Vec<String>,
    unchanged: u64,
    slope: Option<f64>,
    verdict_without_keys: String,
}

#[test]
fn recorded_ends_are_judged_as_their_truth_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let folders = std::fs::read_dir(root).expect("captures/ is there").flatten().map(|e| e.path());
    let folders: Vec<PathBuf> = folders.filter(|p| p.join("ends.toml").exists()).collect();
    assert!(folders.len() >= 2);
    for folder in folders {
        let name = folder.display().to_string();
        let text = std::fs::read_to_string(folder.join("ends.toml")).expect("readable");
        let expect = toml::from_str::<Ends>(&text).expect("ends.toml").expect;
        let file = |n: &str| folder.join(n).to_str().expect("UTF-8").to_owned();
        let (sender, receiver) = (folder.join("sender.pcap"), folder.join("receiver.pcap"));
        let (keys, plan) = (file("keys.log"), file("plan.toml"));
        let r = compare(&sender, &receiver, &["--keylog", &keys]);
        assert_eq!(said(&r), format!("{} {}", expect.verdict, expect.grade), "{name}");
        for some in &expect.some {
            assert!(
                r.weighing().any(|c| format!("{} {}", c.verdict, c.grade) == *some),
                "{name}: nothing is {some}"
            );
        }
        let v = r.vantages.as_ref().expect("two ends");
        assert!(v.ways.iter().all(|w| expect.outcomes.contains(&w.outcome)), "{name}: {:#?}", v.ways);
        assert_eq!(v.ways.iter().map(|w| w.same + w.recut).sum::<u64>(), expect.unchanged, "{name}");
        assert!(
            v.clock.as_ref().is_some_and(|c| c.ahead_ms.abs() < 100),
            "{name}: one machine has one clock"
        );
        let planned = compare(&sender, &receiver, &["--keylog", &keys, "--plan", &plan]);
        if let Some(grade) = expect.grade_with_checks {
            assert_eq!(planned.summary.grade.word(), grade, "{name}");
        }
        if let Some(slope) = expect.slope {
            assert!(planned.lengths.iter().all(|l| l.slope == Some(slope)), "{name}: {:?}", planned.lengths);
        }
        // The ends may be named in either order.
        assert_eq!(said(&compare(&receiver, &sender, &["--keylog", &keys])), said(&r), "{name}");
        let blind = compare(&sender, &receiver, &[]);
        assert_eq!(blind.summary.verdict.word(), expect.verdict_without_keys, "{name}");
        assert!(blind.weighing().all(|c| c.grade.word() < "G2"), "{name}: a claim without keys");
    }
}

/// What a service does with a message.
#[derive(Clone, Copy, PartialEq)]
enum Service {
    PassesOn,
    SealsAnew,
    Opens,
    Keeps,
}

/// One recording: HTTP between a device and a service, each message in a segment of its own.
struct Wire {
    frames: Vec<(i64, Vec<u8>)>,
    /// Next sequence numbers of the two sides.
    next: [u32; 2],
    device: u8,
}

impl Wire {
    fn new(device: u8) -> Self {
        Self { frames: Vec::new(), next: [1, 1], device }
    }

    fn send(&mut self, ms: i64, side: usize, bytes: &[u8]) {
        let ends = [([10, 0, 0, self.device], 50_000u16), ([10, 0, 0, 99], 80)];
        let ((from, from_port), (to, to_port)) = (ends[side], ends[1 - side]);
        let mut p = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0];
        p.extend(from);
        p.extend(to);
        p.extend(from_port.to_be_bytes());
        p.extend(to_port.to_be_bytes());
        p.extend(self.next[side].to_be_bytes());
        p.extend(self.next[1 - side].to_be_bytes());
        p.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        p.extend(bytes);
        let len = (p.len() as u16).to_be_bytes();
        p[2..4].copy_from_slice(&len);
        self.next[side] += bytes.len() as u32;
        self.frames.push((ms, p));
    }

    fn post(&mut self, ms: i64, body: &str) {
        let head =
            "POST /send HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\nContent-Length:";
        self.send(ms, 0, format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes());
        self.send(ms + 5, 1, b"HTTP/1.1 204 No Content\r\n\r\n");
    }

    fn poll(&mut self, ms: i64, body: &str) {
        self.send(ms - 5, 0, b"GET /poll HTTP/1.1\r\nHost: chat.example\r\n\r\n");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        self.send(ms, 1, format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn write(&self, path: &Path) {
        let mut bytes = Vec::new();
        let mut writer = PcapngWriter::new(&mut bytes, "test").expect("written");
        let interface = writer.interface(LinkType(101), 0, "test").expect("written");
        for (ms, packet) in &self.frames {
            let at = Timestamp::new(1_700_000_000 + ms / 1000, ms % 1000 * 1_000_000);
            writer.frame(interface, at, packet, packet.len() as u32).expect("written");
        }
        drop(writer);
        std::fs::write(path, &bytes).expect("written");
    }
}

/// A compact JWE for a public key (RFC 7516 section 3.1), its ciphertext of so many characters.
fn jwe(seed: u64, length: usize) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut part = |n: usize| -> String {
        let mut letter = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            alphabet[(state >> 58) as usize] as char
        };
        // The last character's spare bits are zero, as a strict reader wants them.
        (1..n).map(&mut letter).chain(['A']).collect()
    };
    // {"alg":"RSA-OAEP","enc":"A256GCM"}
    let header = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    format!("{header}.{}.{}.{}.{}", part(342), part(16), part(length), part(22))
}

const GAPS: [i64; 9] = [1000, 2300, 700, 5200, 900, 3100, 1800, 400, 2600];

/// A session of nine messages whose receiver's clock is three seconds ahead.
fn session(folder: &Path, service: Service) -> (PathBuf, PathBuf) {
    let (mut sender, mut receiver) = (Wire::new(1), Wire::new(2));
    let mut ms = 0;
    for (i, gap) in GAPS.iter().enumerate() {
        ms += gap;
        let length = [40, 300, 120, 800, 60, 220, 500, 90, 1000][i];
        let sealed = jwe(i as u64 + 1, length);
        sender.post(ms, &format!("{{\"message\":\"{sealed}\"}}"));
        let words = "we meet again near the old mill, and bring the letter along with you ";
        let delivered = match service {
            Service::PassesOn => sealed,
            Service::SealsAnew => jwe(i as u64 + 100, length),
            Service::Opens => words.repeat(20)[..length * 3 / 4 / 2].to_owned(),
            Service::Keeps => continue,
        };
        receiver.poll(ms + 3080, &format!("{{\"message\":\"{delivered}\"}}"));
    }
    if service == Service::Keeps {
        receiver.poll(ms, "{\"status\":\"idle\"}");
    }
    let paths = (folder.join("sender.pcapng"), folder.join("receiver.pcapng"));
    sender.write(&paths.0);
    receiver.write(&paths.1);
    paths
}

fn finding(r: &Report, id: &str) -> bool {
    r.findings.iter().any(|f| f.id == id)
}

#[test]
fn what_a_service_does_on_the_way_shows_at_two_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |service| {
        let (sender, receiver) = session(folder.path(), service);
        compare(&sender, &receiver, &[])
    };
    let passed = run(Service::PassesOn);
    // The bytes pass unchanged, but no identity keys were compared: a swap of keys is not excluded.
    assert_eq!(said(&passed), "e2ee G2", "{:#?}", passed.vantages);
    assert!(passed.summary.reason.contains("the same sealed bytes"), "{}", passed.summary.reason);
    assert!(!finding(&passed, "hop-reencryption"));
    let clock = passed.vantages.as_ref().and_then(|v| v.clock.clone()).expect("fitted");
    assert!((3000..3200).contains(&clock.ahead_ms), "{clock:?}");

    let anew = run(Service::SealsAnew);
    assert_eq!(said(&anew), "undetermined G1", "{:#?}", anew.vantages);
    assert!(finding(&anew, "hop-reencryption"));
    assert!(anew.weighing().all(|c| c.verdict.word() == "undetermined"));
    assert!(anew.summary.reason.contains("opened and sealed again"), "{}", anew.summary.reason);

    let opened = run(Service::Opens);
    assert_eq!(opened.summary.verdict.word(), "plaintext", "{:#?}", opened.vantages);
    assert!(finding(&opened, "hop-reencryption"));
    assert!(opened.weighing().all(|c| c.verdict.word() != "e2ee"), "the sender's own claim is taken away");

    // Nothing arrived while it was recorded: nothing is added and nothing taken away.
    let kept = run(Service::Keeps);
    assert_eq!(said(&kept), "e2ee G2", "{:#?}", kept.vantages);
    assert!(!finding(&kept, "hop-reencryption"));
}

#[test]
fn recorded_checks_raise_the_grade_and_a_failed_one_takes_the_claim_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, receiver) = session(folder.path(), Service::PassesOn);
    let plan = folder.path().join("plan.toml");
    let text = "[[text]]\nlabel = 'm'\nkind = 'message'\ntext = 'something that is nowhere'\n";
    let with = |checks: [&str; 3]| {
        let names = ["safety_number_equal", "fresh_phone_shows_no_history", "bait_link_never_fetched"];
        let lines = names.iter().zip(checks).filter(|(_, c)| !c.is_empty());
        let lines: String = lines.map(|(n, c)| format!("{n} = {c}\n")).collect();
        std::fs::write(&plan, format!("format = 'plainsight.plan/1'\n[checks]\n{lines}{text}"))
            .expect("written");
        compare(&sender, &receiver, &["--plan", plan.to_str().expect("UTF-8")])
    };
    assert_eq!(said(&with(["true", "true", "true"])), "e2ee G5");
    assert_eq!(said(&with(["true", "true", ""])), "e2ee G4");
    // Without the safety number nothing compared the keys.
    assert_eq!(said(&with(["", "true", "true"])), "e2ee G2");
    let failed = with(["true", "true", "false"]);
    assert_eq!(said(&failed), "undetermined G1");
    assert!(finding(&failed, "failed-check"));
    // One end alone never reaches beyond planted texts, whatever was checked.
    std::fs::write(&plan, format!("format = 'plainsight.plan/1'\n[checks]\nsafety_number_equal = true\nfresh_phone_shows_no_history = true\nbait_link_never_fetched = true\n{text}")).expect("written");
    let (_, out, err) = program(&[
        "audit",
        sender.to_str().expect("UTF-8"),
        "--plan",
        plan.to_str().expect("UTF-8"),
        "--json",
        "-",
    ]);
    let alone = Report::read(out.as_bytes()).unwrap_or_else(|e| panic!("{e}: {err}"));
    assert_eq!(said(&alone), "e2ee G2");
}

#[test]
fn mistakes_are_told_with_the_way_out() {
    let capture = "captures/two-ends-xmpp-omemo/sender.pcap";
    for (args, code, says) in [
        (&["compare", "--sender", capture][..], 2, "--receiver"),
        (&["compare", "--sender", capture, "--receiver", capture], 2, "both ends"),
        (&["compare", "--sender", capture, "--receiver", "no-such.pcap"], 3, "no-such.pcap"),
        (&["audit", capture, "--plan", "no-such.toml"], 3, "no-such.toml"),
        (&["audit", capture, "--plan", "Cargo.toml"], 3, "Cargo.toml"),
        (
            &[
                "audit",
                capture,
                "--plan",
                "captures/two-ends-xmpp-omemo/plan.toml",
                "--control",
                "Za88f9488e",
            ],
            2,
            "control",
        ),
    ] {
        let (got, out, err) = program(args);
        assert_eq!(got, Some(code), "{args:?}: {err}");
        assert!(err.contains(says) && out.is_empty(), "{args:?}: {err}");
    }
}

#[test]
fn a_minted_plan_is_read_back_and_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = folder.path().join("plan.toml");
    let name = plan.to_str().expect("UTF-8");
    let (code, out, err) = program(&["canary", "new", "--seed", "a seed", "--count", "2", "--out", name]);
    assert!(code == Some(0) && out.is_empty() && err.contains("--plan"), "{err}");
    let written = std::fs::read_to_string(&plan).expect("written");
    let (code, out, _) = program(&["canary", "new", "--seed", "a seed", "--count", "2"]);
    assert_eq!((code, &out), (Some(0), &written), "the same seed gives the same plan");
    let (_, other, _) = program(&["canary", "new"]);
    let (_, another, _) = program(&["canary", "new"]);
    assert!(other != another && other != written, "without a seed every plan is new");
    let (code, _, err) = program(&["canary", "new", "--out", name]);
    assert!(code == Some(3) && err.contains("already there"), "{err}");
    assert_eq!(std::fs::read_to_string(&plan).expect("there"), written);
    let capture = "captures/two-ends-irc-otr-mixed/sender.pcap";
    let (code, out, err) = program(&["audit", capture, "--plan", name, "--json", "-"]);
    let report = Report::read(out.as_bytes()).unwrap_or_else(|e| panic!("{e}: {code:?} {err}"));
    assert!(report.canaries.iter().any(|c| c.label.as_deref() == Some("ladder-512")));
    assert!(report.canaries.iter().any(|c| c.unsearched), "short rungs are not searched for");
}

#[test]
fn reports_are_compared_and_joined() {
    let folder = tempfile::tempdir().expect("a folder");
    let save = |name: &str, args: &[&str]| {
        let path = folder.path().join(name).to_str().expect("UTF-8").to_owned();
        let (code, _, err) = program(&[&["audit", "-q", "--json", &path], args].concat());
        assert!(matches!(code, Some(0 | 4)), "{err}");
        path
    };
    let ends = |file: &str| format!("captures/two-ends-xmpp-omemo/{file}");
    let (sender, receiver, keys) = (ends("sender.pcap"), ends("receiver.pcap"), ends("keys.log"));
    let sealed = save("sealed.json", &[&sender, "--keylog", &keys]);
    let blind = save("blind.json", &[&receiver]);
    let read = save("read.json", &["captures/matrix-clear-http/capture.pcapng"]);

    let (code, out, _) = program(&["diff", &sealed, &sealed, "--fail-on-regression"]);
    assert_eq!((code, out.as_str()), (Some(0), "nothing changed\n"));
    let (code, out, _) = program(&["diff", &sealed, &read, "--fail-on-regression"]);
    assert!(code == Some(1) && out.contains("worse   summary"), "{out}");
    assert!(out.contains("finding       plaintext-message"), "{out}");
    let (code, _, _) = program(&["diff", &sealed, &read]);
    assert_eq!(code, Some(0), "without the option a change is only told");
    let (_, out, _) = program(&["diff", &read, &sealed, "--json"]);
    let changes: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert!(changes.as_array().is_some_and(|a| a.iter().any(|c| c["turn"] == "better")));

    let joined = |files: &[&str]| {
        let (code, out, err) = program(&[&["merge", "--json", "-"], files].concat());
        assert_eq!(code, Some(0), "{err}");
        Report::read(out.as_bytes()).expect("a report")
    };
    assert_eq!(joined(&[&sealed, &read]).summary.verdict.word(), "plaintext");
    let both = joined(&[&sealed, &blind]);
    assert_eq!((both.summary.verdict.word(), both.inputs.len()), ("undetermined", 2));
    for e in &both.evidence {
        let input = e.origin.as_ref().map_or(0, |o| o.input as usize);
        assert!(input < 2 && both.conversations.iter().any(|c| Some(&c.id) == e.conversation.as_ref()));
    }
    let (code, _, err) = program(&["merge", &sealed, &sealed]);
    assert!(code == Some(3) && err.contains("sender.pcap"), "{err}");
    let (code, _, err) = program(&["diff", &sealed, "Cargo.toml"]);
    assert!(code == Some(3) && err.contains("Cargo.toml"), "{err}");
    let (code, _, _) = program(&["merge", &sealed]);
    assert_eq!(code, Some(2));
}
