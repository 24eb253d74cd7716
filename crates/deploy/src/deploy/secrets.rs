//! Secrets in a deploy. Nodes have them as references; only what is about to be applied is opened,
//! and only for the handler that applies it. What is kept of them are keyed hashes.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use crate::base::System;
use crate::eval::resolve::{self, Unknown};
use crate::eval::{Plan, Value};
use crate::graph::value::{Known, Secret};
use crate::graph::{Call, GraphBuilder, GraphValue, Node, State};
use crate::handler::{Fault, PrintKey};
use crate::model::Program;
use crate::secret::{Plain, SecretError, Vault};

use super::planning::plan::{Action, Made};

/// The secrets of a run.
#[derive(Debug)]
pub(super) struct Secrets {
    vault: Vault,
    key: PrintKey,
}

/// What tells that a secret of a node changed which stands plain in the data: the graph says
/// nothing of it. By the node's id.
pub(super) type Prints = FxHashMap<EcoString, Arc<NodePrints>>;

/// The same of one node.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NodePrints {
    /// Of all its plain secrets together.
    pub whole: EcoString,
    /// By the name that the graph has for the value.
    by_source: FxHashMap<EcoString, EcoString>,
}

/// Whether the secrets of a graph have to do with this run.
pub(super) fn has_secrets(graph: &GraphBuilder) -> bool {
    graph.iter().any(|node| node.state != State::Absent && mentions_secret(&node.bytes))
}

/// Whether canonical JSON may hold a secret: what does not is not read for that.
fn mentions_secret(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok_and(|text| text.contains("\"$secret\""))
}

impl Secrets {
    /// Those of a project, and what they are hashed with.
    pub(super) fn new(project: Arc<dyn System>, earlier: &[Arc<dyn System>], key: PrintKey) -> Self {
        let mut vault = Vault::new(project);
        earlier.iter().for_each(|system| vault.add(system.clone()));
        Secrets { vault, key }
    }

    /// None at all, for graphs that have none.
    pub(super) fn none() -> Self {
        Secrets::new(Arc::new(crate::base::MemorySystem::default()), &[], PrintKey::new([0; 32]))
    }

    /// The key with which a target is told of secrets.
    pub(super) fn key_of(&self, identity: &str) -> PrintKey {
        self.key.of_target(identity)
    }

    /// The hashes of what stands plain.
    pub(super) fn prints(&self, graph: &GraphBuilder) -> Prints {
        let mut prints = Prints::default();
        let wanted = graph.iter().filter(|node| node.state != State::Absent && mentions_secret(&node.bytes));
        for node in wanted {
            let Ok(read) = node.read() else { continue };
            let mut found = NodePrints::default();
            // What cannot be read is said when it is to be applied.
            visit_plain(&read.fields, &mut |source| {
                if let Ok(plain) = self.vault.value(source, None) {
                    let text = json(&of_plain(plain));
                    found.by_source.insert(source.clone(), self.key.print(&text));
                }
            });
            if !found.by_source.is_empty() {
                let mut all: Vec<(&EcoString, &EcoString)> = found.by_source.iter().collect();
                all.sort();
                let all: Vec<String> =
                    all.into_iter().map(|(source, print)| format!("{source} {print}")).collect();
                found.whole = self.key.print(all.join("\n").as_bytes());
                prints.insert(node.id.clone(), Arc::new(found));
            }
        }
        prints
    }

    /// Fields with their secrets opened, for a handler on a target.
    pub(super) fn reveal(&self, fields: &GraphValue, identity: &str) -> Result<GraphValue, Fault> {
        let key = self.key_of(identity);
        fields.map_secrets(&mut |secret| {
            let value = Box::new(self.open(secret)?);
            Ok(GraphValue::Secret(Secret::Known(Box::new(Known {
                name: secret.name(),
                value,
                key: *key.bytes(),
            }))))
        })
    }

    fn open(&self, secret: &Secret) -> Result<GraphValue, Fault> {
        match secret {
            Secret::Known(known) => Ok((*known.value).clone()),
            Secret::Source { source, sha256 } => {
                // The hash of what stands plain is ours.
                let sha256 = sha256.as_deref().filter(|hash| !hash.starts_with(KEYED));
                self.vault.value(source, sha256).map(of_plain).map_err(fault)
            }
            Secret::Call(Call { function, args }) if function == "plain" && args.is_empty() => {
                Err(Fault::new("a secret that stands in the model itself is not known to whoever deploys")
                    .help(
                        "write it into an instance file, best one that is encrypted, and read it from there",
                    ))
            }
            Secret::Call(Call { function, args }) => {
                let args = args.iter().map(|arg| arg.map_secrets(&mut |secret| self.open(secret)));
                let args: Vec<GraphValue> = args.collect::<Result<_, Fault>>()?;
                // Why it fails may quote the value.
                let unsaid = |_| Fault::new(format!("`{function}` gives nothing for the value of a secret"));
                apply(function, &args).map_err(unsaid)
            }
        }
    }
}

/// Applies a builtin, as the graph calls it, to values that are known.
pub(super) fn apply(function: &str, args: &[GraphValue]) -> Result<GraphValue, Fault> {
    let args: Vec<Value> = args.iter().map(argument).collect::<Result<_, Fault>>()?;
    let failed = |why: String| Fault::new(format!("`{function}` gives nothing for what was deployed: {why}"));
    let made = resolve::apply(&Program::default(), &Plan::default(), function, &args);
    let made = made.map_err(|unknown| match unknown {
        Unknown::Fails(why) => failed(why),
        Unknown::Waits(_) => failed("a value is not known yet".to_owned()),
    })?;
    of_value(made).ok_or_else(|| failed("it is no value that a field can have".to_owned()))
}

