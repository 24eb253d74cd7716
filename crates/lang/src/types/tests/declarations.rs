//! Mistakes in declarations, and in what they need.

use super::cases::{check, check_files};

#[test]
fn functions_are_called_with_their_parameters() {
    check(
        r#"
slice S in "s" { key name: string, port: int = 1 }
fn url(s: S, path: string) -> string { "https://${s.name}${path}" }
fn twice(n: int) -> int {
    let m = n * 2
    m
}
fn bad(n: int) -> string { n } //~ G0401 expected `string`, found `int`
fn empty(n: int) -> string { let m = n } //~ G0427 //~ G0951
fn shadow(n: int) -> int { let n = 2, n } //~ G0424
fn unused(n: int) -> int { let m = 2, n } //~ G0951 `m` is not used
const A: int = twice(2)
const B: int = twice(n: 2)
const C: int = twice() //~ G0413 called without `n`
const D: int = twice(1, 2) //~ G0413 takes one argument
const E: int = twice("x") //~ G0401 expected `int`, found `string`
const F: int = twice(m: 1) //~ G0413 no parameter `m`
const G: int = twic(1) //~ G0301 did you mean `twice`?
check s in all(S): url(s, "/").len() < 100, "long: ${s.name}" at s.name
check s in all(S): s.prot > 1, "x" //~ G0402 did you mean `port`?
check s in all(S): s.port, "x" //~ G0401 expected `bool`
check s in all(S): s.port > 1, 5 //~ G0401 expected `string`
check s in all(S): s.port > 1, "x" at s.port.x
"#,
    );
}

#[test]
fn references_are_made_by_all_keys() {
    check(
        r#"
slice Vlan in "vlans" { key id: int, name: string }
slice Port in "ports" { key host: string, key number: int }
slice Chain in "chain.yaml" { values: list<int> = [] }
struct Item { key name: string, n: int = 0 }
slice S in "s" {
    key name: string
    items: list<Item> = []
    let a: Vlan = Vlan[id: 3]
    let b: Vlan = Vlan[3]
    let c: Vlan = Vlan["x"] //~ G0401 expected `int`, found `string`
    let d: Vlan = Vlan[nmae: 3] //~ G0415
    let e: Port = Port[host: "a", number: 1]
    let f: Port = Port["a"] //~ G0415 has 2 keys
    let g: Port = Port[host: "a"] //~ G0415 `number` is missing
    let h: list<int> = Chain[].values
    let i: Vlan? = Vlan[id: 3]?
    let j: string = Vlan[id: 3]?.name //~ G0405
    let k: string = Vlan[id: 3]?.name ?? "none"
    let l: Item = items[name: "x"]
    let m: int = items[name: "x"].n + items[0].n
    let n: Item = Item[name: "x"] //~ G0416
    let o: list<Item> = items[1..]
    let p: string = name[0..2]
    let q: int = name["x"] //~ G0401 //~ G0401
    let r: string = items["x"].name //~ G0401
    let s: Item? = items.get(0)
    let t: list<Vlan> = all(Vlan)
    let u: list<Item> = all(Item) //~ G0416
}
"#,
    );
}

#[test]
fn any_is_asked_what_it_is() {
    check(
        r#"
struct Props { a: int }
slice S in "s" {
    key name: string
    spec: any
    let a: string = spec.name //~ G0401 check it with `as string`
    let b: any = spec.name
    let c: string = spec.name as string
    let d: int = if spec is int { spec + 1 } else { 0 }
    let e: string = spec.a.b as string //~ G0405
    let f: string? = spec.a?.b as string?
    let g: Props = spec.props as Props
    let h: int = if spec is Props { spec.a } else { 0 }
    let i: list<string> = [x as string for x in spec.list as list<any>]
    let j: int = [1 for x in spec].len() //~ G0428 say what it is
    let k: string = match spec { string => spec, int => "${spec}", _ => "" }
    let l: int = name as int //~ G0412 .int()
    let m: any? = spec["a"]
    let n: string = "${spec}" //~ G0430
}
"#,
    );
}

