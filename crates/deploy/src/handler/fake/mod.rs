//! A handler in memory, on a world that misbehaves as it is told: for tests of the engine and for
//! the simulator. It has every optional method of the trait.
//!
//! It knows these types. A `fake::Thing` is where its name says, and carries a mark. A
//! `fake::Bare` likewise, but can have none. A `fake::Floating` is where its slot says: a change
//! of that makes it anew, elsewhere, so that the new one can be made before the old one goes. A
//! `fake::Box` holds what has its name as `inside`, which is gone with it. A `fake::Crowd`
//! consists of parts. A change of `shape` makes any of them anew.

mod request;
mod world;

use std::time::Duration;

use ecow::{EcoString, eco_format};

use crate::graph::{GraphValue, Node};

use super::{
    Actual, Apply, Cost, Delete, Diff, Done, Effect, Fault, FieldChange, Found, Handler, Look, Marked, Need,
    Part, Problem, Readiness, Recorded, Seen, Session, Shown,
};
pub use request::Request;
use request::What;
pub use world::{At, Foreign, Inner, Mishap, Object, World};

/// The handler of a world.
pub struct FakeHandler(pub World);

fn text<'a>(fields: &'a GraphValue, name: &str) -> &'a str {
    fields.get(name).and_then(GraphValue::as_str).unwrap_or_default()
}

/// Where a thing is, and what only it may hold.
pub fn place(kind: &str, fields: &GraphValue) -> EcoString {
    let name = text(fields, "name");
    let own = match kind {
        "fake::Floating" => eco_format!("slot:{}", text(fields, "slot")),
        "fake::Box" => eco_format!("box:{name}"),
        "fake::Crowd" => eco_format!("part:{name}.{}", text(fields, "part")),
        _ => eco_format!("thing:{name}"),
    };
    match text(fields, "inside") {
        "" => own,
        holder => eco_format!("box:{holder}/{own}"),
    }
}

fn recorded_fields(recorded: &Recorded) -> GraphValue {
    GraphValue::parse(recorded.fields.as_bytes()).unwrap_or(GraphValue::Null)
}

/// The outputs of something with this value.
fn output(value: &str) -> EcoString {
    let out = GraphValue::Str(eco_format!("out-{value}"));
    json(&GraphValue::map(vec![("out".into(), out)]))
}

fn json(value: &GraphValue) -> EcoString {
    String::from_utf8(value.to_json()).unwrap_or_default().into()
}

impl FakeHandler {
    fn effect(&self, request: Request) -> Effect<Recorded> {
        self.0.wait_for(&request.at.0);
        let name = request.at.1.clone();
        let mut inner = self.0.inner();
        if !inner.lives() {
            return Effect::NoEffect(Fault::new("the deployer is dead"));
        }
        if inner.down.contains(&request.at.0) {
            return Effect::Unknown(Fault::new(format!("{name}: no answer")));
        }
        let unknown = || Effect::Unknown(Fault::new(format!("{name} gave no answer")));
        match inner.mishap() {
            Some(Mishap::NoEffect) => Effect::NoEffect(Fault::new(format!("{name} did not work"))),
            Some(Mishap::Again) => Effect::NoEffect(Fault::new(format!("{name} was busy")).again()),
            Some(Mishap::LostRequest) => unknown(),
            Some(Mishap::LostAnswer) => {
                let _: Result<_, Fault> = request.run(&mut inner, false);
                unknown()
            }
            Some(Mishap::LostAnswerAgain) => {
                let _: Result<_, Fault> = request.run(&mut inner, false);
                Effect::Unknown(Fault::new(format!("{name} gave no answer in time")).again())
            }
            // What can have no mark is made at once or not at all: a half would be nobody's.
            Some(Mishap::Half) if request.is_bare() => unknown(),
            Some(Mishap::Half) => {
                let _: Result<_, Fault> = request.run(&mut inner, true);
                unknown()
            }
            Some(Mishap::Late) => {
                inner.late.push(request);
                unknown()
            }
            None => match request.run(&mut inner, false) {
                Ok(done) => Effect::Done(done),
                Err(fault) => Effect::NoEffect(fault),
            },
        }
    }

