//! Reading captures through the public interface: formats, packing, damage, order, secrets.

use plainsight::capture::{self, Batch, CaptureError, InputInfo, LinkType, PcapngWriter, Secrets, Source};
use plainsight::model::{Limits, Notes, Timestamp};
use std::io::Write;
use std::path::PathBuf;

struct Read {
    frames: Vec<(u32, u64, i64, u16, Vec<u8>)>,
    secrets: Vec<Secrets>,
    names: Vec<String>,
    notes: Notes,
    inputs: Vec<InputInfo>,
    /// Secrets that came with the first batch.
    early: usize,
}

fn read(paths: &[PathBuf]) -> Read {
    let source = capture::open(paths, &Limits::default()).unwrap();
    drain(source)
}

fn drain(mut source: Box<dyn Source + Send>) -> Read {
    let mut out = Read {
        frames: vec![],
        secrets: vec![],
        names: vec![],
        notes: Notes::default(),
        inputs: vec![],
        early: 0,
    };
    let mut batch = Batch::default();
    let mut first = true;
    while source.read(&mut batch).unwrap() {
        if first {
            out.early = batch.secrets.len();
            first = false;
        }
        for f in &batch.frames {
            let data = batch.bytes(f).to_vec();
            out.frames.push((f.at.frame.input, f.at.frame.frame, f.at.time.0, f.link.0, data));
        }
        out.secrets.append(&mut batch.secrets);
        out.names.extend(batch.names.drain(..).map(|(ip, n)| format!("{ip} {n}")));
        out.notes.merge(std::mem::take(&mut batch.notes));
    }
    out.inputs = source.inputs();
    out
}

/// Little-endian pcap in microseconds with frames at these seconds.
fn pcap(times: &[u32], size: usize) -> Vec<u8> {
    let mut b = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (i, t) in times.iter().enumerate() {
        for v in [*t, 7, size as u32, size as u32 + 5] {
            b.extend_from_slice(&v.to_le_bytes());
        }
        b.extend(std::iter::repeat_n(i as u8, size));
    }
    b
}

fn saved(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn pcap_in_either_order_and_unit() {
    let dir = folder();
    for (magic, nanos) in [(0xa1b2_c3d4u32, 7000), (0xa1b2_3c4d, 7)] {
        let mut b = magic.to_be_bytes().to_vec();
        b.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 101]);
        for v in [3u32, 7, 2, 9] {
            b.extend(v.to_be_bytes());
        }
        b.extend([1, 2]);
        let r = read(&[saved(&dir, "be.pcap", &b)]);
        assert_eq!(r.frames, [(0, 1, 3_000_000_000 + nanos, 101, vec![1, 2])]);
    }
    let r = read(&[saved(&dir, "le.pcap", &pcap(&[5, 6], 3))]);
    assert_eq!(r.frames.len(), 2);
    assert_eq!(r.frames[1], (0, 2, 6_000_007_000, 1, vec![1; 3]));
    assert_eq!(r.inputs[0].format, "pcap us le");
    assert_eq!(r.inputs[0].packets, 2);
    assert!(!r.inputs[0].truncated);
}

