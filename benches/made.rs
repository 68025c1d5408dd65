//! Captures made in memory, for benches and tests: Ethernet frames of invented hosts in a classic pcap.

use std::net::Ipv4Addr;

/// A capture being made. Checksums stay zero: nothing here looks at them.
pub struct Made {
    bytes: Vec<u8>,
    micros: u64,
}

/// One direction of a connection being made.
#[derive(Clone, Copy)]
pub struct Path {
    pub from: (Ipv4Addr, u16),
    pub to: (Ipv4Addr, u16),
}

pub const SYN: u8 = 2;
pub const ACK: u8 = 16;
pub const FIN: u8 = 1;

impl Path {
    pub fn back(self) -> Self {
        Self { from: self.to, to: self.from }
    }
}

impl Default for Made {
    fn default() -> Self {
        let mut bytes = Vec::new();
        for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 1] {
            bytes.extend(word.to_le_bytes());
        }
        Self { bytes, micros: 1_700_000_000_000_000 }
    }
}

impl Made {
    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn udp(&mut self, path: Path, payload: &[u8]) {
        let mut header = Vec::new();
        header.extend(path.from.1.to_be_bytes());
        header.extend(path.to.1.to_be_bytes());
        header.extend((payload.len() as u16 + 8).to_be_bytes());
        header.extend([0, 0]);
        self.frame(path, 17, &header, payload);
    }

    pub fn tcp(&mut self, path: Path, seq: u32, ack: u32, flags: u8, payload: &[u8]) {
        let mut header = Vec::new();
        header.extend(path.from.1.to_be_bytes());
        header.extend(path.to.1.to_be_bytes());
        header.extend(seq.to_be_bytes());
        header.extend(ack.to_be_bytes());
        header.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        self.frame(path, 6, &header, payload);
    }

    /// A whole connection: what is said in turns, the client first.
    pub fn connection(&mut self, client: Path, turns: &[&[u8]]) {
        let (mut ours, mut theirs) = (1000, 9000);
        self.tcp(client, ours, 0, SYN, &[]);
        self.tcp(client.back(), theirs, ours + 1, SYN | ACK, &[]);
        (ours, theirs) = (ours + 1, theirs + 1);
        for (i, turn) in turns.iter().enumerate() {
            for piece in turn.chunks(1400) {
                if i % 2 == 0 {
                    self.tcp(client, ours, theirs, ACK, piece);
                    ours += piece.len() as u32;
                } else {
                    self.tcp(client.back(), theirs, ours, ACK, piece);
                    theirs += piece.len() as u32;
                }
            }
        }
        self.tcp(client, ours, theirs, ACK | FIN, &[]);
        self.tcp(client.back(), theirs, ours + 1, ACK | FIN, &[]);
    }

    fn frame(&mut self, path: Path, protocol: u8, header: &[u8], payload: &[u8]) {
        self.micros += 37;
        let ip = 20 + header.len() + payload.len();
        let len = (14 + ip) as u32;
        for word in [(self.micros / 1_000_000) as u32, (self.micros % 1_000_000) as u32, len, len] {
            self.bytes.extend(word.to_le_bytes());
        }
        self.bytes.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
        self.bytes.extend([0x45, 0]);
        self.bytes.extend((ip as u16).to_be_bytes());
        self.bytes.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        self.bytes.extend(path.from.0.octets());
        self.bytes.extend(path.to.0.octets());
        self.bytes.extend_from_slice(header);
        self.bytes.extend_from_slice(payload);
    }
}
