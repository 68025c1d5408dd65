//! Lines, their text, and openings of IRC and of others.

use super::grammar::{clean, decoded, line};
use super::probe::probe;
use crate::model::Side;
use crate::peel::{Guess, Probe};

fn probed(bytes: &[u8], side: Side) -> Guess {
    probe(&Probe { side, end: false, ..Probe::alone(bytes, 6667) })
}

#[test]
fn lines_are_taken_apart() {
    let l = line("@id=1;+typing=done :al!a@h PRIVMSG #r  x :see : you ").unwrap();
    assert_eq!((l.tags, l.prefix, l.command), ("id=1;+typing=done", "al!a@h", "PRIVMSG"));
    assert_eq!(l.parameters, ["#r", "x", "see : you "]);
    assert!(line("see you at the old bridge").is_some_and(|l| l.command == "see"));
    assert!(line("").is_none() && line(": ").is_none() && line("@").is_none());
}

#[test]
fn only_irc_is_claimed() {
    assert_eq!(probed(b"NICK al\r\n", Side::Client), Guess::Sure);
    assert_eq!(probed(b"CAP LS 302\r\n", Side::Client), Guess::Sure);
    assert_eq!(probed(b"PASS x\r\nNICK al\r\n", Side::Client), Guess::Sure);
    assert_eq!(probed(b"PASS x\r\n", Side::Client), Guess::More);
    assert_eq!(probed(b":h.example 001 al :hi\r\n", Side::Server), Guess::Sure);
    assert_eq!(probed(b"NOTICE AUTH :*** Looking up\r\n", Side::Server), Guess::Sure);
    // The openings of POP3, FTP and SMTP.
    assert_eq!(probed(b"USER al\r\nPASS x\r\n", Side::Client), Guess::No);
    assert_eq!(probed(b"PASS x\r\nSTAT\r\n", Side::Client), Guess::No);
    assert_eq!(probed(b"CAPA\r\n", Side::Client), Guess::No);
    assert_eq!(probed(b"EHLO a.example\r\n", Side::Client), Guess::No);
    assert_eq!(probed(b"220 a.example ESMTP\r\n", Side::Server), Guess::No);
}

#[test]
fn styles_are_taken_out_and_nothing_else() {
    assert_eq!(clean("\u{3}04,12red\u{3} \u{2}bold\u{f} 1,2 \u{3}5,x"), "red bold 1,2 ,x");
    assert_eq!(clean("\u{3}"), "");
    assert_eq!(decoded(b"caf\xe9"), "caf\u{e9}");
}
