//! Decoding frames through the public interface: link layers, tunnels, fragments, cut frames.

use plainsight::capture::LinkType;
use plainsight::model::{Arrival, FrameRef, Limits, Timestamp};
use plainsight::wire::{Decoder, Packet, Payload, Proto, TcpFlags};
use proptest::prelude::*;

fn udp(payload: &[u8], ports: (u16, u16)) -> Vec<u8> {
    let mut b = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    b.extend((payload.len() as u16 + 8).to_be_bytes());
    b.extend([0, 0]);
    b.extend_from_slice(payload);
    b
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut b = vec![0x1f, 0x90, 0, 80, 0, 0, 0, 9, 0, 0, 0, 7, 0x60, 0x18, 0x10, 0, 0, 0, 0, 0, 1, 1, 1, 0];
    b.extend_from_slice(payload);
    b
}

fn ipv4_part(proto: u8, body: &[u8], id: u16, offset: usize, more: u16) -> Vec<u8> {
    let mut b = vec![0x45, 0];
    b.extend((body.len() as u16 + 20).to_be_bytes());
    b.extend(id.to_be_bytes());
    b.extend((more << 13 | (offset / 8) as u16).to_be_bytes());
    b.extend([64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    b.extend_from_slice(body);
    b
}

fn ipv4(proto: u8, body: &[u8]) -> Vec<u8> {
    ipv4_part(proto, body, 1, 0, 0)
}

fn ipv6(next: u8, body: &[u8]) -> Vec<u8> {
    let mut b = vec![0x60, 0, 0, 0];
    b.extend((body.len() as u16).to_be_bytes());
    b.extend([next, 64]);
    b.extend([0x20; 16]);
    b.extend([0x21; 16]);
    b.extend_from_slice(body);
    b
}

fn ether(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut b = vec![2; 12];
    b.extend(kind.to_be_bytes());
    b.extend_from_slice(body);
    b
}

fn at(frame: u64) -> Arrival {
    Arrival { time: Timestamp(frame as i64 * 1_000_000), frame: FrameRef { input: 0, frame } }
}

fn decoder() -> Decoder {
    Decoder::new(&Limits::default())
}

fn one(link: LinkType, data: &[u8]) -> Option<Packet> {
    decoder().decode(link, data, data.len() as u32, at(1))
}

/// The payload of the packet in a frame; panics where there is none.
fn payload(link: LinkType, data: &[u8]) -> Vec<u8> {
    let packet = one(link, data).unwrap_or_else(|| panic!("nothing in {data:02x?}"));
    assert_eq!(packet.missing, 0);
    packet.payload.bytes(data).to_vec()
}

const HELLO: &[u8] = b"hello, world";

fn plain() -> Vec<u8> {
    ipv4(17, &udp(HELLO, (4000, 5000)))
}

/// Frames of many kinds that all carry [`HELLO`].
fn zoo() -> Vec<(LinkType, Vec<u8>)> {
    let ip = plain();
    let pre = |head: &[u8]| [head, &ip].concat();
    let tun = |port: u16, head: &[u8], inner: &[u8]| {
        ether(0x0800, &ipv4(17, &udp(&[head, inner].concat(), (1234, port))))
    };
    let frame = ether(0x0800, &ip);
    let snap = pre(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    let wlan = |control: [u8; 2], head: usize| [&control[..], &vec![0; head - 2], &snap].concat();
    let mut pktap = [0; 108];
    pktap[..12].copy_from_slice(&[108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    pktap[56..60].copy_from_slice(b"nsd\0");
    pktap[88..95].copy_from_slice(b"Signal\0");
    let eth = LinkType::ETHERNET;
    vec![
        (eth, frame.clone()),
        (eth, ether(0x0800, &pre(&[]).into_iter().chain([0; 30]).collect::<Vec<_>>())),
        (eth, ether(0x8100, &pre(&[0, 5, 8, 0]))),
        (eth, ether(0x88a8, &pre(&[0, 5, 0x81, 0, 0, 6, 8, 0]))),
        (eth, ether(0x8847, &pre(&[0, 1, 0, 9, 0, 2, 1, 9]))),
        (eth, ether(0x8864, &pre(&[0x11, 0, 0, 1, 0, ip.len() as u8 + 2, 0, 0x21]))),
        (eth, ether(ip.len() as u16 + 8, &snap)),
        (eth, ether(0x86dd, &ipv6(17, &udp(HELLO, (1, 2))))),
        (
            eth,
            ether(
                0x86dd,
                &ipv6(
                    0,
                    &[&[60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0][..], &udp(HELLO, (1, 2))].concat(),
                ),
            ),
        ),
        (eth, ether(0x86dd, &ipv6(44, &[&[17, 0, 0, 0, 0, 0, 0, 9][..], &udp(HELLO, (1, 2))].concat()))),
        (eth, ether(0x0800, &ipv4(6, &tcp(HELLO)))),
        (eth, ether(0x0800, &ipv4(4, &ip))),
        (eth, ether(0x0800, &ipv4(41, &ipv6(6, &tcp(HELLO))))),
        (eth, ether(0x86dd, &ipv6(4, &ip))),
        (eth, ether(0x0800, &ipv4(47, &pre(&[0x30, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 2])))),
        (eth, ether(0x0800, &ipv4(47, &[&[0x20, 0, 0x65, 0x58, 0, 0, 1, 0][..], &frame].concat()))),
        (
            eth,
            ether(
                0x0800,
                &ipv4(47, &[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1][..], &frame].concat()),
            ),
        ),
        (eth, ether(0x0800, &ipv4(97, &[&[0x30, 0][..], &frame].concat()))),
        (eth, tun(4789, &[8, 0, 0, 0, 0, 0, 5, 0], &frame)),
        (eth, tun(8472, &[8, 0, 0, 0, 0, 0, 5, 0], &frame)),
        (eth, tun(6081, &[1, 0, 0x65, 0x58, 0, 0, 5, 0, 1, 2, 3, 0], &frame)),
        (eth, tun(2152, &[0x30, 255, 0, ip.len() as u8, 0, 0, 0, 1], &ip)),
        (eth, tun(2152, &[0x34, 255, 0, ip.len() as u8 + 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], &ip)),
        (eth, tun(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &ipv6(17, &udp(HELLO, (7, 8))))),
        (eth, tun(1701, &[0, 2, 0, 1, 0, 1, 0xff, 3, 0, 0x21], &ip)),
        (eth, tun(37008, &[1, 0, 0, 1, 0, 10, 1, 0xc8, 1], &frame)),
        (LinkType::RAW, ip.clone()),
        (LinkType::NULL, pre(&[2, 0, 0, 0])),
        (LinkType::NULL, pre(&[0, 0, 0, 2])),
        (LinkType::LOOP, [&[0, 0, 0, 30][..], &ipv6(17, &udp(HELLO, (1, 2)))].concat()),
        (LinkType::LINUX_SLL, pre(&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0])),
        (LinkType::LINUX_SLL2, pre(&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0])),
        (LinkType::PPP, pre(&[0xff, 3, 0, 0x21])),
        (LinkType::PPP, pre(&[0x21])),
        (LinkType::C_HDLC, pre(&[0x0f, 0, 8, 0])),
        (LinkType::FRELAY, pre(&[0x18, 0x41, 3, 0xcc])),
        (LinkType::FRELAY, pre(&[0x18, 0x41, 8, 0])),
        (LinkType::IEEE802_11, wlan([0x08, 1], 24)),
        (LinkType::IEEE802_11, wlan([0x88, 2], 26)),
        (LinkType::IEEE802_11, wlan([0x88, 3], 32)),
        (LinkType::IEEE802_11_RADIOTAP, [&[0, 0, 9, 0, 2, 0, 0, 0, 0x20][..], &wlan([0x88, 1], 28)].concat()),
        (LinkType::PPI, [&[0, 0, 8, 0, 105, 0, 0, 0][..], &wlan([0x08, 1], 24)].concat()),
        (
            LinkType::NFLOG,
            [&[2, 0, 0, 0, 8, 0, 1, 0, 1, 2, 3, 4, ip.len() as u8 + 4, 0, 9, 0][..], &ip].concat(),
        ),
        (LinkType::PKTAP, [&pktap[..], &frame].concat()),
    ]
}

#[test]
fn every_encapsulation_gives_the_same_payload() {
    for (i, (link, frame)) in zoo().iter().enumerate() {
        assert_eq!(payload(*link, frame), HELLO, "number {i}: {link:?}");
    }
}

#[test]
fn no_cut_of_any_frame_panics_or_reads_beyond() {
    for (link, frame) in zoo() {
        for n in 0..=frame.len() {
            let cut = &frame[..n];
            let packet = decoder().decode(link, cut, frame.len() as u32, at(1));
            let Some(Packet { payload: Payload::Frame { start, len }, missing, target, .. }) = packet else {
                continue;
            };
            assert!((start + len) as usize <= n);
            // A tunnel cut inside its own header is an ordinary datagram.
            let tunnel = matches!(target.port, 1701 | 2152 | 3544 | 4789 | 6081 | 8472 | 37008);
            if !tunnel {
                assert_eq!((len + missing) as usize, HELLO.len(), "{link:?} cut to {n}");
            }
        }
    }
}

#[test]
fn tcp_fields_and_missing_bytes() {
    let frame = ether(0x0800, &ipv4(6, &tcp(HELLO)));
    let packet = one(LinkType::ETHERNET, &frame).unwrap();
    assert_eq!(packet.source.to_string(), "10.0.0.1:8080");
    let Proto::Tcp { seq, ack, flags, window } = packet.proto else { panic!() };
    assert_eq!((seq, ack, window), (9, 7, 4096));
    assert!(flags.has(TcpFlags::ACK) && flags.has(TcpFlags::PSH) && !flags.has(TcpFlags::SYN));
    // Options cut away: the gap is still known.
    let cut =
        decoder().decode(LinkType::ETHERNET, &frame[..14 + 20 + 21], frame.len() as u32, at(1)).unwrap();
    assert_eq!((cut.payload.bytes(&frame).len(), cut.missing as usize), (0, HELLO.len()));
}

#[test]
fn a_total_length_of_zero_means_the_rest_of_the_frame() {
    let mut ip = ipv4(6, &tcp(HELLO));
    ip[2] = 0;
    ip[3] = 0;
    assert_eq!(payload(LinkType::ETHERNET, &ether(0x0800, &ip)), HELLO);
}

#[test]
fn an_implausible_tunnel_stays_a_datagram() {
    for port in [4789, 8472, 6081, 2152, 3544, 1701, 6635, 37008] {
        let frame = ether(
            0x0800,
            &ipv4(17, &udp(b"\x08\0\0\0\0\0\x05\0not a packet at all, only text", (999, port))),
        );
        let packet = one(LinkType::ETHERNET, &frame).unwrap();
        assert_eq!(packet.target.port, port);
    }
}

#[test]
fn tunnels_are_bounded() {
    let mut ip = plain();
    for _ in 0..500 {
        ip = ipv4(4, &ip);
    }
    let mut d = decoder();
    assert!(d.decode(LinkType::RAW, &ip, ip.len() as u32, at(1)).is_none());
    assert_eq!(d.notes().0["encapsulations-limit"].count, 1);
}

#[test]
fn unsupported_and_protected_frames_are_noted() {
    let mut d = decoder();
    assert!(d.decode(LinkType(189), &[0; 64], 64, at(1)).is_none());
    let mut wlan = vec![0x08, 0x41];
    wlan.extend([0; 60]);
    assert!(d.decode(LinkType::IEEE802_11, &wlan, 62, at(2)).is_none());
    let notes = d.notes();
    assert_eq!(notes.0["link-type-unsupported-189"].count, 1);
    assert_eq!(notes.0["wlan-protected"].examples, [FrameRef { input: 0, frame: 2 }]);
}

#[test]
fn apps_are_named() {
    let mut frame = ether(0x0800, &plain());
    frame.extend([0, 0, 1, 7, 0x20, 0x21, 0, 0, 0x27, 0x7b]);
    frame.extend(b"Signal\0\0\0\0\0\0\0\0\0\0\0\0\0\0crc!");
    let packet = one(LinkType::ETHERNET, &frame).unwrap();
    let app = packet.app.unwrap();
    assert_eq!((app.uid, &*app.name), (10107, "Signal"));
    assert_eq!(packet.payload.bytes(&frame), HELLO);
    // The same bytes inside the datagram are payload.
    let inside = ether(0x0800, &ipv4(17, &udp(&frame[frame.len() - 32..], (1, 2))));
    assert!(one(LinkType::ETHERNET, &inside).unwrap().app.is_none());
    let (link, pktap) = zoo().pop().unwrap();
    let app = one(link, &pktap).unwrap().app.unwrap();
    assert_eq!((app.uid, &*app.name), (-1, "Signal"));
}

/// Cuts `body` into fragments of `size` (a multiple of eight): offset, bytes, whether more follow.
fn pieces(body: &[u8], size: usize) -> Vec<(usize, &[u8], bool)> {
    let count = body.len().div_ceil(size);
    body.chunks(size).enumerate().map(|(i, c)| (i * size, c, i + 1 < count)).collect()
}

#[test]
fn overlapping_fragments_keep_the_first_copy_and_tell() {
    let body = udp(&[1; 56], (1, 2));
    let mut d = decoder();
    let mut send = |piece: Vec<u8>, n| d.decode(LinkType::RAW, &piece, piece.len() as u32, at(n));
    assert!(send(ipv4_part(17, &body[..32], 3, 0, 1), 1).is_none());
    assert!(send(ipv4_part(17, &[9; 32], 3, 16, 1), 2).is_none());
    let packet = send(ipv4_part(17, &body[48..], 3, 48, 0), 3).unwrap();
    let Payload::Owned(bytes) = packet.payload else { panic!() };
    assert_eq!(bytes[..24], [1; 24]);
    assert_eq!(bytes[24..40], [9; 16]);
    assert_eq!(d.notes().0["ip-overlap-differs"].count, 1);
}

#[test]
fn waiting_fragments_are_bounded_in_number_bytes_and_time() {
    let limits = Limits { fragments: 10, fragment_bytes: 40_000, ..Limits::default() };
    let mut d = Decoder::new(&limits);
    for id in 0..1000u16 {
        let piece = ipv4_part(17, &[0; 1480], id, 0, 1);
        d.decode(LinkType::RAW, &piece, piece.len() as u32, at(u64::from(id)));
        assert!(d.incomplete() <= 10);
    }
    assert!(d.notes().0["ip-fragments-evicted"].count >= 990);
    let late = ipv4_part(17, &[0; 16], 5000, 0, 1);
    d.decode(LinkType::RAW, &late, late.len() as u32, at(1_000_000));
    assert_eq!(d.incomplete(), 1);
    assert!(d.notes().0.contains_key("ip-fragments-timed-out"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn fragments_in_any_order_give_the_datagram(
        text in proptest::collection::vec(any::<u8>(), 1..4000),
        size in 1usize..40,
        order in proptest::collection::vec(any::<u32>(), 600),
        six in any::<bool>(),
        again in any::<bool>(),
    ) {
        let body = udp(&text, (40, 50));
        let mut parts = pieces(&body, size * 8);
        let mut keys = order.into_iter();
        parts.sort_by_cached_key(|_| keys.next());
        if again {
            // A copy of everything but the last: repeats must not matter.
            let copies = parts[..parts.len() - 1].to_vec();
            parts.splice(0..0, copies);
        }
        let mut d = decoder();
        let mut got = Vec::new();
        for (n, (offset, bytes, more)) in parts.iter().enumerate() {
            let frame = match six {
                false => ipv4_part(17, bytes, 7, *offset, u16::from(*more)),
                true => {
                    let field = (*offset as u16 | u16::from(*more)).to_be_bytes();
                    ipv6(44, &[&[17, 0, field[0], field[1], 0, 0, 0, 7][..], bytes].concat())
                }
            };
            if let Some(p) = d.decode(LinkType::RAW, &frame, frame.len() as u32, at(n as u64)) {
                got.push(p.payload.bytes(&frame).to_vec());
            }
        }
        prop_assert_eq!(got, [text]);
        prop_assert!(d.notes().0.is_empty());
    }

    #[test]
    fn no_bytes_make_it_panic(
        link in 0u16..300,
        data in proptest::collection::vec(any::<u8>(), 0..200),
        more in 0u32..100,
    ) {
        let original = data.len() as u32 + more;
        decoder().decode(LinkType(link), &data, original, at(1));
    }

    #[test]
    fn changed_frames_never_panic(
        which in 0usize..43,
        changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..8),
    ) {
        let all = zoo();
        let (link, mut frame) = all[which % all.len()].clone();
        for (place, value) in changes {
            let n = frame.len();
            frame[usize::from(place) % n] = value;
        }
        if let Some(p) = one(link, &frame) {
            prop_assert!(p.payload.bytes(&frame).len() <= frame.len());
        }
    }
}