fn argument(value: &GraphValue) -> Result<Value, Fault> {
    Ok(match value {
        GraphValue::Null => Value::Null,
        GraphValue::Bool(value) => Value::Bool(*value),
        GraphValue::Int(value) => Value::Int(*value),
        GraphValue::Float(value) => Value::Float(*value),
        GraphValue::Str(text) | GraphValue::Ref(text) => Value::Str(text.clone()),
        GraphValue::List(items) => Value::List(items.iter().map(argument).collect::<Result<_, Fault>>()?),
        GraphValue::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((Value::Str(key.clone()), argument(value)?)));
            Value::Map(entries.collect::<Result<_, Fault>>()?)
        }
        GraphValue::Secret(_) | GraphValue::Later(_) => return Err(Fault::new("a value is not known yet")),
    })
}

/// Says with the plain secrets of a node which value they have now, so that another value is
/// another secret.
pub(super) fn tell_apart(node: &mut Node, prints: &NodePrints) {
    let told = node.fields.map_secrets(&mut |secret| {
        let Ok(secret) = tagged(secret, prints);
        Ok::<_, std::convert::Infallible>(GraphValue::Secret(secret))
    });
    let Ok(fields) = told;
    node.fields = fields;
}

/// A plan says nothing of what stands plain, also not by a hash.
pub(super) fn untell(plan: &mut super::Plan) {
    let untold = |value: &GraphValue| {
        let Ok(value) = value.map_secrets(&mut |secret| {
            let Ok(secret) = untagged(secret);
            Ok::<_, std::convert::Infallible>(GraphValue::Secret(secret))
        });
        value
    };
    for entry in &mut plan.entries {
        match &mut entry.action {
            Action::Create { what: Made::Known(node), .. } => {
                let fields = untold(&node.fields);
                Arc::make_mut(node).fields = fields;
            }
            Action::Transient { fields } => *fields = untold(fields),
            Action::Replace { changes, .. }
            | Action::Update { changes, .. }
            | Action::Adopt { changes }
            | Action::Report { changes } => {
                for value in
                    changes.iter_mut().flat_map(|change| change.from.iter_mut().chain(&mut change.to))
                {
                    *value = untold(value);
                }
            }
            _ => {}
        }
    }
}

fn untagged(secret: &Secret) -> Result<Secret, std::convert::Infallible> {
    Ok(match secret {
        Secret::Source { source, sha256: Some(hash) } if hash.starts_with(KEYED) => {
            Secret::Source { source: source.clone(), sha256: None }
        }
        Secret::Call(Call { function, args }) => {
            let untag =
                |arg: &GraphValue| arg.map_secrets(&mut |secret| untagged(secret).map(GraphValue::Secret));
            let args = args.iter().map(untag).collect::<Result<_, _>>()?;
            Secret::Call(Call { function: function.clone(), args })
        }
        other => other.clone(),
    })
}

/// What a keyed hash begins with, where that of a ciphertext could be.
const KEYED: &str = "keyed:";

fn tagged(secret: &Secret, prints: &NodePrints) -> Result<Secret, std::convert::Infallible> {
    Ok(match secret {
        Secret::Source { source, sha256: None } => {
            let print = prints.by_source.get(source).map(|print| eco_format!("{KEYED}{print}"));
            Secret::Source { source: source.clone(), sha256: print }
        }
        Secret::Call(Call { function, args }) => {
            let tag = |arg: &GraphValue| {
                arg.map_secrets(&mut |secret| tagged(secret, prints).map(GraphValue::Secret))
            };
            let args = args.iter().map(tag).collect::<Result<_, _>>()?;
            Secret::Call(Call { function: function.clone(), args })
        }
        other => other.clone(),
    })
}

fn visit_plain(value: &GraphValue, found: &mut dyn FnMut(&EcoString)) {
    let Ok(_) = value.map_secrets(&mut |secret| {
        match secret {
            Secret::Source { source, sha256: None } => found(source),
            Secret::Call(call) => call.args.iter().for_each(|arg| visit_plain(arg, found)),
            _ => {}
        }
        Ok::<_, std::convert::Infallible>(GraphValue::Null)
    });
}

fn fault(error: SecretError) -> Fault {
    let fault = Fault::new(error.to_string());
    match error.help() {
        Some(help) => fault.help(help),
        None => fault,
    }
}

fn of_plain(plain: Plain) -> GraphValue {
    match plain {
        Plain::Str(text) => GraphValue::Str(text.into()),
        Plain::Int(value) => GraphValue::Int(value),
        Plain::Float(value) => GraphValue::Float(value),
        Plain::Bool(value) => GraphValue::Bool(value),
    }
}

fn of_value(value: Value) -> Option<GraphValue> {
    Some(match value {
        Value::Null => GraphValue::Null,
        Value::Bool(value) => GraphValue::Bool(value),
        Value::Int(value) | Value::Duration(value) | Value::Size(value) => GraphValue::Int(value),
        Value::Float(value) => GraphValue::Float(value),
        Value::Str(text) => GraphValue::Str(text),
        Value::List(items) | Value::Set(items) => {
            GraphValue::List(items.iter().cloned().map(of_value).collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(Value, Value)| match key {
                Value::Str(key) => Some((key.clone(), of_value(value.clone())?)),
                _ => None,
            };
            GraphValue::map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn json(value: &GraphValue) -> Vec<u8> {
    value.to_json()
}
