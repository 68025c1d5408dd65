//! The program as a user meets it: exit codes, messages, and what goes where.

use std::io::Read;
use std::process::{Command, Output, Stdio};

fn program() -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_plainsight"));
    c.env("COLUMNS", "80").env_remove("NO_COLOR");
    c
}

fn run(args: &[&str]) -> (Output, String) {
    let out = program().args(args).output().expect("the program starts");
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    (out, err)
}

#[test]
fn interfaces_are_listed_as_by_tcpdump_and_tshark() {
    let (listed, err) = run(&["-D"]);
    assert_eq!(listed.status.code(), Some(0), "{err}");
    assert_eq!(listed.stdout, run(&["interfaces"]).0.stdout);
}

#[test]
fn usage_errors_exit_2() {
    for args in [
        &["audit"][..],
        &["audit", "--nonsense"],
        &["-D", "audit", "Cargo.toml"],
        &["nonsense"],
        &["audit", "Cargo.toml", "--fail-on", "nope"],
        &["audit", "Cargo.toml", "--limit", "flows=many"],
        &["audit", "Cargo.toml", "--html", "-", "--json", "-"],
        &["explain", "nope"],
    ] {
        let (out, err) = run(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {err}");
        assert!(out.stdout.is_empty() && !err.is_empty(), "{args:?}");
    }
}

#[test]
fn unreadable_inputs_and_outputs_exit_3_and_name_the_file() {
    for (args, named) in [
        (&["audit", "no-such.pcap"][..], "no-such.pcap"),
        (&["audit", "Cargo.toml"], "not a capture"),
        (&["audit", "Cargo.toml", "--keylog", "no-such.log"], "no-such.log"),
        (&["audit", "Cargo.toml", "--canary-file", "no-such.txt"], "no-such.txt"),
        (
            &["audit", "Cargo.toml", "--json", "no-such-dir/x.json"],
            "no-such-dir/x.json cannot be written: its folder does not exist",
        ),
        (&["audit", "Cargo.toml", "--html", "no-such-dir/x.html"], "no-such-dir/x.html"),
        (&["audit", "Cargo.toml", "--markdown", "no-such-dir/x.md"], "no-such-dir/x.md"),
        (&["report", "Cargo.toml"], "not a plainsight report"),
    ] {
        let (out, err) = run(args);
        assert_eq!(out.status.code(), Some(3), "{args:?}: {err}");
        assert!(err.contains(named) && err.lines().count() == 1, "{args:?}: {err}");
        assert!(out.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_key_log_without_secrets_exits_5() {
    let (out, err) = run(&["audit", "captures/tls13-aes128gcm/capture.pcap", "--keylog", "src/main.rs"]);
    assert_eq!(out.status.code(), Some(5), "{err}");
    assert!(err.contains("src/main.rs holds no usable secret"), "{err}");
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let dir = tempfile::tempdir().expect("a folder");
    let saved = dir.path().join("r.json");
    std::fs::write(&saved, r#"{"schema":"plainsight.report/1"}"#).expect("written");
    let (out, err) = run(&["report", saved.to_str().expect("UTF-8")]);
    assert_eq!(out.status.code(), Some(0), "{err}");
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(text.contains("UNDETERMINED") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child =
        program().arg("man").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("read");
    assert_eq!((child.wait().expect("ends").code(), err.as_str()), (Some(0), ""));
}

#[test]
fn entropy_measures_any_file_and_standard_input() {
    let (out, err) = run(&["entropy", "Cargo.toml", "captures/tls13-aes128gcm/capture.pcap"]);
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(0), "{err}");
    assert!(
        text.contains("Cargo.toml: ") && text.contains("byte values") && text.contains("windows of"),
        "{text}"
    );
    assert!(text.lines().filter(|l| l.contains('|')).all(|l| l.chars().count() <= 80), "{text}");
    let mut child = program()
        .args(["entropy", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), &[7; 5000]).expect("written");
    let out = child.wait_with_output().expect("ended");
    assert!(String::from_utf8_lossy(&out.stdout).contains("-: 5000 bytes"), "{out:?}");
    let (out, err) = run(&["entropy", "no-such-file"]);
    assert_eq!(out.status.code(), Some(3), "{err}");
}

#[test]
fn keys_that_cannot_be_used_end_the_run_before_it_starts() {
    let capture = "captures/tls13-aes128gcm/capture.pcap";
    let encrypted = "tests/sessions/keys/pkcs8-encrypted.pem";
    for (args, code, said) in [
        (&["--tls-key", "no-such.pem"][..], 3, "no-such.pem cannot be read: there is no such file"),
        (&["--tls-key", "Cargo.toml"], 5, "Cargo.toml is no private key that can be read"),
        (&["--tls-key", "tests/sessions/keys/certificate.pem"], 5, "holds a certificate or public key"),
        (&["--tls-key", "tests/sessions/keys/ec.pem"], 5, "holds no RSA key"),
        (&["--tls-key", encrypted], 5, "is encrypted; give its password with --tls-key-password"),
        (&["--tls-key", encrypted, "--tls-key-password", "wrong"], 5, "with another password"),
        (&["--psk", "xyz"], 2, "--psk number 1 is not hexadecimal"),
    ] {
        for command in ["audit", "peel"] {
            let all: Vec<&str> = [command, capture].iter().chain(args).copied().collect();
            let (out, err) = run(&all);
            assert_eq!(out.status.code(), Some(code), "{all:?}: {err}");
            assert!(err.contains(said) && err.lines().count() == 1, "{all:?}: {err}");
            assert!(out.stdout.is_empty(), "{all:?}");
        }
    }
}

#[test]
fn a_private_key_that_opens_nothing_exits_5_after_the_report() {
    let key = "tests/sessions/server-rsa.pem";
    let (out, err) = run(&["audit", "captures/tls13-aes128gcm/capture.pcap", "--tls-key", key]);
    assert_eq!(out.status.code(), Some(5), "{err}");
    assert!(
        err.contains("no session in this recording was opened by tests/sessions/server-rsa.pem"),
        "{err}"
    );
    assert!(!out.stdout.is_empty());
}

#[test]
fn the_tree_can_be_had_as_json_lines() {
    let (out, err) = run(&["peel", "--json", "captures/compressed-gzip/capture.pcap"]);
    assert_eq!(out.status.code(), Some(0), "{err}");
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(lines[0]["event"], "flow");
    for event in ["layer", "fact", "leaf", "bytes", "ledger"] {
        assert!(lines.iter().any(|l| l["event"] == event), "no {event}");
    }
    assert!(
        lines.iter().filter(|l| l["event"] == "bytes").all(|l| l["sha256"].as_str().unwrap().len() == 64)
    );
}
