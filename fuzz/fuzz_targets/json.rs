//! Any bytes, read as JSON, and serde_json as the judge of what JSON is.
#![no_main]

#[allow(dead_code)]
#[path = "../../tests/data/laws.rs"]
mod laws;

use gops::base::FileId;
use gops::data::{Limits, parse_json};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    laws::assert_sound_as_json(bytes);
    let parsed = parse_json(FileId::new("a.json"), bytes, &Limits::default());
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id()).collect();
    let bare = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let judge = serde_json::from_slice::<serde_json::Value>(bare);
    // Keys that stand twice and depth are ours to refuse.
    let stricter = codes.iter().any(|code| ["G0206", "G0216"].contains(code));
    if !stricter && judge.is_ok() != codes.is_empty() {
        // It counts its depth in another way, and keeps no integer that is beyond all floats.
        let known = ["recursion limit", "number out of range"];
        let error = judge.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(known.iter().any(|known| error.contains(known)), "{codes:?}, and serde_json: {judge:?}");
    }
});
