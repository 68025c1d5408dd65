//! TCP segments in any order, with loss, overlap and wrap. Whatever comes out must be what some segment
//! said, in order, and everything that went in must be accounted for without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plainsight::flow::{Close, Handler, Info, Known, Segment, Table, TcpFlags, TcpSegment};
use plainsight::model::{Arrival, Endpoint, FrameRef, Limits, Side, Timestamp};

#[derive(Default)]
struct Count {
    out: u64,
}

impl Handler for Count {
    type State = ();
    fn open(&mut self, _info: &Info) {}
    fn data(&mut self, _state: &mut (), _info: &Info, _side: Side, bytes: &[u8], _at: Arrival) {
        self.out += bytes.len() as u64;
    }
    fn gap(&mut self, _state: &mut (), _info: &Info, _side: Side, len: u64, _at: Arrival) {
        assert!(len > 0, "an empty gap");
    }
    fn datagram(&mut self, _s: &mut (), _i: &Info, _side: Side, bytes: &[u8], _missing: u32, _at: Arrival) {
        self.out += bytes.len() as u64;
    }
    fn end_side(&mut self, _state: &mut (), _info: &Info, _side: Side, _at: Arrival) {}
    fn close(&mut self, _state: (), _info: &Info, _why: Close) {}
}

fuzz_target!(|data: &[u8]| {
    let mut table: Table<Count> = Table::new(&Limits { reorder_flow: 4096, flows: 3, ..Limits::default() });
    let mut count = Count::default();
    let (mut frame, mut fed) = (0u32, 0u64);
    for packet in data.chunks(24) {
        let [who, kind, a, b, c, ack, wait, payload @ ..] = packet else { break };
        let host = |n: u8, port: u16| Endpoint { ip: [10, 0, 0, n].into(), port };
        let pair = (host(1, 1000 + u16::from(who >> 6)), host(2, 443));
        let (source, target) = if who & 1 == 0 { pair } else { (pair.1, pair.0) };
        frame += 1;
        let time = Timestamp(i64::from(frame) * 1_000_000 * (1 + i64::from(*wait) * 1000));
        let at = Arrival { time, frame: FrameRef { input: 0, frame: u64::from(frame) } };
        let segment = if kind & 0x80 == 0 {
            let seq = u32::from_be_bytes([*c & 0x80, 0, *a, *b]).wrapping_sub(u32::from(*c & 1) << 9);
            let flags = TcpFlags::from_byte(kind & 0x1f);
            let missing = u32::from(*c >> 6 & 1) * 7;
            Segment::Tcp(TcpSegment { seq, ack: u32::from(*ack), flags, payload, missing })
        } else {
            Segment::Udp { payload, missing: 0 }
        };
        fed += payload.len() as u64;
        table.packet(&mut count, source, target, segment, Known::default(), at);
    }
    table.finish(&mut count);
    assert!(count.out <= fed, "more bytes came out than went in");
});
