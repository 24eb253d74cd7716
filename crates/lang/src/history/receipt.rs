//! Receipts: what a deployer says of itself after each run, for everybody who has no access to its
//! ledger.
//!
//! A receipt is a small JSON file, committed to the project. What is settled for everybody is read
//! from the receipts of all deployers that `gops.toml` names: which earlier versions may be
//! forgotten, whether a `moved` line has done its work. It holds no time and nothing that differs
//! from run to run, so that a run that changed nothing writes the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use serde_json::{Map, Value, json};

/// The folder that receipts are kept in, unless `gops.toml` names another place.
pub const RECEIPT_FOLDER: &str = "receipts";

/// The version of the format.
const FORMAT: u64 = 1;

/// What a project says of its history to whoever deploys it: what a deployer has seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// With `history = "active"`: the newest version of each instance that has earlier ones in the
    /// store, by its id (`shop::Site[name=a]`).
    pub versions: BTreeMap<EcoString, u64>,
    /// The `moved` lines of the model: `shop::Site[name=a] to shop::Site[name=b]`.
    pub moves: BTreeSet<EcoString>,
}

/// What a deployer says after a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Receipt {
    /// The project's name.
    pub project: EcoString,
    /// The environment, in a project that has some.
    pub env: Option<EcoString>,
    /// Which ledger it is.
    pub lineage: EcoString,
    /// The targets that it deploys to, by id; none if to all.
    pub scope: Option<BTreeSet<EcoString>>,
    /// The number of the generation that was started last.
    pub generation: u64,
    /// Whether that was finished: all that it wanted was done.
    pub finished: bool,
    /// The revision that it was compiled from.
    pub revision: Option<EcoString>,
    /// The digest of what it wanted.
    pub desired: EcoString,
    /// What it has seen of the history. Of `moved` lines those alone that are carried out: nothing
    /// in the ledger has an old id.
    pub known: Known,
    /// The ids in the ledger, of rows and of open intents, that the generation does not want: what
    /// is still to be deleted, what is kept because it is protected, what nobody is sure of.
    pub pending: BTreeSet<EcoString>,
}

impl Receipt {
    /// The bytes of the file.
    pub fn text(&self) -> String {
        let value = json!({
            "format": FORMAT,
            "project": self.project.as_str(),
            "env": self.env.as_deref(),
            "lineage": self.lineage.as_str(),
            "scope": self.scope.as_ref().map(strings),
            "generation": self.generation,
            "finished": self.finished,
            "revision": self.revision.as_deref(),
            "desired": self.desired.as_str(),
            "versions": self.known.versions.iter().map(|(k, v)| (k.to_string(), Value::from(*v))).collect::<Map<_, _>>(),
            "moves": strings(&self.known.moves),
            "pending": strings(&self.pending),
        });
        format!("{value:#}\n")
    }

    /// Reads the bytes of the file, or says what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let Value::Object(mut object) = value else { return Err("it is no object".to_owned()) };
        match object.remove("format").and_then(|f| f.as_u64()) {
            Some(FORMAT) => {}
            Some(newer) if newer > FORMAT => {
                return Err(format!("it has format {newer}, which a newer gops wrote"));
            }
            _ => return Err("it does not say `\"format\": 1`".to_owned()),
        }
        let mut fields = Fields(object);
        Ok(Receipt {
            project: fields.text("project")?,
            env: fields.maybe_text("env")?,
            lineage: fields.text("lineage")?,
            scope: fields.maybe_set("scope")?,
            generation: fields.number("generation")?,
            finished: fields.bool("finished")?,
            revision: fields.maybe_text("revision")?,
            desired: fields.text("desired")?,
            known: Known { versions: fields.versions()?, moves: fields.set("moves")? },
            pending: fields.set("pending")?,
        })
    }

    /// Whether the deployer has nothing left of what was before these versions: its last
    /// generation is finished, and it had seen this version of the instance or a later one.
    pub fn has_settled(&self, instance: &str, version: u64) -> bool {
        self.finished && self.known.versions.get(instance).is_some_and(|seen| *seen >= version)
    }

    /// Whether the deployer has carried out a `moved` line.
    pub fn has_moved(&self, line: &str) -> bool {
        self.known.moves.contains(line)
    }
}

/// The path of a deployer's receipt, unless `gops.toml` says another.
pub fn receipt_path(deployer: &str) -> String {
    format!("{RECEIPT_FOLDER}/{deployer}.json")
}

fn strings(set: &BTreeSet<EcoString>) -> Vec<&str> {
    set.iter().map(EcoString::as_str).collect()
}

