//! The examples on the pages of G02xx, as far as the layer itself can tell.

use gops::base::FileId;
use gops::data::{Limits, parse_json, parse_yaml};
use gops::diag::Code;

/// The codes that the YAML and JSON blocks of a part of a page yield.
fn codes_of(part: &str) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for block in part.split("\n```").skip(1).step_by(2) {
        let (info, text) = block.split_once('\n').unwrap();
        let parse = match info.split(' ').next() {
            Some("yaml") => parse_yaml,
            Some("json") => parse_json,
            _ => continue,
        };
        let parsed = parse(FileId::new(info), format!("{text}\n").as_bytes(), &Limits::default());
        codes.extend(parsed.diagnostics.iter().map(|d| d.code.id()));
    }
    codes
}

#[test]
fn each_page_fails_with_its_code_and_is_fixed() {
    // From G0240 on it takes types to tell.
    // From G0240 on it takes types to tell.
    let pages: Vec<Code> = Code::all().filter(|code| ("G0200".."G0240").contains(&code.id())).collect();
    for code in &pages {
        let page = code.info().page;
        assert!(page.starts_with(&format!("# {} {}\n", code.id(), code.info().name)), "{code:?}");
        let Some((_, examples)) = page.split_once("## Fails") else {
            assert!(["G0203", "G0215", "G0217"].contains(&code.id()), "{code:?} has no example");
            continue;
        };
        let (fails, fixed) = examples.split_once("## Fixed").unwrap();
        assert_eq!(codes_of(fails), [code.id()]);
        assert_eq!(codes_of(fixed), [] as [&str; 0], "{code:?}");
    }
    assert_eq!(pages.len(), 18);
}
