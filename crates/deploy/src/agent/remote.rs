//! Targets on other machines, as whoever deploys sees them: something that says hello, and
//! handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::base::System;
use crate::graph::{GraphValue, Node};
use crate::handler::{
    Actual, Apply, Cost, Delete, Diff, Done, Effect, Examined, Fault, Found, Greeting, Handler, Hello, Look,
    Need, Part, Problem, Reach, Readiness, Recorded, Registry, Rights, Root, Seen, Session, Thing,
};

use super::link::{Connect, Link, Lost};
use super::message::{Answer, Applied, Ask, Deleted, Hidden, Introduced, Item, Looked};
use super::ssh::Ssh;

/// How many hosts are connected to at a time.
const AT_ONCE: usize = 32;

/// How many bytes one request has, about: the agent works on one while the next is on its way.
const REQUEST: usize = 1 << 20;

/// How long is waited until it is asked again whether something is ready, where there was no answer.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// A target that is on another machine.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its id.
    pub target: EcoString,
    /// How it is reached.
    pub way: Ssh,
    /// Where its files are there.
    pub root: Root,
}

/// The machines that a run has to do with besides this one; by default none.
#[derive(Default)]
pub struct Remotes<'a> {
    by_target: FxHashMap<EcoString, Result<Remote<'a>, Fault>>,
}

/// One of them.
struct Remote<'a> {
    link: Arc<Link>,
    handlers: Vec<Distant<'a>>,
}

impl<'a> Remotes<'a> {
    /// Connects to all of them at once. One that cannot be reached is in it as what is to be said
    /// of it.
    pub fn connect(wanted: &[Wanted], registry: &'a Registry, project: &Arc<dyn System>) -> Self {
        let connects = wanted.iter().map(|wanted| -> (EcoString, Box<dyn Connect>, Root) {
            (wanted.target.clone(), Box::new(wanted.way.clone()), wanted.root.clone())
        });
        Self::over(connects.collect(), registry, project)
    }

    pub(super) fn over(
        wanted: Vec<(EcoString, Box<dyn Connect>, Root)>,
        registry: &'a Registry,
        project: &Arc<dyn System>,
    ) -> Self {
        let count = wanted.len();
        let (targets, rest): (Vec<EcoString>, Vec<_>) =
            wanted.into_iter().map(|(target, connect, root)| (target, (connect, root))).unzip();
        let links = at_once(rest, |(connect, root)| Link::new(connect, root, project.clone()));
        let mut by_target = FxHashMap::with_capacity_and_hasher(count, Default::default());
        for (target, link) in targets.into_iter().zip(links) {
            let remote = link.map(|link| {
                let link = Arc::new(link);
                let handlers = registry.names().filter_map(|name| registry.get(name));
                let handlers = handlers.map(|here| Distant { here, link: link.clone() }).collect();
                Remote { link, handlers }
            });
            by_target.insert(target, remote);
        }
        Remotes { by_target }
    }

    /// What a target is; nothing if it is none of these, or could not be reached.
    pub fn identity(&self, target: &str) -> Option<EcoString> {
        self.by_target.get(target)?.as_ref().ok().map(|remote| remote.link.identity())
    }
}

/// Does one thing with each, several at a time; what comes out is in the order of what went in.
fn at_once<T: Send, R: Send>(all: Vec<T>, one: impl Fn(T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let workers = all.len().min(AT_ONCE);
    let slots: Vec<std::sync::Mutex<(Option<T>, Option<R>)>> =
        all.into_iter().map(|item| std::sync::Mutex::new((Some(item), None))).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut slot = slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    slot.1 = slot.0.take().map(&one);
                }
            });
        }
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(|p| p.into_inner()).1).collect()
}

