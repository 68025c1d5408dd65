//! Secrets ahead of the frames: a quick pass over a pcapng file's block headers, so that a
//! Decryption Secrets Block near the end still helps the frames before it.

use super::Secrets;
use super::options::Order;
use super::pcapng::{LARGEST_BLOCK, block};
use crate::bytes::Cursor;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Bytes of secrets that are kept of one file.
const MOST: usize = 64 << 20;

/// The body of a Decryption Secrets Block.
pub(super) fn secrets_of(body: &[u8], order: Order) -> Option<Secrets> {
    let mut c = Cursor::new(body);
    let kind = order.u32(&mut c)?;
    let n = order.u32(&mut c)? as usize;
    Some(Secrets { kind, data: c.take(n)?.to_vec() })
}

/// All secrets of the pcapng file at `path`; `None` where it cannot be read twice (no regular file,
/// packed) or is damaged, and then the blocks are delivered as they come.
pub(super) fn gather(path: &Path) -> Option<Vec<Secrets>> {
    let file = File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut reader = BufReader::with_capacity(256 << 10, file);
    let mut found = Vec::new();
    let mut order = Order::default();
    let mut kept = 0;
    let mut started = false;
    loop {
        let mut head = [0; 12];
        match reader.read_exact(&mut head) {
            Ok(()) => {}
            Err(_) => return started.then_some(found),
        }
        let [k0, k1, k2, k3, .., m0, m1, m2, m3] = head;
        let section = [k0, k1, k2, k3] == block::SECTION.to_be_bytes();
        if section {
            order = match [m0, m1, m2, m3] {
                [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                _ => return None,
            };
        } else if !started {
            return None;
        }
        started = true;
        let mut c = Cursor::new(&head);
        let kind = order.u32(&mut c)?;
        let size = order.u32(&mut c)? as usize;
        if !(12..=LARGEST_BLOCK).contains(&size) {
            return None;
        }
        let rest = size.next_multiple_of(4) - 12;
        if kind != block::SECRETS || kept + rest > MOST {
            reader.seek_relative(rest as i64).ok()?;
            continue;
        }
        let mut body = vec![m0, m1, m2, m3];
        if (&mut reader).take(rest as u64).read_to_end(&mut body).ok()? < rest {
            return Some(found);
        }
        body.truncate(size - 12);
        kept += rest;
        found.extend(secrets_of(&body, order));
    }
}