/// Takes the fields of an object out of it; those that this program does not know stay.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    fn maybe_text(&mut self, name: &str) -> Result<Option<EcoString>, String> {
        match self.take(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.into())),
            _ => Err(format!("`{name}` is no string")),
        }
    }

    fn text(&mut self, name: &str) -> Result<EcoString, String> {
        self.maybe_text(name)?.ok_or_else(|| format!("it has no `{name}`"))
    }

    fn number(&mut self, name: &str) -> Result<u64, String> {
        self.take(name).as_u64().ok_or_else(|| format!("`{name}` is no number"))
    }

    fn bool(&mut self, name: &str) -> Result<bool, String> {
        self.take(name).as_bool().ok_or_else(|| format!("`{name}` is neither true nor false"))
    }

    fn maybe_set(&mut self, name: &str) -> Result<Option<BTreeSet<EcoString>>, String> {
        let wrong = || format!("`{name}` is no list of strings");
        match self.take(name) {
            Value::Null => Ok(None),
            Value::Array(items) => {
                let text = |item: Value| match item {
                    Value::String(text) => Ok(EcoString::from(text)),
                    _ => Err(wrong()),
                };
                items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
            }
            _ => Err(wrong()),
        }
    }

    fn set(&mut self, name: &str) -> Result<BTreeSet<EcoString>, String> {
        self.maybe_set(name)?.ok_or_else(|| format!("it has no `{name}`"))
    }

    fn versions(&mut self) -> Result<BTreeMap<EcoString, u64>, String> {
        let Value::Object(versions) = self.take("versions") else {
            return Err("it has no `versions`".to_owned());
        };
        let one = |(instance, version): (String, Value)| match version.as_u64() {
            Some(version) => Ok((instance.into(), version)),
            None => Err(format!("the version of `{instance}` is no number")),
        };
        versions.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            project: "shop".into(),
            env: Some("prod".into()),
            lineage: "0f".into(),
            scope: Some(BTreeSet::from(["std::host::Host[name=h1]".into()])),
            generation: 7,
            finished: true,
            revision: Some("1a2b".into()),
            desired: "sha256:00".into(),
            known: Known {
                versions: BTreeMap::from([("m::Site[name=a]".into(), 3)]),
                moves: BTreeSet::from(["m::Site[name=\"ä b\"] to m::Site[name=c]".into()]),
            },
            pending: BTreeSet::from(["std::files::TextFile[path=/x]".into()]),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for receipt in [receipt(), Receipt::default()] {
            assert_eq!(Receipt::parse(receipt.text().as_bytes()), Ok(receipt));
        }
    }

    /// The bytes are a contract: other programs read them.
    #[test]
    fn the_format_is_this() {
        insta::assert_snapshot!(receipt().text(), @r#"
        {
          "format": 1,
          "project": "shop",
          "env": "prod",
          "lineage": "0f",
          "scope": [
            "std::host::Host[name=h1]"
          ],
          "generation": 7,
          "finished": true,
          "revision": "1a2b",
          "desired": "sha256:00",
          "versions": {
            "m::Site[name=a]": 3
          },
          "moves": [
            "m::Site[name=\"ä b\"] to m::Site[name=c]"
          ],
          "pending": [
            "std::files::TextFile[path=/x]"
          ]
        }
        "#);
    }

    #[test]
    fn damage_is_said() {
        let said = |text: &str| Receipt::parse(text.as_bytes()).unwrap_err();
        assert_eq!(said("[]"), "it is no object");
        assert_eq!(said("{}"), "it does not say `\"format\": 1`");
        assert_eq!(said(r#"{"format": 2}"#), "it has format 2, which a newer gops wrote");
        assert_eq!(said(r#"{"format": 1}"#), "it has no `project`");
        let half = receipt().text();
        assert!(Receipt::parse(half.get(..half.len() / 2).unwrap().as_bytes()).is_err());
        let wrong = receipt().text().replace("\"generation\": 7", "\"generation\": -7");
        assert_eq!(said(&wrong), "`generation` is no number");
    }

    #[test]
    fn only_what_is_finished_is_settled() {
        let mut receipt = receipt();
        let settled = |r: &Receipt| [2, 3, 4].map(|version| r.has_settled("m::Site[name=a]", version));
        assert_eq!(settled(&receipt), [true, true, false]);
        assert!(!receipt.has_settled("m::Site[name=other]", 1));
        receipt.finished = false;
        assert_eq!(settled(&receipt), [false; 3]);
    }
}