impl Reach for Remotes<'_> {
    fn hello(&self, hello: &Hello<'_>) -> Result<Greeting, Fault> {
        match self.by_target.get(hello.target) {
            // The machine that deploys is what it is, and the lock of the ledger is its fence:
            // every worker there inherits that, so none outlives it.
            None => Ok(Greeting {
                identity: hello.identity.clone(),
                fence: None,
                keeps: false,
                late: false,
                others: Vec::new(),
            }),
            Some(Err(fault)) => Err(fault.clone()),
            Some(Ok(remote)) => remote.link.hello(Introduced {
                target: hello.target.clone(),
                identity: hello.identity.clone(),
                lineage: hello.lineage.clone(),
                project: hello.project.clone(),
                fence: hello.fence.clone(),
                enter: hello.enter,
                key: Hidden(*hello.key.bytes()),
                root: remote.link.root().clone(),
            }),
        }
    }

    fn hands<'a>(&'a self, target: &str, handler: &'a dyn Handler) -> &'a dyn Handler {
        match self.by_target.get(target) {
            Some(Ok(remote)) => {
                let distant = remote.handlers.iter().find(|distant| distant.name() == handler.name());
                distant.map_or(handler, |distant| distant as &dyn Handler)
            }
            // Nothing is asked of a target that did not answer to a hello.
            Some(Err(_)) | None => handler,
        }
    }
}

/// How something is asked.
#[derive(Clone, Copy)]
struct Manner {
    /// Whom.
    rights: Rights,
    /// How long is waited for a sign of life.
    patience: std::time::Duration,
}

/// Asks for those of a batch that take each kind of rights in one go; the answers are in the order of
/// the batch.
fn by_rights<R: Copy, A>(
    session: &Session<'_>,
    batch: &[R],
    rights: impl Fn(&R) -> Rights,
    ask: impl Fn(Manner, &[R]) -> Vec<A>,
) -> Vec<A> {
    let patience = session.patience;
    let all: Vec<Rights> = batch.iter().map(rights).collect();
    let some = |wanted: Rights| {
        let these = batch.iter().zip(&all).filter(|(_, rights)| **rights == wanted);
        let these: Vec<R> = these.map(|(request, _)| *request).collect();
        match these.is_empty() {
            true => Vec::new(),
            false => ask(Manner { rights: wanted, patience }, &these),
        }
    };
    let (mut login, mut root) = (some(Rights::Login).into_iter(), some(Rights::Root).into_iter());
    let answer = |rights: &Rights| match rights {
        Rights::Login => login.next(),
        Rights::Root => root.next(),
    };
    all.iter().filter_map(answer).collect()
}

/// A handler whose hands are on another machine.
struct Distant<'a> {
    here: &'a dyn Handler,
    link: Arc<Link>,
}

