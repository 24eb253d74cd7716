//! Any bytes, read as YAML.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/data/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::assert_sound_as_yaml(bytes));
