//! Any text as a model: parsed, lowered, checked, evaluated, and what is wrong shown.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/syntax/laws.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|text: &str| laws::assert_sound_as_model(text));
