//! What the recorder opened itself: a HAR file or a proxy's dump holds what was inside, and here stands what
//! the recorder says of the protection that it took off. Nobody can check that against packets.

use crate::model::{Inside, Opened as Said, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Handle, Hint, Input, LineEnd, Out, Peeler, Spec, Step,
};

/// The row.
pub static SPEC: Spec = Spec {
    name: "opened",
    title: "Opened by the recorder (HAR, mitmproxy)",
    family: Family::Secure,
    eats: Eats::Stream,
    forms: &[Form::Binary],
    answers: |h| matches!(h, Hint::Layer("opened")),
    shapes: &[],
    // Only what marks a recording says so: no bytes on a wire may.
    probe: None,
    facts: &["tls.sni", "tls.version", "tls.suite", "tls.alpn_selected", "tls.weak", "tls.opened"],
    notes: &["opened-head-malformed"],
    open: || Box::new(Opened::default()),
};

/// The longest first line.
const HEAD: usize = 4096;

#[derive(Default)]
struct Opened {
    inside: Option<Handle>,
}

impl Opened {
    fn begin(&mut self, input: &Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let line = match input.line(HEAD) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        let said = serde_json::from_slice::<Said>(line.text);
        let Some(said) = said.ok().filter(|_| line.ends == LineEnd::Feed) else {
            return Step::die("opened-head-malformed");
        };
        let named = [("tls.sni", &said.sni), ("tls.version", &said.version), ("tls.suite", &said.suite)];
        for (name, value) in named.into_iter().chain([("tls.alpn_selected", &said.alpn)]) {
            if let Some(value) = value {
                out.fact(name, value.as_str());
            }
        }
        if let Some(old) =
            said.version.as_deref().filter(|v| ["SSL", "TLS 1.0", "TLS 1.1"].iter().any(|o| v.starts_with(o)))
        {
            out.fact("tls.weak", old);
        }
        out.fact("tls.opened", true);
        let child = Child::stream().confidential().label("sni", said.sni.as_deref().unwrap_or_default());
        let child = match said.inside {
            Some(Inside::Http) => child.hint(Hint::Alpn("http/1.1".into())),
            Some(Inside::WebSocket) => child.hint(Hint::Upgrade("websocket".into())),
            None => child,
        };
        self.inside = Some(out.open(child));
        Step::again(line.taken)
    }
}

impl Peeler for Opened {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        match self.inside {
            Some(inside) => {
                out.feed(inside, input.side, input.bytes);
                Step::again(input.bytes.len())
            }
            None if input.side == Side::Client => self.begin(&input, out),
            None => Step::die("opened-head-malformed"),
        }
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        let Some(inside) = self.inside else { return AfterGap::Die };
        out.gap(inside, side, len);
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if let Some(inside) = self.inside {
            out.close(inside, side);
        }
    }
}
