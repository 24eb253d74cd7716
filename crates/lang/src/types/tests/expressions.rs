//! Mistakes in expressions.

use super::cases::check;

#[test]
fn values_go_where_their_type_is_wanted() {
    check(
        r#"
const A: int = "x" //~ G0401 expected `int`, found `string`
const B: string = 5 //~ G0401 write it into a string
const C: float = 1
const D: list<float> = [1, 2.5, -3]
const E: int? = null
const F: int = null //~ G0401 expected `int`, found `null`
const G: "a" | "b" = "c" //~ G0401 expected `"a" | "b"`, found `"c"`
const H: list<int> = [1, "x", true] //~ G0401 found `string` //~ G0401 found `bool`
const I: set<int> = [1, 2]
const J: map<string, int> = { a: 1, "b c": 2, [G]: 3 }
const K: map<string, int> = { a: "x" } //~ G0401 expected `int`, found `string`
const L: any = { a: [1, { b: null }], c: 1s }
const M: FileMode = 0o644
const N: FileMode = "0644"
const O: FileMode = "9" //~ G0401 no file mode
const P: int | list<int> = [1]
const Q: duration = 30 //~ G0401 write the unit
const R: string = G
const S: int = 1.5 //~ G0401 .round()
"#,
    );
}

#[test]
fn names_are_found_or_the_nearest_is_named() {
    check(
        r#"
use std::net::Port
enum Tier { dev, prod }
const DOMAIN: string = "example.org"
const A: string = DOMIAN //~ G0301 did you mean `DOMAIN`?
const B: Tier = prdo //~ G0407 did you mean `prod`?
const C: Tier = Tier.prod
const D: Tier = Tier.pro //~ G0407 did you mean `prod`?
const E: list<Tier> = Tier.values
const F: Tier = "prod" //~ G0401 without quotes: `prod`
const G: int = len //~ G0301 is a function
const H: int = Port //~ G0301 is a type
const I: string = self.name //~ G0301 no `self`
const J: bool = env == dev or env == prd //~ G0407 did you mean `prod`?
slice S in "s" {
    key name: string
    dev: bool = false
    tier: Tier = dev //~ G0406 write `Tier.dev` or `self.dev`
    let is_prod: bool = tier == prod
    let is_dev: bool = tier in [Tier.dev]
    let other: bool = nmae == "x" //~ G0301 did you mean `name`?
}
"#,
    );
}

#[test]
fn fields_are_there_and_optional_ones_are_checked_first() {
    check(
        r#"
struct Tls { cert: string, key_file: string? }
slice S in "s" {
    key name: string
    tls: Tls?
    labels: map<string, string> = {}
    let a: string = tls.cert //~ G0405 check `tls != null` first, or write `tls?.cert`
    let b: string? = tls?.cert
    let c: string = if tls != null { tls.cert } else { "" }
    let d: string = if tls == null { "" } else { tls.cert }
    let e: bool = tls != null and tls.cert == "x"
    let f: bool = tls == null or tls.cert == "x"
    let g: string = if tls != null { tls.key_file ?? "k" } else { "" }
    let h: string = tls?.key_file ?? "none"
    let i: string = self.tls.cert //~ G0405 check `self.tls != null` first
    let j: string = if self.tls != null { tls.cert } else { "" }
    let k: bool = if not (tls == null) { tls.cert == "" } else { false }
    let l: string? = if tls?.key_file != null { tls.key_file } else { null }
    let m: string = tls?.crt ?? "" //~ G0402 did you mean `cert`?
    let n: string = labels.app //~ G0402 write `["app"]`
    let o: string = name.length //~ G0402 has no field `length`
    let p: int = name.len //~ G0402 write `.len(…)`
    let q: string = tls?.cert //~ G0405 expected `string`, found `string?`
    let r: int = tls.len() //~ G0405
    let s: string = "${tls?.cert}" //~ G0405 ?? ""
}
"#,
    );
}

