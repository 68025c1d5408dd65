//! What is meant by what was typed: files read, lists merged, bounds parsed, outputs checked, all before
//! any long work starts.

use super::args::{AuditArgs, CompareArgs, LiveArgs, Outputs, OwnKeys, Sources, Texts};
use super::fault::Fault;
use plainsight::audit::Plan;
use plainsight::evidence::{Canary, Planting};
use plainsight::keys::KeyStore;
use plainsight::model::Limits;
use plainsight::report::dto::{KeyFile, Verdict};
use plainsight::report::explain;
use plainsight::ruleset::{self, Ruleset};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a run is told, and what the report says of its keys.
pub struct Work {
    /// For the conductor.
    pub plan: Plan,
    /// The key logs given.
    pub keys: Vec<KeyFile>,
    /// The experiment, as far as a plan tells of it.
    pub planting: Planting,
}

/// What trips the gate.
pub enum Gate {
    /// The summary's verdict.
    Verdict(Verdict),
    /// A finding of this id.
    Finding(String),
}

/// The plan of a listing: sources alone.
pub fn sources(s: &Sources) -> Result<Work, Fault> {
    let captures = captures(s)?;
    let (mut store, mut keys) = keylogs(&s.keylog)?;
    keys.extend(own_keys(&s.own, &mut store)?);
    let plan = Plan {
        captures,
        keys: Arc::new(store),
        canaries: Vec::new(),
        ruleset: Arc::new(ruleset::embedded()),
        limits: limits(&s.running.limits)?,
        threads: threads(s.running.threads)?,
        reveal: false,
    };
    Ok(Work { plan, keys, planting: Planting::default() })
}

/// The plan of an audit.
pub fn audit(a: &AuditArgs) -> Result<Work, Fault> {
    let rules = rules(&a.judging.rules)?;
    let mut work = sources(&a.sources)?;
    work.plan.ruleset = Arc::new(rules);
    (work.plan.canaries, work.planting) = planted(&a.judging.texts)?;
    work.plan.reveal = a.judging.reveal;
    Ok(work)
}

/// The plan of a live audit. Its key logs are followed by the capture, not read here.
pub fn live(l: &LiveArgs, limits: Limits) -> Result<Work, Fault> {
    let mut keys = KeyStore::default();
    own_keys(&l.own, &mut keys)?;
    let (canaries, planting) = planted(&l.judging.texts)?;
    let plan = Plan {
        captures: Vec::new(),
        keys: Arc::new(keys),
        canaries,
        ruleset: Arc::new(rules(&l.judging.rules)?),
        limits,
        threads: threads(l.running.threads)?,
        reveal: l.judging.reveal,
    };
    Ok(Work { plan, keys: Vec::new(), planting })
}

/// The plan of a comparison; its own captures are the sender's.
pub fn compare(c: &CompareArgs) -> Result<Work, Fault> {
    for (one, name) in [(&c.sender, "--sender"), (&c.receiver, "--receiver")] {
        readable(one).map_err(|f| match f {
            Fault::Usage(t) => Fault::Usage(format!("{name}: {t}")),
            other => other,
        })?;
    }
    let both = c.sender.iter().find(|p| c.receiver.contains(p));
    if let Some(path) = both {
        return Err(Fault::Usage(format!(
            "{} cannot be both ends: a comparison needs one recording made at each",
            path.display()
        )));
    }
    let (canaries, planting) = planted(&c.judging.texts)?;
    let (store, keys) = keylogs(&c.keylog)?;
    let plan = Plan {
        captures: c.sender.clone(),
        keys: Arc::new(store),
        canaries,
        ruleset: Arc::new(rules(&c.judging.rules)?),
        limits: limits(&c.running.limits)?,
        threads: threads(c.running.threads)?,
        reveal: c.judging.reveal,
    };
    Ok(Work { plan, keys, planting })
}

/// What followed key logs hold by now, for the report. A log that never came holds nothing.
pub fn followed(paths: &[PathBuf]) -> Vec<KeyFile> {
    let count = |path: &PathBuf| {
        let text = std::fs::read(path).unwrap_or_default();
        KeyStore::default().add_keylog(&text, "").secrets as u64
    };
    paths.iter().map(|p| KeyFile { path: p.display().to_string(), secrets: count(p), used: None }).collect()
}