#[test]
fn marks_decide_nothing_and_are_said() {
    check(
        r#"
use std::files::{Directory, TextFile}
use std::host::Host
struct Login { user: string, password: secret<string> }
slice S in "s" {
    key name: string
    password: secret<string>
    token: secret<string>?
    words: secret<list<string>> = []
    login: Login?
    let a: string = password //~ G0421 secret
    let b: secret<string> = "x${password}"
    let c: string = "x${password}" //~ G0421
    let d: bool = token == null
    let e: bool = password == "x" //~ G0421
    let f: string = if password == "x" { "a" } else { "b" } //~ G0420 the condition of `if`
    let g: int = words.len()
    let h: secret<string> = words.join(",")
    let i: secret<string> = token ?? "none"
    let j: list<secret<string>> = words.map(w => w.upper())
    let k: list<secret<string>> = words.filter(w => w == "x") //~ G0420
    let l: set<secret<string>> = words.to_set() //~ G0308 //~ G0420
    let m: map<string, int> = { [password]: 1 } //~ G0420 the key of a map
    let n: string = login.to_json() //~ G0421
    let o: secret<string> = login.to_json()
    let p: any = login //~ G0401
    let q: string = match password { "x" => "", _ => "" } //~ G0420 `match`
    let r: string = login?.password ?? "" //~ G0421
    check password != "", "no" //~ G0420 a check
    check name != "", "${password}" //~ G0420 a message
    check token == null or name != "", "no"
}
impl S when password == "x" { Host { name } } //~ G0420 `when`
impl S {
    let t = TextFile { path: "/a", content: password }
    TextFile { path: "/b", content: t.sha256 }
    TextFile { path: "/c", content: "x", owner: t.sha256 }
    TextFile { path: "/d", content: "x", owner: password } //~ G0421
    TextFile { path: "/${t.sha256}", content: "x" } //~ G0420 a key
    if t.sha256 == "x" { Directory { path: "/e" } } //~ G0420 only after a deploy
    Note { name, text: t.sha256 } //~ G0421 later<string>
    Host { name, transport: ssh { address: t.sha256 } }
    Host { name: t.sha256 } //~ G0420 a key
    let host = Host { name: "h", transport: ssh { address: t.sha256 } }
    if host.transport is ssh { Directory { path: "/h" } } //~ G0420 only after a deploy
    Said { name, text: t.sha256 }
    let pair = Pair { a: t.sha256, b: "x" }
    TextFile { path: "/f", content: pair.a }
    TextFile { path: "/g", content: digest(t) }
    for w in words { TextFile { path: "/h", content: w } }
}
struct Pair { a: string, b: string }
entity Note { key name: string, text: string }
entity Said { key name: string, text: later<string> }
fn digest(f: TextFile) -> string { f.sha256.upper() }
fn first(f: TextFile) -> string { if f.owner == "x" { "a" } else { "b" } } //~ G0420
test "what is marked may be expected" {
    let s = S { name: "a", password: "x" }
    expect s.password == "x"
}
"#,
    );
}

#[test]
fn parents_and_derived_fields() {
    check(
        r#"
slice Site in "sites" {
    key name: string
    pages: list<Page> = []
    top: Folder?
    let root: string = "/srv/${name}"
    let total: int = pages.map(p => p.size).sum()
    let own: string = own //~ G0443 needs itself
    let ping: string = pong //~ G0443 need one another
    let pong: string = ping
}
struct Page {
    key path: string
    let file: string = "${parent.root}${path}"
    let size: int = path.len()
    let up: int = parent.total
}
struct Folder {
    key name: string
    folders: list<Folder> = []
    let path: string = "${parent.path}/${name}" //~ G0402
    let depth: int = folders.map(f => f.depth).max() ?? 0
    let below: int = folders.map(f => f.below).sum() + parent.below //~ G0402
}
plain struct Rule { port: int, let p: string = parent.root } //~ G0426
struct Alone { key name: string, let p: string = parent.name } //~ G0426
slice Tree in "trees" {
    key name: string
    items: list<Item> = []
    let where_: string = name
    let up: int = items.map(i => i.down).sum()
}
struct Item {
    key name: string
    items: list<Item> = []
    let where_: string = if parent is Tree { parent.where_ } else { "${parent.where_}/${name}" }
    let down: int = items.map(i => i.down).sum() + 1
    let both: int = items.map(i => i.both).sum() + parent.both //~ G0402
}
slice A in "as" { key name: string, other: ref<A>?, let far: string = other?.far ?? "" } //~ G0443 another value
"#,
    );
}

