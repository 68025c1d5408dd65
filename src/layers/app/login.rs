//! Logins of the mail protocols by SASL (RFC 4422): which line of an exchange holds what.

use crate::model::Side;
use crate::peel::{Child, Form, Hint, Out};

/// A login under way.
#[derive(Debug)]
pub(super) struct Login {
    mechanism: String,
    lines: usize,
}

impl Login {
    /// By this mechanism.
    pub(super) fn new(mechanism: &[u8]) -> Self {
        Self { mechanism: String::from_utf8_lossy(mechanism).to_ascii_uppercase(), lines: 0 }
    }

    /// Hands on the client's next line, base64 of what the mechanism says.
    pub(super) fn line(&mut self, line: &[u8], out: &mut Out<'_, '_>) {
        let field = match (self.mechanism.as_str(), self.lines) {
            ("PLAIN", _) => "auth.password",
            ("LOGIN", 0) => "auth.user",
            ("LOGIN", _) => "auth.password",
            ("XOAUTH2" | "OAUTHBEARER", _) => "auth.access_token",
            _ => "auth",
        };
        self.lines += 1;
        if line.is_empty() || matches!(line, b"=" | b"*") {
            return;
        }
        let child = Child::message().form(Form::Text).field(field).hint(Hint::Encoding("base64".into()));
        out.message(child, Side::Client, line);
    }
}
