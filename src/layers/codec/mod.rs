//! Encodings, compressions and structured data: undone without a secret.

mod compressed;
mod data;
mod form;
mod json;
mod mime;
mod multipart;
mod protobuf;
mod sdp;
mod text;
mod zip;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &json::SPEC,
    &data::PLIST,
    &data::PLIST_XML,
    &data::BSON,
    &data::THRIFT,
    &mime::SPEC,
    &multipart::SPEC,
    &sdp::SPEC,
    &compressed::GZIP,
    &compressed::ZSTD,
    &compressed::BZIP2,
    &compressed::XZ,
    &compressed::LZ4,
    &zip::SPEC,
    &form::SPEC,
    &text::BASE64,
    &text::HEX,
    &text::PERCENT,
    &text::ESCAPES,
    &text::UTF16,
    &data::CBOR,
    &data::MSGPACK,
    &data::DER,
    &protobuf::SPEC,
    &compressed::ZLIB,
    &compressed::SNAPPY,
    &compressed::DEFLATE,
    &compressed::BROTLI,
];
