//! Which app a packet belongs to, where the recorder wrote it down: PCAPdroid's trailer and Apple's
//! PKTAP header.

use super::App;
use crate::bytes::Cursor;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Bytes of PCAPdroid's trailer: magic, user id, name of 20 bytes, check sequence.
const TRAILER: usize = 32;
const MAGIC: [u8; 4] = [0x01, 0x07, 0x20, 0x21];
const ETHERNET: usize = 14;

/// Names met so far, so that each is allocated once.
#[derive(Debug, Default)]
pub(super) struct Apps {
    known: FxHashMap<(i32, [u8; 20]), App>,
}

impl Apps {
    /// More apps than a phone has; beyond it names are allocated per packet.
    const MOST: usize = 4096;

    /// PCAPdroid's trailer at the end of an Ethernet frame. It stands behind the IP packet, so
    /// bytes that the packet's own length covers are payload and no trailer.
    #[inline]
    pub fn trailer(&mut self, frame: &[u8]) -> Option<App> {
        let at = frame.len().checked_sub(TRAILER)?;
        let mut c = Cursor::new(frame.get(at..)?);
        if c.array::<4>()? != MAGIC || ip_end(frame)? > at {
            return None;
        }
        let uid = c.u32()? as i32;
        let name: [u8; 20] = c.array()?;
        Some(self.intern(uid, name))
    }

    /// The process name in a PKTAP header (pth_ecomm, else pth_comm): the process that the packet
    /// is attributed to before the one that handled it.
    pub fn process(&mut self, frame: &[u8]) -> Option<App> {
        let length = Cursor::new(frame).u32_le()? as usize;
        let header = frame.get(..length)?;
        let own = header.get(88..108).and_then(|n| n.first_chunk::<20>()).filter(|n| readable(n));
        let other = header.get(56..76).and_then(|n| n.first_chunk::<20>()).filter(|n| readable(n));
        Some(self.intern(-1, *own.or(other)?))
    }

    fn intern(&mut self, uid: i32, raw: [u8; 20]) -> App {
        if let Some(app) = self.known.get(&(uid, raw)) {
            return app.clone();
        }
        let text = raw.split(|b| *b == 0).next().unwrap_or_default();
        let app = App { uid, name: Arc::from(String::from_utf8_lossy(text).as_ref()) };
        if self.known.len() < Self::MOST {
            self.known.insert((uid, raw), app.clone());
        }
        app
    }
}

fn readable(name: &[u8; 20]) -> bool {
    name.first().is_some_and(|b| *b > b' ')
}

/// Where the IP packet of an Ethernet frame ends by its own length.
fn ip_end(frame: &[u8]) -> Option<usize> {
    let ip = Cursor::new(frame.get(ETHERNET..)?);
    let length = match ip.peek()? >> 4 {
        4 => usize::from(Cursor::new(ip.rest().get(2..)?).u16()?),
        6 => usize::from(Cursor::new(ip.rest().get(4..)?).u16()?) + 40,
        _ => return None,
    };
    Some(ETHERNET + length)
}
