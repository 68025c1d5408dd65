//! placeholder
#![allow(missing_docs)]
use crate::capture::LinkType;
use crate::model::{Arrival, Endpoint, Limits, Notes};
use etherparse::{LaxSlicedPacket, NetSlice, TransportSlice, LaxNetSlice};
use std::sync::Arc;
pub struct Decoder;
#[derive(Debug, Clone, Copy)] pub struct TcpFlags(pub u8);
#[derive(Debug, Clone)] pub struct App { pub uid: i32, pub name: Arc<str> }
pub enum Proto { Tcp { seq: u32, ack: u32, flags: TcpFlags, window: u16 }, Udp }
pub enum Payload { Frame { start: u32, len: u32 }, Owned(Box<[u8]>) }
pub struct Packet { pub source: Endpoint, pub target: Endpoint, pub proto: Proto, pub payload: Payload, pub missing: u32, pub app: Option<App> }
impl Decoder {
    pub fn new(_l: &Limits) -> Self { Decoder }
    pub fn notes(&mut self) -> Notes { Notes::default() }
    pub fn decode(&mut self, link: LinkType, data: &[u8], original: u32, _at: Arrival) -> Option<Packet> {
        let off = match link.0 { 1 => 0, 0 | 108 => 4, 101 | 228 | 229 | 12 => 0, 113 => 16, 276 => 20, _ => return None };
        let d = data.get(off..)?;
        let p = if link.0 == 1 { LaxSlicedPacket::from_ethernet(d).ok()? } else { LaxSlicedPacket::from_ip(d).ok()? };
        let (s, t) = match p.net.as_ref()? { LaxNetSlice::Ipv4(v) => (v.header().source_addr().into(), v.header().destination_addr().into()), LaxNetSlice::Ipv6(v) => (v.header().source_addr().into(), v.header().destination_addr().into()), _ => return None };
        let base = data.as_ptr() as usize;
        let missing = original.saturating_sub(data.len() as u32);
        let (sp, tp, proto, pl) = match p.transport.as_ref()? {
            TransportSlice::Tcp(t) => { let b = t.slice().get(13).copied().unwrap_or(0); (t.source_port(), t.destination_port(), Proto::Tcp { seq: t.sequence_number(), ack: t.acknowledgment_number(), flags: TcpFlags(b), window: t.window_size() }, t.payload()) }
            TransportSlice::Udp(u) => (u.source_port(), u.destination_port(), Proto::Udp, u.payload()),
            _ => return None };
        let _ = None::<NetSlice>;
        let start = (pl.as_ptr() as usize).checked_sub(base)? as u32;
        Some(Packet { source: Endpoint { ip: s, port: sp }, target: Endpoint { ip: t, port: tp }, proto, payload: Payload::Frame { start, len: pl.len() as u32 }, missing, app: None })
    }
}
