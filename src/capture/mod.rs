//! placeholder
#![allow(missing_docs)]
use crate::model::{Arrival, FrameRef, Limits, Notes, Timestamp};
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkType(pub u16);
#[derive(Debug, Clone, Copy)]
pub struct FrameHead { pub at: Arrival, pub link: LinkType, pub start: usize, pub len: usize, pub original: u32 }
#[derive(Debug, Default)]
pub struct Batch { pub data: Vec<u8>, pub frames: Vec<FrameHead>, pub secrets: Vec<Secrets>, pub names: Vec<(IpAddr, String)>, pub notes: Notes }
impl Batch { pub fn bytes(&self, f: &FrameHead) -> &[u8] { self.data.get(f.start..f.start + f.len).unwrap_or_default() } }
#[derive(Debug, Clone)]
pub struct Secrets { pub kind: u32, pub data: Vec<u8> }
#[derive(Debug, Clone, Default)]
pub struct InputInfo { pub path: String, pub sha256: String, pub bytes: u64, pub packets: u64, pub format: String, pub first: Option<Timestamp>, pub last: Option<Timestamp>, pub links: Vec<u16>, pub truncated: bool }
#[derive(Debug)]
pub struct CaptureError(String);
impl std::fmt::Display for CaptureError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) } }
impl std::error::Error for CaptureError {}
pub trait Source { fn read(&mut self, batch: &mut Batch) -> Result<bool, CaptureError>; fn progress(&self) -> u64; fn inputs(&self) -> Vec<InputInfo>; }
struct Whole { data: Option<Vec<u8>>, info: InputInfo }
pub fn open(paths: &[PathBuf], _l: &Limits) -> Result<Box<dyn Source + Send>, CaptureError> {
    let p = &paths[0];
    let mut data = std::fs::read(p).map_err(|e| CaptureError(format!("{}: {e}", p.display())))?;
    if data.starts_with(&[0x1f, 0x8b]) { let mut o = Vec::new(); let _ = flate2::read::MultiGzDecoder::new(&data[..]).read_to_end(&mut o); data = o; }
    Ok(Box::new(Whole { info: InputInfo { path: p.display().to_string(), bytes: data.len() as u64, ..Default::default() }, data: Some(data) }))
}
pub fn total_bytes(_p: &[PathBuf]) -> Option<u64> { None }
impl Source for Whole {
    fn progress(&self) -> u64 { 0 }
    fn inputs(&self) -> Vec<InputInfo> { vec![self.info.clone()] }
    fn read(&mut self, b: &mut Batch) -> Result<bool, CaptureError> {
        let Some(d) = self.data.take() else { return Ok(false) };
        let le32 = |at: usize| d.get(at..at + 4).map(|x| u32::from_le_bytes(x.try_into().unwrap()));
        let be32 = |at: usize| d.get(at..at + 4).map(|x| u32::from_be_bytes(x.try_into().unwrap()));
        let m = be32(0).unwrap_or(0);
        let mut n = 0;
        if m == 0x0a0d0d0a {
            let mut at = 0; let mut ifs: Vec<(u16, bool)> = vec![];
            while let (Some(t), Some(l)) = (le32(at), le32(at + 4)) {
                let l = l as usize; if l < 12 { break; }
                match t {
                    1 => { let body = d.get(at + 16..at + l - 4).unwrap_or_default(); let ns = body.windows(5).any(|w| w == [9, 0, 1, 0, 9]); ifs.push((le32(at + 8).unwrap_or(0) as u16, ns)); }
                    6 => { let i = le32(at + 8).unwrap_or(0) as usize; let ts = ((le32(at + 12).unwrap_or(0) as u64) << 32) | le32(at + 16).unwrap_or(0) as u64; let cl = le32(at + 20).unwrap_or(0) as usize; n += 1;
                        let (link, ns) = ifs.get(i).copied().unwrap_or((1, false));
                        if at + 28 + cl <= d.len() { b.frames.push(FrameHead { at: Arrival { time: Timestamp(ts as i64 * if ns { 1 } else { 1000 }), frame: FrameRef { input: 0, frame: n } }, link: LinkType(link), start: at + 28, len: cl, original: le32(at + 24).unwrap_or(0) }); } }
                    10 => { let sl = le32(at + 12).unwrap_or(0) as usize; b.secrets.push(Secrets { kind: le32(at + 8).unwrap_or(0), data: d.get(at + 16..at + 16 + sl).unwrap_or_default().to_vec() }); }
                    _ => {}
                }
                at += l;
            }
        } else {
            let big = m == 0xa1b2c3d4 || m == 0xa1b23c4d; let ns = m == 0xa1b23c4d || m == 0x4d3cb2a1;
            if !big && m != 0xd4c3b2a1 && !ns { return Err(CaptureError(format!("{}: not a capture", self.info.path))); }
            let g = |a: usize| if big { be32(a) } else { le32(a) };
            let link = g(20).unwrap_or(1) as u16; let mut at = 24;
            while let (Some(s), Some(u), Some(c), Some(o)) = (g(at), g(at + 4), g(at + 8), g(at + 12)) {
                let c = c as usize; if at + 16 + c > d.len() { break; } n += 1;
                b.frames.push(FrameHead { at: Arrival { time: Timestamp(s as i64 * 1_000_000_000 + u as i64 * if ns { 1 } else { 1000 }), frame: FrameRef { input: 0, frame: n } }, link: LinkType(link), start: at + 16, len: c, original: o });
                at += 16 + c;
            }
        }
        self.info.packets = n; b.data = d;
        Ok(true)
    }
}
