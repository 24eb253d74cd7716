use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::diag::{Code, CodeInfo};

static UNKNOWN: CodeInfo = CodeInfo {
    id: "G0001",
    name: "unknown-field",
    severity: Severity::Error,
    summary: "a field that the type does not have",
    page: "# G0001 unknown-field\n",
};
static ODD: CodeInfo = CodeInfo {
    id: "G0002",
    name: "odd",
    severity: Severity::Warning,
    summary: "something odd",
    page: "# G0002 odd\n",
};

/// Texts by path.
struct Files(BTreeMap<&'static str, String>);

impl Files {
    fn new(files: &[(&'static str, &str)]) -> Self {
        Files(files.iter().map(|&(path, text)| (path, text.to_owned())).collect())
    }

    /// The nth place of `needle` in a file.
    fn at(&self, path: &'static str, needle: &str) -> Place {
        let start = self.0[path].find(needle).unwrap();
        Place::span(FileId::new(path), Span::new(start, start + needle.len()))
    }
}

impl Sources for Files {
    fn text(&self, file: FileId) -> Option<Arc<str>> {
        self.0.get(file.path()).map(|t| t.as_str().into())
    }
}

fn unknown(place: Place, message: &str) -> Diagnostic {
    Diagnostic::new(Code::outside(&UNKNOWN), place, message)
}

/// One of everything: two files, several labels in one line, a fix, a warning without help.
fn sample() -> (Files, Vec<Diagnostic>) {
    let files = Files::new(&[
        ("slices/a.yaml", "name: a\nprot: 8080 # größer\ntls: {cert: C, kee: K}\n"),
        (
            "model/net.gops",
            "// Größe\nslice Site in \"slices\" {\n    key name: string\n    port: int = 80\n}\n",
        ),
    ]);
    let prot = files.at("slices/a.yaml", "prot");
    let first = unknown(prot, "unknown field `prot`")
        .at("`Site` has no such field")
        .label(files.at("model/net.gops", "port: int"), "the nearest is declared here")
        .help("did you mean `port`?")
        .fix("write `port`", true, prot, "port");
    let second = Diagnostic::new(Code::outside(&ODD), files.at("slices/a.yaml", "kee"), "odd, 100%: really")
        .label(files.at("slices/a.yaml", "tls"), "in this mapping")
        .label(files.at("slices/a.yaml", "cert"), "beside this");
    (files, vec![first, second])
}

fn rendered(format: Format) -> String {
    let (files, diagnostics) = sample();
    render(format, &diagnostics, &files, false)
}

#[test]
fn human() {
    insta::assert_snapshot!(rendered(Format::Human));
}

#[test]
fn concise() {
    insta::assert_snapshot!(rendered(Format::Concise), @r"
    slices/a.yaml:2:1: error[G0001]: unknown field `prot`
    slices/a.yaml:3:16: warning[G0002]: odd, 100%: really
    ");
}

#[test]
fn json() {
    insta::assert_snapshot!(rendered(Format::Json));
}

#[test]
fn sarif() {
    let text = rendered(Format::Sarif).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}

#[test]
fn github() {
    insta::assert_snapshot!(rendered(Format::Github));
}

#[test]
fn colour_changes_no_letter() {
    let (files, diagnostics) = sample();
    let coloured = render(Format::Human, &diagnostics, &files, true);
    assert!(coloured.contains("\x1b[31m"), "{coloured}");
    let strip = |s: &str| anstream::adapter::strip_str(s).to_string();
    let bare = |s: &str| s.lines().map(|l| format!("{}\n", l.trim_end())).collect::<String>();
    assert_eq!(bare(&strip(&coloured)), rendered(Format::Human));
}

#[test]
fn a_long_line_is_shown_around_the_place() {
    let text = format!("{{\"a\":1,\n\"x\": [{}\"needle\"{}]}}\n", "0, ".repeat(4000), ", 1".repeat(4000));
    let files = Files::new(&[("big.json", &text)]);
    let at = files.at("big.json", "\"needle\"");
    let text = render(Format::Human, &[unknown(at, "no needles").at("here")], &files, false);
    insta::assert_snapshot!(text);
}

#[test]
fn what_moves_the_cursor_is_shown_as_a_sign() {
    let files = Files::new(&[("a.yaml", "a: \u{1b}[2J\u{202e}b\tc\n")]);
    let at = files.at("a.yaml", "b");
    let text = render(Format::Human, &[unknown(at, "bad \u{1b}[31m").at("x\ny")], &files, false);
    insta::assert_snapshot!(text);
    assert_eq!(
        render(Format::Concise, &[unknown(at, "bad \u{1b}[31m\nb: error")], &files, false),
        "a.yaml:1:9: error[G0001]: bad \u{FFFD}[31m\u{FFFD}b: error\n"
    );
}

#[test]
fn a_file_that_cannot_be_shown_is_still_named() {
    let text = render(
        Format::Human,
        &[unknown(Place::File(FileId::new("gone.yaml")), "not UTF-8")],
        &Files::new(&[]),
        false,
    );
    assert!(text.contains("[ gone.yaml ]"), "{text}");
}

#[test]
fn totals_are_words() {
    let total = |errors, warnings| Totals { errors, warnings, fixable: 0 }.to_string();
    assert_eq!(total(0, 0), "no errors");
    assert_eq!(total(1, 0), "1 error");
    assert_eq!(total(0, 2), "2 warnings");
    assert_eq!(total(2, 1), "2 errors, 1 warning");
}

proptest! {
    /// Whatever the texts and the places, also ones outside of the text and within a character:
    /// every format is written, and names the place.
    #[test]
    fn any_place_of_any_text(
        text in "[a-c \t\r\n\u{b}\u{85}\u{2028}äß€𝄞\u{0}\u{1}\u{feff}]{0,40}",
        repeat in prop_oneof![Just(1usize), Just(30)],
        places in prop::collection::vec((0u32..60, 0u32..30, prop::bool::ANY), 1..5),
    ) {
        let text = text.repeat(repeat);
        let files = Files::new(&[("x.yaml", &text), ("y.yaml", "ä\nb")]);
        let place = |&(start, len, here): &(u32, u32, bool)| {
            let file = FileId::new(if here { "x.yaml" } else { "y.yaml" });
            Place::Span(crate::base::FileSpan { file, span: Span { start, end: start + len } })
        };
        let mut diagnostic = unknown(place(&places[0]), "m");
        for at in &places[1..] {
            diagnostic = diagnostic.label(place(at), "l");
        }
        let at = Texts::new(&files, false).show(place(&places[0])).to_string();
        let all = [diagnostic];
        let human = render(Format::Human, &all, &files, false);
        prop_assert!(human.contains(&at), "{at} is not in\n{human}");
        prop_assert!(!human.contains('\u{1}'), "{human}");
        for format in [Format::Concise, Format::Json, Format::Sarif, Format::Github] {
            prop_assert!(!render(format, &all, &files, false).is_empty());
        }
    }
}
