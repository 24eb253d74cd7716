//! Parts of real files.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use crate::graph::{Drift, GraphValue, Node};
use crate::handler::SeededRandom;
use crate::state::MemoryStore;

use super::super::*;
use super::files::{Host, directory, dying, file, inside, refusal};
use super::{Run, node, text};

const HOSTS: &str = "127.0.0.1 localhost\n# end\n";

fn part(kind: &str, path: &str, name: &str, fields: Vec<(&str, GraphValue)>) -> Node {
    let mut fields = fields;
    fields.push(("name", text(name)));
    let mut node = node(&format!("std::files::{kind}"), "file", ("path", path), fields);
    node.id = format!("std::files::{kind}[name={name},path={path}]").into();
    node
}

fn line(path: &str, name: &str, line: &str) -> Node {
    part("FileLine", path, name, vec![("line", text(line))])
}

fn block(path: &str, name: &str, content: &str) -> Node {
    let fields = vec![("content", text(content)), ("comment", text("#")), ("comment_end", text(""))];
    part("FileBlock", path, name, fields)
}

fn keys(format: &str, path: &str, name: &str, values: &str) -> Node {
    let values = GraphValue::parse(values.as_bytes()).unwrap();
    part(&format!("{format}Keys"), path, name, vec![("values", values)])
}

fn with(mut node: Node, field: &str, value: GraphValue) -> Node {
    let mut entries = node.fields.entries().unwrap().to_vec();
    entries.push((field.into(), value));
    node.fields = GraphValue::map(entries);
    node
}

/// A host on which a file is that people wrote.
fn host(path: &str, content: &str) -> Host {
    let host = Host::new();
    fs::write(host.path(path), content).unwrap();
    host
}

