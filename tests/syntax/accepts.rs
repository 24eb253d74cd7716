//! What parses.

use gops::base::FileId;
use gops::syntax;

/// Parses, and fails with what is wrong.
fn parses(text: &str) -> syntax::ast::Module {
    let parse = syntax::parse(FileId::new("model/test.gops"), text);
    let shown: Vec<_> = parse
        .diagnostics
        .iter()
        .map(|d| match d.labels.first().map(|l| l.place) {
            Some(gops::diag::Place::Span(at)) => {
                let line = text[..at.span.start as usize].matches('\n').count() + 1;
                let near = text.lines().nth(line - 1).unwrap_or_default();
                format!("{line}: {:?} {} {:?}\n    {near}", d.code, d.message, d.help)
            }
            _ => d.message.clone(),
        })
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    parse.module
}

#[test]
fn the_example_of_the_reference() {
    let module = parses(include_str!("example.gops"));
    assert_eq!(module.items.len(), 24);
    assert_eq!(module.docs.lines, ["Web sites on our machines."]);
}

#[test]
fn all_other_items() {
    let module = parses(
        r#"
use a::{B, c::D as E}
use util
target Node { key name: string  }
acyclic Service by depends_on, "services depend on each other"
closure Service.all_deps: set<Service> by depends_on
slice Vlan in "vlans.yaml" each {
    key metadata.name
    unique (a, b)
    deprecated "use y"
    x: int? = null restart was "old" as "Data Name"
    ...Meta
    ...rest: map<string, any>
    check k, v in m: v > 0, "v" at m
    assigned id: int where 100..=4094 = free_int(100..=4094, used: [v.id for v in all(Vlan)])
    keep: bool = false
    timeout: duration = 1h30m
    size: size = 20GiB
    count: int where 0..
    next: (int where 1..)?
    output sum: later<string>
}
plain struct Rule { name: "a" | "b", n: 1 | -2 | null }
moved Site[name: "a"] to Site[name: "b"]
moved type a::T to b::T
migration "2026-03-split-name" for Site when old.kind == "x" {
    set labels.owner = old.owner
    drop owner
}
union Kind by type { a as "A": X, b, k8s_file as "k8s-file" }
impl Vlan when not deleted(self) and x is int? {
    let a = if x == 1 { 1 } else if y { 2 } else { 3 }
    for k, v in m {
        Vhost { a, "b c": 1, [k]: v, ...rest } after [a, b] protect timeout 10m drift ignore [mode, spec.replicas, ports[name: "x"].port]
    }
    match p {
        http => p.path
        none | Tier.prod => { let z = 1
            z }
        "x" => -1
        _ => null
    }
    Foo {
        a: [1, 2,
            3]
        b: {k: v for k, v in m if v > 2}
    }
        after a
        keep
    check a in xs, "m ${a + "${b}"}"
    let f = xs.sorted(by: x => x.a).fold(0, (a, b) => a + b)[1..].first()?.g ?? -2 as string
    let c = Host[metadata.name: x]?
        .name
    let t = """
        a
          ${b}
        """
}
"#,
    );
    assert_eq!(module.items.len(), 12);
}
