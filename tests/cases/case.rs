//! `captures/<case>/case.toml`: how a recording is audited, and what a correct audit says of it.

use plainsight::audit::Plan;
use plainsight::evidence::Canary;
use plainsight::keys::KeyStore;
use plainsight::verdict::Verdict;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Case {
    #[serde(skip)]
    pub folder: PathBuf,
    capture: String,
    pub keylog: Option<String>,
    #[serde(default)]
    canaries: Vec<String>,
    pub expect: Expect,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "each test program asks for its own part")]
pub struct Expect {
    pub verdict: Vec<Verdict>,
    pub verdict_without_keys: Option<Vec<Verdict>>,
    pub e2ee_allowed: bool,
    /// What refutes it passes once: a part of the recording may lack it.
    #[serde(default)]
    pub refuted_once: bool,
    #[serde(default)]
    pub conversations_with: Vec<Verdict>,
    #[serde(default)]
    pub findings: Vec<Vec<String>>,
    #[serde(default)]
    pub findings_forbidden: Vec<String>,
}

/// All of them, by name.
pub fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let folders = std::fs::read_dir(root).expect("captures/ is there").flatten().map(|e| e.path());
    let mut all: Vec<Case> =
        folders.filter(|p| p.join("case.toml").exists()).map(|p| Case::read(&p)).collect();
    all.sort_by(|a, b| a.folder.cmp(&b.folder));
    assert!(all.len() >= 24, "only {} cases", all.len());
    all
}

impl Case {
    fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("case.toml")).expect("case.toml is readable");
        let case: Self = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        Self { folder: folder.to_owned(), ..case }
    }

    #[allow(dead_code, reason = "not every test program asks for one by name")]
    pub fn named(name: &str) -> Self {
        Self::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name))
    }

    pub fn name(&self) -> String {
        self.folder.file_name().expect("a folder").to_string_lossy().into_owned()
    }

    pub fn capture(&self) -> PathBuf {
        self.folder.join(&self.capture)
    }

    /// How it is audited, with its keys or without.
    pub fn plan(&self, with_keys: bool) -> Plan {
        let mut keys = KeyStore::default();
        if let Some(name) = self.keylog.as_ref().filter(|_| with_keys) {
            keys.add_keylog(&std::fs::read(self.folder.join(name)).expect("the key log is there"), name);
        }
        let canary = |text: &String| Canary { text: text.clone(), label: None, control: false };
        Plan {
            captures: vec![self.capture()],
            keys: Arc::new(keys),
            canaries: self.canaries.iter().map(canary).collect(),
            ..Plan::default()
        }
    }
}
