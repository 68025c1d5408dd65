//! A plan as its user meets it: TOML with what to do written beside it.

use super::{From, Planting, Text, Use};
use std::fmt::Write;

const HEAD: &str = "\
# A plan of planted texts for plainsight. Keep it with the recording: it is what absence is measured against.
#
# 1. Start recording on both phones, with a key log, before the app connects.
# 2. Type the texts below exactly as they stand, from the top, each as a message of its own. Phones leave
#    them alone: everyday words, no capitals, no punctuation, and a token with digits that no keyboard
#    corrects. If one was changed on the way all the same, change it here as well.
# 3. Note the time of sending in `sent_at`, such as 2026-01-31T12:00:00Z; order alone serves too.
# 4. Make the checks that no recording can make, and note true or false below.
# 5. Stop recording, then:
#      plainsight audit CAPTURE --keylog KEYS --plan THIS_FILE
#      plainsight compare --sender A --receiver B --keylog KEYS --plan THIS_FILE
";

const CHECKS: &str = "
# Checks outside the recording; true: passed, false: failed, absent: not made.
[checks]
# The safety numbers (security codes, fingerprints) that both phones show are equal:
#safety_number_equal = true
# The account, restored on a fresh phone without the old one's help, shows no old messages:
#fresh_phone_shows_no_history = true
# The server behind the bait link (one of your own, logging) was never asked for it:
#bait_link_never_fetched = true
";

impl Planting {
    /// The plan as a commented file that [`Planting::read`] takes.
    pub fn page(&self) -> String {
        let mut out = HEAD.to_owned();
        let _ = write!(out, "\nformat = {}\nseed = {}\n", quoted(&self.format), quoted(&self.seed));
        out.push_str(CHECKS);
        let mut before = None;
        for t in &self.texts {
            if before.replace(t.kind) != Some(t.kind) {
                let _ = write!(out, "\n{}", advice(t.kind));
            }
            text(&mut out, t);
        }
        out
    }
}

fn text(out: &mut String, t: &Text) {
    let _ = writeln!(out, "[[text]]\nlabel = {}\nkind = \"{}\"", quoted(&t.label), t.kind.word());
    if t.from == From::Receiver {
        out.push_str("from = \"receiver\"\n");
    }
    if t.times != 1 {
        let _ = writeln!(out, "times = {}", t.times);
    }
    let _ = writeln!(out, "text = {}", quoted(&t.text));
    match &t.sent_at {
        Some(at) => _ = writeln!(out, "sent_at = {at}"),
        None => out.push_str("#sent_at =\n"),
    }
}

fn advice(kind: Use) -> &'static str {
    match kind {
        Use::Control => {
            "# Controls: put each where the service must see it, such as the profile's status or name. Only\n\
             # with a control found at a service does it say anything that a message was not found there.\n"
        }
        Use::Message => "# Messages.\n",
        Use::Repeat => "# The same message as often as `times` says: equal texts must not look equal.\n",
        Use::Ladder => {
            "# A ladder of lengths, in this order: it shows how sizes follow the text. The short ones are too\n\
             # common to be searched for.\n"
        }
        Use::Attachment => {
            "# Name a picture like this text, and set it as the picture's title and comment, for example\n\
             # exiftool -Title=\"TEXT\" -Comment=\"TEXT\" picture.jpg; then send it as a file.\n"
        }
        Use::Bait => {
            "# A bait link: nobody but the receiver's person may ever open it, and nobody should. Put the name\n\
             # of a logging server of your own in place of the host for the third check; as it stands, nobody\n\
             # can answer at that host.\n"
        }
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
