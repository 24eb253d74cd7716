//! Values that are known only after a deploy: outputs of resources, and what is computed from them.
//!
//! A producer that stays as it is gives its outputs from the ledger, so its users are compared as
//! all others are. One that this run makes or changes gives them once it is done, and what uses them
//! may change: that is planned, and counted, before anybody knows.

use ecow::{EcoString, eco_format};
use sha2::{Digest as _, Sha256};

use crate::graph::value::{Known, Secret};
use crate::graph::{Call, GraphBuilder, GraphValue, Later, Node};
use crate::handler::Fault;
use crate::state::{Change, Condition, Row, Snapshot};

use super::super::secrets::apply;
use super::super::target::Targets;

/// Whether canonical JSON may hold a later value: what does not is not read for that.
pub(in crate::deploy) fn mentions_later(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok_and(|text| text.contains("\"$later\""))
}

/// The outputs that a value is computed from.
pub(in crate::deploy) fn outputs_in<'v>(
    value: &'v GraphValue,
    found: &mut Vec<(&'v EcoString, &'v EcoString)>,
) {
    match value {
        GraphValue::Later(Later::Output { id, output }) => found.push((id, output)),
        GraphValue::Later(Later::Call(call)) | GraphValue::Secret(Secret::Call(call)) => {
            call.args.iter().for_each(|arg| outputs_in(arg, found));
        }
        GraphValue::List(items) => items.iter().for_each(|item| outputs_in(item, found)),
        GraphValue::Map(entries) => entries.iter().for_each(|(_, value)| outputs_in(value, found)),
        _ => {}
    }
}

/// The producers of what a node waits for.
pub(in crate::deploy) fn producers(node: &Node) -> Vec<EcoString> {
    let mut found = Vec::new();
    outputs_in(&node.fields, &mut found);
    let mut ids: Vec<EcoString> = found.into_iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// What is known of outputs.
#[derive(Clone, Copy)]
pub(in crate::deploy) struct Outputs<'a> {
    pub ledger: &'a Snapshot,
    /// What is about to be written into it.
    pub changes: &'a [Change],
    /// Who says where a producer is wanted: what it was elsewhere yields nothing any more.
    pub graph: &'a GraphBuilder,
    pub targets: &'a Targets,
}

impl<'a> Outputs<'a> {
    fn get(&self, id: &EcoString, name: &str) -> Option<GraphValue> {
        let put = |change: &'a Change| match change {
            Change::Put(row) if row.key.id == *id => Some(row),
            _ => None,
        };
        let rows = self.ledger.rows_of(id).chain(self.changes.iter().filter_map(put));
        let home = self.graph.get(id).and_then(|node| self.targets.named(&node.target));
        let is_home = |row: &&Row| home.is_none() || self.targets.holding(&row.place) == home;
        let live = rows.filter(|row| row.condition != Condition::Deposed).filter(is_home);
        // Of one incarnation the last one counts.
        let row = live.max_by_key(|row| row.key.incarnation)?;
        GraphValue::parse(row.recorded.outputs.as_bytes()).ok()?.get(name).cloned()
    }
}

/// What tells a node from the same one with other outputs: what the ledger has of those that it
/// uses.
pub(in crate::deploy) fn print(node: &Node, outputs: Outputs<'_>) -> EcoString {
    let mut found = Vec::new();
    outputs_in(&node.fields, &mut found);
    found.sort();
    found.dedup();
    let mut hash = Sha256::new();
    for (id, name) in found {
        let value = outputs.get(id, name).map(|value| value.to_json());
        for part in [id.as_bytes(), name.as_bytes(), &value.unwrap_or_default()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    let digest = hash.finalize();
    digest.iter().take(16).fold(EcoString::from("later:"), |text, byte| eco_format!("{text}{byte:02x}"))
}

/// Fields with what is known by now in the place of later values.
pub(in crate::deploy) fn resolve(fields: &GraphValue, outputs: Outputs<'_>) -> Result<GraphValue, Fault> {
    Ok(match fields {
        GraphValue::Later(Later::Output { id, output: name }) => outputs.get(id, name).ok_or_else(|| {
            Fault::new(format!("the output `{name}` of {id} is not known"))
                .help("deploy that too; of what is secret no digest is given")
        })?,
        GraphValue::Later(Later::Call(call)) => called(call, outputs)?,
        GraphValue::Secret(Secret::Call(call)) if call.args.iter().any(GraphValue::has_later) => {
            called(call, outputs)?
        }
        GraphValue::List(items) => {
            GraphValue::List(items.iter().map(|item| resolve(item, outputs)).collect::<Result<_, Fault>>()?)
        }
        GraphValue::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), resolve(value, outputs)?)));
            GraphValue::Map(entries.collect::<Result<_, Fault>>()?)
        }
        other => other.clone(),
    })
}

/// A call with its arguments known. With a secret among them the result is one: opened if they are,
/// else a call of the same with what is known by now.
fn called(call: &Call, outputs: Outputs<'_>) -> Result<GraphValue, Fault> {
    let args: Vec<GraphValue> =
        call.args.iter().map(|arg| resolve(arg, outputs)).collect::<Result<_, Fault>>()?;
    let call = Call { function: call.function.clone(), args };
    if !call.args.iter().any(GraphValue::has_secret) {
        return apply(&call.function, &call.args);
    }
    let mut key = None;
    let mut plain = Vec::with_capacity(call.args.len());
    for arg in &call.args {
        let opened = arg.map_secrets(&mut |secret| match secret {
            Secret::Known(known) => {
                key = Some(known.key);
                Ok((*known.value).clone())
            }
            _ => Err(()),
        });
        match opened {
            Ok(arg) => plain.push(arg),
            Err(()) => return Ok(GraphValue::Secret(Secret::Call(call))),
        }
    }
    let secret = Secret::Call(call);
    let (Secret::Call(call), Some(key)) = (&secret, key) else { return Ok(GraphValue::Secret(secret)) };
    let value = apply(&call.function, &plain)
        .map_err(|_| Fault::new(format!("`{}` gives nothing for the value of a secret", call.function)))?;
    let known = Known { name: secret.name(), value: Box::new(value), key };
    Ok(GraphValue::Secret(Secret::Known(Box::new(known))))
}
