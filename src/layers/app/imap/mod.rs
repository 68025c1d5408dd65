//! IMAP (RFC 9051, RFC 3501): commands, responses, literals, mails by FETCH and APPEND, logins, STARTTLS
//! and COMPRESS (RFC 4978).

mod grammar;

use super::login::Login;
use super::starttls;
use crate::model::{PerSide, Side};
use crate::peel::{
    AfterGap, Child, Eats, Family, Form, Guess, Handle, Hint, Input, LineEnd, Out, Part, Peeler, Probe, Spec,
    Step,
};
use grammar::{Holds, announced, holds, is_fetch, piece_of, quoted_bodies, strings, whole_mail, word};

/// The row.
pub static SPEC: Spec = Spec {
    name: "imap",
    title: "IMAP (RFC 9051)",
    family: Family::App,
    eats: Eats::Stream,
    forms: &[Form::Binary, Form::Text],
    answers: |h| matches!(h, Hint::Alpn(a) if a == "imap"),
    shapes: &[],
    probe: Some(probe),
    facts: &["imap.command"],
    notes: &["imap-line-too-long", "imap-literal-cut-by-gap"],
    open: || Box::new(Imap::default()),
};

/// Longest line, without its literals, that is kept.
const LONGEST: usize = 64 << 10;

const OPENINGS: [&str; 8] =
    ["CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "ID", "NOOP", "LOGOUT", "ENABLE"];

fn probe(p: &Probe<'_>) -> Guess {
    let greeting = |bytes: &[u8]| {
        let greets = [&b"* OK"[..], b"* PREAUTH", b"* BYE"].iter().any(|w| bytes.starts_with(w));
        greets && bytes.contains(&b'\n')
    };
    if greeting(p.bytes) || greeting(p.other) && opening(p.bytes) {
        return Guess::Sure;
    }
    if p.bytes.starts_with(b"* ") || b"* OK".starts_with(p.bytes) {
        return if p.bytes.len() < 512 && !p.bytes.contains(&b'\n') { Guess::More } else { Guess::No };
    }
    // A server that speaks first was not recorded: the client's tag and command have to do.
    let tag = p.bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'.').count();
    match p.bytes.get(tag) {
        _ if tag == 0 || tag > 20 => Guess::No,
        None => {
            if p.end {
                Guess::No
            } else {
                Guess::More
            }
        }
        Some(b' ') if opening(p.bytes) && tagged(&p.bytes[..tag]) => Guess::Sure,
        Some(b' ') if p.bytes.contains(&b'\n') || p.bytes.len() > tag + 40 || p.end => Guess::No,
        Some(b' ') if tagged(&p.bytes[..tag]) => Guess::More,
        Some(_) => Guess::No,
    }
}

/// A tag as clients make them: it holds a digit.
fn tagged(tag: &[u8]) -> bool {
    tag.iter().any(u8::is_ascii_digit) && !tag.iter().all(u8::is_ascii_digit)
        || tag.len() <= 4 && tag.iter().all(u8::is_ascii_digit)
}

/// A whole first line with a tag and a command that begins a session.
fn opening(bytes: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', bytes) else { return false };
    let line = String::from_utf8_lossy(&bytes[..end]);
    let mut words = line.split_whitespace();
    let command = words.nth(1).unwrap_or("");
    OPENINGS.iter().any(|o| command.eq_ignore_ascii_case(o))
}

/// Counted bytes that stand inside a line.
#[derive(Debug)]
struct Literal {
    left: u64,
    child: Option<Handle>,
    /// Where nothing else is known, the bytes belong to the line as a string.
    string: Option<Vec<u8>>,
    /// The server has to allow it first and may refuse.
    asks: bool,
}

#[derive(Default)]
struct Half {
    /// The line so far, literals that are strings put in quotes.
    line: Vec<u8>,
    literal: Option<Literal>,
    /// The rest of a line that was too long, or that a loss cut, is passed over.
    lost: bool,
}

/// A mail or a part of one that is fetched in pieces (RFC 9051 section 6.4.5), as long as they follow one another.
struct Pieces {
    of: String,
    next: u64,
    child: Handle,
}

#[derive(Default)]
struct Imap {
    halves: PerSide<Half>,
    /// Tag of a command that changes what follows.
    tls: Option<Vec<u8>>,
    compress: Option<Vec<u8>>,
    login: Option<(Vec<u8>, Login)>,
    idle: bool,
    spoken: bool,
    pieces: Option<Pieces>,
}

