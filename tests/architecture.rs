//! The structure of the code as a test: imports go left only, siblings in `layers/` never import each
//! other, each outside crate has one owner, files stay readable.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from left to right; each may use only those before it.
const ORDER: [&str; 14] = [
    "model", "bytes", "capture", "wire", "flow", "keys", "peel", "layers", "ruleset", "evidence", "verdict",
    "report", "audit", "cli",
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 40, "the walk found {} files", found.len());
    found
        .into_iter()
        .map(|p| {
            let text = fs::read_to_string(&p).expect("source is UTF-8");
            (p.strip_prefix(&root).expect("under src").to_owned(), text)
        })
        .collect()
}

/// A file without comments and without the tests in it. What only names a file of tests ends nothing.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let inside = |(at, _): &(usize, &str)| !text[*at..].lines().nth(1).is_some_and(|l| l.ends_with(';'));
    let end = text.match_indices("#[cfg(test)]").find(inside).map_or(text.len(), |(at, _)| at);
    text[..end].lines().filter(|l| !l.trim_start().starts_with("//"))
}

fn module(path: &Path) -> String {
    let first = path.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_go_left_only() {
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let Some(place) = ORDER.iter().position(|m| *m == module(&path)) else { continue };
        for line in code(&text) {
            for (i, other) in ORDER.iter().enumerate().skip(place + 1) {
                let crates = if module(&path) == "cli" { "plainsight::" } else { "crate::" };
                if line.contains(&format!("{crates}{other}")) {
                    wrong.push(format!(
                        "{} uses {other}, which is {} to its right",
                        path.display(),
                        i - place
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn layers_do_not_know_each_other() {
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let parts: Vec<String> =
            path.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
        let [first, family, own, ..] = parts.as_slice() else { continue };
        if first != "layers" || own == "mod.rs" {
            continue;
        }
        let own = own.trim_end_matches(".rs");
        for line in code(&text) {
            let Some(at) = line.find("crate::layers::") else { continue };
            let target = &line[at + "crate::layers::".len()..];
            let shared = target.starts_with(&format!("{family}::{own}")) || !target.contains("::");
            if !shared {
                wrong.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_outside_crate_has_one_owner() {
    let owners = [("etherparse", "wire"), ("pcap::", "capture"), ("clap", "cli"), ("indicatif", "cli")];
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let module = module(&path);
        for line in code(&text) {
            for (name, owner) in owners {
                let used = [format!("use {name}"), format!(" {name}::"), format!("({name}::")];
                let hit = used.iter().any(|u| line.contains(u.trim_end_matches("::::")));
                if hit && module != owner && !(owner == "cli" && module == "main") {
                    wrong.push(format!("{} names {name}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_is_for_and_stays_readable() {
    for (path, text) in files() {
        assert!(text.starts_with("//!"), "{} does not open with what it is for", path.display());
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(
            !["utils", "util", "common", "types", "helpers"].contains(&name.as_str()),
            "{}",
            path.display()
        );
    }
}

#[test]
fn only_capture_and_cli_touch_files_clocks_and_the_environment() {
    let outside = ["std::fs", "std::env", "SystemTime", "Instant::now"];
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let module = module(&path);
        let tests = path.file_stem().is_some_and(|n| n == "tests");
        if tests || ["capture", "cli", "main", "ruleset"].contains(&module.as_str()) {
            continue;
        }
        for line in code(&text) {
            if outside.iter().any(|o| line.contains(o)) {
                wrong.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
