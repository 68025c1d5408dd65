//! Encodings, compressions and structured data: undone without a secret.

mod compressed;
mod deflating;
mod form;
mod json;
mod mime;
mod multipart;
mod protobuf;
mod sdp;
mod text;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &json::SPEC,
    &mime::SPEC,
    &multipart::SPEC,
    &sdp::SPEC,
    &compressed::GZIP,
    &compressed::ZSTD,
    &form::SPEC,
    &text::BASE64,
    &text::HEX,
    &text::PERCENT,
    &text::ESCAPES,
    &text::UTF16,
    &protobuf::SPEC,
    &compressed::ZLIB,
    &compressed::DEFLATE,
    &compressed::BROTLI,
    &deflating::SPEC,
];