impl Peeler for Imap {
    fn peel(&mut self, input: Input<'_>, out: &mut Out<'_, '_>) -> Step {
        let (side, bytes) = (input.side, input.bytes);
        if self.tls.is_some() && starttls::begins(&input) {
            starttls::begin(out);
            return Step::again(0);
        }
        if !std::mem::replace(&mut self.spoken, true) {
            out.begin_message();
        }
        if let Some(literal) = &mut self.halves[side].literal {
            literal.asks = false;
            let n = literal.left.min(bytes.len() as u64) as usize;
            literal.left -= n as u64;
            if let Some(child) = literal.child {
                out.feed(child, side, &bytes[..n]);
            }
            if let Some(string) = &mut literal.string
                && string.len() + n <= LONGEST
            {
                string.extend_from_slice(&bytes[..n]);
            }
            if literal.left == 0 {
                self.close_literal(side, out);
            }
            return Step::again(n);
        }
        let line = match input.line(LONGEST) {
            Ok(line) => line,
            Err(wait) => return wait,
        };
        let half = &mut self.halves[side];
        match line.part(&mut half.lost) {
            Part::Whole if line.ends == LineEnd::Feed => self.piece(side, line.text, out),
            Part::Whole => half.line.extend_from_slice(line.text),
            part => {
                half.line.clear();
                if part == Part::Head {
                    out.note("imap-line-too-long");
                }
                out.item("rest", Form::Text, side, line.text);
            }
        }
        Step::again(line.taken)
    }

    fn gap(&mut self, side: Side, len: u64, out: &mut Out<'_, '_>) -> AfterGap {
        if let Some(literal) = &mut self.halves[side].literal {
            out.note("imap-literal-cut-by-gap");
            if let Some(child) = literal.child {
                out.gap(child, side, len);
            }
            if literal.left > len {
                literal.left -= len;
                return AfterGap::Continue;
            }
            self.close_literal(side, out);
        }
        self.halves[side].lost = true;
        AfterGap::Continue
    }

    fn end(&mut self, side: Side, out: &mut Out<'_, '_>) {
        if self.halves[side].literal.is_some() {
            self.close_literal(side, out);
        }
        if side == Side::Server {
            self.close_pieces(out);
        }
        let line = std::mem::take(&mut self.halves[side].line);
        if !line.is_empty() {
            self.line(side, &line, out);
        }
    }
}

impl Imap {
    /// A line, or the part of one up to a literal.
    fn piece(&mut self, side: Side, piece: &[u8], out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        if half.line.len() + piece.len() > LONGEST {
            out.note("imap-line-too-long");
            half.line.clear();
        }
        half.line.extend_from_slice(piece);
        let Some((text, len, asks)) = announced(piece) else {
            let line = std::mem::take(&mut half.line);
            return self.line(side, &line, out);
        };
        let cut = half.line.len() - (piece.len() - text);
        half.line.truncate(cut);
        let holds = holds(side, &half.line);
        let child = (holds != Holds::String).then(|| self.content(side, holds, len, out));
        let string = (holds == Holds::String).then(Vec::new);
        let asks = asks && side == Side::Client;
        self.halves[side].literal = Some(Literal { left: len, child, string, asks });
        if len == 0 {
            self.close_literal(side, out);
        }
    }

    /// Where the bytes of a mail or a part go: what follows a piece goes where the piece went.
    fn content(&mut self, side: Side, holds: Holds, len: u64, out: &mut Out<'_, '_>) -> Handle {
        let piece = piece_of(&self.halves[side].line).filter(|_| side == Side::Server);
        if let (Some((of, at)), Some(open)) = (&piece, &mut self.pieces)
            && (of, *at) == (&open.of, open.next)
        {
            open.next += len;
            return open.child;
        }
        self.close_pieces(out);
        out.begin_message();
        let child = Child::message().form(Form::Text);
        let child = out.open(match holds {
            Holds::Mail => child.hint(Hint::ContentType("message/rfc822".into())),
            _ => child.field("mail-part"),
        });
        self.pieces = piece.filter(|(_, at)| *at == 0).map(|(of, _)| Pieces { of, next: len, child });
        child
    }

    fn close_pieces(&mut self, out: &mut Out<'_, '_>) {
        if let Some(pieces) = self.pieces.take() {
            out.close(pieces.child, Side::Server);
        }
    }

    fn close_literal(&mut self, side: Side, out: &mut Out<'_, '_>) {
        let half = &mut self.halves[side];
        let Some(literal) = half.literal.take() else { return };
        if let Some(child) = literal.child {
            if self.pieces.as_ref().is_none_or(|p| p.child != child) {
                out.close(child, side);
            }
            half.line.extend_from_slice(b"{}");
        }
        if let Some(string) = literal.string {
            half.line.push(b'"');
            half.line.extend(string.iter().flat_map(|b| match b {
                b'"' | b'\\' => vec![b'\\', *b],
                b => vec![*b],
            }));
            half.line.push(b'"');
        }
    }

