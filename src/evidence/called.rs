//! What the name of a field says of its value. The same names come back all the time in a recording, so that each is
//! looked at once.

use super::trial::Named;
use super::{fields, hashed, purpose, speech, told};
use crate::model::Memo;
use std::cell::RefCell;
use std::rc::Rc;

/// What observers ask of a name.
#[derive(Debug, Default)]
pub(super) struct Called {
    /// The last name on the way, in small letters.
    pub last: String,
    /// It may say who speaks, or that something is said.
    pub speech: bool,
    /// It may say what its message is, and how bad it is what a program logs.
    pub typed: bool,
    pub graded: bool,
    /// A hash of something that is not sealed.
    pub hash: bool,
    /// The rounds of a key derivation.
    pub rounds: bool,
    /// A position or a reaction.
    pub told: bool,
    /// A name that may be of several words, or is one of a header: a text may stand in its place.
    pub words: bool,
    /// What it says of keys.
    pub key: Named,
    /// Headers in the field and around it.
    pub headers: [Header; 2],
}

/// Whether a name is one of a header, and whose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Header {
    /// None.
    #[default]
    No,
    /// One of the protocol's.
    Known,
    /// One that no list knows.
    Named,
    /// One that an application made up, or that says where its user was.
    MadeUp,
}

thread_local! {
    static NAMES: RefCell<Memo<Rc<Called>>> = RefCell::default();
}

/// What a field is called; `whole` is the field's path with what is around it, of which `outer` is the beginning.
pub(super) fn called(outer: &str, inner: &str, whole: &str) -> Rc<Called> {
    let work = || Rc::new(Called::of(outer, inner, whole));
    NAMES.with_borrow_mut(|names| names.answer(outer.len() as u64, whole.as_bytes(), work))
}

impl Called {
    fn of(outer: &str, inner: &str, whole: &str) -> Self {
        let last = speech::last_name(whole);
        Self {
            speech: speech::is_name(&last, whole),
            typed: [inner, outer].into_iter().any(purpose::is_type),
            graded: [inner, outer].into_iter().any(purpose::is_level),
            hash: hashed::is_hash(whole),
            rounds: fields::is_rounds(inner),
            told: told::is_name(whole),
            words: told::may_be_words(outer, inner),
            key: Named::of(whole),
            headers: [inner, outer].map(Header::of),
            last,
        }
    }
}

impl Header {
    fn of(path: &str) -> Self {
        match path.split("header.").nth(1) {
            None => Header::No,
            _ if MADE_UP.iter().any(|h| path.contains(h)) => Header::MadeUp,
            Some(name) if KNOWN.iter().any(|k| name.starts_with(k)) => Header::Known,
            Some(_) => Header::Named,
        }
    }
}

/// Headers that hold what an application made up, or where its user was.
const MADE_UP: [&str; 3] = ["header.x-", "header.cookie", "header.referer"];

/// Beginnings of the names of headers that hold lists of words and names of programs.
const KNOWN: [&str; 18] = [
    "accept",
    "connection",
    "keep-alive",
    "te",
    "cache-control",
    "pragma",
    "upgrade",
    "sec-",
    "access-control",
    "content-",
    "if-modified",
    "if-unmodified",
    "user-agent",
    "date",
    "via",
    "dnt",
    "server",
    "authorization",
];
