//! The targets of a run: which they are, and how they are reached.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::agent::{Machine, Ssh, Wanted, way};
use crate::graph::{GraphBuilder, GraphValue, LOCAL, ReadError};
use crate::handler::{Fault, Rights, Root};
use crate::state::{Place, Snapshot};

use super::Error;
use super::planning::later::{self, Outputs};

/// A target of the run.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where rows say that they are.
    pub place: Place,
    /// Where its files are.
    pub root: Root,
    /// The resource that has to be deployed first because it says how this is reached.
    pub waits_for: Option<EcoString>,
}

/// The targets of a run: those that the graph names, and those that only rows are on.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    all: Vec<Target>,
    by_id: FxHashMap<EcoString, usize>,
    /// Those that are on other machines.
    remote: Vec<Wanted>,
}

impl Targets {
    /// Those of a graph and a ledger. Refuses what cannot be reached before anything is done.
    pub fn of(graph: &GraphBuilder, ledger: &Snapshot, root: Option<&Path>) -> Result<Self, Error> {
        let machine = Ground::new(root)?;
        let mut targets = Targets::default();
        if graph.iter().any(|node| node.target == LOCAL) {
            targets.add_found(machine.target(LOCAL.into(), EcoString::new(), None)?, ledger);
        }
        for sealed in graph.sorted_targets() {
            let damaged = |e: ReadError| Error::Graph { id: sealed.id.to_string(), problem: e.to_string() };
            let target = sealed.read().map_err(damaged)?;
            let outputs = Outputs { ledger, changes: &[], graph, targets: &targets };
            let fields = match later::resolve(&target.fields, outputs) {
                Ok(fields) => fields,
                Err(_) => {
                    targets.add(unknown(target.id.clone(), &target.fields));
                    continue;
                }
            };
            let reach = json(&fields);
            targets.add_found(machine.target(target.id.clone(), reach, Some(&fields))?, ledger);
        }
        let places: BTreeSet<&Place> = places(ledger).collect();
        for place in places {
            if targets.named(&place.target).is_none() {
                let fields = GraphValue::parse(place.reach.as_bytes()).ok();
                let found = machine.target(place.target.clone(), place.reach.clone(), fields.as_ref())?;
                targets.add_found(found, ledger);
            }
        }
        Ok(targets)
    }

    fn add_found(&mut self, (mut target, way): (Target, Option<Ssh>), ledger: &Snapshot) {
        if let Some(way) = way {
            // What it is, it says itself; where it does not answer, it is taken for what it was.
            let known = places(ledger).find(|place| place.target == target.place.target);
            target.place.identity = match known {
                Some(place) => place.identity.clone(),
                None => eco_format!("unknown:{}", target.place.target),
            };
            let id = target.place.target.clone();
            let way = way.unfinished(begun_as_root(ledger, &id));
            self.remote.push(Wanted { target: id, way, root: target.root.clone() });
        }
        self.add(target);
    }

    /// Those that are on other machines.
    pub fn remote(&self) -> &[Wanted] {
        &self.remote
    }

    /// Takes down what those on other machines are, as far as they said so.
    pub fn identify(&mut self, identity: impl Fn(&str) -> Option<EcoString>) {
        for target in &mut self.all {
            if let Some(identity) = identity(&target.place.target) {
                target.place.identity = identity;
            }
        }
    }

    fn add(&mut self, target: Target) {
        self.by_id.insert(target.place.target.clone(), self.all.len());
        self.all.push(target);
    }

