//! Encodings, compressions and structured data: undone without a secret.

mod compressed;
mod cpim;
mod data;
mod data_url;
mod decoded;
mod deflating;
mod delimited;
mod escaped;
mod form;
mod framed;
mod json;
mod mime;
mod multipart;
mod obfuscated;
mod pem;
mod protobuf;
mod sdp;
mod separated;
mod socketio;
mod text;
mod uuencode;
mod xml;
mod zip;

use crate::peel::Spec;

/// The rows, most distinctive first.
pub static TABLE: &[&Spec] = &[
    &json::SPEC,
    &separated::SPEC,
    &socketio::SPEC,
    &data::PLIST,
    &data::PLIST_XML,
    &data::BSON,
    &data::THRIFT,
    &mime::SPEC,
    &multipart::SPEC,
    &cpim::SPEC,
    &sdp::SPEC,
    &compressed::GZIP,
    &compressed::ZSTD,
    &compressed::BZIP2,
    &compressed::XZ,
    &compressed::LZMA,
    &compressed::LZ4,
    &zip::SPEC,
    &data_url::SPEC,
    &uuencode::SPEC,
    &pem::SPEC,
    &form::SPEC,
    &text::BASE64,
    &text::HEX,
    &text::PERCENT,
    &text::ESCAPES,
    &text::ENTITIES,
    &text::QUOTED,
    &text::BASE32,
    &text::BASE85,
    &text::UTF7,
    &text::NUMBERS,
    &text::UTF16,
    &text::UTF32,
    &xml::SPEC,
    &delimited::SPEC,
    &data::CBOR,
    &data::MSGPACK,
    &data::DER,
    &protobuf::SPEC,
    &compressed::ZLIB,
    &compressed::SNAPPY,
    &compressed::DEFLATE,
    &compressed::BROTLI,
    &compressed::HEADED,
    &text::GSM7,
    &obfuscated::XOR,
    &obfuscated::NIBBLES,
    &obfuscated::BITS,
    &obfuscated::REVERSED,
    &obfuscated::CAESAR,
    &obfuscated::XOR_TEXT,
    &deflating::SPEC,
    &framed::SPEC,
];