#[test]
fn the_modified_variant_has_a_longer_header() {
    let dir = folder();
    let mut b = vec![0x34, 0xcd, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for v in [1u32, 0, 2, 2, 99, 0x1234] {
        b.extend(v.to_le_bytes());
    }
    b.extend([8, 9]);
    let r = read(&[saved(&dir, "mod.pcap", &b)]);
    assert_eq!(r.frames, [(0, 1, 1_000_000_000, 1, vec![8, 9])]);
}

#[test]
fn a_cut_file_gives_what_came_before_and_says_so() {
    let dir = folder();
    let whole = pcap(&[1, 2, 3], 50);
    for cut in 24 + 66 * 2 + 1..whole.len() {
        let r = read(&[saved(&dir, "cut.pcap", &whole[..cut])]);
        assert_eq!(r.frames.len(), 2, "cut at {cut}");
        assert!(r.inputs[0].truncated);
        assert_eq!(r.notes.0["capture-file-cut"].count, 1);
        assert_eq!(r.inputs[0].bytes, cut as u64);
    }
}

#[test]
fn absurd_lengths_stop_the_file_and_the_rest_is_hashed() {
    use sha2::{Digest, Sha256};
    let dir = folder();
    let mut b = pcap(&[1, 2], 10);
    b.extend([0xff; 16]);
    b.extend(vec![7; 3_000_000]);
    let r = read(&[saved(&dir, "bad.pcap", &b)]);
    assert_eq!(r.frames.len(), 2);
    assert!(r.notes.0.contains_key("capture-length-absurd"));
    let hash: String = Sha256::digest(&b).iter().map(|x| format!("{x:02x}")).collect();
    assert_eq!(r.inputs[0].sha256, hash);
    assert!(r.inputs[0].truncated);
}

#[test]
fn gzip_around_a_capture_also_when_cut() {
    let dir = folder();
    let plain = pcap(&(0..5000).collect::<Vec<_>>(), 600);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&plain).unwrap();
    let packed = gz.finish().unwrap();
    let r = read(&[saved(&dir, "a.pcap.gz", &packed)]);
    assert_eq!(r.frames.len(), 5000);
    assert_eq!(r.inputs[0].format, "pcap us le in gzip");
    assert_eq!(r.inputs[0].bytes, packed.len() as u64);
    assert!(!r.inputs[0].truncated);

    let r = read(&[saved(&dir, "b.pcap.gz", &packed[..packed.len() / 2])]);
    assert!(r.frames.len() > 100 && r.frames.len() < 5000, "{}", r.frames.len());
    assert!(r.inputs[0].truncated);
    assert!(r.notes.0.contains_key("capture-file-cut"));
}

#[test]
fn zstd_frames_one_after_another() {
    let dir = folder();
    let plain = pcap(&(0..300).collect::<Vec<_>>(), 700);
    let (a, b) = plain.split_at(100_000);
    let level = || ruzstd::encoding::CompressionLevel::Fastest;
    let mut packed = ruzstd::encoding::compress_to_vec(a, level());
    packed.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    packed.extend(ruzstd::encoding::compress_to_vec(b, level()));
    let r = read(&[saved(&dir, "a.pcap.zst", &packed)]);
    assert_eq!(r.frames.len(), 300);
    assert_eq!(r.inputs[0].format, "pcap us le in zstd");
    assert!(!r.inputs[0].truncated);
}

#[test]
fn what_is_written_is_read() {
    let dir = folder();
    let mut w = PcapngWriter::new(Vec::new(), "test").unwrap();
    let eth = w.interface(LinkType::ETHERNET, 0, "eth0").unwrap();
    let raw = w.interface(LinkType::RAW, 96, "").unwrap();
    w.frame(eth, Timestamp(1_700_000_000_123_456_789), &[1, 2, 3], 3).unwrap();
    w.frame(raw, Timestamp(5), &[4; 9], 90).unwrap();
    w.secrets(Secrets::TLS_KEY_LOG, b"CLIENT_RANDOM aa bb\n").unwrap();
    assert!(w.frame(2, Timestamp(5), &[], 0).is_err());
    // Counts since the beginning: the later one of an interface holds.
    for (interface, dropped) in [(eth, 2), (raw, 3), (eth, 7)] {
        w.statistics(interface, Timestamp(6), dropped).unwrap();
    }
    let bytes = w.into_inner().unwrap();
    // The second instrument.
    let mut parser = pcap_parser::PcapNGReader::new(1 << 16, &bytes[..]).unwrap();
    let mut blocks = 0;
    loop {
        use pcap_parser::traits::PcapReaderIterator;
        match parser.next() {
            Ok((n, _)) => {
                blocks += 1;
                parser.consume(n);
            }
            Err(pcap_parser::PcapError::Eof) => break,
            Err(pcap_parser::PcapError::Incomplete(_)) => parser.refill().unwrap(),
            Err(e) => panic!("{e:?}"),
        }
    }
    assert_eq!(blocks, 9);
    let r = read(&[saved(&dir, "w.pcapng", &bytes)]);
    assert_eq!(r.frames[0], (0, 1, 1_700_000_000_123_456_789, 1, vec![1, 2, 3]));
    assert_eq!(r.frames[1], (0, 2, 5, 101, vec![4; 9]));
    assert_eq!(r.early, 1, "secrets come before the frames");
    assert_eq!(r.secrets, [Secrets { kind: Secrets::TLS_KEY_LOG, data: b"CLIENT_RANDOM aa bb\n".to_vec() }]);
    assert_eq!(r.inputs[0].links, [1, 101]);
    assert_eq!(r.inputs[0].dropped, Some(10));
}