    /// The target with this id.
    pub fn named(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The target that a row is on; `None` if the target of that name is another machine now.
    pub fn holding(&self, place: &Place) -> Option<usize> {
        self.named(&place.target)
            .filter(|&at| self.get(at).is_some_and(|t| t.place.identity == place.identity))
    }

    /// What has to be deployed before anybody knows how a target is reached.
    pub(super) fn waits_for(&self, at: usize) -> Option<&EcoString> {
        self.get(at)?.waits_for.as_ref()
    }

    /// What the targets are, each machine once.
    pub(super) fn machines(&self) -> impl Iterator<Item = &EcoString> {
        let all: BTreeSet<&EcoString> = self.all.iter().map(|target| &target.place.identity).collect();
        all.into_iter()
    }

    /// A target by its number.
    pub fn get(&self, at: usize) -> Option<&Target> {
        self.all.get(at)
    }

    /// These, for tests and simulations.
    pub fn only(all: Vec<Target>) -> Self {
        let mut targets = Targets::default();
        all.into_iter().for_each(|target| targets.add(target));
        targets
    }
}

/// Where rows are, and what is under way and may have become one.
fn places(ledger: &Snapshot) -> impl Iterator<Item = &Place> {
    let intended = ledger.intents.values().map(|intent| &intent.row.place);
    ledger.rows.values().map(|row| &row.place).chain(intended)
}

/// Whether something is under way on a target that was begun by a host's `become: sudo`, whatever that
/// says by now.
fn begun_as_root(ledger: &Snapshot, target: &str) -> bool {
    let intended = ledger.intents.values().map(|intent| &intent.row.place);
    intended.filter(|place| place.target == target).any(|place| {
        let fields = GraphValue::parse(place.reach.as_bytes()).ok();
        let become_ = fields.as_ref().and_then(|fields| fields.get("become")?.as_str());
        become_.and_then(Rights::read) == Some(Rights::Root)
    })
}

/// A target of which nobody knows yet how it is reached.
fn unknown(id: EcoString, fields: &GraphValue) -> Target {
    let mut found = Vec::new();
    later::outputs_in(fields, &mut found);
    let first = found.first().map(|(producer, _)| (*producer).clone());
    let identity = eco_format!("unknown:{id}");
    Target {
        waits_for: Some(first.unwrap_or_else(|| id.clone())),
        place: Place { target: id, identity, reach: EcoString::new() },
        root: Root { folder: None, allowed: Vec::new() },
    }
}

fn json(value: &GraphValue) -> EcoString {
    String::from_utf8(value.to_json()).unwrap_or_default().into()
}

/// Where targets are that are not elsewhere: the machine that deploys.
struct Ground {
    machine: Machine,
    /// The folder that stands for its `/`; each other target has a folder of its own in it.
    root: Option<PathBuf>,
}

/// The folder of a target in the root folder: its key, as far as that can name a folder.
fn folder_name(id: &str) -> String {
    let key = id.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']')).unwrap_or(id);
    let key = match key.split_once('=') {
        Some((_, value)) if !value.contains(['=', ',']) => value,
        _ => key,
    };
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = key.chars().map(|c| if keep(c) { c } else { '_' }).collect();
    if name == key && !name.starts_with('.') && !name.is_empty() {
        return name;
    }
    // Other keys must not end in the same folder.
    let hash: String = Sha256::digest(key).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("_{name}-{hash}")
}

impl Ground {
    fn new(root: Option<&Path>) -> Result<Self, Error> {
        let root = match root {
            None => None,
            Some(root) => {
                let found = root.canonicalize().map_err(|e| {
                    let fault = Fault::new(format!("cannot use `{}` as its root: {e}", root.display()));
                    Error::target(LOCAL, fault.help("make the folder first"))
                })?;
                Some(found)
            }
        };
        Ok(Ground { machine: Machine::this(), root })
    }

