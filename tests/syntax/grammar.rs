//! Holds the parser to `grammar/gops.ebnf`, and the formatter to what the parser reads.

use gops::base::FileId;
use gops::syntax;
use proptest::prelude::*;

use super::ebnf::{Grammar, Maker, Recogniser};

thread_local! {
    static GRAMMAR: (Grammar, std::collections::HashMap<String, usize>) = {
        let grammar = Grammar::read();
        let depths = grammar.depths();
        (grammar, depths)
    };
}

/// A sentence of a rule.
fn sentence(rule: &str, entropy: &[u8]) -> Vec<String> {
    GRAMMAR.with(|(grammar, depths)| {
        let mut maker = Maker { grammar, depths, entropy, sentence: Vec::new() };
        maker.make(&grammar.rules[rule]);
        maker.sentence
    })
}

/// Whether the grammar makes the sentence.
fn accepts(sentence: &[String]) -> bool {
    GRAMMAR.with(|(grammar, _)| Recogniser::accepts(grammar, "item", sentence))
}

fn mistakes(text: &str) -> Vec<String> {
    let parse = syntax::parse(FileId::new("model/test.gops"), text);
    parse.diagnostics.iter().map(|d| format!("{:?} {} {:?}", d.code, d.message, d.labels)).collect()
}

/// An item as a module of its own.
fn text(sentence: &[String]) -> String {
    sentence.join(" ") + "\n"
}

/// Puts newlines and comments where they mean nothing.
fn spread(sentence: &[String], entropy: &[u8]) -> String {
    let mut depth: Vec<&str> = Vec::new();
    let mut out = String::new();
    for (n, token) in sentence.iter().enumerate() {
        match token.as_str() {
            "(" | "[" | "{" => depth.push(token),
            ")" | "]" | "}" => {
                depth.pop();
            }
            _ => {}
        }
        out.push_str(token);
        let choice = entropy.get(n % entropy.len().max(1)).copied().unwrap_or(0);
        let free = matches!(depth.last(), Some(&"(" | &"["))
            || matches!(token.as_str(), "=" | "," | "{" | "+" | "->" | "=>" | "==" | "??");
        out.push_str(match choice % 12 {
            1 if free => "\n",
            2 if free => " // why\n",
            3 if free => "\n\n    // a line\n",
            4 if free => "\n\n\n",
            _ => " ",
        });
    }
    out.push('\n');
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), max_global_rejects: 1_000_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn generated_sentences_parse(entropy in proptest::collection::vec(any::<u8>(), 0..300)) {
        let sentence = sentence("item", &entropy);
        // A keyword before `:` is none, whatever made it.
        prop_assume!(accepts(&sentence));
        let text = text(&sentence);
        prop_assert_eq!(mistakes(&text), Vec::<String>::new(), "{}", text);
    }

    #[test]
    fn changed_sentences_are_judged_alike(
        entropy in proptest::collection::vec(any::<u8>(), 0..80),
        change in any::<(u8, u16, u16)>(),
    ) {
        let mut sentence = sentence("item", &entropy);
        let (kind, a, b) = change;
        let len = sentence.len();
        let (a, b) = (a as usize % len, b as usize % len);
        match kind % 4 {
            0 => { sentence.remove(a); }
            1 => { let token = sentence[b].clone(); sentence.insert(a, token); }
            2 => sentence.swap(a, b),
            _ => sentence[a] = sentence[b].clone(),
        }
        let accepted = accepts(&sentence);
        let text = text(&sentence);
        // An empty text is a module without items.
        prop_assume!(!sentence.is_empty());
        let mistakes = mistakes(&text);
        prop_assert_eq!(mistakes.is_empty(), accepted, "{}\n{:?}", text, mistakes);
    }

    #[test]
    fn formatting_keeps_the_meaning(entropy in proptest::collection::vec(any::<u8>(), 0..300), spaces in proptest::collection::vec(any::<u8>(), 1..40)) {
        let text = spread(&sentence("item", &entropy), &spaces);
        prop_assume!(mistakes(&text).is_empty());
        let once = syntax::format(&text).unwrap();
        let twice = syntax::format(&once).unwrap();
        prop_assert_eq!(&once, &twice, "{}", text);
        for comment in ["// why", "// a line"] {
            prop_assert_eq!(once.matches(comment).count(), text.matches(comment).count(), "{}\n{}", text, once);
        }
        // What could not be formatted would be given back as it is.
        prop_assert!(once != text || text.lines().all(|l| !l.ends_with(' ')), "{}", text);
    }
}

/// Texts that are put in at random places.
pub(super) const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    "${",
    "\n",
    "\n\n",
    ",",
    ":",
    "=",
    ".",
    "..",
    "?",
    "-",
    "<",
    ">",
    "//",
    "///",
    "'",
    "\\",
    "é",
    "\u{0}",
    "r#\"",
    "if ",
    "else",
    "for ",
    "in ",
    "match ",
    "check ",
    "let ",
    " and ",
    "after ",
    "keep",
    "deprecated \"x\" ",
    "impl X ",
    "struct A {",
    "0x",
    "5Mb",
    "|",
    "=>",
    "->",
    "@",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(600), failure_persistence: None, ..Default::default() })]

    /// Whatever is done to a text: no panic, places within it, and what still parses is formatted
    /// for good.
    #[test]
    fn changed_texts(edits in proptest::collection::vec(any::<(u8, u16, u16)>(), 1..8)) {
        let mut text = include_str!("example.gops").to_owned() + include_str!("ugly.gops");
        for (kind, a, b) in edits {
            let mut at = a as usize % (text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + b as usize % 40).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            match kind % 3 {
                0 => text.replace_range(at..end, ""),
                1 => text.insert_str(at, PIECES[b as usize % PIECES.len()]),
                _ => {
                    let piece = text[at..end].to_owned();
                    text.insert_str(end, &piece);
                }
            }
        }
        let parse = syntax::parse(FileId::new("model/test.gops"), &text);
        for label in parse.diagnostics.iter().flat_map(|d| &d.labels) {
            let gops::diag::Place::Span(at) = label.place else { continue };
            prop_assert!(text.get(at.span.range()).is_some(), "{:?} in {}", at.span, text);
        }
        let errors = parse.diagnostics.iter().any(|d| d.is_error());
        match syntax::format(&text) {
            Ok(once) => {
                prop_assert!(!errors);
                prop_assert_eq!(&once, &syntax::format(&once).unwrap());
            }
            Err(_) => prop_assert!(errors),
        }
    }
}
