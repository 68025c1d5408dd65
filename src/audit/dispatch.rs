//! Reads frames, decodes them to packets, and hands them in batches to the shards. All packets
//! between two hosts go to the same shard in order, so the number of threads changes nothing.

use super::merge::Totals;
use super::shard::Shard;
use super::{AuditError, Plan};
use crate::capture::{Batch, InputInfo, Source};
use crate::evidence::Shared;
use crate::keys::KeyStore;
use crate::model::{Arrival, Limits};
use crate::wire::{Decoder, Packet};
use crossbeam_channel::{Receiver, Sender, bounded};
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

/// A packet of a batch that belongs to one shard.
pub(super) struct Item {
    /// Where its frame's data begins in the batch.
    pub start: usize,
    pub packet: Packet,
    pub at: Arrival,
    /// Its pair of hosts' share of the flow table.
    pub bucket: u8,
}

/// Work for one shard.
pub(super) struct Work {
    pub batch: Arc<Batch>,
    pub items: Vec<Item>,
    /// The secrets from here on, if they changed.
    pub keys: Option<Arc<KeyStore>>,
    /// Where to tell what was found before this work, if somebody watches.
    pub glance: Option<Sender<Totals>>,
}

/// Who looks on: told the stored bytes that were read, and where things stand when the source says that it
/// is time.
pub(super) struct Onlooker<'a> {
    pub progress: &'a (dyn Fn(u64) + Sync),
    pub news: &'a (dyn Fn(Outcome) + Sync),
}

/// Batches under way between the reader and a shard.
const QUEUE: usize = 4;

/// Shares of the flow table. A pair of hosts belongs to one of them, and a shard has some of them, so that
/// bounds which hold for a share do not depend on the number of shards.
pub(super) const BUCKETS: usize = 16;

/// What was read, what it adds up to, and how many secrets were given.
pub(super) type Outcome = (Vec<InputInfo>, Totals, usize);

/// Reads a source to its end.
pub(super) fn read(
    source: Box<dyn Source + Send>,
    plan: &Plan,
    shared: &Arc<Shared>,
    onlooker: &Onlooker<'_>,
) -> Result<Outcome, AuditError> {
    let threads = plan.threads.max(1);
    std::thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut workers = Vec::new();
        let (used, returned) = bounded(threads * (QUEUE + 2));
        for _ in 0..threads.min(BUCKETS) {
            let (tx, rx) = bounded::<Work>(QUEUE);
            senders.push(tx);
            let (shared, keys, used) = (shared.clone(), plan.keys.clone(), used.clone());
            workers.push(scope.spawn(move || work(&rx, &used, shared, keys)));
        }
        let reader = Reader::new(source, &plan.limits, plan.keys.clone(), senders, returned);
        let read = reader.run(onlooker, &plan.limits);
        let mut totals = Totals::default();
        for worker in workers {
            match worker.join() {
                Ok(part) => totals.merge(part, &plan.limits),
                Err(panic) => return Err(AuditError::Worker(said(&*panic))),
            }
        }
        let (inputs, own, given) = read?;
        totals.merge(own, &plan.limits);
        Ok((inputs, totals, given))
    })
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

fn work(rx: &Receiver<Work>, used: &Sender<Vec<Item>>, shared: Arc<Shared>, keys: Arc<KeyStore>) -> Totals {
    let mut shard = Shard::new(shared, keys);
    for mut work in rx {
        shard.take(&work);
        work.items.clear();
        // A list that nobody has room for is dropped.
        let _ = used.try_send(work.items);
    }
    shard.finish()
}

struct Reader {
    source: Box<dyn Source + Send>,
    decoder: Decoder,
    keys: Arc<KeyStore>,
    senders: Vec<Sender<Work>>,
    /// Batches that may still be read by shards; one that nobody holds any more is used again.
    pool: Vec<Arc<Batch>>,
    /// Emptied lists that come back from the shards.
    returned: Receiver<Vec<Item>>,
    totals: Totals,
    secrets: usize,
}

