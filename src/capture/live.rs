//! Frames from an interface as they come, through libpcap, with a copy to a pcapng file and key logs
//! that are followed while they grow.

use super::error::unwritten;
use super::interfaces::{denied, plain};
use super::tail::Tail;
use super::{Batch, CaptureError, FrameHead, InputInfo, LinkType, PcapngWriter, Source};
use crate::model::{Arrival, FrameRef, Limits, Timestamp};
use ::pcap::{Active, Capture};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What to capture.
#[derive(Debug, Clone, Default)]
pub struct LiveOptions {
    /// The interface.
    pub interface: String,
    /// A BPF expression; everything without one.
    pub filter: Option<String>,
    /// Bytes kept of each frame.
    pub snaplen: u32,
    /// Frames after which the capture ends.
    pub count: Option<u64>,
}

/// What a capture is asked and what it tells while it runs; shared with whoever watches it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set to end the capture; what the kernel holds by then is still read.
    pub stop: AtomicBool,
    /// Frames captured.
    pub frames: AtomicU64,
    /// Bytes captured.
    pub bytes: AtomicU64,
    /// Frames that were lost before they reached us.
    pub dropped: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl Watch {
    /// Why the capture ended early, if it did.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().ok().and_then(|f| f.clone())
    }

    fn fail(&self, reason: String) {
        if let Ok(mut f) = self.failure.lock() {
            f.get_or_insert(reason);
        }
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Time for which frames are collected before they are handed on.
const WINDOW: Duration = Duration::from_millis(300);
/// Time after which the kernel hands over what it collected.
const KERNEL_WAIT_MS: i32 = 50;
/// Time between two looks at an interface that has nothing.
const IDLE: Duration = Duration::from_millis(10);
/// Time that the kernel gets at the end to hand over what it still collects.
const LAST: Duration = Duration::from_millis(200);
/// Time that emptying the kernel's buffer may take at the end.
const DRAIN: Duration = Duration::from_secs(2);
/// Time between two looks at where things stand.
const GLANCE: Duration = Duration::from_secs(2);
/// The kernel's buffer.
const KERNEL_BUFFER: i32 = 64 << 20;

/// An open interface.
pub struct Live {
    handle: Capture<Active>,
    link: LinkType,
    options: LiveOptions,
    watch: Arc<Watch>,
    limit: usize,
    info: InputInfo,
    evidence: Option<(PathBuf, PcapngWriter<Digesting>)>,
    keylogs: Vec<Tail>,
    /// With key logs, frames wait here for one more window: programs write the secrets of a handshake a
    /// moment after its frames were sent, and they are needed when those are judged.
    held: Batch,
    drops_told: u64,
    /// When, and after how many frames, was last told where things stand.
    glanced: (Instant, u64),
    ending: Option<Instant>,
    ended: bool,
}

impl Live {
    /// Opens the interface and sets the filter.
    pub fn open(options: LiveOptions, watch: Arc<Watch>, limits: &Limits) -> Result<Self, CaptureError> {
        let fail = |e: ::pcap::Error| refused(&options.interface, &plain(&e));
        let snaplen = i32::try_from(options.snaplen).unwrap_or(i32::MAX);
        let inactive = Capture::from_device(options.interface.as_str()).map_err(fail)?;
        let settings = inactive.promisc(true).timeout(KERNEL_WAIT_MS).buffer_size(KERNEL_BUFFER);
        // Not blocking: a read with a timeout may block for good where nothing comes, as libpcap says,
        // and then neither Ctrl-C nor a key log would be noticed.
        let opened = settings.snaplen(snaplen).open().and_then(|c| c.setnonblock());
        let mut handle = opened.map_err(fail)?;
        if let Some(filter) = &options.filter {
            handle
                .filter(filter, true)
                .map_err(|e| CaptureError::Filter { filter: filter.clone(), reason: plain(&e) })?;
        }
        let link = link_type(handle.get_datalink().0);
        let info = InputInfo {
            path: options.interface.clone(),
            format: format!("live {}", options.interface),
            links: vec![link.0],
            dropped: Some(0),
            ..InputInfo::default()
        };
        Ok(Self {
            handle,
            link,
            options,
            watch,
            limit: limits.frame,
            info,
            evidence: None,
            keylogs: Vec::new(),
            held: Batch::default(),
            drops_told: 0,
            glanced: (Instant::now(), 0),
            ending: None,
            ended: false,
        })
    }

    /// Writes all frames to a new pcapng file as well; the input is known by its path then.
    pub fn write_to(&mut self, path: &Path) -> Result<(), CaptureError> {
        let name = path.display().to_string();
        let fail = |reason| CaptureError::Writing { path: name.clone(), reason };
        let file = File::create(path).map_err(fail)?;
        let out = Digesting { out: BufWriter::new(file), digest: Sha256::new(), bytes: 0 };
        let mut writer = PcapngWriter::new(out, "plainsight").map_err(fail)?;
        writer.interface(self.link, self.options.snaplen, &self.options.interface).map_err(fail)?;
        self.info.path = name;
        self.evidence = Some((path.to_owned(), writer));
        Ok(())
    }

    /// Follows a TLS key log; it need not exist yet.
    pub fn follow(&mut self, path: &Path) -> Result<(), CaptureError> {
        self.keylogs.push(Tail::open(path)?);
        Ok(())
    }

    /// Collects frames for a window, or until the batch is full or the end has come.
    fn collect(&mut self, batch: &mut Batch) {
        let begun = Instant::now();
        while !self.ended && batch.data.len() < Batch::TARGET {
            let now = Instant::now();
            if self.watch.stop.load(Ordering::Relaxed) {
                let since = *self.ending.get_or_insert(now);
                self.ended |= now.duration_since(since) > DRAIN;
            } else if now.duration_since(begun) > WINDOW {
                break;
            }
            self.take(batch);
            self.ended |= self.options.count.is_some_and(|n| self.info.packets >= n);
        }
        self.tell_drops(batch);
    }

    fn take(&mut self, batch: &mut Batch) {
        let packet = match self.handle.next_packet() {
            Ok(packet) => packet,
            Err(::pcap::Error::TimeoutExpired) => {
                self.ended |= self.ending.is_some_and(|since| since.elapsed() > LAST);
                std::thread::sleep(IDLE);
                return;
            }
            Err(e) => {
                self.ended = true;
                let reason = plain(&e);
                self.watch.fail(format!("{}: capturing stopped: {reason}", self.options.interface));
                batch.notes.add("capture-interface-lost", None);
                return;
            }
        };
        let ts = packet.header.ts;
        #[allow(clippy::unnecessary_cast)] // the fields' widths differ between systems
        let time = Timestamp::new(ts.tv_sec as i64, (ts.tv_usec as i64).saturating_mul(1000));
        let original = packet.header.len;
        if let Some((path, writer)) = &mut self.evidence
            && let Err(e) = writer.frame(0, time, packet.data, original)
        {
            // The frame is not in the file, so it is no evidence either.
            self.ended = true;
            self.watch.fail(broken_off(path, &e));
            batch.notes.add("capture-evidence-cut", None);
            return;
        }
        self.info.packets += 1;
        let frame = FrameRef { input: 0, frame: self.info.packets };
        let kept = packet.data.get(..self.limit).unwrap_or(packet.data);
        if kept.len() < packet.data.len() {
            batch.notes.add("capture-frame-cut", Some(frame));
        }
        let start = batch.data.len();
        batch.data.extend_from_slice(kept);
        let at = Arrival { time, frame };
        batch.frames.push(FrameHead { at, link: self.link, start, len: kept.len(), original });
        self.info.first = Some(self.info.first.map_or(time, |t| t.min(time)));
        self.info.last = Some(self.info.last.map_or(time, |t| t.max(time)));
        self.watch.frames.fetch_add(1, Ordering::Relaxed);
        self.watch.bytes.fetch_add(packet.data.len() as u64, Ordering::Relaxed);
    }

    /// Notes the frames that the kernel or the interface lost since the last time. Their bytes are not
    /// known, so they show up as holes in streams as well.
    fn tell_drops(&mut self, batch: &mut Batch) {
        let Ok(stats) = self.handle.stats() else { return };
        let all = u64::from(stats.dropped) + u64::from(stats.if_dropped);
        batch.notes.add_many("capture-kernel-dropped", all.saturating_sub(self.drops_told), None);
        self.drops_told = self.drops_told.max(all);
        self.info.dropped = Some(self.drops_told);
        self.watch.dropped.store(self.drops_told, Ordering::Relaxed);
    }

    /// What is written so far reaches the file, so that a crash costs little.
    fn flush(&mut self, batch: &mut Batch) {
        let Some((path, writer)) = &mut self.evidence else { return };
        if let Err(e) = writer.flush() {
            self.ended = true;
            self.watch.fail(broken_off(path, &e));
            batch.notes.add("capture-evidence-cut", None);
        }
    }

    fn close(&mut self) {
        let last = self.info.last.unwrap_or_default();
        if let Some((_, mut writer)) = self.evidence.take()
            && writer.statistics(0, last, self.drops_told).is_ok()
            && let Ok(out) = writer.into_inner()
        {
            self.info.bytes = out.bytes;
            self.info.sha256 = out.digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
        } else {
            self.info.bytes = self.watch.bytes.load(Ordering::Relaxed);
        }
    }
}

impl Source for Live {
    /// Comes back after a window even where nothing was seen; the batch may be empty then.
    fn read(&mut self, batch: &mut Batch) -> Result<bool, CaptureError> {
        batch.clear();
        batch.data.clear();
        if self.ended && !self.held.has_news() {
            self.close();
            return Ok(false);
        }
        if !self.ended {
            self.collect(batch);
            self.flush(batch);
        }
        if self.keylogs.is_empty() {
            return Ok(true);
        }
        std::mem::swap(batch, &mut self.held);
        for log in &mut self.keylogs {
            batch.secrets.extend(log.news());
        }
        Ok(true)
    }

    fn progress(&self) -> u64 {
        self.watch.bytes.load(Ordering::Relaxed)
    }

    fn inputs(&self) -> Vec<InputInfo> {
        vec![self.info.clone()]
    }

    fn glance(&mut self) -> bool {
        let (at, frames) = self.glanced;
        let due = !self.ended && at.elapsed() >= GLANCE && self.info.packets > frames;
        if due {
            self.glanced = (Instant::now(), self.info.packets);
        }
        due
    }
}

/// The LINKTYPE_ number of a DLT_ number: they differ where systems disagreed on the latter.
fn link_type(dlt: i32) -> LinkType {
    match dlt {
        12 | 14 => LinkType::RAW,
        n => LinkType::stated(u16::try_from(n).unwrap_or(u16::MAX)),
    }
}

fn refused(interface: &str, reason: &str) -> CaptureError {
    let lower = reason.to_ascii_lowercase();
    let reason = if denied(reason) {
        "this user may not capture; run as root or with the capability CAP_NET_RAW".to_owned()
    } else if lower.contains("no such device") || lower.contains("doesn't exist") {
        "there is no such interface; `plainsight interfaces` lists them".to_owned()
    } else if lower.contains("is not up") || lower.contains("network is down") {
        "the interface is down; bring it up first".to_owned()
    } else {
        format!("cannot be captured from: {reason}")
    };
    CaptureError::Interface { name: interface.to_owned(), reason }
}

/// Says that the evidence file, and so the recording, ends here.
fn broken_off(path: &Path, reason: &io::Error) -> String {
    format!("{} cannot be written: {}; the capture ended there", path.display(), unwritten(reason))
}

/// A file whose digest is known when it is complete.
struct Digesting {
    out: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Write for Digesting {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = self.out.write(data)?;
        self.digest.update(data.get(..n).unwrap_or_default());
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
