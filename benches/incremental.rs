//! How long one edit takes in an open project: one field of one instance changes, and the graph
//! is made anew. Prints the median processor time of many edits for 10,000 and 100,000 instances.
//!
//! `cargo bench --bench incremental -- [N …]`

// A bench prints what it measured.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Duration;

use gops::base::MemorySystem;
use gops::project::{Options, Session};

const MODEL: &str = include_str!("services/model/services.gops");
const CONFIG: &str = include_str!("services/gops.toml");

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000] } else { sizes };
    for n in sizes {
        measure(n);
    }
}

fn measure(n: usize) {
    let system = Arc::new(MemorySystem::new([("gops.toml", CONFIG), ("model/services.gops", MODEL)]));
    for i in 0..(n / 10).max(1) {
        let name = format!("net-{i:06}");
        let text =
            format!("{{\"name\": \"{name}\", \"subnet\": \"10.{}.{}.0/24\"}}", (i >> 8) & 255, i & 255);
        system.write(&format!("slices/networks/{name}.json"), text.as_bytes());
    }
    for i in 0..n {
        system.write(&path(i), service(i, n, 1024 + (i * 7) % 60_000).as_bytes());
    }
    let started = processor_time();
    let mut session = Session::open(system.clone(), Options::default());
    let compiled = session.compile();
    let cold = processor_time() - started;
    let graph = compiled.graph.expect("the workload is valid");
    let nodes = graph.len();
    let mut digest = graph.digest();
    let edit = |i: usize, port: usize, session: &mut Session| {
        system.write(&path(i), service(i, n, port).as_bytes());
        let started = processor_time();
        session.refresh(&[path(i)]);
        let graph = session.compile().graph.expect("the edit is valid");
        let digest = graph.digest();
        (processor_time() - started, digest)
    };
    let mut once = |name: &str, at: &dyn Fn(usize) -> usize| {
        let mut times: Vec<Duration> = Vec::new();
        for round in 0..41 {
            let (time, new) = edit(at(round), 2000 + round, &mut session);
            assert_ne!(new, digest, "an edit changes the graph");
            digest = new;
            times.push(time);
        }
        // A tick of the scheduler is longer than most edits: the mean of many says more than their median.
        let mean = times.iter().sum::<Duration>() / times.len() as u32;
        let first = times[0];
        times.sort();
        println!(
            "n={n} {nodes} nodes: {name}: mean {mean:.2?}, median {:.2?}, first {first:.2?}, slowest {:.2?} (cold {cold:.2?})",
            times[times.len() / 2],
            times[times.len() - 1],
        );
    };
    once("one file again and again", &|_| n / 2);
    once("another file each time", &|round| (round * 7919) % n);
}

fn path(i: usize) -> String {
    format!("slices/services/svc-{i:06}.json")
}

fn service(i: usize, n: usize, port: usize) -> String {
    let tier = ["gold", "silver", "bronze"][i % 3];
    let network = i % (n / 10).max(1);
    let depends =
        if i % 2 == 1 { format!(",\n \"depends_on\": \"svc-{:06}\"", i - 1) } else { String::new() };
    format!(
        "{{\n \"name\": \"svc-{i:06}\",\n \"image\": \"registry.local/team-{}/app:{}.{}.0\",\n \"replicas\": {},\n \
         \"port\": {port},\n \"tier\": \"{tier}\",\n \"env\": {{\"LOG_LEVEL\": \"info\", \"REGION\": \"eu-{}\"}},\n \
         \"labels\": [\"app=svc-{i:06}\", \"shard={}\"],\n \"network\": \"net-{network:06}\"{depends}\n}}\n",
        i % 7,
        1 + i % 9,
        i % 13,
        2 + i % 8,
        i % 5,
        i % 16,
    )
}

/// The time that this thread has had of a processor: what others do on the machine does not count.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds first");
    Duration::from_nanos(nanoseconds)
}
