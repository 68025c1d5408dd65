//! Any text as a rule file: refused with a reason, or compiled and its examples run.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(rules) = plainsight::ruleset::from_text(text, "fuzz.toml") {
        rules.test();
    }
});
