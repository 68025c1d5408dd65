//! Message heads: what kind a header list is, and the fields in it.

use super::hpack::List;
use super::http::{Asked, Head};
use crate::peel::{Child, Hint};

/// What kind of header list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    /// With its status.
    Response(u16),
    /// No pseudo field: trailers, or a head whose pseudo fields are not known.
    Other,
}

/// The fields whose names are known.
pub(super) fn read(list: &List) -> Head<'_> {
    list.fields.iter().filter_map(|f| Some((f.name.as_deref()?, f.value.as_deref()))).collect()
}

/// Request, response or neither.
pub(super) fn kind(head: &Head<'_>) -> Kind {
    if head.has(":status") {
        return Kind::Response(head.value(":status").and_then(|v| v.parse().ok()).unwrap_or(0));
    }
    match head.has(":method") || head.has(":path") || head.has(":authority") {
        true => Kind::Request,
        false => Kind::Other,
    }
}

/// The child for a tunnel that this response opens (RFC 9113 section 8.5, RFC 8441 section 4).
pub(super) fn tunnel(head: &Head<'_>, asked: &Asked) -> Child {
    let mut child = asked.labelled(Child::stream());
    if let Some(protocol) = &asked.protocol {
        child = child.hint(Hint::Upgrade(protocol.clone()));
    }
    head.agreed(child)
}
