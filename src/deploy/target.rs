//! The targets of a run: which they are, and how they are reached.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::graph::{GraphBuilder, GraphValue, LOCAL, ReadError};
use crate::handler::{Fault, Root};
use crate::state::{Place, Snapshot};

use super::Error;

/// A target of the run.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where rows say that they are.
    pub place: Place,
    /// Where its files are.
    pub root: Root,
}

/// The targets of a run: those that the graph names, and those that only rows are on.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    all: Vec<Target>,
    by_id: FxHashMap<EcoString, usize>,
}

impl Targets {
    /// Those of a graph and a ledger. Refuses what cannot be reached before anything is done.
    pub fn of(graph: &GraphBuilder, ledger: &Snapshot, root: Option<&Path>) -> Result<Self, Error> {
        let machine = Machine::this(root)?;
        let mut targets = Targets::default();
        if graph.iter().any(|node| node.target == LOCAL) {
            targets.add(machine.target(LOCAL.into(), EcoString::new(), None)?);
        }
        for sealed in graph.sorted_targets() {
            let damaged = |e: ReadError| Error::Graph { id: sealed.id.to_string(), problem: e.to_string() };
            let target = sealed.read().map_err(damaged)?;
            let reach = json(&target.fields);
            targets.add(machine.target(target.id.clone(), reach, Some(&target.fields))?);
        }
        let places: BTreeSet<&Place> = ledger.rows.values().map(|row| &row.place).collect();
        for place in places {
            if targets.named(&place.target).is_none() {
                let fields = GraphValue::parse(place.reach.as_bytes()).ok();
                targets.add(machine.target(place.target.clone(), place.reach.clone(), fields.as_ref())?);
            }
        }
        Ok(targets)
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

fn json(value: &GraphValue) -> EcoString {
    String::from_utf8(value.to_json()).unwrap_or_default().into()
}

/// The machine that deploys.
struct Machine {
    identity: EcoString,
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

impl Machine {
    fn this(root: Option<&Path>) -> Result<Self, Error> {
        let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
            .into_iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        // The id itself is not to be spread (machine-id(5)).
        let hash = Sha256::digest(format!("gops {}", id.trim()));
        let identity: EcoString = hash.iter().take(8).map(|byte| eco_format!("{byte:02x}")).collect();
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
        Ok(Machine { identity, root })
    }

    fn target(&self, id: EcoString, reach: EcoString, fields: Option<&GraphValue>) -> Result<Target, Error> {
        let fields = fields.unwrap_or(&GraphValue::Null);
        if let Some(transport) = fields.get("transport") {
            let kind = transport.get("type").or(Some(transport)).and_then(GraphValue::as_str);
            match kind {
                Some("local") | None => {}
                Some(other) => {
                    let fault = Fault::new(format!("this gops cannot deploy over `{other}` yet"));
                    let help = "only `transport: local` is deployed; nothing was done";
                    return Err(Error::target(&id, fault.help(help)));
                }
            }
        }
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
        let identity = match &folder {
            Some(folder) => eco_format!("{}:{}", self.identity, folder.display()),
            None => self.identity.clone(),
        };
        Ok(Target { place: Place { target: id, identity, reach }, root: Root { folder, allowed } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(json: &str, root: Option<&Path>) -> Result<Target, Error> {
        let fields = GraphValue::parse(json.as_bytes()).unwrap();
        Machine::this(root)?.target("h1".into(), json.into(), Some(&fields))
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

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for (json, problem) in [
            (r#"{"transport":{"type":"ssh","address":"a"}}"#, "over `ssh`"),
            (r#"{"roots":["srv"]}"#, "roots"),
        ] {
            let error = target(json, None).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert!(target("{}", Some(Path::new("/no/such/folder"))).is_err());
    }
}
