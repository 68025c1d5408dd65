//! One input: its bytes become batches of frames, and what is known of it is gathered on the way.

use super::error::looks_like;
use super::feed::Feed;
use super::opened::{self, Dump};
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::{Batch, CaptureError, FrameHead, InputInfo, LinkType, Secrets, frame_ref};
use crate::model::{Arrival, FrameRef, Limits, Notes, Timestamp};
use std::io::{self, Read};
use std::net::IpAddr;

/// Captured lengths above this are no frames but damage.
pub(super) const ABSURD: usize = 16 << 20;

/// Where a splitter puts what it finds.
pub(super) struct Sink<'a> {
    pub frames: &'a mut Vec<FrameHead>,
    pub secrets: &'a mut Vec<Secrets>,
    pub names: &'a mut Vec<(IpAddr, String)>,
    pub notes: &'a mut Notes,
    pub tally: &'a mut Tally,
}

/// Running figures of one input.
#[derive(Debug)]
pub(super) struct Tally {
    pub input: u32,
    /// Frame number of the last frame met, delivered or not.
    pub frame: u64,
    pub packets: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    links: Vec<u16>,
    longest: usize,
}

impl Sink<'_> {
    /// Takes a frame whose bytes lie at `start..start + len` of the batch.
    #[inline]
    pub fn frame(&mut self, time: Timestamp, link: LinkType, start: usize, len: usize, original: u32) {
        let tally = &mut *self.tally;
        tally.frame += 1;
        tally.packets += 1;
        tally.first = tally.first.min(time);
        tally.last = tally.last.max(time);
        if tally.links.last() != Some(&link.0) {
            tally.link(link.0);
        }
        let frame = FrameRef { input: tally.input, frame: tally.frame };
        let mut kept = len;
        if len > tally.longest {
            kept = tally.longest;
            self.notes.add("capture-frame-cut", Some(frame));
        }
        let at = Arrival { time, frame };
        self.frames.push(FrameHead { at, link, start, len: kept, original });
    }

    /// Counts a remark at the last frame met.
    pub fn note(&mut self, code: &str) {
        self.notes.add(code, frame_ref(self.tally.input, self.tally.frame));
    }
}

impl Tally {
    fn link(&mut self, link: u16) {
        // The latest link type stands last, so that the common case is one comparison.
        self.links.retain(|l| *l != link);
        self.links.push(link);
    }
}

/// How far a splitter came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// Bytes it is done with.
    pub consumed: usize,
    /// Bytes it needs behind those to go on.
    pub need: usize,
    /// The rest of the input cannot be read.
    pub stop: bool,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Box<Pcapng>),
    Opened(Box<Dump>),
}

/// Reads one input.
pub(super) struct Reader {
    info: InputInfo,
    feed: Option<Feed>,
    format: Format,
    carry: Vec<u8>,
    tally: Tally,
}

impl Reader {
    /// Opens `path` and looks at its first bytes.
    pub fn open(path: &str, input: u32, limits: &Limits) -> Result<Self, CaptureError> {
        let mut feed =
            Feed::open(path).map_err(|e| CaptureError::Unopened { path: path.into(), reason: e })?;
        let mut head = vec![0; 4096];
        let got = fill_from(&mut feed, &mut head);
        let n = match got {
            Ok(n) => n,
            Err((n, _)) if n >= 24 || !feed.failed() => n,
            Err((_, reason)) => {
                return Err(CaptureError::Io { path: path.into(), offset: feed.stored(), reason });
            }
        };
        head.truncate(n);
        if feed.stored() == 0 {
            return Err(CaptureError::Empty { path: path.into() });
        }
        let refused = |looks| CaptureError::NotCapture { path: path.into(), looks };
        let (format, name, used) = match opened::recognise(&head) {
            Some(form) => {
                let whole = read_whole(&mut feed, &mut head, limits.dump);
                let whole = whole.map_err(|reason| CaptureError::Io {
                    path: path.into(),
                    offset: feed.stored(),
                    reason,
                })?;
                let text = std::mem::take(&mut head);
                let dump = if whole { Dump::read(form, text) } else { Err(TOO_LARGE) };
                let dump = dump.map_err(refused)?;
                let name = dump.name.clone();
                (Format::Opened(Box::new(dump)), name, 0)
            }
            None => recognise(&head).map_err(refused)?,
        };
        let info = InputInfo {
            path: path.into(),
            format: format!("{name}{}", feed.wrapping()),
            ..InputInfo::default()
        };
        let carry = head.split_off(used.min(head.len()));
        let tally = Tally {
            input,
            frame: 0,
            packets: 0,
            first: Timestamp(i64::MAX),
            last: Timestamp(i64::MIN),
            links: Vec::new(),
            longest: limits.frame.clamp(64, ABSURD),
        };
        Ok(Self { info, feed: Some(feed), format, carry, tally })
    }

    /// Tells that the Decryption Secrets Blocks have been gathered already.
    pub fn without_secrets(mut self) -> Self {
        if let Format::Pcapng(ng) = &mut self.format {
            ng.ignore_secrets();
        }
        self
    }

    /// Stored bytes read so far.
    pub fn stored(&self) -> u64 {
        self.feed.as_ref().map_or(self.info.bytes, Feed::stored)
    }

    /// What is known of the input so far.
    pub fn info(&self) -> InputInfo {
        let mut info = self.info.clone();
        info.packets = self.tally.packets;
        if let Format::Opened(dump) = &self.format {
            info.packets = dump.entries;
            (info.first, info.last) = dump.span.unzip();
        }
        if self.tally.packets > 0 {
            info.first = Some(self.tally.first);
            info.last = Some(self.tally.last);
        }
        if let Format::Pcapng(ng) = &self.format {
            info.dropped = ng.dropped();
        }
        info.links = self.tally.links.clone();
        info.links.sort_unstable();
        if let Some(feed) = &self.feed {
            info.bytes = feed.stored();
        }
        info
    }

