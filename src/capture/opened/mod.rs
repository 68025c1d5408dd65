//! Recordings that are already decrypted: HAR files of browsers and proxies, flows of mitmproxy. What they
//! hold becomes frames that carry it, each with the number of the entry that it comes from; what was
//! protected on its way says so in the link type, which no capture file can state.

mod frames;
mod har;
mod http;
mod mitm;
mod tnetstring;

use super::{Batch, FrameHead, LinkType};
use crate::model::{Arrival, Endpoint, FrameRef, Opened, Side, Timestamp};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

/// What two ends said to one another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Session {
    pub client: Endpoint,
    pub server: Endpoint,
    /// What protected it on its way, where something did.
    pub opened: Option<Opened>,
    /// UDP and not TCP.
    pub datagrams: bool,
    pub said: Vec<Said>,
}

/// Something that one side said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub time: Timestamp,
    pub side: Side,
    pub bytes: Vec<u8>,
    /// Bytes behind them that the recorder knows of and did not keep.
    pub lost: u64,
}

/// Whether an input of that format holds entries, which are numbered in place of frames, and that no
/// instrument for packets shows.
pub fn holds_entries(format: &str) -> bool {
    [HAR, MITMPROXY].iter().any(|name| format.starts_with(name))
}

const HAR: &str = "HAR";
const MITMPROXY: &str = "mitmproxy flows";

/// The forms that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Har,
    Mitmproxy,
}

/// Tells the form by its beginning.
pub(super) fn recognise(head: &[u8]) -> Option<Form> {
    if har::recognise(head) {
        return Some(Form::Har);
    }
    mitm::recognise(head).then_some(Form::Mitmproxy)
}

/// An end whose address the recorder does not tell, with a port of its own.
fn stranger(number: u64) -> Endpoint {
    Endpoint { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 1024 + (number % 64_000) as u16 }
}

/// The application protocol that goes with a version of HTTP as recorders write it.
fn protocol(version: &str) -> Option<String> {
    let version = version.to_ascii_lowercase();
    let name = match version.trim_start_matches("http").trim_start_matches('/') {
        "2" | "2.0" | "h2" => "h2",
        "3" | "3.0" | "h3" => "h3",
        "1.1" => "http/1.1",
        _ => return None,
    };
    Some(name.to_owned())
}

/// A recording that was read: its frames, by time.
pub(super) struct Dump {
    frames: VecDeque<Made>,
    /// Entries that were read.
    pub entries: u64,
    /// The form's name and the program that wrote it.
    pub name: String,
    /// It ends inside an entry.
    pub cut: bool,
    /// Entries of a kind that is not read.
    pub unread: u64,
    /// The times of the first and last frame.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// A frame that was made.
struct Made {
    time: Timestamp,
    entry: u64,
    link: LinkType,
    bytes: Vec<u8>,
}

/// What a form's reader hands on.
#[derive(Default)]
struct Read {
    sessions: Vec<(u64, Session)>,
    entries: u64,
    name: String,
    cut: bool,
    unread: u64,
}

impl Dump {
    /// Reads a whole recording; `Err` says what is wrong with it, and what to do.
    pub fn read(form: Form, text: Vec<u8>) -> Result<Self, &'static str> {
        let read = match form {
            Form::Har => har::read(&text),
            Form::Mitmproxy => mitm::read(&text),
        };
        drop(text);
        if read.entries == 0 && read.cut {
            return Err(match form {
                Form::Har => "it begins like a HAR file, and its JSON is broken; export it again",
                Form::Mitmproxy => {
                    "it begins like flows of mitmproxy, and the first one is broken; save it again"
                }
            });
        }
        let mut made: Vec<Made> = read.sessions.into_iter().flat_map(|(n, s)| frames::of(n, s)).collect();
        made.sort_by_key(|f| f.time);
        let span = made.first().map(|f| f.time).zip(made.last().map(|f| f.time));
        let Read { entries, name, cut, unread, .. } = read;
        Ok(Self { frames: made.into(), entries, name, cut, unread, span })
    }

    /// Moves about `target` bytes of frames into `batch`; false where none are left.
    pub fn fill(&mut self, input: u32, batch: &mut Batch, target: usize) -> bool {
        batch.data.clear();
        while batch.data.len() < target {
            let Some(made) = self.frames.pop_front() else { break };
            let start = batch.data.len();
            batch.data.extend_from_slice(&made.bytes);
            batch.frames.push(FrameHead {
                at: Arrival { time: made.time, frame: FrameRef { input, frame: made.entry } },
                link: made.link,
                start,
                len: made.bytes.len(),
                original: made.bytes.len() as u32,
            });
        }
        !batch.frames.is_empty()
    }
}
