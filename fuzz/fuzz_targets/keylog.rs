//! Any bytes as a key log.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plainsight::keys::KeyStore;

fuzz_target!(|data: &[u8]| {
    let mut keys = KeyStore::default();
    let report = keys.add_keylog(data, "fuzz");
    assert!(report.secrets <= report.lines);
});