impl Reader {
    fn new(
        source: Box<dyn Source + Send>,
        limits: &Limits,
        keys: Arc<KeyStore>,
        senders: Vec<Sender<Work>>,
        returned: Receiver<Vec<Item>>,
    ) -> Self {
        let decoder = Decoder::new(limits);
        let secrets = keys.len();
        let totals = Totals::default();
        Self { source, decoder, keys, senders, pool: Vec::new(), returned, totals, secrets }
    }

    fn run(mut self, onlooker: &Onlooker<'_>, limits: &Limits) -> Result<Outcome, AuditError> {
        loop {
            let mut batch = self.empty_batch();
            if !self.source.read(&mut batch)? {
                break;
            }
            (onlooker.progress)(self.source.progress());
            self.totals.notes.merge(std::mem::take(&mut batch.notes));
            for (ip, name) in batch.names.drain(..) {
                self.totals.name(ip, name);
            }
            let keys = self.new_keys(&mut batch);
            self.send(batch, keys);
            if self.source.glance() {
                (onlooker.news)(self.so_far(limits));
            }
        }
        self.totals.notes.merge(self.decoder.notes());
        Ok((self.source.inputs(), self.totals, self.secrets))
    }

    /// Asks every shard for what it found so far.
    fn so_far(&self, limits: &Limits) -> Outcome {
        let (answer, answers) = bounded(self.senders.len());
        let mut totals = self.totals.clone();
        for sender in &self.senders {
            let batch = Arc::new(Batch::default());
            let work = Work { batch, items: Vec::new(), keys: None, glance: Some(answer.clone()) };
            let _ = sender.send(work);
        }
        // A shard that is gone drops its sender, so this ends.
        drop(answer);
        answers.iter().for_each(|part| totals.merge(part, limits));
        (self.source.inputs(), totals, self.secrets)
    }

    fn empty_batch(&mut self) -> Batch {
        let free = self.pool.iter().position(|b| Arc::strong_count(b) == 1);
        let batch = free.and_then(|i| Arc::into_inner(self.pool.swap_remove(i)));
        batch.unwrap_or_default()
    }

    /// Secrets that the capture carries hold from the batch on that they stand in.
    fn new_keys(&mut self, batch: &mut Batch) -> Option<Arc<KeyStore>> {
        if batch.secrets.is_empty() {
            return None;
        }
        let mut keys = KeyStore::clone(&self.keys);
        for secret in batch.secrets.drain(..) {
            keys.add_secrets(secret.kind, &secret.data);
        }
        self.secrets = keys.len();
        self.keys = Arc::new(keys);
        Some(self.keys.clone())
    }

    fn send(&mut self, batch: Batch, keys: Option<Arc<KeyStore>>) {
        let shards = self.senders.len();
        let mut parts: Vec<Vec<Item>> =
            (0..shards).map(|_| self.returned.try_recv().unwrap_or_default()).collect();
        for head in &batch.frames {
            self.totals.frames += 1;
            let Some(packet) = self.decoder.decode(head.link, batch.bytes(head), head.original, head.at)
            else {
                continue;
            };
            self.totals.packets += 1;
            let bucket = bucket_of(packet.source.ip, packet.target.ip);
            let item = Item { start: head.start, packet, at: head.at, bucket };
            parts[usize::from(bucket) % shards].push(item);
        }
        let batch = Arc::new(batch);
        self.pool.push(batch.clone());
        for (sender, items) in self.senders.iter().zip(parts) {
            if items.is_empty() && keys.is_none() {
                continue;
            }
            // A shard that is gone has panicked; its join reports that.
            let _ = sender.send(Work { batch: batch.clone(), items, keys: keys.clone(), glance: None });
        }
    }
}

/// The share of a pair of hosts, whichever of them sends.
fn bucket_of(a: IpAddr, b: IpAddr) -> u8 {
    let mut hasher = FxHasher::default();
    (a.min(b), a.max(b)).hash(&mut hasher);
    ((hasher.finish() >> 32) as usize % BUCKETS) as u8
}
