//! Every model that is shipped parses, and is formatted.

use std::path::{Path, PathBuf};

use gops::base::FileId;
use gops::syntax;

/// Every `.gops` file of the examples and of the standard library.
pub(super) fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders =
        vec![root.join("examples"), root.join("stdlib"), root.join("src/cli/init"), root.join("benches")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "gops") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

#[test]
fn shipped_models_parse() {
    for (path, text) in sources() {
        let parse = syntax::parse(FileId::new(&path.to_string_lossy()), &text);
        assert!(parse.diagnostics.is_empty(), "{}: {:#?}", path.display(), parse.diagnostics);
    }
}