/// Private keys and pre-shared keys that a live audit was given, for the report.
pub fn named(own: &OwnKeys) -> Vec<KeyFile> {
    own_keys(own, &mut KeyStore::default()).unwrap_or_default()
}

/// The rules in force: the embedded ones and those of folders, which must agree with their examples.
pub fn rules(folders: &[PathBuf]) -> Result<Ruleset, Fault> {
    let wrong = |e: ruleset::RuleError| Fault::Input(e.to_string());
    for folder in folders {
        if ruleset::check(folder).map_err(wrong)?.is_empty() {
            return Err(Fault::Input(format!("{}: holds no rule (.toml) file", folder.display())));
        }
    }
    ruleset::load(folders).map_err(wrong)
}

fn captures(s: &Sources) -> Result<Vec<PathBuf>, Fault> {
    let all: Vec<PathBuf> = s.captures.iter().chain(&s.read).cloned().collect();
    if all.is_empty() {
        return Err(Fault::Usage(
            "no recording given; name a capture file, or `-` for standard input".to_owned(),
        ));
    }
    readable(&all)?;
    Ok(all)
}

/// Makes sure that recordings can be opened.
fn readable(paths: &[PathBuf]) -> Result<(), Fault> {
    if paths.iter().filter(|p| p.as_os_str() == "-").count() > 1 {
        return Err(Fault::Usage("standard input (`-`) can be read only once".to_owned()));
    }
    for path in paths.iter().filter(|p| p.as_os_str() != "-") {
        std::fs::File::open(path)
            .map_err(|e| Fault::read("the recording", &path.display().to_string(), &e))?;
    }
    Ok(())
}

/// Texts of the plan and of the command line, each once, and the plan itself.
fn planted(t: &Texts) -> Result<(Vec<Canary>, Planting), Fault> {
    let typed = canaries(&t.canary, &t.control, &t.canary_file)?;
    let Some(path) = &t.plan else { return Ok((typed, Planting::default())) };
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|e| Fault::read("the plan", &name, &e))?;
    let text = String::from_utf8(text)
        .map_err(|_| Fault::Input(format!("the plan {name} is not UTF-8; save it as plain UTF-8 text")))?;
    let planting = Planting::read(text.trim_start_matches('\u{feff}'))
        .map_err(|e| Fault::Input(format!("the plan {name}: {e}")))?;
    let mut all = planting.canaries();
    for c in typed {
        match all.iter().find(|known| known.text == c.text) {
            Some(known) if known.control != c.control => {
                return Err(Fault::Usage(format!(
                    "the plan {name} and the command line disagree on whether {} is a control",
                    known.label.as_deref().unwrap_or("a text")
                )));
            }
            Some(_) => {}
            None => all.push(c),
        }
    }
    Ok((all, planting))
}

fn keylogs(paths: &[PathBuf]) -> Result<(KeyStore, Vec<KeyFile>), Fault> {
    let mut store = KeyStore::default();
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let text = std::fs::read(path).map_err(|e| Fault::read("the key log", &name, &e))?;
        let read = store.add_keylog(&text, &name);
        if read.secrets == 0 && read.malformed.is_empty() {
            eprintln!("plainsight: warning: the key log {name} is empty; nothing will be opened with it");
            continue;
        }
        if read.secrets == 0 {
            let hint = "lines look like `CLIENT_TRAFFIC_SECRET_0 <64 hex digits> <hex>`";
            eprintln!("plainsight: warning: the key log {name} holds no usable secret; {hint}");
        }
        files.push(KeyFile { path: name, secrets: read.secrets as u64, used: None });
    }
    Ok((store, files))
}

/// Reads private keys and pre-shared keys; what cannot be used is told before any work starts. Pre-shared
/// keys are named by their place on the command line, never by their value.
fn own_keys(own: &OwnKeys, store: &mut KeyStore) -> Result<Vec<KeyFile>, Fault> {
    let mut files = Vec::new();
    for path in &own.tls_key {
        let name = path.display().to_string();
        let data = std::fs::read(path).map_err(|e| Fault::read("the private key", &name, &e))?;
        let count = store
            .add_rsa(&data, own.tls_key_password.as_deref())
            .map_err(|e| Fault::Keys(format!("the private key {name} {e}")))?;
        files.push(KeyFile { path: name, secrets: count as u64, used: None });
    }
    for (number, text) in own.psk.iter().enumerate() {
        if !store.add_psk(text) {
            let number = number + 1;
            return Err(Fault::Usage(format!(
                "--psk number {number} is not hexadecimal of 1 to 256 bytes, such as 1a2b3c4d"
            )));
        }
    }
    if !own.psk.is_empty() {
        files.push(KeyFile { path: "--psk".to_owned(), secrets: own.psk.len() as u64, used: None });
    }
    Ok(files)
}