/// A file without the marks of its blocks, which are random.
fn unmarked(text: &str) -> String {
    let line = |line: &str| match line.split_once(" gops begin ") {
        Some((comment, rest)) => format!("{comment} gops begin {}\n", rest.split(' ').next().unwrap()),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn several_owners_have_parts_of_one_file() {
    let host = host("/hosts", HOSTS);
    let all = || {
        vec![
            line("/hosts", "a", "10.0.0.1 a"),
            line("/hosts", "b", "10.0.0.2 b"),
            block("/hosts", "web", "10.1.0.1 w1\n10.1.0.2 w2"),
        ]
    };
    let totals = host.converge(all());
    assert_eq!(totals.create, 3);
    let blocked = "# gops begin web\n10.1.0.1 w1\n10.1.0.2 w2\n# gops end web\n";
    assert_eq!(unmarked(&host.read("/hosts")), format!("{HOSTS}{blocked}10.0.0.1 a\n10.0.0.2 b\n"));

    // One of them changes, one goes.
    let rest = || vec![line("/hosts", "b", "10.0.0.2 b b2"), block("/hosts", "web", "10.1.0.1 w1\n")];
    let totals = host.converge(rest());
    assert_eq!((totals.update, totals.delete), (2, 1));
    let blocked = "# gops begin web\n10.1.0.1 w1\n# gops end web\n";
    assert_eq!(unmarked(&host.read("/hosts")), format!("{HOSTS}{blocked}10.0.0.2 b b2\n"));

    host.converge(Vec::new());
    assert_eq!(host.read("/hosts"), HOSTS, "the file is what it was");
    assert_eq!(host.paths(), ["/hosts"]);
}

#[test]
fn what_people_write_beside_the_parts_stays() {
    let host = host("/hosts", HOSTS);
    let nodes = || vec![line("/hosts", "a", "10.0.0.1 a"), block("/hosts", "web", "10.1.0.1 w1")];
    host.converge(nodes());
    let edited = host.read("/hosts").replace("# end", "192.0.2.9 theirs\n# end");
    fs::write(host.path("/hosts"), &edited).unwrap();
    assert_eq!(host.deploy(nodes()).plan.entries, [], "that is nobody's business");
    assert_eq!(host.read("/hosts"), edited);

    // The parts themselves are mended.
    fs::write(host.path("/hosts"), edited.replace("10.1.0.1 w1", "10.1.0.9 w1").replace("10.0.0.1 a\n", ""))
        .unwrap();
    let totals = host.converge(nodes());
    assert_eq!((totals.update, totals.create), (1, 1));
    assert_eq!(unmarked(&host.read("/hosts")), unmarked(&edited));

    // An editor that writes another file and renames it takes all attributes along.
    fs::write(host.path("/new"), host.read("/hosts")).unwrap();
    fs::rename(host.path("/new"), host.path("/hosts")).unwrap();
    assert_eq!(host.deploy(nodes()).plan.entries, []);
    fs::write(host.path("/new"), host.read("/hosts").replace("w1", "edited")).unwrap();
    fs::rename(host.path("/new"), host.path("/hosts")).unwrap();
    host.converge(Vec::new());
    assert_eq!(host.read("/hosts"), HOSTS.replace("# end", "192.0.2.9 theirs\n# end"));
}

#[test]
fn keys_of_documents_have_several_owners() {
    for (format, original, first, both) in [
        (
            "Json",
            "{\n  \"theirs\": [1,2],\n  \"log\": {\"a\": 1}\n}\n",
            "{\n  \"theirs\": [1,2],\n  \"log\": {\"a\": 1, \"tag\": \"x\"}\n}\n",
            "{\n  \"theirs\": [1,2],\n  \"log\": {\"a\": 1, \"tag\": \"y\"},\n  \"debug\": true\n}\n",
        ),
        (
            "Yaml",
            "# ours\ntheirs: [1,2]\nlog:\n  a: 1 # here\n",
            "# ours\ntheirs: [1,2]\nlog:\n  a: 1 # here\n  tag: x\n",
            "# ours\ntheirs: [1,2]\nlog:\n  a: 1 # here\n  tag: \"y\"\ndebug: true\n",
        ),
        (
            "Toml",
            "theirs = [1,2] # ours\n[log]\na = 1\n",
            "theirs = [1,2] # ours\n[log]\na = 1\ntag = \"x\"\n",
            "theirs = [1,2] # ours\ndebug = true\n[log]\na = 1\ntag = \"y\"\n",
        ),
        (
            "Ini",
            "theirs = 1,2\n\n[log]\na = 1\n",
            "theirs = 1,2\n\n[log]\na = 1\ntag = x\n",
            "theirs = 1,2\ndebug = true\n\n[log]\na = 1\ntag = y\n",
        ),
    ] {
        let host = host("/conf", original);
        let one = |tag: &str| keys(format, "/conf", "one", &format!("{{\"log\":{{\"tag\":\"{tag}\"}}}}"));
        let two = || keys(format, "/conf", "two", "{\"debug\":true}");
        host.converge(vec![one("x")]);
        assert_eq!(host.read("/conf"), first, "{format}");
        let totals = host.converge(vec![one("y"), two()]);
        assert_eq!((totals.update, totals.create), (1, 1), "{format}");
        assert_eq!(host.read("/conf"), both, "{format}");

        // Their keys are theirs, ours are mended.
        fs::write(host.path("/conf"), both.replace('1', "7").replace('y', "z")).unwrap();
        let totals = host.converge(vec![one("y"), two()]);
        assert_eq!((totals.update, totals.unchanged), (1, 1), "{format}");
        assert_eq!(host.read("/conf"), both.replace('1', "7"), "{format}");
        host.converge(vec![two()]);
        host.converge(Vec::new());
        assert_eq!(host.read("/conf"), original.replace('1', "7"), "{format}");
    }
}

#[test]
fn a_key_that_is_given_up_is_cleared_unless_somebody_changed_it() {
    let host = host("/c.json", "{}\n");
    let nodes = |values: &str| vec![keys("Json", "/c.json", "main", values)];
    host.converge(nodes(r#"{"a":1,"b":{"c":2,"d":3}}"#));
    let outcome = host.deploy(nodes(r#"{"a":1}"#));
    let Action::Update { changes, .. } = &outcome.plan.entries[0].action else { panic!("{outcome:#?}") };
    let fields: Vec<_> = changes.iter().map(|change| (change.field.as_str(), change.to.is_none())).collect();
    assert_eq!(fields, [("values.b.c", true), ("values.b.d", true)]);
    assert_eq!(host.read("/c.json"), "{\"a\": 1}\n");

    host.converge(nodes(r#"{"a":1,"b":2}"#));
    fs::write(host.path("/c.json"), "{\"a\": 1, \"b\": \"theirs\"}\n").unwrap();
    host.converge(nodes(r#"{"a":1}"#));
    assert_eq!(host.read("/c.json"), "{\"a\": 1, \"b\": \"theirs\"}\n");
}

#[test]
fn a_file_that_was_made_for_a_part_goes_with_the_last() {
    let host = Host::new();
    let create = |node| with(node, "create", GraphValue::Int(0o640));
    let nodes = || {
        vec![
            create(line("/cron", "a", "* * * * * a")),
            create(keys("Json", "/c.json", "main", "{\"a\":1}")),
            line("/cron", "b", "b"),
        ]
    };
    host.converge(nodes());
    assert_eq!(host.read("/cron"), "* * * * * a\nb\n");
    assert_eq!((host.mode("/cron"), host.mode("/c.json")), (0o640, 0o640));
    host.converge(vec![line("/cron", "b", "b")]);
    assert_eq!(host.paths(), ["/cron"]);
    fs::write(host.path("/cron"), "b\ntheirs\n").unwrap();
    host.converge(Vec::new());
    assert_eq!(host.read("/cron"), "theirs\n", "somebody else has something in it");

    // What was not there is not made unless somebody says so.
    let outcome = host.deploy(vec![line("/none", "a", "x")]);
    assert!(
        refusal(&outcome).contains("the file `/none` does not exist | say with `create: 0o644`"),
        "{outcome:#?}"
    );
    let outcome = host.deploy(vec![create(line("/no/such", "a", "x"))]);
    assert!(refusal(&outcome).contains("the directory `/no` does not exist"), "{outcome:#?}");
}

#[test]
fn the_file_keeps_its_owner_mode_and_attributes() {
    let host = host("/hosts", HOSTS);
    let path = host.path("/hosts");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(&path, Some(65534), Some(65533)).unwrap();
    }
    let set = rustix::fs::setxattr(&path, "user.theirs", b"kept", rustix::fs::XattrFlags::empty());
    host.converge(vec![line("/hosts", "a", "x")]);
    let about = fs::metadata(&path).unwrap();
    assert_eq!(host.mode("/hosts"), 0o604);
    if root {
        assert_eq!((about.uid(), about.gid()), (65534, 65533));
    }
    if set.is_ok() {
        let mut value = [0_u8; 16];
        let length = rustix::fs::getxattr(&path, "user.theirs", &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"kept");
    }
}

#[test]
fn a_line_that_is_there_needs_adopt_and_is_released() {
    let host = host("/sshd", "Port 22\n#PermitRootLogin yes\nUsePAM yes\n");
    let wanted = || with(line("/sshd", "root", "PermitRootLogin no"), "matches", text("^#?PermitRootLogin "));
    let outcome = host.deploy(vec![wanted(), line("/sshd", "pam", "UsePAM yes")]);
    assert_eq!(outcome.plan.totals().refuse, 2);
    assert!(refusal(&outcome).contains("`adopt`"), "{outcome:#?}");
    host.converge(vec![Node { adopt: true, ..wanted() }]);
    let adopted = "Port 22\nPermitRootLogin no\nUsePAM yes\n";
    assert_eq!(host.read("/sshd"), adopted);
    let outcome = host.deploy(Vec::new());
    assert!(matches!(outcome.plan.entries[0].action, Action::Release { why: Released::Adopted }));
    assert_eq!(host.read("/sshd"), adopted);
    // Below a line that is there.
    host.converge(vec![with(line("/sshd", "x", "Banner none"), "below", text("^Port "))]);
    assert_eq!(host.read("/sshd"), "Port 22\nBanner none\nPermitRootLogin no\nUsePAM yes\n");
}

#[test]
fn a_block_of_another_ledger_is_not_touched() {
    let host = host("/hosts", "");
    host.converge(vec![block("/hosts", "web", "x")]);
    let other = Host::new();
    let theirs = host.read("/hosts");
    fs::write(other.path("/hosts"), &theirs).unwrap();
    let outcome = other.deploy(vec![Node { adopt: true, ..block("/hosts", "web", "y") }]);
    assert!(refusal(&outcome).contains("the mark of another ledger"), "{outcome:#?}");
    // Damaged markers are for people to mend.
    fs::write(host.path("/hosts"), theirs.replace("# gops end web\n", "")).unwrap();
    let outcome = host.deploy(vec![block("/hosts", "web", "y")]);
    assert!(
        refusal(&outcome).contains("`/hosts`: the markers of the block `web` are damaged"),
        "{outcome:#?}"
    );
}

/// Nothing of these is written, through the path or at its end.
fn refuses(host: &Host, path: &str, message: &str) {
    for part in [line(path, "a", "x"), block(path, "b", "x"), keys("Yaml", path, "c", "{\"x\":1}")] {
        let part = with(part, "create", GraphValue::Int(0o644));
        let outcome = host.deploy(vec![Node { adopt: true, ..part }]);
        assert!(refusal(&outcome).contains(message), "{message}: {outcome:#?}");
    }
}

#[test]
fn a_part_is_not_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("hosts"), HOSTS).unwrap();
    let host = host("/one", HOSTS);
    symlink(outside.path().join("hosts"), host.path("/link")).unwrap();
    refuses(&host, "/link", "`/link` is a symbolic link to");
    symlink(outside.path(), host.path("/folder")).unwrap();
    refuses(&host, "/folder/hosts", "`/folder`, in the path, is a symbolic link to");
    refuses(&host, "/folder/new", "`/folder`, in the path, is a symbolic link to");
    fs::hard_link(host.path("/one"), host.path("/two")).unwrap();
    refuses(&host, "/two", "`/two` is a hard link");
    refuses(&host, "/a/../one", "`..`");
    refuses(&host, "/one\n", "newline");
    refuses(&host, "/one\0", "NUL");
    fs::create_dir(host.path("/dir")).unwrap();
    refuses(&host, "/dir", "`/dir` is a directory");
    assert_eq!(fs::read_to_string(outside.path().join("hosts")).unwrap(), HOSTS);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(host.read("/one"), HOSTS);
}

#[test]
fn a_link_that_came_in_the_place_of_the_file_is_left_alone() {
    let host = host("/hosts", HOSTS);
    host.converge(vec![line("/hosts", "a", "x")]);
    fs::rename(host.path("/hosts"), host.path("/elsewhere")).unwrap();
    symlink(host.path("/elsewhere"), host.path("/hosts")).unwrap();
    let outcome = host.deploy(Vec::new());
    assert!(
        matches!(outcome.plan.entries[0].action, Action::Release { why: Released::Replaced }),
        "{outcome:#?}"
    );
    assert_eq!(host.read("/elsewhere"), format!("{HOSTS}x\n"));
}

#[test]
fn what_is_no_document_is_refused_and_stays() {
    let host = host("/c.json", "{\"a\": 1} // c\n");
    let outcome = host.deploy(vec![keys("Json", "/c.json", "main", "{\"b\":1}")]);
    let refusal = refusal(&outcome);
    assert!(refusal.contains("`/c.json`: the file is no JSON that can be changed"), "{refusal}");
    assert_eq!(host.read("/c.json"), "{\"a\": 1} // c\n");
}

#[test]
fn drift_is_reported_or_let_be_as_the_model_says() {
    let host = host("/c.json", "{}\n");
    let nodes = |drift: Drift, value: i64| {
        let values = format!("{{\"a\":{{\"b\":{value},\"c\":1}},\"d\":1}}");
        vec![Node { drift, ..keys("Json", "/c.json", "main", &values) }]
    };
    let drifted = "{\"a\": {\"b\": 9, \"c\": 1}, \"d\": 9}\n";
    host.converge(nodes(Drift::Report, 1));
    fs::write(host.path("/c.json"), drifted).unwrap();
    let outcome = host.deploy(nodes(Drift::Report, 1));
    let Action::Report { changes } = &outcome.plan.entries[0].action else { panic!("{outcome:#?}") };
    assert_eq!(changes.len(), 2);
    assert_eq!(host.read("/c.json"), drifted);

    // What lies in an ignored field stays, what does not is mended.
    let ignore = || Drift::Ignore(vec!["values[a]".into()]);
    host.deploy(nodes(ignore(), 1));
    assert_eq!(host.read("/c.json"), "{\"a\": {\"b\": 9, \"c\": 1}, \"d\": 1}\n");
    assert_eq!(host.deploy(nodes(ignore(), 1)).plan.entries, []);
    // A change of the model is no drift.
    host.converge(nodes(ignore(), 2));
    assert_eq!(host.read("/c.json"), "{\"a\": {\"b\": 2, \"c\": 1}, \"d\": 1}\n");
}

#[test]
fn drift_of_a_files_mode_can_be_let_be() {
    let host = Host::new();
    let nodes =
        |content: &str| vec![Node { drift: Drift::Ignore(vec!["mode".into()]), ..file("/a", content) }];
    host.converge(nodes("x"));
    fs::set_permissions(host.path("/a"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(host.deploy(nodes("x")).plan.entries, []);
    fs::write(host.path("/a"), "theirs").unwrap();
    host.converge(nodes("x"));
    assert_eq!((host.read("/a"), host.mode("/a")), ("x".to_owned(), 0o600), "its mode is not looked at");
    host.converge(nodes("y"));
    assert_eq!((host.read("/a"), host.mode("/a")), ("y".to_owned(), 0o600));
}

#[test]
fn nothing_is_put_below_a_line_within_a_block() {
    let below = |node, regex: &str| with(node, "below", text(regex));
    let host = host("/hosts", HOSTS);
    let first = || vec![block("/hosts", "w", "10.0.0.1 web\n10.0.0.2 db")];
    host.converge(first());
    // Each would change what the block says, which the block then would change back.
    let beside = |wanted: Vec<Node>| wanted.into_iter().chain(first()).collect::<Vec<_>>();
    let both = beside(vec![
        below(line("/hosts", "a", "10.0.0.9 mail"), "web$"),
        below(block("/hosts", "v", "x"), "db$"),
        with(line("/hosts", "b", "10.0.0.3 db"), "matches", text(" db$")),
        line("/hosts", "c", "10.0.0.1 web"),
    ]);
    host.converge(both);
    let text = unmarked(&host.read("/hosts"));
    assert!(text.contains("# gops begin w\n10.0.0.1 web\n10.0.0.2 db\n# gops end w\n"), "{text}");
    assert!(text.contains("10.0.0.9 mail") && text.contains("10.0.0.3 db"), "{text}");
    assert_eq!(text.matches("10.0.0.1 web").count(), 2, "the line is not the block's: {text}");
    host.converge(first());
    host.converge(Vec::new());
    assert_eq!(host.read("/hosts"), HOSTS);
}

#[test]
fn a_crash_anywhere_loses_no_part() {
    let hosts = || {
        let host = host("/hosts", HOSTS);
        fs::write(host.path("/c.yaml"), "# c\ntheirs: 1\n").unwrap();
        host
    };
    let create = |node| with(node, "create", GraphValue::Int(0o600));
    let first = || {
        vec![
            directory("/d"),
            inside(create(line("/d/new", "n", "n")), "/d"),
            line("/hosts", "a", "a"),
            block("/hosts", "w", "w1"),
            keys("Yaml", "/c.yaml", "main", "{\"x\":{\"y\":1,\"z\":1}}"),
        ]
    };
    let second = || {
        vec![
            line("/hosts", "a", "a2"),
            block("/hosts", "w", "w2"),
            line("/hosts", "b", "b"),
            keys("Yaml", "/c.yaml", "main", "{\"x\":{\"y\":2},\"v\":1}"),
        ]
    };
    let mut crashes = 0;
    for fuel in 0..40 {
        let host = hosts();
        let store = MemoryStore::new(&SeededRandom::new(1));
        dying(&host, &store, first(), Some(fuel / 2));
        crashes += usize::from(matches!(dying(&host, &store, second(), Some(fuel)), Run::Crashed));
        for _ in 0..2 {
            dying(&host, &store, second(), None);
        }
        assert_eq!(host.paths(), ["/c.yaml", "/hosts"], "after {fuel}");
        let mut lines: Vec<String> = unmarked(&host.read("/hosts")).lines().map(str::to_owned).collect();
        lines.sort();
        let wanted = ["# end", "# gops begin w", "# gops end w", "127.0.0.1 localhost", "a2", "b", "w2"];
        assert_eq!(lines, wanted, "after {fuel}");
        match dying(&host, &store, second(), None) {
            Run::Ended(outcome) => assert_eq!(outcome.plan.entries, [], "after {fuel}"),
            Run::Crashed => panic!("nobody died"),
        }
        dying(&host, &store, Vec::new(), None);
        assert_eq!(host.read("/hosts"), HOSTS, "after {fuel}");
        assert_eq!(host.read("/c.yaml"), "# c\ntheirs: 1\n", "after {fuel}");
    }
    assert!(crashes > 15);
}