#[test]
fn nothing_needs_itself() {
    check(
        r#"
fn even(n: int) -> bool { if n == 0 { true } else { odd(n - 1) } } //~ G0442 need one another
fn odd(n: int) -> bool { if n == 0 { false } else { even(n - 1) } }
fn own(n: int) -> int { own(n) } //~ G0442 needs itself
const A: int = B //~ G0442
const B: int = A
type Small = int where small(self) //~ G0442
fn small(n: int) -> bool { let m: Small = n, m > 0 }
slice S in "s" {
    key name: string
    a: string = b //~ G0425 declared after
    b: string = name
    c: string = b
    d: string = e //~ G0425 derived
    let e: string = name
    f: int = all(S).len() //~ G0425 a default cannot read
    g: ref<S>?
    h: string = g?.b ?? "" //~ G0425 another instance
    i: string = g?.name ?? ""
    n: int where self < all(S).len() = 3 //~ G0425 a refinement
    p: list<Page> = []
}
struct Page { key path: string, file: string = parent.name } //~ G0425
const C: int = all(S).len() //~ G0425 a constant
"#,
    );
}

#[test]
fn types_have_an_order() {
    check(
        r#"
use std::host::Host
slice S in "s" { key name: string, items: list<Item> = [] }
struct Item { key name: string }
entity A { key name: string, n: int = 0 }
entity B { key name: string, n: int = 0 }
entity C { key name: string, n: int = 0, host: Host? }
impl S { A { name, n: 1 } }
impl S { for a in all(B) { A { name: a.name } } } //~ G0444
impl A { B { name, n: 2 } }
impl Item { C { name } }
impl C { let h = Host { name }, C2 { name, t: h.name } }
entity C2 { key name: string, t: string }
impl C2 { if A[name: name].n > 1 { Host { name } } }
entity F { key name: string }
impl F { F { name: "${name}x" } } //~ G0444 would have to be known
entity D { key name: string }
entity E { key name: string }
impl S { D { name } }
impl D { if count() > 1 { E { name } } }
fn count() -> int { all(C2).len() }
"#,
    );
}

#[test]
fn what_stands_in_tests_stays_there() {
    check(
        r#"
use std::files::TextFile
slice S in "s" { key name: string }
impl S { expect name == "" } //~ G0440
impl S { if deleted(self) { TextFile { path: "/x", content: "" } } } //~ G0434
impl S when deleted(self) { TextFile { path: "/${operation(self)}", content: "" } }
impl S when operation(self) == delete { TextFile { path: "/y", content: "" } }
test "t" {
    let s = S { name: "a" }
    given TextFile[path: "/y"].sha256 = "abc"
    given TextFile[path: "/y"].content = "abc" //~ G0441
    expect TextFile[path: "/y"].content == "x"
    expect state(TextFile[path: "/y"]) == present
    expect state(TextFile[path: "/y"]) == gone //~ G0407
    expect state(s) == present //~ G1002
    expect error "x" { S { name: s.name } }
    expect 5 //~ G0401
}
"#,
    );
}

#[test]
fn templates_are_checked_at_their_lines() {
    check_files(&[
        (
            "model/main.gops",
            r#"
slice S in "s" {
    key name: string
    port: int?
    let a: string = template("motd.tmpl", { name, port: 3 })
    let b: string = template("motd.tmpl", { name, port })
    let c: string = template("none.tmpl", { name }) //~ G0433 there is no file
    let d: string = template("/x/${name}", { name }) //~ G0433 written out
}
"#,
        ),
        ("model/motd.tmpl", "Hello ${name}\nport ${port} //~ G0405\n${prot}//~ G0301 did you mean `port`?\n"),
    ]);
}

