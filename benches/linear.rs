//! How the cost of a compile grows along each axis on its own: the exponent between two sizes, 1
//! where twice as much costs twice as much.
//!
//! `cargo bench --bench linear -- [N]`: sizes N and 4 N (by default 5,000 and 20,000). Each size
//! is compiled several times, and the quickest counts, in processor time: what a shared machine adds
//! is noise.

// A bench prints what it measured.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Duration;

use gops::base::MemorySystem;
use gops::project::{Options, Session};

/// How often each size is compiled.
const RUNS: usize = 5;

const CONFIG: &str = "name = \"linear\"\nedition = \"2026\"\n";

/// An axis: its name, the model, and the files for a size.
struct Axis {
    name: &'static str,
    model: &'static str,
    files: fn(usize) -> Vec<(String, String)>,
}

const AXES: [Axis; 6] = [
    Axis {
        name: "instances",
        model: r#"use std::files::TextFile
slice Site in "sites" { key name: string, port: int where 1..=65535 }
impl Site { TextFile { path: "/srv/${name}", content: "${port}\n" } }
"#,
        files: sites,
    },
    Axis {
        name: "readers of `all`",
        model: r#"use std::files::TextFile
slice Site in "sites" { key name: string, port: int }
slice Zone in "zones" { key name: string }
impl Site { TextFile { path: "/srv/${name}", content: "${all(Zone).len()} ${port}\n" } }
"#,
        files: |n| [sites(n), zones(100)].concat(),
    },
    Axis {
        name: "readers of an inverse",
        model: r#"use std::files::TextFile
slice Site in "sites" { key name: string, port: int, zone: ref<Zone> }
slice Zone in "zones" { key name: string }
inverse Zone.sites: set<Site> by zone
impl Zone { TextFile { path: "/srv/${name}", content: "${sites.map(s => s.name).join(" ")}\n" } }
"#,
        files: |n| [sites_of(n, n / 10), zones(n / 10)].concat(),
    },
    Axis {
        name: "checks over `all`",
        model: r#"slice Site in "sites" { key name: string, port: int }
check s in all(Site): s.port > 0, "the port of ${s.name} is not positive" at s.port
"#,
        files: sites,
    },
    Axis {
        name: "resources of one instance",
        model: r#"use std::files::TextFile
slice Site in "sites" { key name: string, pages: list<Page> }
struct Page { key path: string }
impl Page { TextFile { path: "/srv/${parent.name}/${path}", content: "page" } }
"#,
        files: |n| {
            let pages: Vec<String> = (0..n).map(|i| format!("{{\"path\": \"p{i:06}\"}}")).collect();
            let text = format!("{{\"name\": \"a\", \"pages\": [{}]}}", pages.join(","));
            vec![("sites/a.json".to_owned(), text)]
        },
    },
    Axis {
        name: "resources below folders of one target",
        model: r#"use std::files::{Directory, TextFile}
use std::host::Host
slice Site in "sites" { key name: string, port: int }
impl Site {
    let host = Host { name: "h1" }
    Directory { host, path: "/srv" }
    Directory { host, path: "/srv/${name}" }
    TextFile { host, path: "/srv/${name}/port", content: "${port}" }
}
"#,
        files: sites,
    },
];

fn sites(n: usize) -> Vec<(String, String)> {
    let one = |i: usize| {
        let text = format!("{{\"name\": \"s{i:06}\", \"port\": {}}}", 1 + i % 65_535);
        (format!("sites/s{i:06}.json"), text)
    };
    (0..n).map(one).collect()
}

fn sites_of(n: usize, zones: usize) -> Vec<(String, String)> {
    let one = |i: usize| {
        let zone = i % zones.max(1);
        let text = format!("{{\"name\": \"s{i:06}\", \"port\": 80, \"zone\": \"z{zone:06}\"}}");
        (format!("sites/s{i:06}.json"), text)
    };
    (0..n).map(one).collect()
}

fn zones(n: usize) -> Vec<(String, String)> {
    (0..n).map(|i| (format!("zones/z{i:06}.json"), format!("{{\"name\": \"z{i:06}\"}}"))).collect()
}

fn main() {
    let small = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(5_000);
    for axis in &AXES {
        let (one, four) = (quickest(axis, small), quickest(axis, 4 * small));
        let exponent = (four.as_secs_f64() / one.as_secs_f64()).log(4.0);
        println!("{}: {small} in {one:.2?}, {} in {four:.2?}: exponent {exponent:.2}", axis.name, 4 * small);
    }
}

fn quickest(axis: &Axis, n: usize) -> Duration {
    let files = (axis.files)(n);
    let system = Arc::new(MemorySystem::new([("gops.toml", CONFIG), ("model/main.gops", axis.model)]));
    for (path, text) in files {
        system.write(&path, text.as_bytes());
    }
    let run = |_| {
        let started = processor_time();
        let mut session = Session::open(system.clone(), Options::default());
        let compiled = session.compile();
        let time = processor_time() - started;
        let graph = compiled.graph.unwrap_or_else(|| {
            panic!("{}: {:?}", axis.name, compiled.report.diagnostics.first().map(|d| d.message.clone()))
        });
        assert!(axis.name.starts_with("checks") || graph.len() >= n / 10, "{}", axis.name);
        time
    };
    (0..RUNS).map(run).min().unwrap_or_default()
}

/// The time that this thread has had of a processor: what others do on the machine does not count.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds first");
    Duration::from_nanos(nanoseconds)
}
