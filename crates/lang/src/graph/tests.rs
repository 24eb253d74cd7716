use std::sync::Arc;

use ecow::{EcoString, eco_format};
use proptest::prelude::*;

use super::*;

/// Values of every kind, small.
pub(super) fn value() -> impl Strategy<Value = GraphValue> {
    let text = || "[a-c$\"\\\\\né]{0,3}".prop_map(EcoString::from);
    let id = || text().prop_map(|t| super::id::id("m::T", &[("n", super::id::Key::Str(&t))]).into());
    let leaf = prop_oneof![
        Just(GraphValue::Null),
        any::<bool>().prop_map(GraphValue::Bool),
        any::<i64>().prop_map(GraphValue::Int),
        (proptest::num::f64::NORMAL | proptest::num::f64::ZERO).prop_map(|f| GraphValue::Float(f + 0.0)),
        text().prop_map(GraphValue::Str),
        id().prop_map(GraphValue::Ref),
        (text(), proptest::option::of(text()))
            .prop_map(|(source, sha256)| GraphValue::Secret(Secret::Source { source, sha256 })),
        (id(), text()).prop_map(|(id, output)| GraphValue::Later(Later::Output { id, output })),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..3);
        let call = (text(), list.clone()).prop_map(|(function, args)| Call { function, args });
        prop_oneof![
            list.prop_map(GraphValue::List),
            proptest::collection::vec((text(), inner), 0..4).prop_map(GraphValue::map),
            call.clone().prop_map(|c| GraphValue::Secret(Secret::Call(c))),
            call.prop_map(|c| GraphValue::Later(Later::Call(c))),
        ]
    })
}

fn fields() -> impl Strategy<Value = GraphValue> {
    proptest::collection::vec(("[a-c$]{1,2}".prop_map(EcoString::from), value()), 0..4)
        .prop_map(GraphValue::map)
}

fn origin() -> impl Strategy<Value = Origin> {
    (0..3u8, 0..3u8).prop_map(|(a, b)| Origin {
        instance: eco_format!("slices/{a}.yaml:1:1"),
        element: eco_format!("m::S[name=a{a}]"),
        model: eco_format!("model/{b}.gops:2:3"),
    })
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![4 => Just(State::Present), 1 => Just(State::Absent), 1 => Just(State::Transient)]
}

prop_compose! {
    /// A node with one of twelve ids.
    pub(super) fn node()(
        number in 0..12u8,
        target in 0..3u8,
        state in state(),
        fields in fields(),
        requires in proptest::collection::vec((0..12u8, 0..2u8), 0..3),
        (protect, adopt, keep) in any::<(bool, bool, bool)>(),
        timeout in proptest::option::of(any::<i64>()),
        drift in prop_oneof![
            Just(Drift::Repair),
            Just(Drift::Report),
            Just(Drift::Ignore(vec!["mode".into(), "x.y".into()]))
        ],
        origin in origin(),
    ) -> Node {
        let id = |n: u8| eco_format!("m::T[n={n}]");
        let mut requires =
            requires.into_iter().map(|(n, w)| Require { id: id(n), why: eco_format!("why {w}") }).collect();
        Require::normalise(&mut requires);
        Node {
            id: id(number),
            type_: "m::T".into(),
            handler: "file".into(),
            target: if target == 0 { LOCAL.into() } else { eco_format!("m::H[n={target}]") },
            state,
            until: if state == State::Transient { vec![id(1), id(2)] } else { Vec::new() },
            fields,
            requires,
            protect,
            adopt,
            keep,
            timeout,
            drift,
            origin,
        }
    }
}

prop_compose! {
    pub(super) fn target()(number in 1..4u8, fields in fields(), origin in origin()) -> Target {
        Target { id: eco_format!("m::H[n={number}]"), type_: "m::H".into(), fields, origin }
    }
}

fn sha(text: &str) -> EcoString {
    eco_format!("{}", Digest::of(text.as_bytes()))
}

pub(super) fn header() -> Header {
    Header {
        project: "shop".into(),
        env: None,
        source: Source { revision: None, model: sha("m"), data: sha("d") },
        allow: vec![Allow { base: "sha256:0".into(), deletions: 12 }],
        moves: vec![Move { from: "m::T[n=100]".into(), to: "m::T[n=1]".into() }],
    }
}

prop_compose! {
    pub(super) fn graph()(
        mut nodes in proptest::collection::vec(node(), 0..8),
        mut targets in proptest::collection::vec(target(), 0..4),
    ) -> Graph {
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        nodes.dedup_by(|a, b| a.id == b.id);
        targets.sort_by(|a, b| a.id.cmp(&b.id));
        targets.dedup_by(|a, b| a.id == b.id);
        Graph::new(header(), targets, nodes).unwrap()
    }
}

