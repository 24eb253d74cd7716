//! Any text, formatted as a model.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/syntax/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|text: &str| laws::assert_formatted_for_good(text));