    /// Fills `batch` with about `target` bytes of frames; false at the end.
    pub fn fill(&mut self, batch: &mut Batch, target: usize) -> Result<bool, CaptureError> {
        batch.clear();
        let Some(mut feed) = self.feed.take() else {
            return Ok(false);
        };
        if let Format::Opened(dump) = &mut self.format {
            if dump.fill(self.tally.input, batch, target) {
                self.feed = Some(feed);
                return Ok(true);
            }
            return self.finish_dump(feed, batch);
        }
        if batch.data.len() != target {
            batch.data.truncate(target);
            batch.data.shrink_to(target);
            batch.data.resize(target, 0);
        }
        let mut end = self.carry.len();
        if batch.data.len() < end {
            batch.data.resize(end, 0);
        }
        if let Some(front) = batch.data.get_mut(..end) {
            front.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        let mut done = 0;
        loop {
            let read = fill_from(&mut feed, batch.data.get_mut(end..).unwrap_or_default());
            let full = batch.data.len();
            let (n, broken) = match read {
                Ok(n) => (n, None),
                Err((n, e)) => (n, Some(e)),
            };
            end += n;
            let split = self.split(batch, done, end);
            done += split.consumed;
            if let Some(reason) = broken {
                return self.broken(feed, reason, batch);
            }
            if split.stop || end < full {
                return self.finish(feed, end - done.min(end), split.stop, batch);
            }
            if batch.has_news() {
                break;
            }
            // A single block larger than the batch, or nothing but blocks without frames.
            batch.data.copy_within(done..end, 0);
            end -= done;
            done = 0;
            let wanted = split.need.clamp(target, ABSURD + (1 << 16));
            if batch.data.len() < wanted {
                batch.data.resize(wanted, 0);
            }
        }
        self.carry.extend_from_slice(batch.data.get(done..end).unwrap_or_default());
        self.feed = Some(feed);
        Ok(true)
    }

    fn split(&mut self, batch: &mut Batch, from: usize, to: usize) -> Split {
        let Batch { data, frames, secrets, names, notes } = batch;
        let bytes = data.get(from..to).unwrap_or_default();
        let mut sink = Sink { frames, secrets, names, notes, tally: &mut self.tally };
        match &mut self.format {
            Format::Pcap(p) => p.split(bytes, from, &mut sink),
            Format::Pcapng(p) => p.split(bytes, from, &mut sink),
            // Its frames are made, not split off.
            Format::Opened(_) => Split::default(),
        }
    }

    /// The end of a recording that was read whole, and what was odd in it.
    fn finish_dump(&mut self, feed: Feed, batch: &mut Batch) -> Result<bool, CaptureError> {
        let Format::Opened(dump) = &self.format else { return Ok(false) };
        for _ in 0..dump.unread {
            batch.notes.add("recording-entry-unread", None);
        }
        let cut = dump.cut;
        self.finish(feed, usize::from(cut), false, batch)
    }

    /// The end of the input, or of what can be read of it.
    fn finish(
        &mut self,
        feed: Feed,
        left: usize,
        stopped: bool,
        batch: &mut Batch,
    ) -> Result<bool, CaptureError> {
        let at = frame_ref(self.tally.input, self.tally.frame);
        if left > 0 && !stopped {
            batch.notes.add("capture-file-cut", at);
        }
        self.info.truncated |= stopped || left > 0;
        let path = self.info.path.clone();
        let offset = feed.stored();
        let (bytes, sha256) = feed.finish().map_err(|reason| CaptureError::Io { path, offset, reason })?;
        self.info.bytes = bytes;
        self.info.sha256 = sha256;
        Ok(batch.has_news())
    }

    fn broken(&mut self, feed: Feed, reason: io::Error, batch: &mut Batch) -> Result<bool, CaptureError> {
        if feed.failed() {
            return Err(CaptureError::Io { path: self.info.path.clone(), offset: feed.stored(), reason });
        }
        let at = frame_ref(self.tally.input, self.tally.frame);
        let code = match reason.kind() {
            io::ErrorKind::UnexpectedEof => "capture-file-cut",
            _ => "capture-packing-damaged",
        };
        batch.notes.add(code, at);
        self.finish(feed, 0, true, batch)
    }
}

/// A recording that is read whole may not be larger than the bound.
const TOO_LARGE: &str = "it is a HAR file or proxy dump larger than what is held whole (128 MiB); \
    save it in parts, or record packets with a key log";

/// Reads all that is left behind `text`; false where it is more than `most`.
fn read_whole(feed: &mut Feed, text: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    feed.take((most + 1).saturating_sub(text.len()) as u64).read_to_end(text)?;
    Ok(text.len() <= most)
}

/// Reads until `buf` is full or the end is near; on an error says how much came before it.
fn fill_from(feed: &mut Feed, buf: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut n = 0;
    while let Some(rest) = buf.get_mut(n..).filter(|r| !r.is_empty()) {
        match feed.read(rest) {
            Ok(0) => break,
            Ok(got) => n += got,
            Err(e) => return Err((n, e)),
        }
    }
    Ok(n)
}

fn recognise(head: &[u8]) -> Result<(Format, String, usize), &'static str> {
    if head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        return Ok((Format::Pcapng(Box::default()), "pcapng".into(), 0));
    }
    match Pcap::recognise(head)? {
        Some(pcap) => Ok((Format::Pcap(pcap), pcap.name(), Pcap::FILE_HEADER)),
        None => Err(looks_like(head)),
    }
}