#[test]
fn constructors_give_what_is_wanted() {
    check(
        r#"
use std::host::Host
use std::files::{Directory, TextFile}
struct Page { key path: string, body: string, draft: bool = false, let size: int = body.len() }
slice S in "s" {
    key name: string
    pages: list<Page> = []
    let first: Page = { path: "/" } //~ G0403 `body` of `Page` is missing
    let second: Page = Page { path: "/", bdy: "x" } //~ G0402 did you mean `body`?
    let third: Page = { path: "/", body: "x", size: 3 } //~ G0402 computed
    let fourth: Page = { path: "/", path: "/a", body: "" } //~ G0437 `path` is given twice
    let fifth: Page = { ...third, path: "/b" }
    let sixth: Page = Page { ...name } //~ G0438 no fields to spread //~ G0403
    let host: Host = Host { name } //~ G0417 a derived field cannot make a `Host`
    let other: S = S { name: "x" } //~ G0417 its instances are files
    let nothing: Tls = Tls {} //~ G0301 //~ G0301
}
impl S {
    let dir = Directory { path: "/srv", mode: 0o755 }
    TextFile { path: "/srv/a", content: 5 } after dir //~ G0401
    TextFile { path: "/srv/b", content: "x" } after name //~ G0401 means nothing
    TextFile { path: "/srv/c", content: "x" } protect keep adopt timeout 10m drift ignore [mode, ownr] //~ G0402 did you mean `owner`?
    TextFile { path: "/srv/d" } timeout 10 //~ G0403 `content` //~ G0401 write the unit
    let page = Page { path: "/", body: "x" } after dir //~ G0419 can only follow
    Host { name: page.path, transport: ssh { address: "10.0.0.1" } }
    Host { name, transport: shh { address: "10.0.0.1" } } //~ G0407 did you mean `ssh`?
    Host { name, transport: { address: "10.0.0.1" } } //~ G0401 write the variant before it
    Host { name, transport: ssh } //~ G0401 write `ssh { … }`
    Host { name, transport: local {} } //~ G0418 write `local`
    name //~ G0435 makes nothing
    if pages.len() > 0 { Directory { path: "/srv/pages" } }
    for p in pages { TextFile { path: "/srv${p.path}", content: p.body } after dir }
}
"#,
    );
}

#[test]
fn unions_are_matched_and_narrowed() {
    check(
        r#"
union Probe by type { http: HttpProbe, tcp: TcpProbe, none }
struct HttpProbe { path: string = "/", port: int = 80 }
struct TcpProbe { port: int }
enum Tier { dev, test, prod }
slice S in "s" {
    key name: string
    probe: Probe = none
    maybe: Probe?
    tier: Tier = dev
    size: "small" | "large" = "small"
    let a: string = match probe { http => probe.path, tcp => "${probe.port}", none => "-" }
    let b: string = match probe { http => probe.path, none => "-" } //~ G0409 no arm takes `tcp`
    let c: string = match probe { htp => "", _ => "-" } //~ G0407 did you mean `http`?
    let d: string = match probe { http => "", _ => "-", tcp => "" } //~ G0410
    let e: int = if probe is http { probe.port } else { 0 }
    let f: int = if probe is http or probe is tcp { probe.port } else { 0 }
    let g: int = probe.port //~ G0402 not every variant has it: check `is http` first
    let h: string = probe.type
    let i: string = match maybe { null => "", http => maybe.path, tcp | none => "x" }
    let j: string = match maybe { http => maybe.path, tcp | none => "x" } //~ G0409 `null`
    let k: int = match tier { dev => 1, test => 2 } //~ G0409 `prod`
    let l: int = match size { "small" => 1, "large" => 2 }
    let m: int = match size { "small" => 1, "lrge" => 2 } //~ G0412 did you mean `large`?
    let n: int = match name { "a" => 1, "b" => 2 } //~ G0409 any other value
    let o: bool = probe is htp //~ G0407 did you mean `http`?
    let p: bool = match maybe != null { true => false, false => true }
    let q: int = if maybe is http { maybe.port } else { 0 }
    let r: Probe = http { path: "/x" }
    let s: bool = probe == none
    let t: bool = tier < prod
    let u: Probe = if tier == prod { http {} } else { none }
    let v: int = match tier { dev => 1, test => "x", prod => 2 } //~ G0401
    let w: HttpProbe? = match probe { http => probe, _ => null }
}
"#,
    );
}

