//! Formats of pictures, sounds, films, fonts and documents by the heads of their files.

/// Name, place and bytes, of three bytes and more.
const HEADS: &[(&str, usize, &[u8])] = &[
    ("jpeg", 0, b"\xff\xd8\xff"),
    ("png", 0, b"\x89PNG\r\n\x1a\n"),
    ("gif", 0, b"GIF8"),
    ("mp4", 4, b"ftyp"),
    ("jpeg-2000", 0, b"\0\0\0\x0cjP"),
    ("jpeg-2000", 0, b"\xff\x4f\xff\x51"),
    ("ogg", 0, b"OggS\0"),
    ("flac", 0, b"fLaC"),
    ("id3", 0, b"ID3"),
    ("amr", 0, b"#!AMR"),
    ("matroska", 0, b"\x1a\x45\xdf\xa3"),
    ("ivf", 0, b"DKIF"),
    ("woff2", 0, b"wOF2"),
    ("woff", 0, b"wOFF"),
    ("h26x", 0, b"\0\0\0\x01"),
    ("pdf", 0, b"%PDF-"),
];

/// The format that bytes begin like, and how many bytes say so.
pub fn media_head(bytes: &[u8]) -> Option<(&'static str, usize)> {
    if bytes.starts_with(b"RIFF") && matches!(bytes.get(8..12), Some(b"WEBP" | b"WAVE" | b"AVI ")) {
        return Some(("riff", 8));
    }
    let fits = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    let found = HEADS.iter().find(|(_, at, magic)| fits(*at, magic));
    found.map(|(name, _, magic)| (*name, magic.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_told_from_what_begins_alike() {
        assert_eq!(media_head(b"\0\0\0\x20ftypisom"), Some(("mp4", 4)));
        assert_eq!(media_head(b"RIFF\x10\0\0\0WAVEfmt "), Some(("riff", 8)));
        assert_eq!(media_head(b"RIFF\x10\0\0\0XXXX"), None);
        assert_eq!((media_head(b""), media_head(b"GIF"), media_head(b"OggSx")), (None, None, None));
    }
}
