//! Effects as data, so that one can land later than it was sent.

use ecow::{EcoString, eco_format};

use crate::graph::GraphValue;
use crate::handler::{Fault, Fence, Mark, Recorded, Timestamp, Token};

use super::world::{At, Inner, Object};
use super::{output, text};

/// An effect that was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) at: At,
    pub(super) lineage: EcoString,
    pub(super) fence: Fence,
    pub(super) token: Token,
    /// When it is too late for it.
    pub(super) until: Option<Timestamp>,
    /// The stamp that has to be there.
    pub(super) before: Option<EcoString>,
    pub(super) what: What,
}

/// What was asked for.
#[derive(Clone, Debug)]
// Nobody keeps many of them, and those that there are are mostly large.
#[allow(clippy::large_enum_variant)]
pub(super) enum What {
    Put {
        kind: EcoString,
        fields: GraphValue,
        remembered: EcoString,
        mark: bool,
        /// What the ledger has of it.
        known: Option<Recorded>,
        /// Where it is now, if it is to come here.
        from: Option<At>,
    },
    Remove {
        /// The box goes with what is in it.
        inside: EcoString,
    },
}

impl Request {
    /// What the target is that it was sent to.
    pub fn identity(&self) -> &EcoString {
        &self.at.0
    }

    /// Where it is to have its effect.
    pub fn at(&self) -> &At {
        &self.at
    }

    /// Whether it is about what can have no mark.
    pub(super) fn is_bare(&self) -> bool {
        matches!(&self.what, What::Put { kind, .. } if kind == "fake::Bare")
    }

    /// The effect; with `half`, half of it.
    pub(super) fn run(&self, inner: &mut Inner, half: bool) -> Result<Recorded, Fault> {
        let fence = inner.fences.get(&(self.at.0.clone(), self.lineage.clone()));
        if let Some((_, known)) = fence
            && !known.admits(&self.fence)
        {
            return Err(Fault::new("another deployer is at work there"));
        }
        if inner.unmounted.contains(&self.at.0) {
            return Err(Fault::new("it is not mounted"));
        }
        match &self.what {
            What::Put { from: Some(from), .. } if from != &self.at => self.bring(inner, from),
            What::Put { .. } => self.put(inner, half),
            What::Remove { inside } => self.remove(inner, inside, half),
        }
    }

    /// Whether this very effect has happened already.
    fn happened(&self, found: Option<&Object>) -> bool {
        let marked = |o: &Object| {
            let mark = o.mark.as_ref().or(o.maker.as_ref());
            mark.is_some_and(|mark| mark.token == self.token && mark.lineage == self.lineage)
        };
        found.is_some_and(marked)
    }

    fn recorded(&self, object: &Object) -> Recorded {
        let What::Put { fields, remembered, known, .. } = &self.what else { return Recorded::default() };
        Recorded {
            fields: remembered.clone(),
            stamp: object.stamp(),
            physical: "mounted".into(),
            token: match &object.mark {
                Some(mark) => Some(mark.token.clone()),
                None => known.as_ref().and_then(|recorded| recorded.token.clone()),
            },
            outputs: output(text(fields, "value")),
        }
    }

