//! Deploys of graphs that are built here.

mod again;
mod attacks;
mod compound;
mod engine;
mod files;
mod foreign;
mod lanes;
mod later;
mod parts;

use std::collections::VecDeque;

use ecow::{EcoString, eco_format};

use super::engine::driver::Driver;
use super::engine::machine::{Effect, Engine, Event, Request};
use super::*;
use crate::graph::{Graph, GraphBuilder, GraphValue, Header, Node, Require, Target as Host};
use crate::handler::{Clock as _, ManualClock, Random, Registry, Token};
use crate::state::{Coord as _, Holder, MemoryStore, Snapshot, Store as _};

/// A node of the standard library's files, or of another handler.
fn node(type_: &str, handler: &str, key: (&str, &str), fields: Vec<(&str, GraphValue)>) -> Node {
    let mut fields: Vec<(EcoString, GraphValue)> = fields.into_iter().map(|(k, v)| (k.into(), v)).collect();
    fields.push((key.0.into(), text(key.1)));
    Node::new(eco_format!("{type_}[{}={}]", key.0, key.1), handler, GraphValue::map(fields))
}

fn text(text: &str) -> GraphValue {
    GraphValue::Str(text.into())
}

fn requiring(mut node: Node, ids: &[&str]) -> Node {
    let require = |id: &&str| Require { id: EcoString::from(*id), why: "after".into() };
    node.requires.extend(ids.iter().map(require));
    node
}

fn graph(nodes: Vec<Node>) -> GraphBuilder {
    graph_on(Vec::new(), nodes)
}

fn graph_on(targets: Vec<Host>, nodes: Vec<Node>) -> GraphBuilder {
    Graph::new(Header { project: "test".into(), ..Header::default() }, targets, nodes).unwrap().seal()
}

/// Agrees to everything.
struct Yes;

impl Observer for Yes {
    fn planned(&mut self, _plan: &Plan) -> bool {
        true
    }
}

/// How a run ended.
#[derive(Debug)]
enum Run {
    Ended(Box<Outcome>),
    Crashed,
}

/// A run that can crash.
struct Trial<'a> {
    driver: &'a Driver<'a>,
    registry: &'a Registry,
    random: &'a dyn Random,
    clock: &'a ManualClock,
}

impl Trial<'_> {
    /// Deploys; dies after so many effects of the engine, between each and its event too.
    /// `watch` is shown the ledger after each effect, and can end the run.
    fn run(
        &self,
        store: &MemoryStore,
        graph: &mut GraphBuilder,
        mut fuel: Option<usize>,
        mut watch: impl FnMut(&Snapshot) -> bool,
    ) -> Run {
        let mut store = store.reopen();
        let holder = Holder { process: 1, machine: "lab".into(), since: self.clock.now() };
        let nonce = Token::new(self.random);
        store.acquire(&holder, &nonce).unwrap();
        let request = Request {
            graph,
            nonce,
            targets: self.driver.targets,
            registry: self.registry,
            random: self.random,
            mode: Mode::Deploy,
            verify: false,
            limit: None,
            past: Default::default(),
            scope: &super::Scope::default(),
            prints: Default::default(),
        };
        let mut engine = Engine::new(request, store.load().unwrap()).unwrap();
        let mut effects = VecDeque::from(engine.step(Event::Start, self.clock.now()).unwrap());
        let mut dies = || match &mut fuel {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        };
        while let Some(effect) = effects.pop_front() {
            if dies() {
                return Run::Crashed;
            }
            let event = match effect {
                Effect::Finish => break,
                Effect::Decide => Event::Decided(true),
                Effect::Commit(changes) => {
                    let at = engine.ledger.revision;
                    Event::Committed(store.commit(at, self.clock.now(), &changes).unwrap())
                }
                other => self.driver.on_target(&engine, other),
            };
            if !watch(&store.load().unwrap()) || dies() {
                return Run::Crashed;
            }
            effects.extend(engine.step(event, self.clock.now()).unwrap());
        }
        Run::Ended(Box::new(engine.outcome(None)))
    }
}
