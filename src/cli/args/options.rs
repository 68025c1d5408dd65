//! Options that several commands have in common.

use clap::Args;
use std::path::{Path, PathBuf};

/// Where frames and secrets come from.
#[derive(Debug, Args)]
pub struct Sources {
    /// Recordings (pcap, pcapng, HAR, mitmproxy flows; packed or plain); `-` reads standard input
    #[arg(value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
    /// A recording, as tcpdump and tshark name it; repeatable
    #[arg(short = 'r', long = "read", value_name = "CAPTURE")]
    pub read: Vec<PathBuf>,
    /// TLS key log (SSLKEYLOGFILE); repeatable. Secrets embedded in pcapng are used without asking
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub own: OwnKeys,
    #[command(flatten)]
    pub running: Running,
}

/// Keys of the server or of both ends, in place of a log of sessions.
#[derive(Debug, Args)]
pub struct OwnKeys {
    /// The server's RSA private key (PEM, DER or PKCS#12), for RSA key exchange up to TLS 1.2; repeatable
    #[arg(long, value_name = "FILE")]
    pub tls_key: Vec<PathBuf>,
    /// Password of encrypted --tls-key files
    #[arg(
        long,
        value_name = "TEXT",
        env = "PLAINSIGHT_TLS_KEY_PASSWORD",
        hide_env_values = true,
        requires = "tls_key"
    )]
    pub tls_key_password: Option<String>,
    /// A pre-shared key in hexadecimal, for PSK and RSA-PSK up to TLS 1.2 and psk_ke of TLS 1.3;
    /// repeatable
    #[arg(long, value_name = "HEX")]
    pub psk: Vec<String>,
}

/// Files to write a report to; `-` is standard output.
#[derive(Debug, Args)]
pub struct Outputs {
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as one self-contained HTML file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the report as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Show all evidence of every finding and all places of every remark in the terminal
    #[arg(short, long)]
    pub verbose: bool,
}

impl Outputs {
    /// The files asked for, each with the option that names it.
    pub fn files(&self) -> [(&'static str, Option<&Path>); 3] {
        [
            ("--json", self.json.as_deref()),
            ("--html", self.html.as_deref()),
            ("--markdown", self.markdown.as_deref()),
        ]
    }
}

/// Planted texts.
#[derive(Debug, Args)]
pub struct Texts {
    /// A text that was typed into the app and must not be readable; repeatable
    #[arg(long, value_name = "TEXT")]
    pub canary: Vec<String>,
    /// A text that must be visible, to prove that the search works at the service where it is found;
    /// repeatable
    #[arg(long, value_name = "TEXT")]
    pub control: Vec<String>,
    /// A file of canaries, one a line; repeatable
    #[arg(long, value_name = "FILE")]
    pub canary_file: Vec<PathBuf>,
    /// A plan written by `canary new`: texts, controls, times, and the checks you made yourself
    #[arg(long, value_name = "PLAN.toml")]
    pub plan: Option<PathBuf>,
}

/// How to judge, and where to tell of it.
#[derive(Debug, Args)]
pub struct Judging {
    #[command(flatten)]
    pub texts: Texts,
    #[command(flatten)]
    pub outputs: Outputs,
    /// Show content in place of its length and digest
    #[arg(long)]
    pub reveal: bool,
    /// Exit 1 on these verdicts (of the summary) or finding ids, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub fail_on: Vec<String>,
    /// Judge by the rules of this folder too; one with a known id takes that rule's place. Repeatable
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
}

/// How the program runs, whatever it does.
#[derive(Debug, Args)]
pub struct Running {
    /// Worker threads
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Change a bound, such as `--limit flows=1000`
    #[arg(long = "limit", value_name = "NAME=VALUE", hide = true)]
    pub limits: Vec<String>,
    /// Say nothing but results and errors
    #[arg(short, long)]
    pub quiet: bool,
}