fn canaries(planted: &[String], controls: &[String], files: &[PathBuf]) -> Result<Vec<Canary>, Fault> {
    let mut all: Vec<Canary> = Vec::new();
    let mut add = |text: &str, control: bool| {
        if !text.trim().is_empty() && !all.iter().any(|c| c.text == text) {
            all.push(Canary { text: text.to_owned(), label: None, control });
        }
    };
    controls.iter().for_each(|t| add(t, true));
    planted.iter().for_each(|t| add(t, false));
    for path in files {
        let name = path.display().to_string();
        let text = std::fs::read(path).map_err(|e| Fault::read("the canary file", &name, &e))?;
        let text = String::from_utf8(text).map_err(|_| {
            Fault::Input(format!("the canary file {name} is not UTF-8; save it as plain UTF-8 text"))
        })?;
        text.trim_start_matches('\u{feff}').lines().for_each(|l| add(l, false));
    }
    Ok(all)
}

fn threads(typed: Option<usize>) -> Result<usize, Fault> {
    match typed {
        Some(0) => Err(Fault::Usage("--threads needs at least 1".to_owned())),
        Some(n) => Ok(n.min(256)),
        None => Ok(std::thread::available_parallelism().map_or(1, |n| n.get()).min(16)),
    }
}

/// The default bounds with the user's changes.
pub fn limits(typed: &[String]) -> Result<Limits, Fault> {
    let wrong = |t: &str| {
        let names =
            plainsight::report::dto::limits(&Limits::default()).into_keys().collect::<Vec<_>>().join(", ");
        Fault::Usage(format!("--limit {t}: expected NAME=NUMBER with a name of: {names}"))
    };
    let mut map = plainsight::report::dto::limits(&Limits::default());
    for t in typed {
        let (name, value) = t.split_once('=').ok_or_else(|| wrong(t))?;
        let number: u64 = value.parse().map_err(|_| wrong(t))?;
        let slot = map.get_mut(name).ok_or_else(|| wrong(t))?;
        *slot = Value::from(number);
    }
    let map = Value::Object(map.into_iter().collect());
    serde_json::from_value(map).map_err(|e| Fault::Usage(format!("--limit: {e}")))
}

/// What `--fail-on` names.
pub fn gates(typed: &[String]) -> Result<Vec<Gate>, Fault> {
    let gate = |word: &String| match Verdict::parse(word) {
        Some(v) => Ok(Gate::Verdict(v)),
        None if explain::find(word).is_some() => Ok(Gate::Finding(word.clone())),
        None => Err(Fault::Usage(format!(
            "--fail-on {word}: neither a verdict nor a finding; `plainsight explain` lists both"
        ))),
    };
    typed.iter().map(gate).collect()
}

/// Makes sure that every output can be written, and that at most one goes to standard output.
pub fn outputs(outputs: &Outputs) -> Result<(), Fault> {
    let files = outputs.files();
    files.iter().try_for_each(|(_, path)| writable(*path))?;
    let mut to_stdout = files.iter().filter(|(_, p)| p.is_some_and(|p| p.as_os_str() == "-"));
    match (to_stdout.next(), to_stdout.next()) {
        (Some((a, _)), Some((b, _))) => {
            Err(Fault::Usage(format!("{a} and {b} cannot both go to standard output; name a file for one")))
        }
        _ => Ok(()),
    }
}

/// Makes sure an output can be written, without harming a file that is there.
fn writable(path: Option<&Path>) -> Result<(), Fault> {
    let Some(path) = path.filter(|p| p.as_os_str() != "-") else { return Ok(()) };
    let existed = path.exists();
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|e| Fault::write(&path.display().to_string(), &e))?;
    if !existed {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}
