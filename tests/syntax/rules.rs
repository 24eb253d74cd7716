//! The rules of the language that are about text, one by one.

use gops::base::FileId;
use gops::syntax::{self, ast::*};

/// What is wrong with a text, as codes.
fn codes(text: &str) -> Vec<&'static str> {
    let parse = syntax::parse(FileId::new("model/test.gops"), text);
    parse.diagnostics.iter().map(|d| d.code.id()).collect()
}

fn module(text: &str) -> Module {
    let parse = syntax::parse(FileId::new("model/test.gops"), text);
    assert!(parse.diagnostics.is_empty(), "{text}\n{:#?}", parse.diagnostics);
    parse.module
}

fn expr(text: &str) -> Expr {
    let (expr, diagnostics) = syntax::parse_expr(FileId::new("model/test.gops"), text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    expr
}

/// The expression with parentheses around every operation.
fn shape(e: &Expr) -> String {
    let args = |args: &[Arg]| args.iter().map(|a| shape(&a.value)).collect::<Vec<_>>().join(", ");
    match &e.kind {
        ExprKind::Name(name) => name.name.to_string(),
        ExprKind::Int(n) => n.to_string(),
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::Null => "null".to_owned(),
        ExprKind::Paren(inner) => shape(inner),
        ExprKind::Unary(op, inner) => format!("({op:?} {})", shape(inner)),
        ExprKind::Binary(op, _, a, b) => format!("({} {op:?} {})", shape(a), shape(b)),
        ExprKind::Is(a, _) => format!("({} is)", shape(a)),
        ExprKind::As(a, _) => format!("({} as)", shape(a)),
        ExprKind::Range { start, end, .. } => {
            let side = |e: &Option<Box<Expr>>| e.as_ref().map(|e| shape(e)).unwrap_or_default();
            format!("({}..{})", side(start), side(end))
        }
        ExprKind::Field(a, f) => format!("{}.{}", shape(a), f.name),
        ExprKind::OptField(a, f) => format!("{}?.{}", shape(a), f.name),
        ExprKind::Index(a, i) => format!("{}[{}]", shape(a), args(i)),
        ExprKind::Lookup(a) => format!("({}?)", shape(a)),
        ExprKind::Call(f, a) => format!("{}({})", shape(f), args(a)),
        ExprKind::Method { base, name, args: a, .. } => format!("{}.{}({})", shape(base), name.name, args(a)),
        ExprKind::Construct { path, entries, .. } => {
            format!("{} {{{}}}", path.parts.last().unwrap().name, entries.len())
        }
        ExprKind::Modified { base, modifiers } => format!("<{} {}>", shape(base), modifiers.len()),
        ExprKind::Lambda { body, .. } => format!("=> {}", shape(body)),
        other => format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned(),
    }
}

#[test]
fn precedence() {
    for (text, expected) in [
        ("a ?? b ?? c", "((a Coalesce b) Coalesce c)"),
        ("a ?? b or c and d", "(a Coalesce (b Or (c And d)))"),
        ("not a == b and c", "((Not (a Eq b)) And c)"),
        ("a == not b", "(a Eq (Not b))"),
        ("not a in b", "(Not (a In b))"),
        ("a not in b", "(a NotIn b)"),
        ("x in 1..n + 1", "(x In (1..(n Add 1)))"),
        ("a is int and b", "((a is) And b)"),
        ("a + b * c - d", "((a Add (b Mul c)) Sub d)"),
        ("a / b % c", "((a Div b) Rem c)"),
        ("-a * b", "((Neg a) Mul b)"),
        ("- -1", "(Neg (Neg 1))"),
        ("-a as int", "(Neg (a as))"),
        ("a.b as int + 1", "((a.b as) Add 1)"),
        ("a as any as int", "((a as) as)"),
        ("-a.b()", "(Neg a.b())"),
        ("T[k]?.f", "T[k]?.f"),
        ("T[k]? .f", "(T[k]?).f"),
        ("xs[1..]", "xs[(1..)]"),
        ("..", "(..)"),
        ("..=3", "(..3)"),
        ("T { a } after x protect", "<T {1} 2>"),
        ("T { a } after b ?? c timeout 10m", "<T {1} 2>"),
        ("f(x => x + 1, (a, b) => a)", "f(=> (x Add 1), => a)"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("true.f", "true.f"),
        ("self.if.match", "self.if.match"),
    ] {
        assert_eq!(shape(&expr(text)), expected, "{text}");
    }
}

/// The names of what stands in the braces of a literal.
fn entries(text: &str) -> Vec<String> {
    let ExprKind::Brace(entries) = expr(text).kind else { panic!("{text} is no literal") };
    let name = |e: Entry| match e.kind {
        EntryKind::Field { name, .. } => name.name.to_string(),
        EntryKind::Quoted { key, .. } => format!("{:?}", key.text),
        EntryKind::Computed { .. } => "[]".to_owned(),
        EntryKind::Spread(_) => "...".to_owned(),
    };
    entries.into_iter().map(name).collect()
}

#[test]
fn newlines_and_commas_separate() {
    for text in ["{ a: 1, b: 2 }", "{\na: 1\nb: 2\n}", "{\n\n a: 1,\n\n b: 2,\n }", "{ a: 1\n, b: 2 }"] {
        assert_eq!(entries(text), ["a", "b"], "{text}");
    }
    // Inside brackets a newline means nothing.
    assert_eq!(shape(&expr("f(a\n+ b,\nc\n- d)")), "f((a Add b), (c Sub d))");
    assert_eq!(shape(&expr("[a\n[b]]")), "List");
    // The innermost delimiter decides.
    assert_eq!(entries("{ a: (b\n- c)\n d: 1 }"), ["a", "d"]);
    assert_eq!(codes("const A = [{ a: 1\n b: 2 }]\n"), [""; 0]);
    assert_eq!(codes("const A = [a\n b]\n"), ["G0109"]);
}

#[test]
fn lines_that_go_on() {
    // After an operator, a comma or an opener; before these words and signs.
    let joined = [
        "a: b +\n c",
        "a:\n b",
        "a: b and\n c",
        "a: not\n b",
        "a: b ??\n c",
        "a: b ==\n c",
        "a: b *\n c",
        "a: b.\n c",
        "a: b\n .c",
        "a: b\n ?.c",
        "a: b\n ?? c",
        "a: if b { c }\n else { d }",
        "a: b\n and c",
        "a: b\n or c",
        "a: b\n == c",
        "a: b\n != c",
        "a: b\n < c",
        "a: b\n <= c",
        "a: b\n > c",
        "a: b\n >= c",
        "a: T { }\n after b",
        "a: T { }\n protect",
        "a: T { }\n adopt",
        "a: T { }\n keep",
        "a: T { }\n timeout 1m",
        "a: T { }\n drift report",
        "a: b in\n c",
        "a: b is\n int",
        "a: b as\n int",
        "a: T { } after\n b",
        "a: b ..=\n c",
    ];
    for text in joined {
        assert_eq!(entries(&format!("{{ {text}\n z: 1 }}")), ["a", "z"], "{text}");
    }
    // Before `-` and `[` a newline always separates.
    assert_eq!(entries("{ a: b\n [c]: d }"), ["a", "[]"]);
    let text = "fn f() -> int {\n a\n -b\n}\n";
    let ItemKind::Fn(f) = &module(text).items[0].kind else { panic!() };
    assert_eq!(f.body.stmts.len(), 2);
    // Unless `:` follows that word.
    for word in
        ["else", "and", "or", "after", "protect", "adopt", "keep", "timeout", "drift", "at", "for", "if"]
    {
        assert_eq!(entries(&format!("{{ a: b\n {word}: c }}")), ["a", word]);
        let text = format!("struct A {{\n a: int\n {word}: int\n}}\n");
        let ItemKind::Record(r) = &module(&text).items[0].kind else { panic!() };
        assert_eq!(r.members.len(), 2, "{word}");
    }
    // In a literal `for` and `if` go on; in a block they begin a statement.
    assert_eq!(shape(&expr("{ k: v\n for k, v in m\n if k }")), "MapComp");
    let text = "impl A {\n T { }\n for x in y { }\n if z { }\n}\n";
    let ItemKind::Impl(i) = &module(text).items[0].kind else { panic!() };
    assert_eq!(i.body.stmts.len(), 3);
    // The `>` of a type is no operator, and `..` may end a value.
    let text =
        "struct A {\n a: map<string, list<int>>\n b: int where 0..\n c: set<int>?\n d: A?\n e: int }\n";
    let ItemKind::Record(r) = &module(text).items[0].kind else { panic!() };
    assert_eq!(r.members.len(), 5);
    // A line may begin with `where` or `|`.
    let text = "type A = int\n where 1..\ntype B =\n | \"a\"\n | \"b\"\ntype C = int\n | string\n";
    assert_eq!(module(text).items.len(), 3);
}

#[test]
fn braces_in_heads_and_blocks() {
    // In a head a brace literal stands in parentheses.
    module("impl A when x == (T { a }) { if y == (T { b }) { } }\n");
    assert_eq!(codes("impl A { if y == T { b } { } }\n"), ["G0116"]);
    // After a head, `else`, a result and `=>` a `{` opens a block, elsewhere it is a literal.
    let text = "fn f() -> T { if a { let b = 1\n b } else { { c: 2 } } }\n";
    module(text);
    module("fn f() -> int { xs.map(x => { let y = x\n y + 1 }).map(x => ({ a: x })) }\n");
    module("fn f() -> T { match p { a => { let b = 1\n b }\n c => ({ d: 2 }) } }\n");
    assert_eq!(entries("{ a, \"b c\": 1, [d]: 2, ...e }"), ["a", "\"b c\"", "[]", "..."]);
    assert_eq!(shape(&expr("{}")), "Brace");
    assert_eq!(shape(&expr("[]")), "List");
    assert_eq!(shape(&expr("[x for x in xs if x for y in x]")), "ListComp");
    assert_eq!(shape(&expr("{ true: x for x in xs }")), "MapComp");
}

#[test]
fn keywords_are_names_where_they_can_be() {
    let words = [
        "use",
        "type",
        "key",
        "check",
        "unique",
        "let",
        "output",
        "in",
        "if",
        "match",
        "not",
        "keep",
        "at",
        "by",
        "error",
        "test",
        "null",
        "true",
        "deprecated",
        "list",
        "where",
        "as",
        "is",
        "else",
        "for",
    ];
    for word in words {
        module(&format!("struct A {{\n {word}: int\n b: int\n}}\n"));
        module(&format!("impl A {{ T {{ {word}: 1, b: a.{word} }} }}\n"));
        assert_eq!(entries(&format!("{{ {word}, b }}")), [word, "b"]);
        assert_eq!(entries(&format!("{{ b, {word} }}")), ["b", word]);
        module(&format!("enum E {{ a, {word} }}\n"));
        // Among variants, only `where` goes on with the line before.
        if word != "where" {
            module(&format!("enum E {{\n a\n {word}\n b\n}}\n"));
        }
    }
    for word in ["timeout", "key", "target", "output", "type", "keep", "set", "map", "error"] {
        assert_eq!(shape(&expr(&format!("{word} + 1"))), format!("({word} Add 1)"));
    }
}

#[test]
fn checks() {
    let check = |text: &str| {
        let module = module(&format!("{text}\n"));
        let ItemKind::Check(check) = &module.items[0].kind else { panic!() };
        check.clone()
    };
    // The first comma belongs to it.
    let text = "struct A { check a != 22, \"m\" at b, c: int }\n";
    let ItemKind::Record(r) = &module(text).items[0].kind else { panic!() };
    assert_eq!(r.members.len(), 2);
    // Quantifiers are tried first.
    assert_eq!(check("check x in y: z, \"m\"").quantifier.unwrap().names.len(), 1);
    assert_eq!(check("check k, v in m: v, \"m\"").quantifier.unwrap().names.len(), 2);
    assert!(check("check x in y, \"m\"").quantifier.is_none());
    assert_eq!(shape(&check("check a, \"m\" at m.name").at.unwrap()), "m.name");
    assert_eq!(codes("struct A { check a != 22 }\n"), ["G0114"]);
    assert_eq!(codes("check a == b\n"), ["G0114"]);
}

#[test]
fn fields_and_types() {
    let text = "struct A { key a: int = 3 as any }\n";
    assert!(!codes(text).is_empty(), "a cast in a default stands in parentheses");
    let text = "struct A { a: int = (b as int) restart was \"x\" was \"y\" as \"Data Name\" }\n";
    let ItemKind::Record(r) = &module(text).items[0].kind else { panic!() };
    let MemberKind::Field(f) = &r.members[0].kind else { panic!() };
    assert_eq!(f.cost.map(|c| c.0), Some(Cost::Restart));
    assert_eq!(f.was.len(), 2);
    assert_eq!(f.data_name.as_ref().map(|d| d.text.as_str()), Some("Data Name"));
    // Refined types inside `<>` or before `?` are parenthesised.
    module("type A = list<(int where 1..)>\ntype B = (int where 1..)?\n");
    assert_eq!(codes("type A = list<int where 1..>\n"), ["G0109"]);
    assert_eq!(codes("type A = Page<int>\n"), ["G0109"]);
    let text = "struct A {\n deprecated \"use b\"\n a: int\n deprecated \"x\" b: int\n}\n";
    let ItemKind::Record(r) = &module(text).items[0].kind else { panic!() };
    assert_eq!(r.members.iter().filter(|m| m.deprecated.is_some()).count(), 2);
}

#[test]
fn documentation_and_lints() {
    let text = "//! The module.\n//! More.\n\n/// An item.\n///   Indented.\nstruct A {\n    /// A field.\n    a: int\n    // no documentation\n    b: int\n}\n";
    let parsed = module(text);
    assert_eq!(parsed.docs.lines, ["The module.", "More."]);
    assert_eq!(parsed.items[0].docs.lines, ["An item.", "  Indented."]);
    let ItemKind::Record(r) = &parsed.items[0].kind else { panic!() };
    assert_eq!(r.members[0].docs.lines, ["A field."]);
    assert!(r.members[1].docs.lines.is_empty());
    assert_eq!(codes("struct A { a: int } /// what?\n"), ["G0117"]);

    let text = "// gops: allow(naming)\nconst a = 1\n// gops: allow(naming, shadow)\nconst b = 2\n";
    let parsed = module(text);
    let found: Vec<_> =
        parsed.allows.iter().map(|a| (a.lint.name.as_str(), a.line.map(|l| &text[l.range()]))).collect();
    assert_eq!(found, [("naming", None), ("naming", Some("const b = 2")), ("shadow", Some("const b = 2"))]);
}

/// The parts of a string: text, or `${}` with what the hole is indented by.
fn parts(text: &str) -> Vec<String> {
    let ExprKind::Str(parts) = expr(text).kind else { panic!() };
    let part = |p: StrPart| match p {
        StrPart::Text(text) => text,
        StrPart::Expr { expr, indent } => format!("${{{}}}{}", shape(&expr), indent.unwrap_or_default()),
    };
    parts.into_iter().map(part).collect()
}

#[test]
fn strings() {
    assert_eq!(parts(r#""a${b}c""#), ["a", "${b}", "c"]);
    assert_eq!(parts(r#""${f("${x}", { a: 1 })}""#), ["${f(Str, Brace)}"]);
    assert_eq!(parts(r#""\${a} \n \u{e9} $ $x""#), ["${a} \n é $ $x"]);
    assert_eq!(parts(r##"r"\d${x}""##), [r"\d${x}"]);
    assert_eq!(parts(r###"r#"a "b" c"#"###), ["a \"b\" c"]);
    assert_eq!(parts("\"\"\"\n    a\n      b\n    \"\"\""), ["a\n  b\n"]);
    assert_eq!(parts("\"\"\"\n    a\n      ${b}\n    \"\"\""), ["a\n  ", "${b}  ", "\n"]);
    assert_eq!(parts("\"\"\"\n    a ${b}\n    c\"\"\""), ["a ", "${b}", "\nc"]);
    assert_eq!(parts("\"\"\"a \"quoted\" word\"\"\""), ["a \"quoted\" word"]);
    assert_eq!(parts("\"\"\"\"\"\""), [""; 0]);
    assert_eq!(parts("\"a ${\n b +\n c\n} d\""), ["a ", "${(b Add c)}", " d"]);
}

#[test]
fn templates() {
    let template = |text: &str| {
        let (parts, diagnostics) = syntax::parse_template(FileId::new("t.tmpl"), text);
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        let part = |p: StrPart| match p {
            StrPart::Text(text) => text,
            StrPart::Expr { expr, .. } => format!("<{}>", shape(&expr)),
        };
        parts.into_iter().map(part).collect::<String>()
    };
    assert_eq!(template("a \"${b}\" \\n \\${c}\n"), "a \"<b>\" \\n ${c}\n");
    assert_eq!(template(""), "");
    assert_eq!(template("\"\"\" $ { } \\"), "\"\"\" $ { } \\");
    let (_, diagnostics) = syntax::parse_template(FileId::new("t.tmpl"), "a\n${b +}\n");
    let gops::diag::Place::Span(at) = diagnostics[0].labels[0].place else { panic!() };
    assert_eq!(at.span.start, 7);
}

#[test]
fn odd_texts() {
    assert_eq!(codes(""), [""; 0]);
    assert_eq!(codes("\u{feff}const A = 1\r\nconst B = 2\r\n"), [""; 0]);
    assert_eq!(codes("// only a comment"), [""; 0]);
    assert_eq!(codes("const A = 1"), [""; 0]);
    assert_eq!(codes("\tconst A = 1\rconst B = 2"), [""; 0]);
    assert_eq!(codes("const A = 1 const B = 2\n"), ["G0109"]);
    assert_eq!(codes("const A = (,)\n"), ["G0109"]);
    assert_eq!(codes("const A = f(a,,b)\n"), ["G0109"]);
    assert_eq!(codes("const A = [a, b,]\n"), [""; 0]);
}
