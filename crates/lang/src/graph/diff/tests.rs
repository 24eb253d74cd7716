use proptest::prelude::*;

use super::super::tests::{graph, header, node, value};
use super::*;

proptest! {
    #[test]
    fn changes_lead_from_old_to_new_and_back(old in value(), new in value()) {
        let found = changes(&old, &new);
        prop_assert_eq!(found.is_empty(), old == new);
        let mut forth = old.clone();
        patch(&mut forth, &found);
        prop_assert_eq!(&forth, &new);
        let mut back: Vec<Change> = found;
        for change in &mut back {
            std::mem::swap(&mut change.old, &mut change.new);
        }
        patch(&mut forth, &back);
        prop_assert_eq!(&forth, &old);
        prop_assert_eq!(changes(&new, &old), back);
    }

    #[test]
    fn diffs_lead_from_old_to_new_and_back(
        old in graph(),
        new in graph(),
        moves in proptest::collection::vec((0..12u8, 0..12u8), 0..3)
    ) {
        let id = |n: u8| ecow::eco_format!("m::T[n={n}]");
        let mut new = new;
        new.header.moves = moves.into_iter().map(|(from, to)| Move { from: id(from), to: id(to) }).collect();
        let new = Graph::new(new.header, new.targets, new.nodes).unwrap();
        let diff = Diff::new(&old, &new);
        let applied = diff.apply(&old).unwrap();
        prop_assert_eq!((&applied.nodes, &applied.targets), (&new.nodes, &new.targets));
        prop_assert_eq!(applied.desired, new.desired);
        let back = diff.clone().inverse().apply(&new).unwrap();
        prop_assert_eq!((&back.nodes, &back.targets), (&old.nodes, &old.targets));
        prop_assert_eq!(diff.clone().inverse().inverse(), diff.clone());
        // Nothing to see is nothing to do.
        if diff.is_quiet() {
            let lasting = |g: &Graph| g.nodes.iter().all(|n| n.state != State::Transient);
            if lasting(&old) && lasting(&new) {
                prop_assert_eq!(old.desired, new.desired);
            }
        }
        for entry in &diff.nodes {
            if let (Some(a), Some(b)) = (&entry.old, &entry.new) {
                let mut parts = a.parts();
                patch(&mut parts, &entry.changes);
                prop_assert_eq!(parts, b.parts());
            }
        }
        let sealed = Diff::of_builders(&mut old.seal(), &mut new.seal()).unwrap();
        // Of what is equal on both sides no move can be seen there.
        if new.header.moves.is_empty() {
            prop_assert_eq!(sealed, diff);
        }
    }

    #[test]
    fn one_node_in_many(old in graph(), changed in node()) {
        let mut builder = old.seal();
        let mut before = builder.clone();
        builder.upsert(std::sync::Arc::new(changed.seal(&mut Vec::new())));
        let diff = Diff::of_builders(&mut before, &mut builder).unwrap();
        let was = old.node(&changed.id).cloned();
        let expected: Vec<_> = Entry::new(was, Some(changed)).into_iter().collect();
        prop_assert_eq!(diff.nodes, expected);
    }
}

fn sample(id: &str, state: State, content: &str) -> Node {
    let content = GraphValue::Str(content.into());
    Node {
        id: ecow::eco_format!("m::T[n={id}]"),
        type_: "m::T".into(),
        handler: "file".into(),
        target: super::super::LOCAL.into(),
        state,
        until: Vec::new(),
        fields: GraphValue::map(vec![
            ("a.b".into(), GraphValue::List(vec![GraphValue::map(vec![("content".into(), content)])])),
            ("n".into(), GraphValue::Str(id.into())),
        ]),
        requires: Vec::new(),
        protect: false,
        adopt: false,
        keep: false,
        timeout: None,
        drift: super::super::Drift::Repair,
        origin: super::super::Origin::default(),
    }
}

#[test]
fn what_a_reviewer_sees() {
    use State::{Absent, Present};
    let mut noted = sample("noted", Present, "x");
    noted.origin.model = "model/b.gops:1:1".into();
    let old = vec![
        sample("changed", Present, "x"),
        sample("explained", Present, "x"),
        sample("gone", Present, "x"),
        sample("noted", Present, "x"),
        sample("back", Absent, "x"),
        sample("old", Present, "x"),
        sample("swap1", Present, "1"),
        sample("swap2", Present, "2"),
        sample("same", Present, "x"),
    ];
    let new = vec![
        sample("changed", Present, "y"),
        sample("explained", Absent, "x"),
        noted,
        sample("back", Present, "x"),
        sample("new", Present, "y"),
        sample("swap1", Present, "2"),
        sample("swap2", Present, "1"),
        sample("same", Present, "x"),
        sample("never", Absent, "x"),
    ];
    let id = |n: &str| ecow::eco_format!("m::T[n={n}]");
    let one = |from: &str, to: &str| Move { from: id(from), to: id(to) };
    let mut header = header();
    header.moves = vec![one("old", "new"), one("swap1", "swap2"), one("swap2", "swap1"), one("none", "same")];
    let old = Graph::new(Default::default(), Vec::new(), old).unwrap();
    let new = Graph::new(header, Vec::new(), new).unwrap();
    let diff = Diff::new(&old, &new);
    let seen: Vec<String> = diff
        .nodes
        .iter()
        .map(|e| {
            let fields = e.changes.iter().filter_map(Change::field).map(|p| p.to_string());
            format!("{} {} {}", e.kind, super::super::id::short(e.id()), fields.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(
        seen,
        [
            "created T[n=back] ",
            r#"changed T[n=changed] ["a.b"][0].content"#,
            "deleted T[n=explained] ",
            "deleted T[n=gone] ",
            "unchanged T[n=never] ",
            r#"moved T[n=new] ["a.b"][0].content n"#,
            "unchanged T[n=noted] ",
            "moved T[n=swap1] n",
            "moved T[n=swap2] n",
        ]
    );
    assert!(!diff.is_quiet());
    assert_eq!(diff.count(Kind::Deleted), 2);
    let sealed = Diff::of_builders(&mut old.seal(), &mut new.seal()).unwrap();
    assert_eq!(sealed, diff);
}
