//! A request that comes twice, as after an answer that was lost, is one effect.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::MemorySystem;
use crate::graph::{GraphValue, Node};
use crate::handler::{
    Apply, Effect, Fence, Look, ManualClock, PrintKey, Recorded, Registry, Root, SeededRandom, Seen, Session,
    Token,
};

use super::files::{directory, file, link};
use super::{node, text};

/// A folder, and the handler of files at work in it.
struct Place {
    folder: tempfile::TempDir,
    registry: Registry,
    clock: ManualClock,
    random: SeededRandom,
    project: Arc<MemorySystem>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("root")).unwrap();
        fs::write(folder.path().join("root/hosts"), "127.0.0.1 localhost\n").unwrap();
        fs::write(folder.path().join("root/c.json"), "{\"theirs\": 1}\n").unwrap();
        let project = MemorySystem::default();
        project.write("logo", b"logo");
        Place {
            folder,
            registry: Registry::standard(),
            clock: ManualClock::default(),
            random: SeededRandom::new(1),
            project: Arc::new(project),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("root").join(path.trim_start_matches('/'))
    }

    fn session(&self) -> Session<'_> {
        Session {
            target: "h".into(),
            identity: "h".into(),
            root: Root { folder: Some(self.folder.path().join("root")), allowed: vec!["/".into()] },
            lineage: "0123456789abcdef".into(),
            fence: Fence { epoch: 1, nonce: Token::new(&self.random), serial: 1 },
            key: PrintKey::new([0; 32]),
            clock: &self.clock,
            patience: std::time::Duration::MAX,
            until: None,
            project: self.project.clone(),
        }
    }

    fn apply(&self, apply: &Apply<'_>) -> Effect<Recorded> {
        let handler = self.registry.get("file").unwrap();
        handler.apply(&self.session(), std::slice::from_ref(apply)).pop().unwrap()
    }

    /// What a request names as the state that it starts from.
    fn before(&self, node: &Node, recorded: Option<&Recorded>) -> Option<String> {
        let look = Look {
            kind: &node.type_,
            node: Some(node),
            recorded,
            intended: None,
            token: None,
            closely: true,
            entries: false,
        };
        match self.registry.get("file").unwrap().observe(&self.session(), &[look]).pop().unwrap() {
            Ok(Seen::Present(actual)) => Some(actual.stamp.to_string()),
            Ok(Seen::Absent) => None,
            other => panic!("{other:?}"),
        }
    }

    /// Asks for something twice; what is recorded is the same, but for when it was looked at.
    fn twice(&self, node: &Node, recorded: Option<&Recorded>, mark: bool) -> Recorded {
        let before = self.before(node, recorded);
        let token = Token::new(&self.random);
        let request = Apply {
            node: Some(node),
            kind: &node.type_,
            recorded,
            before: before.as_deref(),
            token: &token,
            mark,
        };
        let once = done(self.apply(&request), node);
        let again = done(self.apply(&request), node);
        assert_eq!((&once.fields, &once.token), (&again.fields, &again.token), "{}", node.id);
        let beside = fs::read_dir(self.path("/")).unwrap().map(|entry| entry.unwrap().file_name());
        let beside: Vec<_> = beside.filter(|name| name.to_string_lossy().starts_with(".gops-")).collect();
        assert!(beside.is_empty(), "{}: {beside:?}", node.id);
        again
    }
}

fn done(ended: Effect<Recorded>, node: &Node) -> Recorded {
    match ended {
        Effect::Done(recorded) => recorded,
        other => panic!("{}: {other:?}", node.id),
    }
}

fn part(kind: &str, path: &str, fields: Vec<(&str, GraphValue)>) -> Node {
    let mut fields = fields;
    fields.push(("name", text("n")));
    node(&format!("std::files::{kind}"), "file", ("path", path), fields)
}

fn copy(content: &str) -> Node {
    let fields = vec![("source", text("logo")), ("sha256", text(&sha256(content)))];
    node("std::files::CopyFile", "file", ("path", "/copy"), fields)
}

