//! A handler in memory with injected faults, for tests of the engine.
//!
//! It knows three types. A `fake::Thing` is where its name says, and carries a mark. A
//! `fake::Bare` likewise, but can have none. A `fake::Floating` is where its slot says: a change
//! of that makes it anew, elsewhere, so that the new one can be made before the old one goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ecow::{EcoString, eco_format};

use crate::graph::{GraphValue, Node};

use super::{
    Actual, Apply, Cost, Delete, Diff, Done, Effect, Fault, FieldChange, Handler, Look, Mark, Marked, Need,
    Part, Problem, Random as _, Readiness, Recorded, SeededRandom, Seen, Session, Shown, Token,
};

/// What the targets hold, and how they misbehave. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct World(Arc<Mutex<Inner>>);

/// What is in a world.
#[derive(Debug, Default)]
pub struct Inner {
    /// By identity of the target and claim.
    pub objects: BTreeMap<(EcoString, EcoString), Object>,
    /// Of how many effects one fails; 0 for none.
    pub fail_one_in: u32,
    /// After so many effects the deployer dies: nothing more happens.
    pub dies_after: Option<u32>,
    /// It has died.
    pub dead: bool,
    /// How often readiness is denied before it is granted.
    pub ready_after: u32,
    asked: u32,
    chance: Option<SeededRandom>,
    revision: u64,
    /// What the handler did, in order: `+a`, `~a`, `-a`.
    pub log: Vec<String>,
}

/// Something on a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its type.
    pub kind: EcoString,
    /// What people may change of it.
    pub value: EcoString,
    /// What makes it anew when it changes.
    pub shape: EcoString,
    /// The mark that it shows.
    pub mark: Option<Mark>,
    /// Who made it, also if it shows no mark: `None` is somebody else.
    pub maker: Option<Token>,
    /// Another one after each change.
    pub revision: u64,
}

/// How an effect misbehaves.
enum Mishap {
    NoEffect,
    LostAnswer,
    LostRequest,
}

impl World {
    /// What is in it.
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|p| p.into_inner())
    }

    /// From now on one effect of so many fails, by this seed; 0 for none.
    pub fn misbehave(&self, one_in: u32, seed: u64) {
        let mut inner = self.inner();
        inner.fail_one_in = one_in;
        inner.chance = Some(SeededRandom::new(seed));
    }

    /// Somebody else puts something somewhere, whatever was there.
    pub fn put_foreign(&self, identity: &str, claim: &str, kind: &str, value: &str) {
        let mut inner = self.inner();
        inner.revision += 1;
        let object = Object {
            kind: kind.into(),
            value: value.into(),
            shape: EcoString::new(),
            mark: None,
            maker: None,
            revision: inner.revision,
        };
        inner.objects.insert((identity.into(), claim.into()), object);
    }
}

impl Inner {
    fn mishap(&mut self) -> Option<Mishap> {
        let draw = self.chance.as_ref().map_or(0, |c| c.next() as u32);
        if self.fail_one_in == 0 || !draw.is_multiple_of(self.fail_one_in) {
            return None;
        }
        Some(match draw / self.fail_one_in % 3 {
            0 => Mishap::NoEffect,
            1 => Mishap::LostAnswer,
            _ => Mishap::LostRequest,
        })
    }

    /// Counts an effect down; whether the deployer still lives to have it.
    fn lives(&mut self) -> bool {
        match &mut self.dies_after {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        !self.dead
    }
}

/// The handler of a world.
pub struct FakeHandler(pub World);

fn text<'a>(fields: &'a GraphValue, name: &str) -> &'a str {
    fields.get(name).and_then(GraphValue::as_str).unwrap_or_default()
}

/// Where a thing is, and what only it may hold.
fn place(kind: &str, fields: &GraphValue) -> EcoString {
    match kind {
        "fake::Floating" => eco_format!("slot:{}", text(fields, "slot")),
        _ => eco_format!("thing:{}", text(fields, "name")),
    }
}

fn recorded_fields(recorded: &Recorded) -> GraphValue {
    GraphValue::parse(recorded.fields.as_bytes()).unwrap_or(GraphValue::Null)
}

impl FakeHandler {
    fn effect<T>(&self, name: &str, act: impl FnOnce(&mut Inner) -> Result<T, Fault>) -> Effect<T> {
        let mut inner = self.0.inner();
        if !inner.lives() {
            return Effect::NoEffect(Fault::new("the deployer is dead"));
        }
        match inner.mishap() {
            Some(Mishap::NoEffect) => Effect::NoEffect(Fault::new(format!("{name} did not work"))),
            Some(Mishap::LostRequest) => Effect::Unknown(Fault::new(format!("{name} gave no answer"))),
            Some(Mishap::LostAnswer) => {
                let _ = act(&mut inner);
                Effect::Unknown(Fault::new(format!("{name} gave no answer")))
            }
            None => match act(&mut inner) {
                Ok(done) => Effect::Done(done),
                Err(fault) => Effect::NoEffect(fault),
            },
        }
    }

