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
fn usage_errors_exit_2() {
    for args in [
        &["audit"][..],
        &["audit", "--nonsense"],
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
        (&["audit", "Cargo.toml", "--json", "no-such-dir/x.json"], "no-such-dir/x.json"),
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