#[test]
fn operators_take_what_they_are_for() {
    check(
        r#"
const A: int = 1 + 2 * 3 - 4 / 5 % 6
const B: float = 1 + 2.5
const C: string = "a" + "b"
const D: string = "a" + 1 //~ G0411 write a string
const E: list<int> = [1] + [2]
const F: duration = 1h + 30m
const G: duration = 2 * 30s
const H: size = 1GiB * 2 + 5MB
const I: bool = 1 < 2 and "a" < "b" and 1s < 2s
const J: bool = 1 < "a" //~ G0411 no order
const K: bool = 1 == "a" //~ G0412 never equal
const L: bool = not 5 //~ G0401
const M: bool = 3 in [1, 2] and 3 in 1..=5 and "a" in { a: 1 }
const N: bool = "a" in [1, 2] //~ G0401 expected `string`, found `int` //~ G0401
const O: bool = "a" in "abc" //~ G0411 contains
const P: int = -"a" //~ G0411
const Q: int = null ?? 3
const R: int = if true { 1 } else { "a" } //~ G0401
const S = if true { 1 } else { "a" } //~ G0408
const T: int = 5 == null //~ G0401 //~ G0412 never null
const U: bool = 1 == 1.0
const V: int = 10 / 3.0 //~ G0401
const W: bool = 1.5 > 1
const X: list<string> = [x for x in 1..=3] //~ G0401
const Y: list<int> = [x for x in 1..=3 if x > 1]
const Z: map<int, string> = { x: "${x}" for x in [1, 2] }
"#,
    );
}

#[test]
fn builtins_are_called_as_they_are_declared() {
    check(
        r#"
const A: int = "abc".len()
const B: int = len("abc")
const C: list<int> = [1, 2].map(x => x + 1)
const D: list<string> = ["b", "a"].sorted(by: s => s.len())
const E: list<int> = ["a"].map(s => s.len()).filter(n => n > 1)
const F: int = [1, 2].fold(0, (sum, x) => sum + x)
const G: list<string> = ["a"].fold([], (all, x) => all + [x])
const H: int = "abc".length() //~ G0404 did you mean `len`?
const I: int = 5.len() //~ G0404
const J: list<string> = "a,b".split() //~ G0413 separator: string
const K: list<string> = "a,b".split(sep: ",") //~ G0413 no parameter `sep`
const L: bool = "abc".matches(r"[a-z]+")
const M: bool = "abc".matches(r"[a-z") //~ G0431
const N: list<int> = [1, 2].map(1) //~ G0413
const O: list<int> = [1, 2].map((a, b) => a) //~ G0413 given one value
const P: int = twice(x => x) //~ G0423
fn twice(n: int) -> int { n * 2 }
const Q: map<string, list<string>> = ["a", "bb"].group_by(s => "${s.len()}")
const R: string = { a: 1, b: 2 }.to_json()
const S: int = { a: 1, b: 2 }.len()
const T: map<string, int> = { a: 1 }.merge({ b: 2 })
const U: any = merge({ a: { b: 1 } }, { a: { c: 2 } })
const V: int = ["a"].map(s => s.len()).max() ?? 0
const W: int = ["a"].map(s => s.len()).max() //~ G0405
const X: string = ["a", "b"].join(", ").upper().trim()
const Y: bool = [1, 2].contains("a") //~ G0401
const Z: int = undefined_function(1) //~ G0301 no function
const AA: int = min(1, 2) + [3, 4].len() + 12.clamp(0, 10)
const AB: list<string> = [{ name: "x" }].map(r => r.name)
const AC: int? = { a: 1 }.get("a")
const AD: int = { a: 1 }.entries().map(e => e.value).sum()
const AE: list<list<int>> = [[3]].sorted(by: l => l)
"#,
    );
}
