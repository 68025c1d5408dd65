//! Where frames come from: capture files (pcap and pcapng, also packed), several at once in the
//! order of time, or an interface while its traffic goes by. Nothing here looks inside a frame.

mod error;
mod feed;
mod input;
mod interfaces;
mod link;
mod live;
mod merge;
mod opened;
mod options;
mod pcap;
mod pcapng;
mod presecrets;
mod tail;
mod write;
mod zstd;

pub use error::{CaptureError, unread, unwritten};
pub use interfaces::{Interface, interfaces, permitted};
pub use link::LinkType;
pub use live::{Live, LiveOptions, Watch};
pub use opened::holds_entries;
pub use write::PcapngWriter;

use crate::model::{Arrival, FrameRef, Limits, Notes, Timestamp};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where one frame lies in its batch, and when it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// Capture time, input and frame number.
    pub at: Arrival,
    /// What the first byte belongs to.
    pub link: LinkType,
    /// Index of the first byte in [`Batch::data`].
    pub start: usize,
    /// Bytes recorded.
    pub len: usize,
    /// Bytes that were on the wire.
    pub original: u32,
}

/// Frames that were read together. Reusable: clearing keeps the allocations.
#[derive(Debug, Default)]
pub struct Batch {
    /// Scratch space that holds the frames' bytes; only what [`FrameHead`]s name is meaningful.
    pub data: Vec<u8>,
    /// The frames, in the order of delivery.
    pub frames: Vec<FrameHead>,
    /// Secrets that the capture carries (pcapng Decryption Secrets Blocks).
    pub secrets: Vec<Secrets>,
    /// Names that the capture carries (pcapng Name Resolution Blocks).
    pub names: Vec<(IpAddr, String)>,
    /// What was odd.
    pub notes: Notes,
}

impl Batch {
    /// Bytes that a full batch holds, about: those under way between the threads stay in the cache.
    pub const TARGET: usize = 256 << 10;

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.secrets.clear();
        self.names.clear();
        self.notes.0.clear();
    }

    /// The bytes of a frame of this batch; empty for a head of another batch that does not fit.
    pub fn bytes(&self, frame: &FrameHead) -> &[u8] {
        let end = frame.start.saturating_add(frame.len);
        self.data.get(frame.start..end).unwrap_or_default()
    }

    fn has_news(&self) -> bool {
        !(self.frames.is_empty()
            && self.secrets.is_empty()
            && self.names.is_empty()
            && self.notes.0.is_empty())
    }
}

/// The content of one pcapng Decryption Secrets Block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The pcapng secrets type, such as [`Secrets::TLS_KEY_LOG`].
    pub kind: u32,
    /// The secrets, in that type's own format.
    pub data: Vec<u8>,
}

impl Secrets {
    /// Lines of the TLS key log format (NSS).
    pub const TLS_KEY_LOG: u32 = 0x544c_534b;
}

/// What is known of one input once it has been read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputInfo {
    /// The path as given; `-` is standard input.
    pub path: String,
    /// SHA-256 of the stored bytes, in hexadecimal; empty until the end was reached.
    pub sha256: String,
    /// Stored bytes.
    pub bytes: u64,
    /// Frames delivered.
    pub packets: u64,
    /// Such as `pcap us le`, `pcapng`, `pcapng in gzip`.
    pub format: String,
    /// The earliest frame's time.
    pub first: Option<Timestamp>,
    /// The latest frame's time.
    pub last: Option<Timestamp>,
    /// LINKTYPE_ numbers seen, each once, rising.
    pub links: Vec<u16>,
    /// True where the file ends inside a packet or its rest could not be read.
    pub truncated: bool,
    /// Frames that the capturing side lost, where that is known.
    pub dropped: Option<u64>,
}

/// A source of frames.
pub trait Source {
    /// Fills `batch` with about [`Batch::TARGET`] bytes of frames, after clearing it; false at the
    /// end, and then the batch is empty.
    fn read(&mut self, batch: &mut Batch) -> Result<bool, CaptureError>;
    /// Stored (packed) bytes read so far.
    fn progress(&self) -> u64;
    /// The inputs in the order given; complete after the end.
    fn inputs(&self) -> Vec<InputInfo>;
    /// Whether it is time to tell whoever watches where things stand. Only what runs in real time says so.
    fn glance(&mut self) -> bool {
        false
    }
}

/// Opens captures to be read as one, in the order of time; `-` is standard input. Frames of equal
/// time come in the order of `paths`. Every input is looked at now, so that a wrong file is known
/// before work begins; files are kept open only while their time comes.
pub fn open(paths: &[PathBuf], limits: &Limits) -> Result<Box<dyn Source + Send>, CaptureError> {
    Ok(Box::new(merge::Merged::open(paths, limits)?))
}

/// Stored bytes of all `paths`, unless one is no regular file.
pub fn total_bytes(paths: &[PathBuf]) -> Option<u64> {
    paths.iter().try_fold(0u64, |sum, path| Some(sum + regular_size(path)?))
}

fn regular_size(path: &Path) -> Option<u64> {
    let meta = std::fs::metadata(path).ok()?;
    (path != Path::new("-") && meta.is_file()).then_some(meta.len())
}

fn frame_ref(input: u32, frame: u64) -> Option<FrameRef> {
    Some(FrameRef { input, frame })
}
