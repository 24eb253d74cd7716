//! What is printed of real deploys into a scratch folder.

use std::path::Path;
use std::sync::Arc;

use clap::ColorChoice;

use super::*;
use crate::base::MemorySystem;
use crate::graph::{Graph, GraphValue, Header, Node, Origin};

fn file(path: &str, content: &str, mode: i64) -> Node {
    let text = |t: &str| GraphValue::Str(t.into());
    let fields = vec![
        ("path".into(), text(path)),
        ("content".into(), text(content)),
        ("mode".into(), GraphValue::Int(mode)),
    ];
    Node {
        origin: Origin { instance: "slices/a.yaml:1:1".into(), ..Origin::default() },
        ..Node::new(format!("std::files::TextFile[path={path}]").into(), "file", GraphValue::map(fields))
    }
}

/// Keeps what would be printed.
#[derive(Default)]
struct Kept {
    plan: String,
    json: String,
    events: String,
}

impl Observer for Kept {
    fn planned(&mut self, plan: &deploy::Plan) -> bool {
        self.plan = plan::text(plan, &quiet());
        self.json = format!("{:#}", plan::json(plan));
        true
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        self.events += &Events::progress(progress);
    }
}

fn quiet() -> super::super::ui::Ui {
    super::super::ui::Ui::new(ColorChoice::Never, false, 0, false)
}

/// Deploys, and gives the plan and the table at the end.
fn run(folder: &Path, nodes: Vec<Node>) -> (Kept, String) {
    let header = Header { project: "test".into(), ..Header::default() };
    let mut graph = Graph::new(header, Vec::new(), nodes).unwrap().seal();
    let options = Options {
        project: "test".into(),
        state: Some(folder.join("state")),
        root: Some(folder.join("root")),
        ..Options::default()
    };
    let mut kept = Kept::default();
    let outcome = deploy::run(&mut graph, Arc::new(MemorySystem::default()), &options, &mut kept).unwrap();
    (kept, result::text(&outcome, &quiet()) + &Events::end(&outcome))
}

#[test]
fn what_a_deploy_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("root")).unwrap();
    let first = vec![file("/a", "one\ntwo\nthree\n", 0o644), file("/b", "b", 0o644), file("/c", "c", 0o644)];
    let (made, end) = run(folder.path(), first);
    insta::assert_snapshot!(made.plan + &end);
    let second = vec![file("/a", "one\nTWO\nthree\n", 0o600), file("/c", "c", 0o644), file("/d", "d", 0o644)];
    let (changed, end) = run(folder.path(), second.clone());
    insta::assert_snapshot!(changed.plan + &end);
    insta::assert_snapshot!(changed.events);
    // The digest and the serial are the deployer's.
    let json: serde_json::Value = serde_json::from_str(&changed.json).unwrap();
    insta::assert_snapshot!(format!("{:#}", json["entries"]));
    let (nothing, end) = run(folder.path(), second);
    insta::assert_snapshot!(nothing.plan + &end, @r#"
    Nothing to do: 3 unchanged
    {"event":"end","end":"fine","done":0,"unready":0,"failed":0,"unknown":0,"skipped":0,"stopped":null}
    "#);
}

#[test]
fn what_fails_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("root")).unwrap();
    std::fs::write(folder.path().join("root/a"), "not ours").unwrap();
    let (made, end) = run(folder.path(), vec![file("/a", "ours", 0o644), file("/b", "b", 0o644)]);
    insta::assert_snapshot!(made.plan + &end);
}
