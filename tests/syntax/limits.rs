//! Texts that are no models: linear time, a bounded stack, a clear error.

use gops::base::FileId;
use gops::diag::Diagnostic;
use gops::syntax;

fn diagnostics(text: &str) -> Vec<Diagnostic> {
    syntax::parse(FileId::new("model/test.gops"), text).diagnostics
}

fn codes(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<_> = diagnostics(text).iter().map(|d| d.code.id()).collect();
    codes.dedup();
    codes
}

/// Each of these nests without end in another way.
const NESTS: &[(&str, &str, &str)] = &[
    ("(", "a", ")"),
    ("[", "a", "]"),
    ("{ a: ", "a", " }"),
    ("f(", "a", ")"),
    ("not ", "a", ""),
    ("-", "a", ""),
    ("a.", "a", ""),
    ("a + ", "a", ""),
    ("a ?? ", "a", ""),
    ("a and ", "a", ""),
    ("\"${", "a", "}\""),
    ("if a { ", "a", " }"),
    ("if a { } else ", "{ a }", ""),
    ("match a { b => ", "a", " }"),
    ("match ", "a", " { }"),
    ("if ", "a", " { }"),
    ("f(x => ", "a", ")"),
    ("T { a: ", "a", " }"),
    ("[a for b in ", "a", "]"),
    ("{a: b for b in ", "a", "}"),
    ("xs[", "a", "]"),
];

#[test]
fn nesting_is_limited() {
    for (open, inner, close) in NESTS {
        let deep = |n: usize| format!("const A = {}{inner}{}\n", open.repeat(n), close.repeat(n));
        assert!(codes(&deep(2)).is_empty(), "{open}: {:?}", diagnostics(&deep(2)));
        assert!(codes(&deep(60)).is_empty(), "{open}: {:?}", diagnostics(&deep(60)));
        // Just below and just above the limits.
        for n in [120, 130, 190, 210, 390, 410] {
            diagnostics(&deep(n));
        }
        let found = diagnostics(&deep(100_000));
        assert!(found.iter().any(|d| d.code.id() == "G0108"), "{open}: {found:?}");
        assert!(found.len() <= 3, "{open}: {}", found.len());
    }
}

#[test]
fn deep_texts_are_formatted() {
    for (open, inner, close) in NESTS {
        let text = format!("const A = {}{inner}{}\n", open.repeat(100), close.repeat(100));
        let once = syntax::format(&text).unwrap_or_else(|e| panic!("{open}: {e:?}"));
        assert_eq!(syntax::format(&once), Ok(once.clone()), "{open}");
    }
}

#[test]
fn nested_types_are_limited() {
    for (open, close) in [("list<", ">"), ("(", ")"), ("map<string, ", ">")] {
        let deep = |n: usize| format!("type A = {}int{}\n", open.repeat(n), close.repeat(n));
        assert_eq!(codes(&deep(100_000)), ["G0108"], "{open}");
    }
}

#[test]
fn ten_mebibytes_of_garbage() {
    for unit in ["{ a: ", "\"${", "a b c @ "] {
        let text = unit.repeat((10 << 20) / unit.len());
        let parse = syntax::parse(FileId::new("model/test.gops"), &text);
        assert!((1..=201).contains(&parse.diagnostics.len()), "{unit}: {}", parse.diagnostics.len());
        assert!(parse.work <= 40 * text.len() as u64, "{unit}: {}", parse.work);
    }
}

#[test]
fn unclosed_brackets() {
    for open in ["(", "[", "{", "f(", "{ a: [", "\"${", "impl A {\n", "    impl A {\n"] {
        let found = diagnostics(&open.repeat(2000));
        assert!(!found.is_empty() && found.len() < 250, "{open}: {}", found.len());
        let found = diagnostics(&format!("const A = {}\n", open.repeat(2000)));
        assert!(found.iter().any(|d| ["G0106", "G0102"].contains(&d.code.id())), "{open}: {found:?}");
    }
}

/// Bytes of a pseudo-random sequence, always the same.
fn noise(len: usize, alphabet: &[&str]) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut text = String::with_capacity(len + 16);
    while text.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let index = (state >> 33) as usize % alphabet.len();
        text.push_str(alphabet.get(index).copied().unwrap_or_default());
    }
    text
}

#[test]
fn garbage_takes_linear_work() {
    let alphabets: &[&[&str]] = &[
        &["(", ")", "[", "]", "{", "}", "a", ",", "\n", "\"", "${"],
        &["a ", "b: ", "int\n", "= ", "1 ", "+ ", "\n", "    ", "impl ", "X ", "{ ", "} "],
        &["\u{1}", "é", "~", "@", " ", "\n", "'", "#", "\\"],
        &["a", "> ", "< ", "list", "\n", "check ", ", ", ": ", "in "],
        &["\"\"\"", "\n", "  ", "${", "}", "x", "\\"],
    ];
    for alphabet in alphabets {
        is_linear(&format!("{alphabet:?}"), |len| noise(len, alphabet));
    }
    for unit in
        ["\"${", "!", "' ", "r#\"\n", "(", "a > \n", "{ a: ", "@ ", "///\n", "a\n", "if a { ", "]", "x =>"]
    {
        is_linear(unit, |len| unit.repeat(len / unit.len()));
    }
}

/// An operator whose right side is no value must not be read again by each level around it.
#[test]
fn operators_without_a_right_side() {
    let work = |text: &str| syntax::parse(FileId::new("model/test.gops"), text).work;
    for end in ["", "@", "a in in b", "= 5s", "a == b == c", "not"] {
        for joint in ["1 in", "1 not in", "a ==", "a and", "a ?? not b or", "a: not", "- 1 <", "a is int =="]
        {
            for deny in ["not", "!", "not not not"] {
                let unit = format!("{} {joint} ", format!("{deny} ").repeat(5));
                for times in [1, 4, 12] {
                    let text = format!("const A = {}{end}\n", unit.repeat(times));
                    let tokens = text.split(' ').count() as u64;
                    // A repair reads it all again, and there are a few of them.
                    assert!(work(&text) <= 60 * tokens, "{}, {tokens}: {text}", work(&text));
                }
            }
        }
    }
}

/// What took a third of a second once: a mistake after which all of it reads as a value.
#[test]
fn denials_in_a_row() {
    let work = |n: usize| {
        let part = format!("{}1{}a!!AIT: ", "!".repeat(n), "!".repeat(n / 2));
        let text = format!("const DISK: s{}duration = 5sec", part.repeat(2));
        syntax::parse(FileId::new("model/test.gops"), &text).work / n as u64
    };
    assert!(work(29) <= 200, "{}", work(29));
    assert!(work(58) <= 200, "{}", work(58));
}

/// Ten times the text takes about ten times the work, and not more than so much for each byte.
fn is_linear(what: &str, make: impl Fn(usize) -> String) {
    let work = |len: usize| {
        let parse = syntax::parse(FileId::new("model/test.gops"), &make(len));
        assert!(!parse.diagnostics.is_empty(), "{what}");
        parse.work
    };
    let (small, large) = (work(10_000), work(100_000));
    assert!(large <= small * 12 + 10_000, "{what}: {small}, then {large}");
    assert!(large <= 100_000 * 40, "{what}: {large}");
}

#[test]
fn long_chains_of_errors() {
    for text in ["a is b is ", "a == b == ", "a ? ", "a | ", "1 2 ", "\"a\" ", "() ", "{} ", "=> ", ".. "] {
        let found = diagnostics(&format!("const A = {}\n", text.repeat(100_000)));
        assert!((1..=3).contains(&found.len()), "{text}: {}", found.len());
    }
}
