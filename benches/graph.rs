//! The graph's own cost: a node written and hashed, the document, one change in many.
//!
//! To reach: all that is done for a node in well under 8 microseconds (25 for an instance with
//! three nodes, evaluation included); both digests of 300,000 nodes, one of them changed, in
//! well under 5 ms.

use std::sync::Arc;

use divan::{Bencher, black_box};
use ecow::{EcoString, eco_format};
use gops::graph::claims::Claims;
use gops::graph::diff::Diff;
use gops::graph::id::{self, Key};
use gops::graph::{Drift, Graph, GraphBuilder, Header, NodeHead, Origin, Require, SealedNode, State};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// The node number `n`, as it comes out of an instance with three nodes: a folder, and two
/// files in it.
fn node(n: usize, scratch: &mut Vec<u8>, content: &str) -> SealedNode {
    let (instance, part) = (n / 3, n % 3);
    let host = eco_format!("std::host::Host[name=h{}]", instance % 100);
    let folder = eco_format!("/srv/services/{instance:06}");
    let (kind, path) = match part {
        0 => ("std::files::Directory", folder.clone()),
        _ => ("std::files::TextFile", eco_format!("{folder}/part{part}.conf")),
    };
    let id = EcoString::from(id::id(kind, &[("host", Key::Id(&host)), ("path", Key::Str(&path))]));
    let parent = id::id("std::files::Directory", &[("host", Key::Id(&host)), ("path", Key::Str(&folder))]);
    let parent = Require { id: parent.into(), why: "parent directory".into() };
    let origin = Origin {
        instance: eco_format!("slices/services/{instance:06}.yaml:{}:3", n % 30),
        element: eco_format!("shop::Service[name=service{instance:06}]"),
        model: eco_format!("model/web.gops:{}:9", 30 + part),
    };
    let head = NodeHead {
        id: &id,
        handler: "file",
        target: &host,
        state: State::Present,
        until: &[],
        requires: if part == 0 { &[] } else { std::slice::from_ref(&parent) },
        protect: false,
        adopt: false,
        keep: false,
        timeout: None,
        drift: &Drift::Repair,
        origin: &origin,
    };
    SealedNode::new(&head, scratch, |out| {
        out.begin_map();
        if part > 0 {
            out.key("content");
            out.str(content);
        }
        out.key("host");
        out.reference(&host);
        out.key("mode");
        out.int(0o644);
        out.key("path");
        out.str(&path);
        out.end_map();
    })
}

const CONTENT: &str = "listen = 0.0.0.0:8080\nupstream = \"http://127.0.0.1:9090\"\nlog_level = \"info\"\n\
                       data_dir = \"/var/lib/service\"\nmax_connections = 100\n";

fn nodes(count: usize) -> Vec<Arc<SealedNode>> {
    let scratch = &mut Vec::new();
    (0..count).map(|n| Arc::new(node(n, scratch, CONTENT))).collect()
}

fn builder(nodes: &[Arc<SealedNode>]) -> GraphBuilder {
    let mut builder = GraphBuilder::new(Header::default());
    for node in nodes {
        builder.upsert(node.clone());
    }
    builder
}

#[divan::bench]
fn write_and_hash_a_node(bencher: Bencher) {
    let scratch = &mut Vec::new();
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        node(black_box(n), scratch, CONTENT)
    });
}

#[divan::bench(args = [30_000, 300_000], sample_count = 10)]
fn gather_and_digest(bencher: Bencher, count: usize) {
    let nodes = nodes(count);
    bencher.bench(|| builder(&nodes).digest());
}

#[divan::bench(args = [30_000, 300_000], sample_count = 10)]
fn write_the_document(bencher: Bencher, count: usize) {
    let graph = builder(&nodes(count));
    graph.digest();
    bencher.bench_local(|| graph.write_to(&mut std::io::sink()));
}

#[divan::bench(args = [30_000], sample_count = 5)]
fn read_the_document(bencher: Bencher, count: usize) {
    let bytes = builder(&nodes(count)).to_canonical_json();
    bencher.bench(|| Graph::parse(&bytes));
}

#[divan::bench(args = [30_000, 300_000])]
fn digest_with_one_changed(bencher: Bencher, count: usize) {
    let mut graph = builder(&nodes(count));
    graph.digest();
    let scratch = &mut Vec::new();
    let mut n = 0;
    bencher.bench_local(|| {
        n += 1;
        graph.upsert(Arc::new(node(
            n % count,
            scratch,
            if (n / count).is_multiple_of(2) { "x" } else { "y" },
        )));
        graph.digest()
    });
}

#[divan::bench(args = [30_000, 300_000])]
fn difference_with_one_changed(bencher: Bencher, count: usize) {
    let mut old = builder(&nodes(count));
    old.digest();
    let mut new = old.clone();
    new.upsert(Arc::new(node(count / 2, &mut Vec::new(), "x")));
    bencher.bench_local(|| Diff::of_builders(&mut old, &mut new));
}

#[divan::bench(args = [30_000, 300_000], sample_count = 10)]
fn look_for_circles(bencher: Bencher, count: usize) {
    let graph = builder(&nodes(count));
    bencher.bench(|| graph.cycles());
}

#[divan::bench(args = [30_000, 300_000], sample_count = 10)]
fn look_for_clashes(bencher: Bencher, count: usize) {
    let nodes = nodes(count);
    let claims: Vec<_> = nodes.iter().map(|n| eco_format!("path:{}", id::short(&n.id))).collect();
    bencher.bench(|| {
        let mut held = Claims::default();
        for (node, claim) in nodes.iter().zip(&claims) {
            held.add(&node.id, &node.target, [claim.clone()]);
        }
        held.clashes()
    });
}