impl Distant<'_> {
    /// With which rights something is done there.
    fn rights_of(&self, thing: Thing<'_>) -> Rights {
        self.here.rights(thing).unwrap_or_else(|| self.link.rights())
    }

    /// Root looks at what it is to make, and at what is known to be made by it.
    fn look_with(&self, look: &Look<'_>) -> Rights {
        let mut known = [look.recorded, look.intended].into_iter().flatten().map(Thing::Known);
        let by_root = match look.node.map(|node| self.rights_of(Thing::Wanted(node))) {
            Some(Rights::Root) => true,
            Some(Rights::Login) => known.any(|thing| self.here.rights(thing) == Some(Rights::Root)),
            None => known.any(|thing| self.rights_of(thing) == Rights::Root),
        };
        match by_root {
            true => Rights::Root,
            false => Rights::Login,
        }
    }

    fn apply_with(&self, apply: &Apply<'_>) -> Rights {
        let thing = apply.node.map(Thing::Wanted).or(apply.recorded.map(Thing::Known));
        thing.map_or_else(|| self.link.rights(), |thing| self.rights_of(thing))
    }

    /// What lies about was left there with the rights of whoever left it.
    fn discard_with(&self, apply: &Apply<'_>) -> Rights {
        let thing = apply.recorded.map(Thing::Known).or(apply.node.map(Thing::Wanted));
        thing.map_or_else(|| self.link.rights(), |thing| self.rights_of(thing))
    }

    /// Asks for what is done with a batch, in requests of bearable size, one after the other
    /// without waiting for answers.
    fn batch<'b, R, W: Item, A>(
        &self,
        manner: Manner,
        batch: &[R],
        travels: impl Fn(&R) -> W,
        ask: impl Fn(Vec<W>) -> Ask<'b>,
        answered: impl Fn(Answer) -> Result<Vec<A>, Answer>,
        lost: impl Fn(Lost) -> A,
    ) -> Vec<A> {
        let mut requests: Vec<Vec<W>> = Vec::new();
        let mut room = 0;
        for item in batch.iter().map(travels) {
            let size = item.size();
            match requests.last_mut().filter(|_| size <= room) {
                Some(request) => request.push(item),
                None => {
                    requests.push(vec![item]);
                    room = REQUEST;
                }
            }
            room = room.saturating_sub(size);
        }
        let sizes: Vec<usize> = requests.iter().map(Vec::len).collect();
        let asks: Vec<Ask<'b>> = requests.into_iter().map(ask).collect();
        let mut answers = Vec::with_capacity(batch.len());
        for (size, answer) in sizes.into_iter().zip(self.link.ask(manner.rights, &asks, manner.patience)) {
            let problem = match answer.map(&answered) {
                Ok(Ok(these)) if these.len() == size => {
                    answers.extend(these);
                    continue;
                }
                Ok(Ok(_)) => Lost::Asked(Fault::new("the agent's answers are not as many as the requests")),
                Ok(Err(other)) => Lost::Asked(self.link.misunderstood(&other)),
                Err(lost) => lost,
            };
            answers.extend((0..size).map(|_| lost(problem.clone())));
        }
        answers
    }

    /// What is marked there, as far as somebody with these rights sees it.
    fn marks(&self, rights: Rights, session: &Session<'_>) -> Option<Result<Vec<Found>, Fault>> {
        let ask = [Ask::Marked { handler: self.handler() }];
        match self.link.ask(rights, &ask, session.patience).pop()? {
            Ok(Answer::Marked(found)) => found,
            Ok(other) => Some(Err(self.link.misunderstood(&other))),
            Err(lost) => Some(Err(lost.fault())),
        }
    }

    fn handler(&self) -> std::borrow::Cow<'static, str> {
        self.here.name().into()
    }
}

fn effect<T>(lost: Lost) -> Effect<T> {
    match lost {
        Lost::Unasked(fault) => Effect::NoEffect(fault),
        Lost::Asked(fault) => Effect::Unknown(fault),
    }
}

