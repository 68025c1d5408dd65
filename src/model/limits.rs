//! Every bound of the program in one place. A limit that is hit is a note and a cut, never an error.

use serde::{Deserialize, Serialize};

/// Bounds on memory, depth and work. All sizes in bytes, all times in seconds of capture time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Frames longer than this are cut (and noted).
    pub frame: usize,
    /// Bytes of a recording that is read whole because it is no series of frames (HAR, proxy dump).
    pub dump: usize,
    /// Bytes allocated for out-of-order TCP segments of one flow.
    pub reorder_flow: usize,
    /// Bytes allocated for out-of-order TCP segments of all flows.
    pub reorder_total: usize,
    /// Flows tracked at once. Sixteen shares of hosts have an equal part of this bound and of that on
    /// out-of-order segments, so that the number of threads changes nothing.
    pub flows: usize,
    /// Idle time after which a TCP flow is closed.
    pub tcp_idle: f64,
    /// Idle time after which a UDP flow is closed.
    pub udp_idle: f64,
    /// Incomplete IP datagrams held at once.
    pub fragments: usize,
    /// Bytes that incomplete IP datagrams may hold.
    pub fragment_bytes: usize,
    /// Tunnels and link headers inside one another in one frame.
    pub encapsulations: usize,
    /// Layers above the transport inside one another.
    pub depth: usize,
    /// Layer instances alive at once in one flow.
    pub nodes: usize,
    /// Bytes that one layer may hold back while it waits for more, per side.
    pub buffer: usize,
    /// Bytes of one message (body, field) that are kept for layers that need it whole.
    pub message: usize,
    /// Bytes of an unidentified stream that are looked at before it is called a leaf.
    pub probe: usize,
    /// Bytes of a leaf that are kept for measuring.
    pub sample: usize,
    /// Ratio of output to input at which a decompressor is stopped, counted above `message`.
    pub expansion: u64,
    /// Bytes that all decoders of one flow may produce in total per byte of input, beyond `message`.
    pub work: u64,
    /// Fields of one message that are looked at.
    pub fields: usize,
    /// Secrets that flows between two hosts may leave to later ones, by number.
    pub remembered: usize,
    /// Pairs of hosts for which such secrets are kept.
    pub remembered_pairs: usize,
    /// Random-looking fields of no known kind that are measured one by one. They decide nothing, so the bound
    /// takes no claim away.
    pub measured: u32,
    /// Digests of what messages said and of readable fields, kept to find copies; one flow has a 128th.
    pub copies: usize,
    /// Evidence records kept in full for one conversation; later ones are counted.
    pub evidence: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: 256 << 10,
            dump: 128 << 20,
            reorder_flow: 1 << 20,
            reorder_total: 32 << 20,
            flows: 16_000,
            tcp_idle: 3600.0,
            udp_idle: 300.0,
            fragments: 4096,
            fragment_bytes: 8 << 20,
            encapsulations: 16,
            depth: 24,
            nodes: 4096,
            buffer: 256 << 10,
            message: 4 << 20,
            probe: 2048,
            sample: 16 << 10,
            expansion: 200,
            work: 64,
            fields: 20_000,
            remembered: 256,
            remembered_pairs: 4096,
            measured: 512,
            copies: 16_384,
            evidence: 64,
        }
    }
}