    fn put(&self, inner: &mut Inner, half: bool) -> Result<Recorded, Fault> {
        let What::Put { kind, fields, mark, known, .. } = &self.what else { return Ok(Recorded::default()) };
        let found = inner.objects.get(&self.at).cloned();
        if found.as_ref().map(Object::stamp) != self.before {
            return match found {
                // Somebody may have changed it since.
                Some(found)
                    if self.happened(Some(&found))
                        && !half
                        && ["extra", "value", "shape"].map(|name| text(fields, name))
                            == [&*found.extra, &*found.value, &*found.shape] =>
                {
                    Ok(self.recorded(&found))
                }
                _ => Err(Fault::new("it was changed meanwhile")),
            };
        }
        if let Some((holder, _)) = self.at.1.rsplit_once('/')
            && holder.starts_with("box:")
            && !inner.objects.contains_key(&(self.at.0.clone(), holder.into()))
        {
            return Err(Fault::new("what it is to be in is not there"));
        }
        self.judge(inner, found.as_ref(), known.is_some(), *mark);
        inner.log.push(format!("{}{}", if found.is_some() { '~' } else { '+' }, self.at.1));
        let maker = Mark { lineage: self.lineage.clone(), token: self.token.clone() };
        let object = Object {
            kind: kind.clone(),
            value: text(fields, "value").into(),
            extra: match half {
                true => found.as_ref().map_or("half".into(), |found| found.extra.clone()),
                false => text(fields, "extra").into(),
            },
            shape: text(fields, "shape").into(),
            mark: match kind.as_str() {
                "fake::Bare" => None,
                _ if *mark => Some(maker.clone()),
                _ => found.as_ref().and_then(|found| found.mark.clone()),
            },
            maker: match &found {
                Some(found) if !mark => found.maker.clone(),
                _ => Some(maker),
            },
            revision: inner.next_revision(),
        };
        let recorded = self.recorded(&object);
        inner.objects.insert(self.at.clone(), object);
        Ok(recorded)
    }

    /// Brings something from another place, in one step.
    fn bring(&self, inner: &mut Inner, from: &At) -> Result<Recorded, Fault> {
        let found = inner.objects.get(from).cloned();
        if inner.objects.contains_key(&self.at) {
            let here = inner.objects.get(&self.at).cloned();
            return match here {
                Some(here) if self.happened(Some(&here)) => Ok(self.recorded(&here)),
                _ => Err(Fault::new("something is there already")),
            };
        }
        let Some(mut object) = found.filter(|found| Some(found.stamp()) == self.before) else {
            return Err(Fault::new("it was changed meanwhile"));
        };
        let What::Put { fields, .. } = &self.what else { return Ok(Recorded::default()) };
        inner.log.push(format!("{}>{}", from.1, self.at.1));
        object.revision = inner.next_revision();
        object.value = text(fields, "value").into();
        object.extra = text(fields, "extra").into();
        let mark = Mark { lineage: self.lineage.clone(), token: self.token.clone() };
        object.maker = object.maker.map(|_| mark.clone());
        object.mark = object.mark.map(|_| mark);
        inner.objects.remove(from);
        let recorded = self.recorded(&object);
        inner.objects.insert(self.at.clone(), object);
        Ok(recorded)
    }

    fn remove(&self, inner: &mut Inner, inside: &str, half: bool) -> Result<Recorded, Fault> {
        let Some(found) = inner.objects.get(&self.at).cloned() else { return Ok(Recorded::default()) };
        if Some(found.stamp()) != self.before {
            return Err(Fault::new("it was changed meanwhile"));
        }
        if found.maker.is_none() {
            inner.violations.push(format!("I11: {} was somebody else's, and is deleted", self.at.1));
        }
        let held: Vec<At> = inner
            .objects
            .keys()
            .filter(|(identity, claim)| {
                *identity == self.at.0 && !inside.is_empty() && claim.starts_with(inside)
            })
            .cloned()
            .collect();
        if held.iter().any(|at| inner.objects.get(at).is_some_and(|o| o.maker.is_none())) {
            return Err(Fault::new("it holds what gops did not make"));
        }
        for at in held {
            inner.log.push(format!("-{}", at.1));
            inner.objects.remove(&at);
        }
        if !half {
            inner.log.push(format!("-{}", self.at.1));
            inner.objects.remove(&self.at);
        }
        Ok(Recorded::default())
    }

    fn judge(&self, inner: &mut Inner, found: Option<&Object>, known: bool, mark: bool) {
        let foreign = found.is_some_and(|found| found.maker.is_none());
        if foreign && !known && mark {
            inner.violations.push(format!("I11: {} was somebody else's, and is changed", self.at.1));
        }
        let twin = |o: &Object| o.maker.as_ref().is_some_and(|maker| maker.token == self.token);
        if found.is_none() && inner.objects.values().any(twin) {
            let what = eco_format!("I3: {} is made twice by one intent", self.at.1);
            inner.violations.push(what.into());
        }
    }
}
