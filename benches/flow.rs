//! What the flow table costs per packet: many small flows, one huge flow, and reordering.
//! Figures are per packet: divan prints items (packets) per second.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use plainsight::flow::{Close, Handler, Info, Known, Segment, Table, TcpFlags, TcpSegment};
use plainsight::model::{Arrival, Endpoint, FrameRef, Limits, Side, Timestamp};
use std::net::{IpAddr, Ipv4Addr};

fn main() {
    divan::main();
}

/// Counts, so that the calls are not optimised away.
#[derive(Default)]
struct Sum(u64);

impl Handler for Sum {
    type State = ();
    fn open(&mut self, _: &Info) {}
    fn data(&mut self, _: &mut (), _: &Info, _: Side, bytes: &[u8], _: Arrival) {
        self.0 += bytes.len() as u64;
    }
    fn gap(&mut self, _: &mut (), _: &Info, _: Side, len: u64, _: Arrival) {
        self.0 += len;
    }
    fn datagram(&mut self, _: &mut (), _: &Info, _: Side, bytes: &[u8], _: u32, _: Arrival) {
        self.0 += bytes.len() as u64;
    }
    fn end_side(&mut self, _: &mut (), _: &Info, _: Side, _: Arrival) {}
    fn close(&mut self, _: (), _: &Info, _: Close) {}
}

/// One packet, its payload a length within a shared buffer.
#[derive(Clone, Copy)]
struct Packet {
    source: Endpoint,
    target: Endpoint,
    /// Sequence and acknowledgement number and flags, or UDP.
    tcp: Option<(u32, u32, TcpFlags)>,
    len: usize,
}

fn ends(flow: u32) -> (Endpoint, Endpoint) {
    let client = Ipv4Addr::from_bits(0x0a00_0000 | flow >> 8);
    let server = Ipv4Addr::from_bits(0xc0a8_0000 | (flow % 977));
    let port = 20_000 + (flow & 0xff) as u16;
    (Endpoint { ip: IpAddr::V4(client), port }, Endpoint { ip: IpAddr::V4(server), port: 443 })
}

/// One TCP connection: `exchanges` of a small request and a response of `response` segments.
fn connection(flow: u32, exchanges: u32, response: u32) -> Vec<Packet> {
    let (client, server) = ends(flow);
    let ack = TcpFlags::ACK;
    let (mut ours, mut theirs) = (flow.wrapping_mul(2_654_435_761), flow.wrapping_mul(40_503));
    let mut all = Vec::new();
    let mut say = |from_client: bool, seq: u32, acked: u32, flags: TcpFlags, len: usize| {
        let (source, target) = if from_client { (client, server) } else { (server, client) };
        all.push(Packet { source, target, tcp: Some((seq, acked, flags)), len });
    };
    say(true, ours, 0, TcpFlags::SYN, 0);
    ours = ours.wrapping_add(1);
    say(false, theirs, ours, TcpFlags::SYN | ack, 0);
    theirs = theirs.wrapping_add(1);
    say(true, ours, theirs, ack, 0);
    for _ in 0..exchanges {
        say(true, ours, theirs, ack, 300);
        ours = ours.wrapping_add(300);
        for part in 0..response {
            say(false, theirs, ours, ack, 1400);
            theirs = theirs.wrapping_add(1400);
            if part % 2 == 1 {
                say(true, ours, theirs, ack, 0);
            }
        }
    }
    say(true, ours, theirs, ack | TcpFlags::FIN, 0);
    say(false, theirs, ours.wrapping_add(1), ack | TcpFlags::FIN, 0);
    say(true, ours.wrapping_add(1), theirs.wrapping_add(1), ack, 0);
    all
}

/// `width` flows of `each` at a time, their packets in turns.
fn interleaved(flows: u32, width: usize, each: impl Fn(u32) -> Vec<Packet>) -> Vec<Packet> {
    let all: Vec<Vec<Packet>> = (0..flows).map(each).collect();
    let mut mixed = Vec::new();
    for group in all.chunks(width) {
        let longest = group.iter().map(Vec::len).max().unwrap_or(0);
        for turn in 0..longest {
            mixed.extend(group.iter().filter_map(|flow| flow.get(turn)));
        }
    }
    mixed
}

fn conversation(flow: u32) -> Vec<Packet> {
    let (client, server) = ends(flow | 1 << 20);
    let turns = [(client, server), (server, client)];
    turns
        .into_iter()
        .cycle()
        .take(12)
        .map(|(source, target)| Packet { source, target, tcp: None, len: 200 })
        .collect()
}

/// Moves one packet in twenty up to three places later.
fn disorder(packets: &mut [Packet]) {
    let mut dice = 0x9e37_79b9_u64;
    for i in 0..packets.len().saturating_sub(4) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        if dice.is_multiple_of(20) {
            packets[i..i + 2 + (dice >> 32) as usize % 3].rotate_left(1);
        }
    }
}

fn run(packets: &[Packet]) -> u64 {
    let payload = [0x5a; 1400];
    let mut table = Table::new(&Limits::default());
    let mut sum = Sum::default();
    for (i, packet) in packets.iter().enumerate() {
        let time = Timestamp(1_700_000_000_000_000_000 + i as i64 * 50_000);
        let at = Arrival { time, frame: FrameRef { input: 0, frame: i as u64 + 1 } };
        let payload = &payload[..packet.len];
        let segment = match packet.tcp {
            Some((seq, ack, flags)) => Segment::Tcp(TcpSegment { seq, ack, flags, payload, missing: 0 }),
            None => Segment::Udp { payload, missing: 0 },
        };
        table.packet(&mut sum, packet.source, packet.target, segment, Known::default(), at);
    }
    table.finish(&mut sum);
    sum.0
}

fn measure(bencher: Bencher<'_, '_>, packets: Vec<Packet>) {
    bencher.counter(ItemsCount::new(packets.len())).bench_local(|| run(black_box(&packets)));
}

#[divan::bench(sample_count = 15)]
fn many_small_flows(bencher: Bencher<'_, '_>) {
    measure(bencher, interleaved(50_000, 500, |flow| connection(flow, 1, 4)));
}

#[divan::bench(sample_count = 15)]
fn mixed_traffic(bencher: Bencher<'_, '_>) {
    let each = |flow: u32| if flow.is_multiple_of(3) { conversation(flow) } else { connection(flow, 4, 8) };
    measure(bencher, interleaved(12_000, 300, each));
}

#[divan::bench(sample_count = 15)]
fn one_huge_flow(bencher: Bencher<'_, '_>) {
    measure(bencher, connection(1, 1, 400_000));
}

#[divan::bench(sample_count = 15)]
fn five_percent_reordered(bencher: Bencher<'_, '_>) {
    let mut packets = connection(1, 1, 400_000);
    disorder(&mut packets);
    measure(bencher, packets);
}
