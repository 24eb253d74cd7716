//! `gops prune`: earlier versions that every deployer has settled are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;

use crate::base::{Edited, FileId};
use crate::diag::codes::history as codes;
use crate::diag::{Diagnostic, Place};
use crate::graph::State;
use crate::history::lock::{Given, Holder};
use crate::history::receipt::Receipt;
use crate::history::store::{Kept, Store};
use crate::project::config::{CONFIG_FILE, Deployer};
use crate::project::receipts::receipts;
use crate::project::review::root_of;
use crate::project::session::{Options, Report, Session};
use crate::project::update::reserve::{self, Pools};

/// Versions of an instance that are forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// The instance.
    pub instance: EcoString,
    /// The environment, in a project that has some.
    pub env: Option<EcoString>,
    /// Their numbers.
    pub versions: Vec<u64>,
}

/// An instance whose earlier versions are not settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsettled {
    /// The instance.
    pub instance: EcoString,
    /// The environment, in a project that has some.
    pub env: Option<EcoString>,
    /// The deployer, and what it has not done.
    pub why: String,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What is wrong. With an error nothing is to be written.
    pub report: Report,
    /// What is forgotten.
    pub dropped: Vec<Dropped>,
    /// What stays; with `force`, what would have.
    pub unsettled: Vec<Unsettled>,
    /// Values that are free again.
    pub released: Vec<EcoString>,
}

/// Forgets the earlier versions of the instances that every deployer has settled, in memory; with
/// `force`, all. The session was opened over `edited`, and looks at the sources.
pub fn prune(session: &Session, edited: &Arc<Edited>, force: bool) -> Pruned {
    let mut pruned = Pruned::default();
    let Some(config) = session.config() else { return pruned };
    let (receipts, said) = receipts(&**edited, config);
    pruned.report.diagnostics.extend(said);
    if receipts.is_empty() && !force {
        let place = Place::File(FileId::new(CONFIG_FILE));
        let message = "nothing is known to be settled: `gops.toml` names no deployers";
        let problem = Diagnostic::new(codes::NO_DEPLOYERS, place, message)
            .help("write `[deployers]` and `prod = {}` below it; each says what is settled with a receipt");
        pruned.report.diagnostics.push(problem.resolved(&crate::project::origins::Nowhere));
        return pruned;
    }
    let environments: Vec<Option<EcoString>> = match config.environments.is_empty() {
        true => vec![None],
        false => config.environments.iter().map(|e| Some(e.name.clone())).collect(),
    };
    let mut left = BTreeSet::new();
    let mut active = BTreeMap::new();
    let pools = Pools::new(&session.program());
    let reserves = !pools.is_empty() && reserve::read(edited).is_ok_and(|lock| !lock.reserved.is_empty());
    for env in environments {
        let name = env.as_deref();
        let (store, problems) = Store::read(&**edited, name);
        pruned
            .report
            .diagnostics
            .extend(problems.into_iter().map(|d| d.resolved(&crate::project::origins::Nowhere)));
        let of_env = |(deployer, _): &&(&Deployer, Option<Receipt>)| {
            deployer.env.is_none() || deployer.env.as_deref() == name
        };
        let deployers: Vec<_> = receipts.iter().filter(of_env).collect();
        let options =
            Options { env: env.as_deref().map(str::to_owned), active: true, ..session.options().clone() };
        if reserves {
            let mut view = Session::open(edited.clone(), options.clone());
            view.load_instances();
            pools.hold(&view, &mut active);
        }
        let pending = pending(edited, options, &deployers);
        for (instance, versions) in store.unwrap_or_default().instances {
            let Some((newest, earlier)) = versions.split_last().filter(|(_, earlier)| !earlier.is_empty())
            else {
                continue;
            };
            let why = unsettled(&deployers, &pending, newest);
            let settled = why.is_none();
            let unsettled = why.map(|why| Unsettled { instance: instance.clone(), env: env.clone(), why });
            pruned.unsettled.extend(unsettled);
            if !settled && !force {
                left.insert(instance);
                continue;
            }
            earlier.iter().for_each(|kept| edited.set(&kept.path, None));
            let versions = earlier.iter().map(|kept| kept.version.number).collect();
            pruned.dropped.push(Dropped { instance, env: env.clone(), versions });
        }
    }
    if !pruned.report.has_errors() {
        release(edited, &left, &active, &mut pruned);
    }
    pruned
}

/// Which deployer has not settled what was before a version, and what it has not done.
fn unsettled(
    deployers: &[&(&Deployer, Option<Receipt>)],
    pending: &BTreeMap<(usize, EcoString), EcoString>,
    newest: &Kept,
) -> Option<String> {
    let (instance, number) = (&newest.version.instance, newest.version.number);
    deployers.iter().enumerate().find_map(|(at, (deployer, receipt))| {
        let name = &deployer.name;
        let Some(receipt) = receipt else {
            return Some(format!("`{name}` has no receipt that can be read in {}", deployer.receipt));
        };
        if let Some(id) = pending.get(&(at, instance.clone())) {
            return Some(format!("`{name}` still has {}", crate::graph::id::shown(id)));
        }
        (!receipt.has_settled(instance, number))
            .then(|| format!("`{name}` has not finished a deploy of version {number}"))
    })
}

/// By deployer and instance, one of the resources that an earlier version made and that the
/// deployer still has.
fn pending(
    edited: &Arc<Edited>,
    options: Options,
    deployers: &[&(&Deployer, Option<Receipt>)],
) -> BTreeMap<(usize, EcoString), EcoString> {
    let mut found = BTreeMap::new();
    if deployers.iter().all(|(_, receipt)| receipt.as_ref().is_none_or(|r| r.pending.is_empty())) {
        return found;
    }
    let mut session = Session::open(edited.clone(), options);
    let Some(graph) = session.compile().graph else { return found };
    for node in graph.iter().filter(|node| node.state == State::Absent) {
        let Ok(node) = node.read() else { continue };
        let instance = EcoString::from(root_of(&node.origin.element));
        for (at, (_, receipt)) in deployers.iter().enumerate() {
            if receipt.as_ref().is_some_and(|receipt| receipt.pending.contains(&node.id)) {
                found.entry((at, instance.clone())).or_insert_with(|| node.id.clone());
            }
        }
    }
    found
}

/// Lets go of the values that were kept for what is forgotten now. What the sources have no more and
/// no `gops sync` has deleted yet is deployed as before, however settled its earlier versions are.
fn release(
    edited: &Edited,
    left: &BTreeSet<EcoString>,
    active: &BTreeMap<Holder, Given>,
    pruned: &mut Pruned,
) {
    let mut lock = match reserve::read(edited) {
        Ok(lock) => lock,
        Err(problem) => return pruned.report.diagnostics.push(*problem),
    };
    let dropped: BTreeSet<&str> = pruned.dropped.iter().map(|d| d.instance.as_str()).collect();
    let mut released = Vec::new();
    lock.reserved.retain(|holder, _| {
        let element = holder.split_once(" of ").map_or(holder.as_str(), |(_, element)| element);
        let instance = root_of(element);
        let gone = !left.contains(instance) && !active.contains_key(holder);
        let free = gone && dropped.contains(instance);
        if free {
            released.push(holder.clone());
        }
        !free
    });
    if !released.is_empty() {
        reserve::write(edited, lock);
    }
    pruned.released = released;
}
