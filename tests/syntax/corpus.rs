//! The laws of `laws.rs`, held to every model of the project and to what random changes make of
//! them. Always the same changes; `fuzz/run` looks further.

use std::path::Path;

use super::grammar::PIECES;
use super::laws::{assert_formatted_for_good, assert_sound_as_model};
use super::sources::sources;
use crate::harness::literate::Document;

/// Every model that is shipped, and each block of the tests, the pages and the tutorial.
pub(super) fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<String> = sources().into_iter().map(|(_, text)| text).collect();
    let mut pages = vec![root.join("docs/tutorial.md")];
    for folder in ["tests/lang", "tests/ui", "crates/syntax/src/diag/pages"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()));
    }
    pages.retain(|path| path.extension().is_some_and(|e| e == "md"));
    pages.sort();
    for path in pages {
        let name = path.to_string_lossy();
        let document = Document::parse(&name, &std::fs::read_to_string(&path).unwrap()).unwrap();
        let blocks = document.blocks().filter(|b| b.words.first().is_some_and(|w| w == "gops"));
        // What is written a thousand times over is about limits, and has its own tests.
        texts.extend(blocks.filter(|b| b.option("repeat").is_none()).map(|b| b.text.clone()));
    }
    texts
}

/// Numbers that look random and are always the same.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        text.floor_char_boundary(self.below(text.len() + 1))
    }
}

/// Changes a text in a few places.
fn change(text: &mut String, others: &[String], dice: &mut Dice) {
    for _ in 0..1 + dice.below(4) {
        let start = dice.place(text);
        let end = text.floor_char_boundary((start + dice.below(30)).min(text.len()));
        match dice.below(5) {
            0 => text.replace_range(start..end, ""),
            1 => text.insert_str(start, PIECES[dice.below(PIECES.len())]),
            2 => {
                let piece = text[start..end].to_owned();
                let at = dice.place(text);
                text.insert_str(at, &piece);
            }
            3 => {
                let other = &others[dice.below(others.len())];
                let from = dice.place(other);
                let to = other.floor_char_boundary((from + dice.below(60)).min(other.len()));
                text.replace_range(start..end, &other[from..to]);
            }
            _ => {
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
                if a != b {
                    lines.swap(a, b);
                }
                *text = lines.concat();
            }
        }
    }
}

#[test]
fn every_model_is_formatted_for_good() {
    texts().iter().for_each(|text| assert_formatted_for_good(text));
}

#[test]
fn changed_models_are_sound() {
    let texts = texts();
    let mut dice = Dice::new(1);
    for _ in 0..150 {
        let mut text = texts[dice.below(texts.len())].clone();
        change(&mut text, &texts, &mut dice);
        assert_sound_as_model(&text);
    }
}

#[test]
fn changed_models_are_formatted_for_good() {
    let texts = texts();
    let mut dice = Dice::new(2);
    for _ in 0..1500 {
        let mut text = texts[dice.below(texts.len())].clone();
        change(&mut text, &texts, &mut dice);
        assert_formatted_for_good(&text);
    }
}
