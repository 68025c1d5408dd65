//! Capturing for real: a conversation over the loopback interface while the program listens. Where the
//! machine does not allow that, the tests say so and do nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PLANTED: &str = "the heron lands at dusk by the old mill";

/// A server that answers every line, and its port.
fn chat_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut out = stream.try_clone().expect("a second handle");
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let _ = out.write_all(format!("DELIVERED {}\r\n", line.len()).as_bytes());
            }
        }
    });
    port
}

/// Starts a capture of a port and waits until it listens. `None` where capturing is not possible here.
fn start(port: u16, dir: &Path, more: &[&str]) -> Option<Child> {
    let (child, mut said) = listening(port, dir, more)?;
    // Whoever is listened to must be able to go on speaking.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    Some(child)
}

/// The same, with what the program says from then on.
fn listening(port: u16, dir: &Path, more: &[&str]) -> Option<(Child, BufReader<ChildStderr>)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plainsight"))
        .args(["live", "-i", "lo", "-f", &format!("tcp port {port}"), "--canary", PLANTED])
        .args(more)
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let mut err = BufReader::new(child.stderr.take().expect("piped"));
    err.read_line(&mut said).expect("a line");
    if said.contains("capturing on lo") {
        return Some((child, err));
    }
    assert_eq!(child.wait().expect("ends").code(), Some(3), "{said}");
    println!("skipped: {}", said.trim());
    None
}

/// Chats until the program ends or time is up.
fn chat(port: u16, child: &mut Child) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    let texts = ["good evening, is anybody there", PLANTED, "then until tomorrow, my friend"];
    for text in texts.iter().cycle() {
        if child.try_wait().expect("asked").is_some() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the capture does not end");
        stream.write_all(format!("MSG marta :{text}\r\n").as_bytes()).expect("sent");
        answers.read_line(&mut String::new()).expect("answered");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn finished(child: Child) -> Output {
    child.wait_with_output().expect("ends")
}

fn json(text: &[u8]) -> serde_json::Value {
    serde_json::from_slice(text).expect("a JSON report")
}

#[test]
fn a_plaintext_chat_is_found_and_its_recording_says_the_same() {
    let (dir, port) = (tempfile::tempdir().expect("a folder"), chat_server());
    let options = ["-c", "24", "-w", "evidence.pcapng", "--json", "-"];
    let Some(mut child) = start(port, dir.path(), &options) else { return };
    chat(port, &mut child);
    let out = finished(child);
    assert_eq!(out.status.code(), Some(0));
    let live = json(&out.stdout);
    assert_eq!(live["summary"]["verdict"], "plaintext");
    assert_eq!(live["inputs"][0]["packets"], 24);
    assert_eq!(live["inputs"][0]["dropped"], 0);

    let again = Command::new(env!("CARGO_BIN_EXE_plainsight"))
        .args(["audit", "evidence.pcapng", "--canary", PLANTED, "--json", "-"])
        .current_dir(dir.path())
        .output()
        .expect("the program starts");
    let saved = json(&again.stdout);
    for part in ["summary", "conversations", "evidence", "findings", "canaries", "exposure", "notes"] {
        assert_eq!(live[part], saved[part], "{part}");
    }
    for part in ["path", "sha256", "bytes", "packets", "first", "last", "links"] {
        assert_eq!(live["inputs"][0][part], saved["inputs"][0][part], "{part}");
    }
}

#[test]
fn an_interrupt_ends_an_idle_capture_with_a_report() {
    let (dir, port) = (tempfile::tempdir().expect("a folder"), chat_server());
    let Some(mut child) = start(port, dir.path(), &["--json", "report.json"]) else { return };
    let begun = Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    while child.try_wait().expect("asked").is_none() {
        if begun.elapsed() > Duration::from_secs(10) {
            let _ = child.kill();
            panic!("the capture does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let out = finished(child);
    assert_eq!(out.status.code(), Some(4), "nothing was seen");
    assert!(String::from_utf8_lossy(&out.stdout).contains("UNDETERMINED"));
    let report = json(&std::fs::read(dir.path().join("report.json")).expect("written"));
    assert_eq!(report["summary"]["verdict"], "undetermined");
    assert_eq!(report["inputs"][0]["packets"], 0);
}

#[test]
fn verdicts_are_told_while_they_form() {
    let (dir, port) = (tempfile::tempdir().expect("a folder"), chat_server());
    let Some((mut child, mut said)) = listening(port, dir.path(), &["--json", "report.json"]) else { return };
    let (told, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while said.read_line(&mut line).is_ok_and(|n| n > 0) {
            let _ = told.send(std::mem::take(&mut line));
        }
    });
    let pid = child.id().to_string();
    let ender = std::thread::spawn(move || {
        let wait = Duration::from_secs(20);
        let first =
            std::iter::from_fn(|| lines.recv_timeout(wait).ok()).find(|l| l.contains("so far plaintext"));
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
        first
    });
    chat(port, &mut child);
    let first = ender.join().expect("ends").expect("a verdict is told while the capture runs");
    assert!(first.contains(&format!("127.0.0.1:{port}")), "{first}");
    finished(child);
    let report = json(&std::fs::read(dir.path().join("report.json")).expect("written"));
    assert_eq!(report["summary"]["verdict"], "plaintext");
}

#[test]
fn what_cannot_be_captured_is_said_in_one_line() {
    for (args, code) in [
        (&["live", "-i", "no-such-if"][..], 3),
        (&["live", "-i", "lo", "-w", "-"], 2),
        (&["live", "-i", "lo", "--fail-on", "nope"], 2),
        (&["live", "-i", "lo", "--user", "no-such-user"], 2),
        (&["live", "-i", "lo", "-c", "0"], 2),
        (&["live"], 2),
    ] {
        let out =
            Command::new(env!("CARGO_BIN_EXE_plainsight")).args(args).output().expect("the program starts");
        let err = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{args:?}: {err}");
        assert!(out.stdout.is_empty() && !err.is_empty(), "{args:?}");
    }
}
