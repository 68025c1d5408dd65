//! What was typed, as clap understands it. Nothing here is checked beyond its syntax.

mod options;

pub use options::{Judging, Outputs, OwnKeys, Running, Sources, Texts};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// Who can read your messages? Judges from recorded app traffic whether conversations are plaintext,
/// transport-only or end-to-end encrypted, and shows the evidence.
#[derive(Debug, Parser)]
#[command(name = "plainsight", version, max_term_width = 100, after_help = AFTER)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub struct Typed {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// List the interfaces that can be captured from, as tcpdump and tshark do
    #[arg(short = 'D', long)]
    pub list_interfaces: bool,
}

const AFTER: &str = "Exit codes: 0 done, 1 a --fail-on gate tripped, 2 usage, 3 an input or output failed, \
4 nothing could be determined or too little was seen, 5 keys were given but opened nothing.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge recordings: who can read the messages in them
    Audit(AuditArgs),
    /// Judge two recordings of the same conversations, one from each end
    Compare(CompareArgs),
    /// Mint texts to plant
    Canary(CanaryArgs),
    /// Print the tree of layers in recordings
    Peel(PeelArgs),
    /// Render a saved JSON report
    Report(ReportArgs),
    /// Show how random the bytes of files look
    Entropy(EntropyArgs),
    /// List what changed between two saved reports
    Diff(DiffArgs),
    /// Join saved reports of different recordings into one
    Merge(MergeArgs),
    /// Explain a finding, a verdict or a grade
    Explain(ExplainArgs),
    /// Capture from an interface and judge what was seen
    Live(LiveArgs),
    /// List the interfaces that can be captured from
    Interfaces,
    /// List, check or test rules
    Rules(RulesArgs),
    /// Say what is known of applications: their hosts, marks and vendors' claims
    Apps(AppsArgs),
    /// Print a completion script
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// `audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(flatten)]
    pub sources: Sources,
    #[command(flatten)]
    pub judging: Judging,
    /// Exit 4 where less of the seen bytes was explained
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_coverage: Option<u8>,
}

/// `peel`
#[derive(Debug, Args)]
pub struct PeelArgs {
    #[command(flatten)]
    pub sources: Sources,
    /// Show content in place of its length
    #[arg(long)]
    pub reveal: bool,
    /// One JSON object a line: layers, facts, leaves, and sizes and digests of what each layer was handed
    #[arg(long)]
    pub json: bool,
}

/// `report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A report written by `audit --json`; `-` reads standard input
    #[arg(value_name = "SAVED.json")]
    pub saved: PathBuf,
    #[command(flatten)]
    pub outputs: Outputs,
}

/// `entropy`
#[derive(Debug, Args)]
pub struct EntropyArgs {
    /// Files of any kind; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// `diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The earlier report, written by `--json`; `-` reads standard input
    #[arg(value_name = "OLD.json")]
    pub old: PathBuf,
    /// The later report
    #[arg(value_name = "NEW.json")]
    pub new: PathBuf,
    /// Exit 1 where something got worse: a weaker verdict or grade, a new finding, a party that learns more
    #[arg(long)]
    pub fail_on_regression: bool,
    /// Print the changes as JSON
    #[arg(long)]
    pub json: bool,
}

/// `merge`
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Reports written by `--json`, each of other recordings; `-` reads standard input
    #[arg(value_name = "SAVED.json", required = true, num_args = 2..)]
    pub saved: Vec<PathBuf>,
    #[command(flatten)]
    pub outputs: Outputs,
}

/// `explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A finding id, a verdict or a grade; without one, all are listed
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

/// `compare`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A recording of one end, called the sender; repeatable
    #[arg(long, value_name = "CAPTURE", required = true)]
    pub sender: Vec<PathBuf>,
    /// A recording of the other end, made at the same time; repeatable
    #[arg(long, value_name = "CAPTURE", required = true)]
    pub receiver: Vec<PathBuf>,
    /// TLS key log (SSLKEYLOGFILE) of either end; repeatable
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub judging: Judging,
    #[command(flatten)]
    pub running: Running,
}

/// `canary`
#[derive(Debug, Args)]
pub struct CanaryArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: CanaryAction,
}

/// What to do with planted texts.
#[derive(Debug, Subcommand)]
pub enum CanaryAction {
    /// Write a plan: texts to type, controls, a ladder of lengths, repeats, a bait link, with instructions
    New {
        /// The file to write; it must not be there yet. Otherwise the plan goes to standard output
        #[arg(short, long, value_name = "PLAN.toml")]
        out: Option<PathBuf>,
        /// Ordinary messages for each phone
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=500))]
        count: u16,
        /// Longest text of the ladder of lengths, in characters
        #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u16).range(8..=4000))]
        longest: u16,
        /// Draw the texts from this word or number, so that they can be minted again
        #[arg(long, value_name = "TEXT")]
        seed: Option<String>,
    },
}

/// `rules`
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum RulesAction {
    /// List the rules in force
    List {
        /// Add the rules of this folder; repeatable
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Read rule files, say what is wrong with them and run their examples
    Check {
        /// Rule files, or folders of them
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
    /// Run the examples of the rules in force
    Test {
        /// Add the rules of this folder; repeatable
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
}

/// `apps`
#[derive(Debug, Args)]
pub struct AppsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: AppsAction,
}

/// What to do with applications.
#[derive(Debug, Subcommand)]
pub enum AppsAction {
    /// List the known applications
    List,
    /// Show one: hosts and their roles, marks, claims
    Show {
        /// Its id, such as `telegram`
        #[arg(value_name = "APP")]
        id: String,
    },
}

/// `live`
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// The interface; `plainsight interfaces` lists them
    #[arg(short, long, value_name = "NAME")]
    pub interface: String,
    /// Capture only what this BPF expression selects, such as `tcp port 5222`
    #[arg(short, long, value_name = "BPF")]
    pub filter: Option<String>,
    /// Also write the frames to a pcapng file, to be checked later
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Stop after this many frames; otherwise Ctrl-C stops
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Bytes kept of each frame
    #[arg(short, long, value_name = "BYTES", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub snaplen: u32,
    /// TLS key log (SSLKEYLOGFILE) that is followed while it grows; repeatable
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    #[command(flatten)]
    pub own: OwnKeys,
    /// Become this user once the interface is open; needs root
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    #[command(flatten)]
    pub judging: Judging,
    #[command(flatten)]
    pub running: Running,
}