    /// A target, and the way to it where that is another machine.
    fn target(
        &self,
        id: EcoString,
        reach: EcoString,
        fields: Option<&GraphValue>,
    ) -> Result<(Target, Option<Ssh>), Error> {
        let fields = fields.unwrap_or(&GraphValue::Null);
        let way = way(fields).map_err(|fault| Error::target(&id, fault))?;
        let allowed = match fields.get("roots") {
            Some(GraphValue::List(roots)) if !roots.is_empty() => {
                let read =
                    |root: &GraphValue| root.as_str().filter(|r| r.starts_with('/')).map(EcoString::from);
                let roots: Option<Vec<EcoString>> = roots.iter().map(read).collect();
                roots
                    .ok_or_else(|| Error::target(&id, Fault::new("its `roots` are not all absolute paths")))?
            }
            _ => vec!["/".into()],
        };
        let folder = self.root.as_ref().map(|root| match id.as_str() {
            LOCAL => root.clone(),
            other => root.join(folder_name(other)),
        });
        let identity = self.machine.identity(folder.as_deref());
        let (place, root) = (Place { target: id, identity, reach }, Root { folder, allowed });
        Ok((Target { place, root, waits_for: None }, way))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Header;
    use crate::handler::{Recorded, SeededRandom, Timestamp, Token};
    use crate::state::{Condition, Holding, Intent, Operation, Row, RowKey};

    fn target(json: &str, root: Option<&Path>) -> Result<Target, Error> {
        let fields = GraphValue::parse(json.as_bytes()).unwrap();
        Ok(Ground::new(root)?.target("h1".into(), json.into(), Some(&fields))?.0)
    }

    #[test]
    fn a_root_is_part_of_what_a_target_is() {
        let folder = tempfile::tempdir().unwrap();
        let here = target(r#"{"transport":{"type":"local"},"roots":["/srv"]}"#, None).unwrap();
        let there = target("{}", Some(folder.path())).unwrap();
        assert_eq!(here.root.allowed, ["/srv"]);
        assert_eq!(there.root.allowed, ["/"]);
        assert_ne!(here.place.identity, there.place.identity);
    }

    #[test]
    fn each_target_has_a_folder_of_its_own() {
        assert_eq!(folder_name("std::host::Host[name=web1]"), "web1");
        let odd = [
            "a::H[name=\"..\"]",
            "a::H[name=\"a/b\"]",
            "a::H[name=a/b]",
            "a::H[a=1,b=2]",
            "a::H[a=1,b=\"2=\"]",
        ];
        let mut names: Vec<String> = odd.iter().map(|id| folder_name(id)).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), odd.len());
        assert!(names.iter().all(|name| !name.contains('/') && !name.starts_with('.')), "{names:?}");
    }

    /// An effect that is under way on a host.
    fn intent(target: &str, reach: &str) -> Intent {
        let row = Row {
            key: RowKey { id: "a::A[name=x]".into(), incarnation: 1 },
            holding: Holding::Made,
            condition: Condition::Ok,
            kind: "a::A".into(),
            handler: "file".into(),
            handler_version: 1,
            place: Place { target: target.into(), identity: "m".into(), reach: reach.into() },
            claims: ["path:/a".into()].into(),
            digest: EcoString::new(),
            recorded: Recorded::default(),
            requires: Box::default(),
            protect: false,
            keep: false,
            generation: 1,
            ready: false,
        };
        let (before, moved) = (None, None);
        let (token, deadline) = (Token::new(&SeededRandom::new(1)), Timestamp::default());
        Intent { number: 1, epoch: 1, operation: Operation::Create, row, before, token, moved, deadline }
    }

    /// Nobody names the host any more, and no row is on it: what may have been made there is looked for
    /// all the same.
    #[test]
    fn a_host_on_which_something_may_have_been_made_stays_a_target() {
        let graph = GraphBuilder::new(Header::default());
        let host = "std::host::Host[name=h]";
        let mut ledger = Snapshot::default();
        assert_eq!(Targets::of(&graph, &ledger, None).unwrap().named(host), None);
        ledger.intents.insert(1, intent(host, r#"{"transport":{"type":"ssh","address":"h.invalid"}}"#));
        let targets = Targets::of(&graph, &ledger, None).unwrap();
        let at = targets.named(host).unwrap();
        // Until it answers it is taken for what it was.
        assert_eq!(targets.get(at).unwrap().place.identity, "m");
        assert_eq!(targets.remote().len(), 1);
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for (json, problem) in [
            (r#"{"transport":{"type":"smoke","address":"a"}}"#, "over `smoke`"),
            (r#"{"transport":{"type":"ssh","address":"-oProxyCommand=x"}}"#, "address"),
            (r#"{"transport":{"type":"ssh","address":"a","host_key":"ssh-rsa AAAA\nb"}}"#, "host_key"),
            (r#"{"roots":["srv"]}"#, "roots"),
        ] {
            let error = target(json, None).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert!(target("{}", Some(Path::new("/no/such/folder"))).is_err());
    }
}