impl Handler for Distant<'_> {
    fn observe(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Result<Seen, Fault>> {
        by_rights(
            session,
            batch,
            |look| self.look_with(look),
            |manner, batch| {
                self.batch(
                    manner,
                    batch,
                    Looked::of,
                    |batch| Ask::Observe { handler: self.handler(), batch },
                    |answer| match answer {
                        Answer::Seen(seen) => Ok(seen),
                        other => Err(other),
                    },
                    |lost| Err(lost.fault()),
                )
            },
        )
    }

    fn ready(&self, session: &Session<'_>, batch: &[Look<'_>]) -> Vec<Readiness> {
        by_rights(
            session,
            batch,
            |look| self.look_with(look),
            |manner, batch| {
                self.batch(
                    manner,
                    batch,
                    Looked::of,
                    |batch| Ask::Ready { handler: self.handler(), batch },
                    |answer| match answer {
                        Answer::Ready(ready) => Ok(ready),
                        other => Err(other),
                    },
                    |lost| match lost.fault() {
                        fault if fault.passing => Readiness::Wait(AGAIN),
                        fault => Readiness::Failed(fault),
                    },
                )
            },
        )
    }

    fn apply(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Effect<Recorded>> {
        by_rights(
            session,
            batch,
            |apply| self.apply_with(apply),
            |manner, batch| {
                self.batch(
                    manner,
                    batch,
                    Applied::of,
                    |batch| Ask::Apply { handler: self.handler(), batch },
                    |answer| match answer {
                        Answer::Applied(ended) => Ok(ended),
                        other => Err(other),
                    },
                    effect,
                )
            },
        )
    }

    fn delete(&self, session: &Session<'_>, batch: &[Delete<'_>]) -> Vec<Effect<Done>> {
        by_rights(
            session,
            batch,
            |delete| self.rights_of(Thing::Known(delete.recorded)),
            |manner, batch| {
                self.batch(
                    manner,
                    batch,
                    Deleted::of,
                    |batch| Ask::Delete { handler: self.handler(), batch },
                    |answer| match answer {
                        Answer::Deleted(ended) => Ok(ended),
                        other => Err(other),
                    },
                    effect,
                )
            },
        )
    }

    fn discard(&self, session: &Session<'_>, batch: &[Apply<'_>]) -> Vec<Result<(), Fault>> {
        by_rights(
            session,
            batch,
            |apply| self.discard_with(apply),
            |manner, batch| {
                self.batch(
                    manner,
                    batch,
                    Applied::of,
                    |batch| Ask::Discard { handler: self.handler(), batch },
                    |answer| match answer {
                        Answer::Discarded(ended) => Ok(ended),
                        other => Err(other),
                    },
                    |lost| Err(lost.fault()),
                )
            },
        )
    }

    fn marked(&self, session: &Session<'_>) -> Option<Result<Vec<Found>, Fault>> {
        let found = self.marks(Rights::Login, session)?;
        // Root is not asked for what cannot be searched anyway.
        match self.link.rights() {
            // Where there is no root to be had, nothing of root's is done either; the rest goes on.
            Rights::Root => self.marks(Rights::Root, session).filter(Result::is_ok).or(Some(found)),
            Rights::Login => Some(found),
        }
    }

    // What is pure is answered here.

    fn name(&self) -> &'static str {
        self.here.name()
    }
    fn version(&self) -> u32 {
        self.here.version()
    }
    fn validate(&self, node: &Node) -> Vec<Problem> {
        self.here.validate(node)
    }
    fn claims(&self, node: &Node) -> Vec<EcoString> {
        self.here.claims(node)
    }
    fn needs(&self, node: &Node) -> Vec<Need> {
        self.here.needs(node)
    }
    fn rights(&self, thing: Thing<'_>) -> Option<Rights> {
        self.here.rights(thing)
    }
    fn examine(&self, node: &Node) -> Examined {
        self.here.examine(node)
    }
    fn within(&self, claim: &str) -> Vec<EcoString> {
        self.here.within(claim)
    }
    fn sources(&self, node: &Node) -> Vec<(String, String)> {
        self.here.sources(node)
    }
    fn lists(&self, kind: &str) -> bool {
        self.here.lists(kind)
    }
    fn sweeps(&self, kind: &str) -> bool {
        self.here.sweeps(kind)
    }
    fn relocates(&self, kind: &str) -> bool {
        self.here.relocates(kind)
    }
    fn remember(&self, node: &Node) -> EcoString {
        self.here.remember(node)
    }
    fn diff(&self, node: &Node, last: Option<&Recorded>, actual: &Actual) -> Diff {
        self.here.diff(node, last, actual)
    }
    fn cost(&self, kind: &str, field: &str) -> Cost {
        self.here.cost(kind, field)
    }

    fn is_compound(&self, kind: &str) -> bool {
        self.here.is_compound(kind)
    }
    fn expand(&self, node: &Node) -> Option<Vec<Part>> {
        self.here.expand(node)
    }
    fn merge(&self, last: &Recorded, intended: &Recorded) -> EcoString {
        self.here.merge(last, intended)
    }
    fn has_readiness(&self) -> bool {
        self.here.has_readiness()
    }
    fn concurrency(&self) -> usize {
        self.here.concurrency()
    }
}

/// How a target says that it is reached; `None` for the machine that deploys.
pub fn way(fields: &GraphValue) -> Result<Option<Ssh>, Fault> {
    let Some(transport) = fields.get("transport") else { return Ok(None) };
    let kind = transport.get("type").or(Some(transport)).and_then(GraphValue::as_str);
    match kind {
        Some("local") | None if !transport.is_marked() => Ok(None),
        Some("ssh") => Ssh::read(transport, fields.get("become")).map(Some),
        Some(other) => Err(Fault::new(format!("this gops cannot deploy over `{other}`"))
            .help("`transport` is `local` or `ssh`; nothing was done")),
        None => Err(Fault::new("how it is reached is known only after a deploy")),
    }
}
