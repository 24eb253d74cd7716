//! Nodes that consist of parts.

use super::super::*;
use super::engine::{IDENTITY, Lab, thing};
use super::{node, requiring, text};
use crate::graph::{GraphValue, Later, Node};
use crate::handler::fake::Mishap;

const CROWD: &str = "fake::Crowd[name=c]";

fn crowd(value: GraphValue, parts: &[&str]) -> Node {
    let parts = GraphValue::List(parts.iter().copied().map(text).collect());
    node("fake::Crowd", "fake", ("name", "c"), vec![("value", value), ("parts", parts)])
}

/// A crowd whose value is what a thing yields.
fn fed() -> Node {
    let output = Later::Output { id: "fake::Thing[name=a]".into(), output: "out".into() };
    requiring(crowd(GraphValue::Later(output), &["p", "q"]), &["fake::Thing[name=a]"])
}

/// What is there, with its value.
fn there(lab: &Lab) -> Vec<String> {
    let inner = lab.world.inner();
    let here = inner.objects.iter().filter(|((identity, _), _)| identity == IDENTITY);
    here.map(|((_, claim), object)| format!("{claim}={}", object.value)).collect()
}

/// What is to be done, by id.
fn words(outcome: &Outcome) -> Vec<String> {
    outcome.plan.entries.iter().map(|entry| format!("{} {}", entry.action.word(), entry.id)).collect()
}

#[test]
fn each_part_comes_and_goes_by_itself() {
    let lab = Lab::new(1);
    let user = || requiring(thing("u", "1"), &[CROWD]);
    let outcome = lab.done(&[crowd(text("1"), &["p", "q"]), user()]);
    let part = |name: &str| format!("create {CROWD}#{name}");
    assert_eq!(words(&outcome), [part("p"), part("q"), "create fake::Thing[name=u]".into()]);
    assert_eq!(there(&lab), ["part:c.p=1", "part:c.q=1", "thing:u=1"]);
    assert_eq!(lab.world.inner().log.last().unwrap(), "+thing:u", "what uses it comes after all parts");

    let outcome = lab.done(&[crowd(text("1"), &["q", "r"]), user()]);
    assert_eq!(words(&outcome), [format!("delete {CROWD}#p"), part("r")]);
    let outcome = lab.done(&[crowd(text("1"), &["q", "r"]), user()]);
    assert_eq!(outcome.end(), End::Fine);
    assert_eq!(words(&outcome), [""; 0]);

    lab.done(&[]);
    assert_eq!(there(&lab), [""; 0]);
    let log = lab.world.inner().log.clone();
    assert_eq!(log.get(log.len() - 3).unwrap(), "-thing:u", "what uses it goes before any part");
}

#[test]
fn a_part_that_fails_is_named_and_made_by_the_next_run() {
    let lab = Lab::new(1);
    lab.world.inner().begin([(0, Mishap::NoEffect)].into(), Default::default());
    let nodes = [crowd(text("1"), &["p", "q"]), requiring(thing("u", "1"), &[CROWD])];
    assert_eq!(lab.done(&nodes).end(), End::Partly);
    assert_eq!(there(&lab), ["part:c.q=1"], "its user waits for all of them");
    lab.world.inner().begin(Default::default(), Default::default());
    assert_eq!(lab.done(&nodes).end(), End::Fine);
    assert_eq!(there(&lab), ["part:c.p=1", "part:c.q=1", "thing:u=1"]);
}

#[test]
fn parts_stay_until_it_is_known_what_they_are_made_from() {
    let lab = Lab::new(1);
    let nodes = |value: &str| [thing("a", value), fed()];
    let outcome = lab.done(&nodes("1"));
    assert_eq!(words(&outcome), ["create fake::Thing[name=a]".to_owned(), format!("expand {CROWD}")]);
    assert_eq!(outcome.end(), End::Partly, "there is something left to do, and it is said");
    let outcome = lab.done(&nodes("1"));
    assert_eq!(outcome.end(), End::Fine);
    assert_eq!(there(&lab), ["part:c.p=out-1", "part:c.q=out-1", "thing:a=1"]);
    assert_eq!(words(&lab.done(&nodes("1"))), [""; 0]);

    let outcome = lab.done(&nodes("2"));
    let keeps = ["p", "q"].map(|part| format!("keep {CROWD}#{part}"));
    assert_eq!(words(&outcome)[2..], keeps);
    assert_eq!(there(&lab), ["part:c.p=out-1", "part:c.q=out-1", "thing:a=2"]);
    lab.done(&nodes("2"));
    assert_eq!(there(&lab), ["part:c.p=out-2", "part:c.q=out-2", "thing:a=2"]);
}

#[test]
fn parts_stay_while_their_handler_cannot_say_what_they_are() {
    let lab = Lab::new(1);
    lab.done(&[crowd(text("1"), &["p", "q"])]);
    lab.world.inner().folded.insert("c".into());
    let outcome = lab.done(&[crowd(text("2"), &["q", "r"])]);
    assert_eq!(there(&lab), ["part:c.p=1", "part:c.q=1"]);
    assert_eq!(outcome.end(), End::Nothing);
    lab.world.inner().folded.clear();
    lab.done(&[crowd(text("2"), &["q", "r"])]);
    assert_eq!(there(&lab), ["part:c.q=2", "part:c.r=2"]);
    // What is not wanted at all goes, whatever its handler says.
    lab.world.inner().folded.insert("c".into());
    lab.done(&[]);
    assert_eq!(there(&lab), [""; 0]);
}
