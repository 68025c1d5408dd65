//! The rules as a user meets them: listed, checked, tested, added to an audit.

use std::fs;
use std::process::Command;

const GOOD: &str = r#"
id = "ward-number"
version = 1
title = "A ward number"
why = "It says where somebody lies."
severity = "medium"
confidence = "high"

[where]
field = ["**.ward"]

[means]
metadata = "position"

[[hit]]
field = "$.ward"
text = "B12"

[[miss]]
field = "$.warden"
text = "B12"
"#;

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_plainsight")).args(args).output().expect("the program starts");
    let text = |b: Vec<u8>| String::from_utf8(b).expect("UTF-8");
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn the_list_fits_a_terminal_and_names_every_rule() {
    let (code, out, _) = run(&["rules", "list"]);
    assert_eq!(code, Some(0));
    assert!(out.lines().all(|l| l.chars().count() <= 80), "{out}");
    let set = plainsight::ruleset::embedded();
    assert!(set.rules().iter().all(|r| out.contains(&r.id)) && out.contains(set.digest()), "{out}");
}

#[test]
fn the_embedded_rules_agree_with_their_examples() {
    let (code, out, err) = run(&["rules", "test"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("; 0 disagree"), "{out}");
    assert_eq!(run(&["rules", "check", "rules"]).0, Some(0));
}

#[test]
fn every_mistake_is_named_with_its_file_and_place() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::write(path("good.toml"), GOOD).expect("written");
    fs::write(path("syntax.toml"), GOOD.replace("version = 1", "version = one")).expect("written");
    fs::write(path("unknown.toml"), GOOD.replace("severity", "gravity")).expect("written");
    fs::write(path("example.toml"), GOOD.replace("$.warden", "$.ward")).expect("written");
    let (code, out, err) = run(&["rules", "check", dir.path().to_str().expect("UTF-8")]);
    assert_eq!((code, err.as_str()), (Some(1), ""), "{out}");
    let said = |file: &str, what: &str| {
        assert!(out.lines().any(|l| l.contains(file) && l.contains(what)), "{file} {what}: {out}");
    };
    said("syntax.toml", "line 3");
    said("unknown.toml", "gravity");
    said("example.toml", "ward-number");
    assert!(!out.contains("good.toml") && out.contains("1 rules are right"), "{out}");
}

#[test]
fn folders_are_added_and_checked_before_an_audit() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().to_str().expect("UTF-8");
    let (code, _, err) = run(&["audit", "Cargo.toml", "--rules", folder]);
    assert!(code == Some(3) && err.contains("holds no rule"), "{err}");
    fs::write(dir.path().join("ward.toml"), GOOD).expect("written");
    let (code, out, err) = run(&["rules", "list", "--rules", folder]);
    assert!(code == Some(0) && out.contains("ward-number"), "{out}{err}");
    let (code, _, err) = run(&["audit", "Cargo.toml", "--rules", folder]);
    assert!(code == Some(3) && err.contains("not a capture"), "{err}");
    fs::write(dir.path().join("bad.toml"), GOOD.replace("version = 1", "")).expect("written");
    let (code, _, err) = run(&["audit", "Cargo.toml", "--rules", folder]);
    assert!(code == Some(3) && err.contains("bad.toml") && err.lines().count() == 1, "{err}");
}

#[test]
fn paths_that_are_not_there_exit_3_and_missing_ones_2() {
    let (code, _, err) = run(&["rules", "check", "no-such-folder"]);
    assert!(code == Some(3) && err.contains("no-such-folder"), "{err}");
    assert_eq!(run(&["rules", "check"]).0, Some(2));
    assert_eq!(run(&["rules"]).0, Some(2));
}