    fn apply_one(&self, session: &Session<'_>, request: &Apply<'_>) -> Effect<Recorded> {
        let Some(node) = request.node else { return Effect::NoEffect(Fault::new("nothing is wanted")) };
        let claim = place(request.kind, &node.fields);
        let fields = self.remember(node);
        self.effect(&claim, |inner| {
            let key = (session.identity.clone(), claim.clone());
            let found = inner.objects.get(&key).cloned();
            if found.as_ref().map(|o| o.revision.to_string()).as_deref() != request.before {
                return Err(Fault::new("it was changed meanwhile"));
            }
            inner.log.push(format!("{}{claim}", if found.is_some() { '~' } else { '+' }));
            inner.revision += 1;
            let marks = request.mark && node.type_ != "fake::Bare" && found.is_none();
            let mark = Mark { lineage: session.lineage.clone(), token: request.token.clone() };
            let object = Object {
                kind: node.type_.clone(),
                value: text(&node.fields, "value").into(),
                shape: text(&node.fields, "shape").into(),
                mark: if marks { Some(mark) } else { found.as_ref().and_then(|o| o.mark.clone()) },
                maker: match &found {
                    Some(found) => found.maker.clone(),
                    None => Some(request.token.clone()),
                },
                revision: inner.revision,
            };
            let recorded = Recorded {
                fields,
                stamp: eco_format!("{}", object.revision),
                physical: EcoString::new(),
                token: match &object.mark {
                    Some(mark) => Some(mark.token.clone()),
                    None => request.recorded.and_then(|recorded| recorded.token.clone()),
                },
                outputs: "{}".into(),
            };
            inner.objects.insert(key, object);
            Ok(recorded)
        })
    }
}

impl Handler for FakeHandler {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn version(&self) -> u32 {
        1
    }

    fn validate(&self, node: &Node) -> Vec<Problem> {
        let wrong = text(&node.fields, "value") == "invalid";
        let problem = Problem { field: "value".into(), message: "it is invalid".into(), help: None };
        wrong.then_some(problem).into_iter().collect()
    }

    fn claims(&self, node: &Node) -> Vec<EcoString> {
        vec![place(&node.type_, &node.fields)]
    }

    fn needs(&self, _node: &Node) -> Vec<Need> {
        Vec::new()
    }

    fn remember(&self, node: &Node) -> EcoString {
        String::from_utf8(node.fields.to_json()).unwrap_or_default().into()
    }

    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>> {
        let inner = self.0.inner();
        let look = |look: &Look<'_>| {
            let last = look.recorded.map(recorded_fields);
            // Where it was made is where it is, whatever is wanted now.
            let fields = last.as_ref().or(look.node.map(|node| &node.fields));
            let claim = place(look.kind, fields.unwrap_or(&GraphValue::Null));
            let Some(object) = inner.objects.get(&(session.identity.clone(), claim)) else {
                return Ok(Seen::Absent);
            };
            let stamp = eco_format!("{}", object.revision);
            if !look.closely {
                let known = look.recorded.is_some_and(|recorded| recorded.stamp == stamp);
                return Ok(if known { Seen::AsRecorded } else { Seen::Unsure });
            }
            let is = |fields: &GraphValue| {
                text(fields, "value") == object.value
                    && text(fields, "shape") == object.shape
                    && look.kind == object.kind
            };
            let as_intended = look.intended.map(recorded_fields).is_some_and(|fields| is(&fields));
            let as_recorded = last.as_ref().is_some_and(is);
            let mut fields: Vec<(EcoString, GraphValue)> = vec![
                ("value".into(), GraphValue::Str(object.value.clone())),
                ("shape".into(), GraphValue::Str(object.shape.clone())),
            ];
            if let Some(slot) = last.as_ref().or(look.node.map(|n| &n.fields)).and_then(|f| f.get("slot")) {
                fields.push(("slot".into(), slot.clone()));
            }
            Ok(Seen::Present(Box::new(Actual {
                fields: GraphValue::map(fields),
                marked: match &object.mark {
                    Some(mark) => Marked::By(mark.clone()),
                    None if look.kind == "fake::Bare" => Marked::Cannot,
                    None => Marked::Not,
                },
                as_recorded,
                as_intended,
                stamp,
                physical: EcoString::new(),
            })))
        };
        batch.iter().map(look).collect()
    }

    fn diff(&self, node: &Node, _last: Option<&Recorded>, actual: &Actual) -> Diff {
        let fields = [("value", Cost::Live), ("shape", Cost::Replace), ("slot", Cost::Replace)];
        let differs = |(name, cost): (&str, Cost)| {
            let (from, to) = (actual.fields.get(name), node.fields.get(name));
            let same = from.and_then(GraphValue::as_str).unwrap_or_default()
                == to.and_then(GraphValue::as_str).unwrap_or_default();
            let (from, to) = (from.cloned(), to.cloned());
            (!same).then(|| FieldChange { field: name.into(), from, to, cost, shown: Shown::Plain })
        };
        Diff { changes: fields.into_iter().filter_map(differs).collect() }
    }

    fn expand(&self, _node: &Node) -> Option<Vec<Part>> {
        None
    }

    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        batch.iter().map(|request| self.apply_one(session, request)).collect()
    }

    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        let delete = |request: &Delete<'_>| {
            let claim = place(request.kind, &recorded_fields(request.recorded));
            self.effect(&claim, |inner| {
                let key = (session.identity.clone(), claim.clone());
                match inner.objects.get(&key) {
                    None => Ok(Done),
                    Some(object) if object.revision.to_string() != request.before => {
                        Err(Fault::new("it was changed meanwhile"))
                    }
                    Some(_) => {
                        inner.log.push(format!("-{claim}"));
                        inner.objects.remove(&key);
                        Ok(Done)
                    }
                }
            })
        };
        batch.iter().map(delete).collect()
    }

    fn has_readiness(&self) -> bool {
        self.0.inner().ready_after > 0
    }

    fn ready(&self, _session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Readiness> {
        let mut inner = self.0.inner();
        inner.asked += 1;
        let ready = inner.asked.is_multiple_of(inner.ready_after + 1);
        let answer = |_: &Look<'_>| match ready {
            true => Readiness::Ready,
            false => Readiness::Wait(Duration::from_secs(1)),
        };
        batch.iter().map(answer).collect()
    }

    fn concurrency(&self) -> usize {
        2
    }
}
