//! `gops fmt`: one style, idempotent, keeps comments and meaning.

use gops::syntax::format;

use super::sources::sources;

/// Formats, and fails unless formatting again changes nothing.
pub(super) fn formatted(text: &str) -> String {
    let once = format(text).unwrap_or_else(|e| panic!("{text}\n{e:#?}"));
    let twice = format(&once).unwrap_or_else(|e| panic!("{once}\n{e:#?}"));
    assert_eq!(once, twice, "not idempotent");
    once
}

#[test]
fn shipped_models_are_formatted() {
    for (path, text) in sources() {
        let new = formatted(&text);
        if let Ok(folder) = std::env::var("GOPS_FORMATTED") {
            std::fs::write(format!("{folder}/{}", path.display().to_string().replace('/', "_")), new)
                .unwrap();
        }
    }
    formatted(include_str!("example.gops"));
}