fn sha256(content: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(line: &str) -> Node {
    part("FileLine", "/hosts", vec![("line", text(line))])
}

fn block(content: &str) -> Node {
    let fields = vec![("content", text(content)), ("comment", text("#")), ("comment_end", text(""))];
    part("FileBlock", "/hosts", fields)
}

fn keys(values: &str) -> Node {
    part("JsonKeys", "/c.json", vec![("values", GraphValue::parse(values.as_bytes()).unwrap())])
}

fn with_mode(mut node: Node, mode: i64) -> Node {
    let entries = node.fields.entries().unwrap().iter().filter(|(name, _)| name != "mode").cloned();
    node.fields = GraphValue::map(entries.chain([("mode".into(), GraphValue::Int(mode))]).collect());
    node
}

#[test]
fn a_request_that_comes_twice_is_done_once() {
    let place = Place::new();
    let pairs = [
        (file("/a", "one"), file("/a", "two")),
        (file("/m", "same"), with_mode(file("/m", "same"), 0o600)),
        (directory("/d"), with_mode(directory("/d"), 0o700)),
        (link("/l", "a"), link("/l", "m")),
        (line("one"), line("two")),
        (block("one\n"), block("two\n")),
        (keys("{\"a\":1}"), keys("{\"a\":2,\"b\":1}")),
    ];
    for (first, then) in pairs {
        let made = place.twice(&first, None, true);
        assert!(made.token.is_some(), "{}", first.id);
        place.twice(&then, Some(&made), true);
    }
    place.twice(&copy("logo"), None, true);
    assert_eq!(fs::metadata(place.path("/m")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(place.path("/a")).unwrap(), "two");
    let hosts = fs::read_to_string(place.path("/hosts")).unwrap();
    assert_eq!(hosts.matches("two").count(), 2, "{hosts}");
}

#[test]
fn what_was_taken_over_is_changed_once_and_stays_unmarked() {
    let place = Place::new();
    fs::write(place.path("/a"), "theirs").unwrap();
    let adopted = place.twice(&file("/a", "ours"), None, false);
    assert_eq!(adopted.token, None);
    let mut line = line("127.0.0.1 ours");
    let entries = line.fields.entries().unwrap().iter().cloned();
    line.fields = GraphValue::map(entries.chain([("matches".into(), text("^127"))]).collect());
    assert_eq!(place.twice(&line, None, false).token, None);
}

#[test]
fn what_somebody_else_did_since_is_no_repetition() {
    let place = Place::new();
    let token = Token::new(&place.random);
    let refused = |node: &Node, recorded: Option<&Recorded>, before: Option<&str>| {
        let request =
            Apply { node: Some(node), kind: &node.type_, recorded, before, token: &token, mark: true };
        match place.apply(&request) {
            Effect::NoEffect(fault) => assert!(fault.message.contains("somebody else"), "{fault}"),
            other => panic!("{}: {other:?}", node.id),
        }
    };
    // The same content from another hand, without the mark of this request.
    fs::write(place.path("/a"), "one").unwrap();
    fs::set_permissions(place.path("/a"), fs::Permissions::from_mode(0o644)).unwrap();
    refused(&file("/a", "one"), None, None);
    // This request's, and then edited.
    let node = file("/b", "one");
    let request = Apply {
        node: Some(&node),
        kind: &node.type_,
        recorded: None,
        before: None,
        token: &token,
        mark: true,
    };
    let made = done(place.apply(&request), &node);
    fs::write(place.path("/b"), "edited").unwrap();
    refused(&node, None, None);
    let before = made.stamp.to_string();
    refused(&file("/b", "two"), Some(&made), Some(&before));
}

#[test]
fn an_attempt_that_did_not_end_is_begun_anew() {
    let place = Place::new();
    let token = Token::new(&place.random);
    for node in [file("/a", "one"), directory("/d"), link("/l", "a")] {
        let beside = place.path(&format!("/.gops-{token}"));
        match node.type_.as_str() {
            "std::files::Directory" => fs::create_dir(&beside).unwrap(),
            _ => fs::write(&beside, "half").unwrap(),
        }
        let request = Apply {
            node: Some(&node),
            kind: &node.type_,
            recorded: None,
            before: None,
            token: &token,
            mark: true,
        };
        done(place.apply(&request), &node);
        assert!(!beside.exists(), "{}", node.id);
    }
}