    fn request(&self, session: &Session<'_>, claim: EcoString, apply: &Apply<'_>, node: &Node) -> Request {
        let at = (session.identity.clone(), claim);
        // Where nothing is, nothing comes from: it is made anew.
        let known = apply.recorded.filter(|_| apply.before.is_some());
        let was = known.map(|recorded| place(apply.kind, &recorded_fields(recorded)));
        Request {
            lineage: session.lineage.clone(),
            fence: session.fence.clone(),
            token: apply.token.clone(),
            until: session.until,
            before: apply.before.map(EcoString::from),
            what: What::Put {
                kind: apply.kind.into(),
                fields: node.fields.clone(),
                remembered: self.remember(node),
                mark: apply.mark,
                known: apply.recorded.cloned(),
                from: was.map(|was| (session.identity.clone(), was)),
            },
            at,
        }
    }

    fn look(&self, inner: &Inner, session: &Session<'_>, look: &Look<'_>) -> Result<Seen, Fault> {
        if inner.down.contains(&session.identity) {
            return Err(Fault::new("it does not answer"));
        }
        let last = look.recorded.map(recorded_fields);
        // Where it was made is where it is, whatever is wanted now.
        let fields = last.as_ref().or(look.node.map(|node| &node.fields));
        let claim = place(look.kind, fields.unwrap_or(&GraphValue::Null));
        if inner.unmounted.contains(&session.identity) {
            return Err(Fault::new("what holds it is not mounted"));
        }
        let Some(object) = inner.objects.get(&(session.identity.clone(), claim)) else {
            return Ok(Seen::Absent);
        };
        let stamp = object.stamp();
        if !look.closely {
            let known = look.recorded.is_some_and(|recorded| recorded.stamp == stamp);
            return Ok(if known { Seen::AsRecorded } else { Seen::Unsure });
        }
        let is = |fields: &GraphValue| {
            text(fields, "value") == object.value
                && text(fields, "extra") == object.extra
                && text(fields, "shape") == object.shape
                && look.kind == object.kind
        };
        let as_intended = look.intended.map(recorded_fields).is_some_and(|fields| is(&fields));
        let as_recorded = last.as_ref().is_some_and(is);
        let mut fields: Vec<(EcoString, GraphValue)> = vec![
            ("value".into(), GraphValue::Str(object.value.clone())),
            ("extra".into(), GraphValue::Str(object.extra.clone())),
            ("shape".into(), GraphValue::Str(object.shape.clone())),
        ];
        let known = last.as_ref().or(look.node.map(|n| &n.fields));
        for name in ["slot", "inside"] {
            fields.extend(known.and_then(|f| f.get(name)).map(|value| (name.into(), value.clone())));
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
            physical: "mounted".into(),
        })))
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

    fn needs(&self, node: &Node) -> Vec<Need> {
        let holder = text(&node.fields, "inside");
        let need = Need { any_of: vec![eco_format!("box:{holder}")], why: "its box" };
        (!holder.is_empty()).then_some(need).into_iter().collect()
    }

    fn within(&self, claim: &str) -> Vec<EcoString> {
        claim.rsplit_once('/').map(|(holder, _)| holder.into()).into_iter().collect()
    }

    fn sweeps(&self, kind: &str) -> bool {
        kind == "fake::Box"
    }

    fn relocates(&self, kind: &str) -> bool {
        kind == "fake::Thing"
    }

    fn remember(&self, node: &Node) -> EcoString {
        json(&node.fields)
    }

    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>> {
        let inner = self.0.inner();
        batch.iter().map(|look| self.look(&inner, session, look)).collect()
    }

    fn diff(&self, node: &Node, _last: Option<&Recorded>, actual: &Actual) -> Diff {
        let fields = [
            ("value", Cost::Live),
            ("extra", Cost::Live),
            ("shape", Cost::Replace),
            ("slot", Cost::Replace),
            ("inside", Cost::Replace),
        ];
        let differs = |(name, cost): (&str, Cost)| {
            let (from, to) = (actual.fields.get(name), node.fields.get(name));
            let plain = |value: Option<&GraphValue>| match value {
                None => GraphValue::Str(EcoString::new()),
                Some(value) => value.clone(),
            };
            let same = plain(from) == plain(to);
            let (from, to) = (from.cloned(), to.cloned());
            (!same).then(|| FieldChange { field: name.into(), from, to, cost, shown: Shown::Plain })
        };
        Diff { changes: fields.into_iter().filter_map(differs).collect() }
    }

    fn cost(&self, _kind: &str, field: &str) -> Cost {
        if ["shape", "slot", "inside"].contains(&field) { Cost::Replace } else { Cost::Live }
    }

    fn is_compound(&self, kind: &str) -> bool {
        kind == "fake::Crowd"
    }

    fn expand(&self, node: &Node) -> Option<Vec<Part>> {
        if self.0.inner().folded.contains(text(&node.fields, "name")) {
            return None;
        }
        let GraphValue::List(names) = node.fields.get("parts")? else { return None };
        let part = |name: &GraphValue| {
            let name = name.as_str()?;
            let mut fields: Vec<(EcoString, GraphValue)> =
                vec![("part".into(), GraphValue::Str(name.into()))];
            for field in ["name", "value", "extra", "shape", "inside"] {
                fields.extend(node.fields.get(field).map(|value| (field.into(), value.clone())));
            }
            Some(Part { name: name.into(), fields: GraphValue::map(fields) })
        };
        Some(names.iter().filter_map(part).collect())
    }

    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        let apply = |apply: &Apply<'_>| match apply.node {
            Some(node) => self.effect(self.request(session, place(apply.kind, &node.fields), apply, node)),
            None => Effect::NoEffect(Fault::new("nothing is wanted")),
        };
        batch.iter().map(apply).collect()
    }

    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        let delete = |request: &Delete<'_>| {
            let claim = place(request.kind, &recorded_fields(request.recorded));
            let inside = match request.kind {
                "fake::Box" => eco_format!("{claim}/"),
                _ => EcoString::new(),
            };
            let request = Request {
                at: (session.identity.clone(), claim),
                lineage: session.lineage.clone(),
                fence: session.fence.clone(),
                token: request.token.clone(),
                until: session.until,
                before: Some(request.before.into()),
                what: What::Remove { inside },
            };
            match self.effect(request) {
                Effect::Done(_) => Effect::Done(Done),
                Effect::NoEffect(fault) => Effect::NoEffect(fault),
                Effect::Unknown(fault) => Effect::Unknown(fault),
            }
        };
        batch.iter().map(delete).collect()
    }

    fn marked(&self, session: &Session<'_>) -> Option<Result<Vec<Found>, Fault>> {
        let inner = self.0.inner();
        if inner.down.contains(&session.identity) || inner.unmounted.contains(&session.identity) {
            return Some(Err(Fault::new("it does not answer")));
        }
        let here = inner.objects.iter().filter(|((identity, _), _)| *identity == session.identity);
        let found = here.filter_map(|((_, claim), object)| {
            Some(Found {
                mark: object.mark.clone()?,
                kind: object.kind.clone(),
                claims: vec![claim.clone()],
                recorded: Recorded {
                    fields: fields_of(claim, object),
                    physical: "mounted".into(),
                    token: object.mark.as_ref().map(|mark| mark.token.clone()),
                    outputs: output(&object.value),
                    ..Recorded::default()
                },
            })
        });
        Some(Ok(found.collect()))
    }

    fn has_readiness(&self) -> bool {
        let inner = self.0.inner();
        inner.ready_after > 0 || inner.has_readiness
    }

    fn ready(&self, _session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Readiness> {
        let mut inner = self.0.inner();
        inner.asked += 1;
        let ready = inner.asked.is_multiple_of(inner.ready_after + 1);
        let answer = |look: &Look<'_>| {
            let fields = look.recorded.map(recorded_fields);
            let claim = place(look.kind, fields.as_ref().unwrap_or(&GraphValue::Null));
            match ready && !inner.never_ready.contains(&claim) {
                true => Readiness::Ready,
                false => Readiness::Wait(Duration::from_secs(1)),
            }
        };
        batch.iter().map(answer).collect()
    }

    fn concurrency(&self) -> usize {
        2
    }
}

/// What a target can say of something's fields: enough to find it again.
fn fields_of(claim: &str, object: &Object) -> EcoString {
    let (inside, own) = claim.rsplit_once('/').unwrap_or(("", claim));
    let (kind, name) = own.split_once(':').unwrap_or(("", own));
    let mut fields =
        vec![("value", object.value.as_str()), ("extra", &object.extra), ("shape", &object.shape)];
    match (kind, name.split_once('.')) {
        ("slot", _) => fields.push(("slot", name)),
        ("part", Some((name, part))) => fields.extend([("name", name), ("part", part)]),
        _ => fields.push(("name", name)),
    }
    if let Some(holder) = inside.strip_prefix("box:") {
        fields.push(("inside", holder));
    }
    let text = |(name, value): (&str, &str)| (name.into(), GraphValue::Str(value.into()));
    json(&GraphValue::map(fields.into_iter().map(text).collect()))
}