/// A big-endian pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let size = (body.len().next_multiple_of(4) + 12) as u32;
    let mut b = [kind.to_be_bytes(), size.to_be_bytes()].concat();
    b.extend_from_slice(body);
    b.resize(size as usize - 4, 0);
    b.extend(size.to_be_bytes());
    b
}

/// A big-endian section with a simple, an obsolete and an enhanced packet, and a name.
fn odd_section() -> Vec<u8> {
    let mut b =
        block(0x0a0d_0d0a, &[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    // LINKTYPE_LOOP, milliseconds, one hour late.
    b.extend(block(
        1,
        &[
            &[0, 108, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 3, 0, 0, 0, 0, 14, 0, 8, 0, 0, 0, 0, 0, 0][..],
            &[14, 16, 0, 0, 0, 0],
        ]
        .concat(),
    ));
    b.extend(block(2, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 208, 0, 0, 0, 2, 0, 0, 0, 2, 5, 6]));
    b.extend(block(3, &[0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    b.extend(block(6, &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    b.extend(block(4, b"\0\x01\0\x0c\x0a\0\0\x01example\0\0\0\0\0"));
    b
}

#[test]
fn sections_of_both_orders_and_all_packet_blocks() {
    let dir = folder();
    let mut w = PcapngWriter::new(Vec::new(), "").unwrap();
    w.interface(LinkType::ETHERNET, 0, "").unwrap();
    w.frame(0, Timestamp(9), &[1], 1).unwrap();
    let mut bytes = w.into_inner().unwrap();
    bytes.extend(odd_section());
    let r = read(&[saved(&dir, "s.pcapng", &bytes)]);
    let hour = 3_600_000_000_000;
    assert_eq!(r.frames[1], (0, 2, hour + 2_000_000_000, 108, vec![5, 6]));
    assert_eq!(r.frames[2], (0, 3, hour + 2_000_000_000, 108, vec![1, 2, 3, 4]), "cut to the snap length");
    assert_eq!(r.frames.len(), 3);
    assert_eq!(r.names, ["10.0.0.1 example"]);
    assert_eq!(r.notes.0["capture-interface-unknown"].count, 1);
}

#[test]
fn damage_in_pcapng_costs_only_what_is_damaged() {
    let dir = folder();
    let mut w = PcapngWriter::new(Vec::new(), "").unwrap();
    w.interface(LinkType::ETHERNET, 0, "").unwrap();
    for i in 0..100 {
        w.frame(0, Timestamp(i), &[i as u8; 100], 100).unwrap();
    }
    w.secrets(Secrets::TLS_KEY_LOG, b"x").unwrap();
    let mut bytes = w.into_inner().unwrap();
    let middle = bytes.len() / 2;
    for b in &mut bytes[middle..middle + 200] {
        *b = 0xee;
    }
    let r = read(&[saved(&dir, "d.pcapng", &bytes)]);
    assert!((96..100).contains(&r.frames.len()), "{}", r.frames.len());
    assert!(r.notes.0.contains_key("capture-block-damaged"));
    assert_eq!(r.frames.last().unwrap().2, 99);
    assert_eq!(r.secrets.len(), 1);
}

#[test]
fn several_files_come_in_the_order_of_time() {
    let dir = folder();
    let a = saved(&dir, "a", &pcap(&[10, 20, 30, 40], 400_000 / 2));
    let b = saved(&dir, "b", &pcap(&[20, 25, 35], 10));
    let c = saved(&dir, "c", &pcap(&[1, 2], 10));
    let empty = saved(&dir, "e", &pcap(&[], 0));
    let r = read(&[a, b, c, empty]);
    let order: Vec<_> = r.frames.iter().map(|f| (f.2 / 1_000_000_000, f.0, f.1)).collect();
    assert_eq!(
        order,
        [
            (1, 2, 1),
            (2, 2, 2),
            (10, 0, 1),
            (20, 0, 2),
            (20, 1, 1),
            (25, 1, 2),
            (30, 0, 3),
            (35, 1, 3),
            (40, 0, 4)
        ]
    );
    assert!(r.inputs.iter().all(|i| i.sha256.len() == 64));
    assert_eq!(r.inputs[3].packets, 0);
    assert_eq!(r.frames[2].4, vec![0; 200_000]);
}

#[test]
fn a_long_ring_needs_few_descriptors() {
    let dir = folder();
    let paths: Vec<_> =
        (0..2000u32).map(|i| saved(&dir, &format!("{i}"), &pcap(&[i * 2, i * 2 + 1], 20))).collect();
    let r = read(&paths);
    assert_eq!(r.frames.len(), 4000);
    assert!(r.frames.windows(2).all(|w| w[0].2 < w[1].2));
}

#[test]
fn what_is_no_capture_is_refused_with_a_way_out() {
    let dir = folder();
    let reason =
        |name: &str, bytes: &[u8]| match capture::open(&[saved(&dir, name, bytes)], &Limits::default()) {
            Ok(_) => panic!("{name} opened"),
            Err(e) => e,
        };
    assert!(matches!(reason("empty", b""), CaptureError::Empty { .. }));
    for (bytes, word) in [
        (&b"PK\x03\x04aaaa"[..], "ZIP"),
        (b"{\"log\": {\"entries\": [{", "export it again"),
        (b"# keys\nCLIENT_RANDOM 00 11\n", "--keylog"),
        (b"hello there, this is text\n", "plain text"),
        (b"\xd4\xc3\xb2\xa1\x02", "ends inside"),
        (b"snoop\0\0\0\0\0\0\x02\0\0\0\x04", "editcap"),
    ] {
        let text = reason("x", bytes).to_string();
        assert!(text.contains(word), "{text}");
    }
    let unopened = |path: std::path::PathBuf| match capture::open(&[path], &Limits::default()).err() {
        Some(e @ CaptureError::Unopened { .. }) => e.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(unopened(dir.path().join("nowhere")).ends_with("nowhere: there is no such file; check the path"));
    assert!(unopened(dir.path().to_owned()).ends_with("it is a folder; name the files inside it"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_files_end_and_are_hashed_whole(
        changes in proptest::collection::vec((proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 0..12),
        cut in proptest::prelude::any::<u16>(),
        kind in 0usize..2,
    ) {
        let dir = folder();
        let mut bytes = match kind {
            0 => pcap(&[1, 2, 3, 4], 40),
            _ => [odd_section(), odd_section()].concat(),
        };
        for (place, value) in changes {
            // The magic stays, or the file is rightly refused.
            let n = bytes.len() - 12;
            bytes[12 + usize::from(place) % n] = value;
        }
        let n = bytes.len() - 24;
        bytes.truncate(24 + usize::from(cut) % (n + 1));
        let r = read(&[saved(&dir, "m", &bytes)]);
        proptest::prop_assert_eq!(r.inputs[0].bytes, bytes.len() as u64);
        proptest::prop_assert_eq!(r.inputs[0].sha256.len(), 64);
        proptest::prop_assert!(r.inputs[0].packets as usize == r.frames.len());
    }
}
