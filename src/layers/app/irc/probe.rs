//! Whether the first lines can only be IRC.

use super::grammar::{LONGEST, Line, line};
use crate::model::Side;
use crate::peel::{Guess, Probe};

/// Whether the first lines can only be IRC.
pub fn probe(p: &Probe<'_>) -> Guess {
    let more = if p.end { Guess::No } else { Guess::More };
    let bytes = p.bytes.trim_ascii_start();
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return if bytes.len() < 600 && could_begin(bytes) { more } else { Guess::No };
    };
    let (first, rest) = bytes.split_at(end);
    if !may_be_line(first) {
        return Guess::No;
    }
    let text = String::from_utf8_lossy(first.trim_ascii_end());
    let Some(read) = line(&text) else { return Guess::No };
    match fits(&read, p.side) {
        // A password comes first, and other protocols begin with one too.
        Guess::More => match memchr::memchr(b'\n', rest.get(1..).unwrap_or_default()) {
            None => more,
            Some(n) => {
                let second = String::from_utf8_lossy(rest.get(1..=n).unwrap_or_default());
                match line(second.trim_end()).map(|l| fits(&l, p.side)) {
                    Some(Guess::Sure) => Guess::Sure,
                    _ => Guess::No,
                }
            }
        },
        guess => guess,
    }
}

/// Whether a first line begins with a prefix, tags or a command: most others need no reading.
fn may_be_line(line: &[u8]) -> bool {
    let command = line.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let behind = line.get(command).copied();
    line.len() <= LONGEST
        && (matches!(line.first(), Some(b':' | b'@'))
            || (3..=16).contains(&command) && behind.is_none_or(|b| b.is_ascii_whitespace()))
}

fn could_begin(bytes: &[u8]) -> bool {
    let head = bytes.get(..8.min(bytes.len())).unwrap_or_default();
    let words = ["NICK ", "USER ", "CAP ", "PASS ", "PRIVMSG ", "NOTICE ", "STARTTLS", "JOIN "];
    matches!(head.first(), None | Some(b':' | b'@'))
        || words.iter().any(|w| head.starts_with(w.as_bytes()) || w.as_bytes().starts_with(head))
}

/// How well a first line fits.
fn fits(l: &Line<'_>, side: Side) -> Guess {
    let numeric = l.command.bytes().all(|b| b.is_ascii_digit());
    let n = l.parameters.len();
    let sure = |yes: bool| if yes { Guess::Sure } else { Guess::No };
    if side == Side::Server {
        let person = l.prefix.contains('!') && l.prefix.contains('@');
        let speaks = matches!(l.command, "NOTICE" | "PRIVMSG" | "CAP" | "MODE" | "JOIN" | "PING");
        return match l.prefix.is_empty() {
            true => sure(l.command == "NOTICE" && n == 2),
            false => sure((numeric || speaks || person) && n >= 1),
        };
    }
    let first = l.parameters.first().copied().unwrap_or("");
    match l.command.to_ascii_uppercase().as_str() {
        "CAP" => sure(["LS", "REQ", "END", "LIST"].iter().any(|w| first.eq_ignore_ascii_case(w))),
        "NICK" => sure((1..=2).contains(&n)),
        "USER" => sure(n == 4),
        "PRIVMSG" | "NOTICE" => sure(n == 2),
        "JOIN" => sure(first.starts_with(['#', '&', '+', '!'])),
        "PASS" if n >= 1 => Guess::More,
        "STARTTLS" if n == 0 => Guess::More,
        _ => Guess::No,
    }
}