#[test]
fn later_values_go_into_resources_and_structs() {
    check(
        r#"
use std::files::TextFile
resource Vm handled by "vm" {
    key name: string
    tags: map<string, string> = {}
    spec: any = null
    disks: list<Disk> = []
    output ip: string
    output names: list<string>
}
struct Disk { name: string, size: size = 1GiB }
slice S in "s" { key name: string }
impl S {
    let vm = Vm { name: "a" }
    let other = Vm {
        name: "b"
        tags: { peer: vm.ip, all: vm.names.join(",") }
        spec: { peers: [vm.ip], deep: { x: vm.ip } }
        disks: [{ name: vm.ip }, { name: "x" }]
    }
    TextFile { path: "/a", content: vm.tags["x"] }
    for d in other.disks { TextFile { path: "/${d.name}", content: "" } } //~ G0420 `for`
    for d in vm.tags { TextFile { path: "/b", content: d } } //~ G0420
    let joined = { peer: vm.ip }
    Vm { name: "c", tags: joined, spec: labels(vm) }
    Vm { name: "d", tags: { peer: vm.ip ?? "", size: 5 } } //~ G0401
    Vm { name: vm.ip } //~ G0420 a key
    for n in vm.names { TextFile { path: "/c", content: n } } //~ G0420 `for`
    TextFile { path: "/d", content: vm.names.map(n => n).join(",") } //~ G0420 a function value
}
fn labels(vm: Vm) -> map<string, string> { { peer: vm.ip } }
fn read(vm: Vm) -> int { labels(vm).len() }
slice T in "t" {
    key name: string
    let a: map<string, string> = labels(Vm[name: name]) //~ G0421
    let b: later<map<string, string>> = labels(Vm[name: name])
    let c: list<string> = [Vm[name: name].ip] //~ G0421
}
"#,
    );
}

#[test]
fn unions_and_their_parents() {
    check(
        r#"
use std::files::Directory
slice Tree in "trees" { key root: string, content: list<Entry> = [], let path: string = root }
union Entry by type { folder: Folder, link: Link }
struct Folder { key name: string, content: list<Entry> = [], let path: string = "${parent.path}/${name}" }
struct Link { key name: string, to: string, let path: string = "${parent.path}/${name}" }
impl Entry {
    match self {
        folder => { Directory { path: self.path } }
        link => { Directory { path: "/${self.to}" } }
    }
}
fn parent_of(e: Entry) -> string { "${e.parent.path}/" }
impl Entry when self is folder { Directory { path: "${self.path}/x" } }
impl Entry { Directory { path: "${path}${parent.path}" } }
impl Entry { Directory { path: to } } //~ G0301
impl Tree {
    for e in content { match e { folder => { Directory { path: e.path } }, link => { Directory { path: "${parent_of(e)}" } } } }
    let f = content[type: folder, name: "a"]
    Directory { path: f.path }
    Directory { path: content[type: fodler, name: "a"].path } //~ G0407 did you mean `folder`?
    Directory { path: content[type: folder].path } //~ G0415
    for i in 1.. { Directory { path: "/${i}" } } //~ G0428 no end
}
"#,
    );
}

#[test]
fn templates_see_what_they_are_given() {
    check_files(&[
        (
            "model/main.gops",
            r#"
const DOMAIN: string = "example.org"
fn loud(text: string) -> string { text.upper() }
struct Page { title: string }
slice S in "s" {
    key name: string
    token: secret<string>
    page: Page?
    let a: string = template("a.tmpl", { name, page: Page { title: "x" } })
    let b: secret<string> = template("b.tmpl", { token })
    let c: string = template("b.tmpl", { token }) //~ G0421
}
"#,
        ),
        (
            "model/a.tmpl",
            "${name.upper()} ${page.title}\n${DOMAIN}//~ G0301\n${loud(name)}//~ G0301\n\\${kept} ${page.titel}//~ G0402\n",
        ),
        ("model/b.tmpl", "${token}"),
    ]);
}

#[test]
fn what_is_deep_is_bounded() {
    let deep = |open: &str, inner: &str, close: &str, n: usize| {
        format!("const A: any = {}{inner}{}\n", open.repeat(n), close.repeat(n))
    };
    for text in [
        deep("[", "1", "]", 120),
        deep("{ a: ", "1", "}", 120),
        deep("(", "1", ")", 120),
        deep("not ", "true", "", 390),
        deep("1 + ", "1", "", 390),
        deep("true and ", "true", "", 390),
        deep("", "from_json(\"1\")", "?.b?.c", 190),
        deep("if true { ", "1", " } else { 2 }", 100),
        deep("[1].map(x => ", "1", ")", 100),
        deep("[[1]].fold([], (a, b) => a + ", "[1]", ")", 60),
    ] {
        let found = super::model(&[("model/main.gops", &text)]);
        let deep = |d: &&crate::diag::Diagnostic| !matches!(d.code.id(), "G0108" | "G0413" | "G0424");
        assert_eq!(found.checked.diagnostics.iter().filter(deep).count(), 0, "{}", found.report());
    }
}
