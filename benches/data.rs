//! The cost of reading one instance: JSON at most 3 microseconds for 350 bytes, YAML at most 12.

use divan::{Bencher, black_box};
use gops::base::FileId;
use gops::data::{Limits, parse_json, parse_yaml};

#[global_allocator]
static ALLOCATOR: gops::cli::Allocator = gops::cli::Allocator;

fn main() {
    divan::main();
}

const JSON: &str = r#"{
  "name": "service-00042",
  "host": "machine-007",
  "image": "registry.example.org/team/service:1.42.0",
  "port": 8042,
  "replicas": 3,
  "tier": "prod",
  "env": { "LOG_LEVEL": "info", "DATABASE": "postgres://db-3.example.org/service" },
  "routes": [
    { "path": "/api", "public": true },
    { "path": "/admin", "public": false }
  ]
}
"#;

const YAML: &str = r#"# One service.
name: service-00042
host: machine-007
image: registry.example.org/team/service:1.42.0
port: 8042
replicas: 3
tier: prod
env:
  LOG_LEVEL: info
  DATABASE: postgres://db-3.example.org/service
routes:
  - path: /api
    public: true
  - path: /admin   # for us
    public: false
notes: "a text that has: everything"
labels: {team: web}
"#;

#[divan::bench]
fn json_350_bytes(bencher: Bencher) {
    let (file, limits) = (FileId::new("bench.json"), Limits::default());
    bencher.bench(|| parse_json(file, black_box(JSON.as_bytes()), &limits));
}

#[divan::bench]
fn yaml_350_bytes(bencher: Bencher) {
    let (file, limits) = (FileId::new("bench.yaml"), Limits::default());
    bencher.bench(|| parse_yaml(file, black_box(YAML.as_bytes()), &limits));
}

/// One large file must cost what its parts cost: the time a byte is that of the small ones.
#[divan::bench(args = [10, 100, 1000])]
fn yaml_list_of(bencher: Bencher, instances: usize) {
    let item = YAML.replace("\n", "\n  ");
    let text: String = (0..instances).map(|_| format!("- {}\n", item.trim_end())).collect();
    let (file, limits) = (FileId::new("bench.yaml"), Limits::default());
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| parse_yaml(file, text.as_bytes(), &limits));
}

/// The same for JSON.
#[divan::bench(args = [10, 100, 1000])]
fn json_list_of(bencher: Bencher, instances: usize) {
    let text = format!("[{}]", vec![JSON; instances].join(","));
    let (file, limits) = (FileId::new("bench.json"), Limits::default());
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| parse_json(file, text.as_bytes(), &limits));
}
