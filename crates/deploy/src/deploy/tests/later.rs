//! Outputs that flow to their users: in one run, and from the ledger in the next.

use proptest::prelude::*;

use super::super::*;
use super::engine::{IDENTITY, Lab, thing};
use super::{Run, node, requiring, text};
use crate::graph::{Call, GraphValue, Later, Node};
use crate::handler::Cost;

/// The id of a thing.
fn id(name: &str) -> String {
    format!("fake::Thing[name={name}]")
}

fn output(of: &str) -> GraphValue {
    GraphValue::Later(Later::Output { id: id(of).into(), output: "out".into() })
}

/// A thing whose field says what another one gives, within a text.
fn user(name: &str, field: &str, of: &str) -> Node {
    let args = vec![text("of "), output(of)];
    let value = GraphValue::Later(Later::Call(Call { function: "interpolate".into(), args }));
    let mut fields = vec![(field, value)];
    if field != "value" {
        fields.push(("value", text("user")));
    }
    requiring(node("fake::Thing", "fake", ("name", name), fields), &[&id(of)])
}

fn value(lab: &Lab, name: &str, of: impl Fn(&crate::handler::fake::Object) -> String) -> Option<String> {
    lab.world.inner().objects.get(&(IDENTITY.into(), format!("thing:{name}").into())).map(of)
}

fn says(lab: &Lab, name: &str, expected: &str) {
    assert_eq!(value(lab, name, |object| object.value.to_string()).as_deref(), Some(expected), "{name}");
}

/// The action of an entry, and what stands in the way of it.
fn entry<'o>(outcome: &'o Outcome, name: &str) -> Option<&'o Entry> {
    outcome.plan.entries.iter().find(|entry| entry.id == id(name))
}

fn settled(lab: &Lab, nodes: &[Node]) {
    let log = lab.world.inner().log.len();
    let outcome = lab.done(nodes);
    assert!(outcome.plan.steps.is_empty(), "{outcome:#?}");
    assert_eq!(lab.world.inner().log.len(), log);
}

#[test]
fn users_get_outputs_in_the_run_that_makes_them() {
    let lab = Lab::new(1);
    let nodes = [thing("a", "1"), user("b", "value", "a"), user("c", "value", "b")];
    let outcome = lab.done(&nodes);
    assert!(outcome.plan.is_whole(), "{outcome:#?}");
    says(&lab, "b", "of out-1");
    says(&lab, "c", "of out-of out-1");
    settled(&lab, &nodes);
}

#[test]
fn outputs_come_from_the_ledger_where_their_producer_stays() {
    let lab = Lab::new(1);
    lab.done(&[thing("a", "1")]);
    let nodes = [thing("a", "1"), user("b", "value", "a")];
    lab.done(&nodes);
    says(&lab, "b", "of out-1");
    // Somebody changes the user: that is known field by field.
    lab.world
        .inner()
        .act(&crate::handler::fake::Foreign::Edit((IDENTITY.into(), "thing:b".into()), "another".into()));
    let outcome = lab.done(&nodes);
    match entry(&outcome, "b").map(|entry| &entry.action) {
        Some(Action::Update { changes, .. }) => {
            assert_eq!(changes[0].from, Some(text("another")));
            assert_eq!(changes[0].to, Some(text("of out-1")));
        }
        other => panic!("{other:?}"),
    }
    says(&lab, "b", "of out-1");
    settled(&lab, &nodes);
}

#[test]
fn what_uses_what_changes_may_change() {
    let lab = Lab::new(1);
    let nodes = |value: &str| [thing("a", value), user("b", "value", "a"), user("c", "shape", "a")];
    lab.done(&nodes("1"));
    let shape = |object: &crate::handler::fake::Object| object.shape.to_string();
    assert_eq!(value(&lab, "c", shape).as_deref(), Some("of out-1"));
    settled(&lab, &nodes("1"));
    let outcome = lab.done(&nodes("2"));
    match entry(&outcome, "b").map(|entry| &entry.action) {
        Some(Action::Update { changes, cost: Cost::Live, .. }) => {
            assert!(matches!(changes[0].to, Some(GraphValue::Later(_))), "{changes:?}");
        }
        other => panic!("{other:?}"),
    }
    // At the cost of its field: a replacement, which guards count.
    assert!(matches!(entry(&outcome, "c").map(|entry| &entry.action), Some(Action::Replace { .. })));
    assert_eq!(outcome.plan.totals().replace, 1);
    says(&lab, "b", "of out-2");
    assert_eq!(value(&lab, "c", shape).as_deref(), Some("of out-2"));
    settled(&lab, &nodes("2"));
}