/// The same JSON with white space wherever it may stand.
fn spaced(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b':' | b'{' | b'}' | b'[' | b']' if !quoted => {
                out.extend_from_slice(&[b' ', byte, b'\n']);
                continue;
            }
            _ => {}
        }
        out.push(byte);
    }
    out
}

proptest! {
    #[test]
    fn values_read_back(value in value()) {
        let json = value.to_json();
        let back = GraphValue::parse(&json).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(back.to_json(), json.clone());
        prop_assert_eq!(GraphValue::parse(&spaced(&json)), Ok(value));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn documents_read_back(graph in graph()) {
        let bytes = graph.to_canonical_json();
        let back = Graph::parse(&bytes).unwrap();
        prop_assert_eq!(&back, &graph);
        prop_assert_eq!(back.to_canonical_json(), bytes.clone());
        prop_assert_eq!(back.seal().to_graph().unwrap(), graph);
        prop_assert_eq!(Graph::parse(&spaced(&bytes)), Ok(back));
    }

    /// What is kept up to date is what is made at once.
    #[test]
    fn history_leaves_no_trace(
        steps in proptest::collection::vec((any::<bool>(), node(), target()), 1..40)
    ) {
        let mut builder = GraphBuilder::new(header());
        let scratch = &mut Vec::new();
        let mut nodes = std::collections::BTreeMap::new();
        let mut targets = std::collections::BTreeMap::new();
        for (put, node, target) in steps {
            if put {
                builder.upsert(Arc::new(node.seal(scratch)));
                builder.upsert_target(Arc::new(target.seal(scratch)));
                nodes.insert(node.id.clone(), node);
                targets.insert(target.id.clone(), target);
            } else {
                let removed = builder.remove(&node.id).map(|n| n.id.clone());
                prop_assert_eq!(removed, nodes.remove(&node.id).map(|n| n.id));
                builder.remove_target(&target.id);
                targets.remove(&target.id);
            }
            // Digests on the way fill the caches.
            builder.digest();
        }
        let again =
            Graph::new(header(), targets.into_values().collect(), nodes.into_values().collect()).unwrap();
        prop_assert_eq!(builder.to_graph().unwrap(), again);
    }

    #[test]
    fn desired_is_blind_to_origins_reasons_and_what_is_not_to_last(graph in graph(), extra in node()) {
        let mut other = graph.clone();
        other.header.moves.clear();
        other.header.source.data = "sha256:1".into();
        for node in &mut other.nodes {
            node.origin = Origin::default();
            for require in &mut node.requires {
                require.why = "because".into();
            }
        }
        for target in &mut other.targets {
            target.origin = Origin::default();
        }
        other.nodes.retain(|n| n.state == State::Present);
        let other = Graph::new(other.header, other.targets, other.nodes).unwrap();
        prop_assert_eq!(other.desired, graph.desired);
        prop_assert_ne!(other.digest, graph.digest);
        let mut nodes = graph.nodes.clone();
        let old = nodes.iter().position(|n| n.id == extra.id).map(|at| nodes.remove(at));
        let changes = |n: &Node| (n.fields.clone(), n.requires.iter().map(|r| r.id.clone()).collect::<Vec<_>>(),
            n.protect, n.adopt, n.keep, n.timeout, n.drift.clone(), n.target.clone());
        let lasting = |n: &Node| (n.state == State::Present).then(|| changes(n));
        let same = old.as_ref().and_then(lasting) == lasting(&extra);
        nodes.push(extra);
        let more = Graph::new(graph.header.clone(), graph.targets.clone(), nodes).unwrap();
        // A target that only this node named may go with it.
        if more.targets == graph.targets {
            prop_assert_eq!(more.desired == graph.desired, same);
        }
    }
}

fn small() -> Graph {
    let origin = Origin {
        instance: "slices/sites/a.yaml:3:5".into(),
        element: "shop::Site[name=a].pages[path=/x]".into(),
        model: "model/web.gops:31:9".into(),
    };
    let host = EcoString::from("std::host::Host[name=h1]");
    let fields = GraphValue::map(vec![
        ("path".into(), GraphValue::Str("/etc/motd".into())),
        ("host".into(), GraphValue::Ref(host.clone())),
        ("mode".into(), GraphValue::Int(0o644)),
    ]);
    let node = Node {
        id: "std::files::TextFile[host=h1,path=/etc/motd]".into(),
        type_: "std::files::TextFile".into(),
        handler: "file".into(),
        target: host.clone(),
        state: State::Present,
        until: Vec::new(),
        fields,
        requires: vec![Require {
            id: "std::files::Directory[host=h1,path=/etc]".into(),
            why: "parent directory".into(),
        }],
        protect: false,
        adopt: false,
        keep: false,
        timeout: None,
        drift: Drift::Repair,
        origin: origin.clone(),
    };
    let fields = GraphValue::map(vec![("name".into(), GraphValue::Str("h1".into()))]);
    let target = Target { id: host, type_: "std::host::Host".into(), fields, origin };
    Graph::new(header(), vec![target], vec![node]).unwrap()
}

/// The bytes are a contract: ledgers and receipts hold digests.
#[test]
fn the_document_stays_as_it_is() {
    let text = String::from_utf8(small().to_canonical_json()).unwrap();
    let expected = concat!(
        r#"{"allow":[{"base":"sha256:0","deletions":12}],"#,
        r#""desired":"DESIRED","digest":"DIGEST","env":null,"format":1,"#,
        r#""moves":[{"from":"m::T[n=100]","to":"m::T[n=1]"}],"nodes":[{"adopt":false,"drift":"repair","#,
        r#""fields":{"host":{"$ref":"std::host::Host[name=h1]"},"mode":420,"path":"/etc/motd"},"handler":"file","#,
        r#""id":"std::files::TextFile[host=h1,path=/etc/motd]","keep":false,"#,
        r#""origin":{"element":"shop::Site[name=a].pages[path=/x]","instance":"slices/sites/a.yaml:3:5","#,
        r#""model":"model/web.gops:31:9"},"protect":false,"#,
        r#""requires":[{"id":"std::files::Directory[host=h1,path=/etc]","why":"parent directory"}],"#,
        r#""state":"present","target":"std::host::Host[name=h1]","timeout":null,"type":"std::files::TextFile"}],"#,
        r#""project":"shop","source":{"data":"sha256:18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4","#,
        r#""model":"sha256:62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a","revision":null},"#,
        r#""targets":[{"fields":{"name":"h1"},"id":"std::host::Host[name=h1]","#,
        r#""origin":{"element":"shop::Site[name=a].pages[path=/x]","instance":"slices/sites/a.yaml:3:5","#,
        r#""model":"model/web.gops:31:9"},"type":"std::host::Host"}]}"#,
    );
    let graph = small();
    let expected =
        expected.replace("DESIRED", &graph.desired.to_string()).replace("DIGEST", &graph.digest.to_string());
    assert_eq!(text, expected);
    assert_eq!(
        graph.digest.to_string(),
        "sha256:9bc2725bb6b85975208daae24cd9a299d32e773110032604c1da73647ae092a7"
    );
    assert_eq!(
        graph.desired.to_string(),
        "sha256:2882ebcdaf7a7119f3b247f398545ee72eff778488a4ec1c796fe0e178b22036"
    );
}

#[test]
fn what_was_changed_is_refused() {
    let text = String::from_utf8(small().to_canonical_json()).unwrap();
    let changed = |from: &str, to: &str| Graph::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err();
    assert!(matches!(changed("420", "421"), GraphError::Digest { which: "desired", .. }));
    assert!(matches!(changed("web.gops:31", "web.gops:32"), GraphError::Digest { which: "digest", .. }));
    assert!(matches!(changed("\"format\":1", "\"format\":2"), GraphError::Format { found: 2 }));
    for (from, to) in [
        ("\"keep\":false,", ""),
        ("\"keep\":false,", "\"keep\":null,"),
        ("\"keep\":false,", "\"keep\":false,\"kept\":1,"),
        ("\"state\":\"present\"", "\"state\":\"transient\""),
        ("\"state\":\"present\"", "\"state\":\"gone\""),
        ("\"repair\"", "\"none\""),
        ("{\"$ref\"", "{\"a\":1,\"$ref\""),
        ("$ref", "$reff"),
        ("\"type\":\"std::files::TextFile\"", "\"type\":\"TextFile\""),
        ("\"deletions\":12", "\"deletions\":-1"),
        ("\"target\":\"std::host::Host[name=h1]\"", "\"target\":\"local\""),
        ("}]}", "}]"),
    ] {
        assert!(matches!(changed(from, to), GraphError::Read(_)), "{from} -> {to}");
    }
    let twice = small();
    let nodes = vec![twice.nodes[0].clone(), twice.nodes[0].clone()];
    assert!(matches!(Graph::new(header(), Vec::new(), nodes), Err(GraphError::Twice { .. })));
}

/// A node of which nothing matters but what it requires.
pub(super) fn bare(id: &str, requires: &[&str]) -> Node {
    Node {
        id: id.into(),
        type_: super::id::type_path(id).into(),
        handler: "none".into(),
        target: LOCAL.into(),
        state: State::Present,
        until: Vec::new(),
        fields: GraphValue::Map(Vec::new()),
        requires: requires.iter().map(|id| Require { id: (*id).into(), why: "after".into() }).collect(),
        protect: false,
        adopt: false,
        keep: false,
        timeout: None,
        drift: Drift::Repair,
        origin: Origin::default(),
    }
}
