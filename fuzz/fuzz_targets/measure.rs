//! The randomness battery on any field: figures stay finite, probabilities stay probabilities.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plainsight::evidence::randomness::measure;

fuzz_target!(|data: &[u8]| {
    let report = measure(data);
    assert!((0.0..=8.0).contains(&report.bits_per_byte), "{report:?}");
    assert!((0.0..=1.0).contains(&report.p) && (0.0..=1.0).contains(&report.power), "{report:?}");
    let sum: f64 = report.probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-6, "{report:?}");
});