    fn line(&mut self, side: Side, line: &[u8], out: &mut Out<'_, '_>) {
        if line.is_empty() {
            return;
        }
        match side {
            Side::Client => self.command(line, out),
            Side::Server => self.response(line, out),
        }
    }

    fn command(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        if let Some((_, login)) = &mut self.login {
            return login.line(line, out);
        }
        if std::mem::take(&mut self.idle) && line.eq_ignore_ascii_case(b"DONE") {
            return;
        }
        let (tag, rest) = word(line);
        let (name, rest) = word(rest);
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        if !name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') || name.is_empty() || name.len() > 20 {
            return out.item("command", Form::Text, Side::Client, line);
        }
        out.fact("imap.command", name.as_str());
        match name.as_str() {
            "LOGIN" => {
                for (field, text) in ["login.user", "login.password"].into_iter().zip(strings(rest)) {
                    out.item(field, Form::Text, Side::Client, &text);
                }
            }
            "AUTHENTICATE" => {
                let (mechanism, initial) = word(rest);
                let mut login = Login::new(mechanism);
                if !initial.is_empty() {
                    login.line(initial, out);
                }
                self.login = Some((tag.to_vec(), login));
            }
            "STARTTLS" => self.tls = Some(tag.to_vec()),
            "COMPRESS" => self.compress = Some(tag.to_vec()),
            "IDLE" => self.idle = true,
            "SELECT" | "EXAMINE" | "APPEND" | "CREATE" | "RENAME" | "DELETE" | "STATUS" => {
                for text in strings(rest).into_iter().take(1) {
                    out.item("mailbox", Form::Text, Side::Client, &text);
                }
            }
            _ if rest.is_empty() => {}
            _ => out.item("argument", Form::Text, Side::Client, rest),
        }
    }

    fn response(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        let (tag, rest) = word(line);
        match tag {
            b"*" if is_fetch(rest) => self.fetch(rest, out),
            b"*" => out.item("server-line", Form::Text, Side::Server, rest),
            b"+" => {
                let field = if self.login.is_some() { "challenge" } else { "server-line" };
                out.item(field, Form::Text, Side::Server, rest);
            }
            _ => self.tagged(tag, rest, out),
        }
    }

    /// The end of a command.
    fn tagged(&mut self, tag: &[u8], rest: &[u8], out: &mut Out<'_, '_>) {
        out.item("server-line", Form::Text, Side::Server, rest);
        let good = rest.get(..2).is_some_and(|w| w.eq_ignore_ascii_case(b"OK"));
        if !good && self.halves.client.literal.as_ref().is_some_and(|l| l.asks) {
            // The literal was refused and will not come.
            if let Some(child) = self.halves.client.literal.take().and_then(|l| l.child) {
                out.close(child, Side::Client);
            }
            self.halves.client.line.clear();
        }
        let mine = |asked: &mut Option<Vec<u8>>| asked.take_if(|t| t == tag).is_some();
        let login_over = self.login.take_if(|(t, _)| t == tag).is_some();
        if login_over || !good && (mine(&mut self.tls) | mine(&mut self.compress)) {
            return;
        }
        if self.tls.as_deref() == Some(tag) {
            starttls::begin(out);
        } else if mine(&mut self.compress) {
            starttls::compress("imap", out);
        }
    }

    /// Data of a mail that stood in the line itself: an envelope, a short body, flags.
    fn fetch(&mut self, rest: &[u8], out: &mut Out<'_, '_>) {
        let upper = rest.to_ascii_uppercase();
        let has = |w: &[u8]| memchr::memmem::find(&upper, w).is_some();
        if has(b"ENVELOPE (") || has(b"BODYSTRUCTURE (") {
            // Subjects, addresses and file names, as in the header.
            return out.item("fetch.subject", Form::Text, Side::Server, rest);
        }
        let bodies = quoted_bodies(rest);
        if bodies.is_empty() {
            return out.item("fetch", Form::Text, Side::Server, rest);
        }
        for (name, text) in bodies {
            let child = Child::message().form(Form::Text);
            let child = match whole_mail(&name) {
                true => child.hint(Hint::ContentType("message/rfc822".into())),
                false => child.field("mail-part"),
            };
            out.begin_message();
            out.message(child, Side::Server, &text);
        }
    }
}