#[test]
fn users_of_what_fails_are_skipped_and_follow_later() {
    let lab = Lab::new(1);
    let nodes = |value: &str| [thing("a", value), user("b", "value", "a")];
    lab.done(&nodes("1"));
    lab.world.inner().begin([(0, crate::handler::fake::Mishap::NoEffect)].into(), Default::default());
    let outcome = lab.done(&nodes("2"));
    assert!(outcome.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Skipped(_))), "{outcome:#?}");
    says(&lab, "b", "of out-1");
    lab.world.inner().begin(Default::default(), Default::default());
    lab.done(&nodes("2"));
    says(&lab, "b", "of out-2");
    settled(&lab, &nodes("2"));
}

#[test]
fn an_output_that_nobody_gives_is_said() {
    let lab = Lab::new(1);
    let missing = GraphValue::Later(Later::Output { id: id("a").into(), output: "none".into() });
    let user = node("fake::Thing", "fake", ("name", "b"), vec![("value", missing)]);
    let outcome = lab.done(&[thing("a", "1"), requiring(user, &[&id("a")])]);
    let said = format!("{:?}", outcome.verdicts);
    assert!(said.contains("the output `none` of fake::Thing[name=a] is not known"), "{said}");
}

#[test]
fn what_is_on_a_target_waits_until_it_is_known_how_that_is_reached() {
    let lab = Lab::new(1);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("h")).unwrap();
    let host = "fake::Host[name=h]";
    let run = |wanted: bool| {
        let address = vec![("address".into(), output("a"))];
        let host = crate::graph::Target {
            id: host.into(),
            type_: "fake::Host".into(),
            fields: GraphValue::map(address),
            origin: Default::default(),
        };
        let on_it = Node { target: host.id.clone(), ..requiring(thing("b", "1"), &[&id("a")]) };
        match wanted {
            true => lab.done_on(vec![host], &[thing("a", "1"), on_it], folder.path()),
            false => lab.done_on(Vec::new(), &[], folder.path()),
        }
    };
    let first = run(true);
    let later = entry(&first, "b").unwrap();
    assert!(matches!(later.action, Action::Create { .. }), "it is planned as new: {later:?}");
    assert_eq!(later.blocked.as_ref().unwrap().id, id("a"));
    assert_eq!(first.end(), End::Partly);
    assert_eq!(lab.world.inner().log, ["+thing:a"]);
    assert_eq!(run(true).end(), End::Fine);
    assert_eq!(lab.world.inner().log, ["+thing:a", "+thing:b"]);
    assert!(run(true).plan.steps.is_empty());
    // The row says how it is reached once nobody else does.
    assert_eq!(run(false).end(), End::Fine);
    assert_eq!(lab.world.inner().log[2..], ["-thing:b", "-thing:a"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However often the deployer dies on the way, what uses outputs ends as if it had not.
    #[test]
    fn outputs_arrive_through_crashes(seed: u64, crashes in prop::collection::vec(0_usize..40, 0..4), fails in 0_u32..4) {
        let lab = Lab::new(seed);
        let nodes = |value: &str| {
            [thing("a", value), user("b", "value", "a"), user("c", "shape", "b"), user("d", "value", "c")]
        };
        lab.world.misbehave(fails * 3, seed);
        for (at, fuel) in crashes.into_iter().enumerate() {
            let run = lab.deploy(&nodes(if at % 2 == 0 { "1" } else { "2" }), Some(fuel));
            drop::<Run>(run);
        }
        lab.world.misbehave(0, 0);
        for _ in 0..2 {
            lab.done(&nodes("3"));
        }
        says(&lab, "b", "of out-3");
        says(&lab, "d", "of out-user");
        settled(&lab, &nodes("3"));
    }
}
