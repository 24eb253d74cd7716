//! The fold by its definition, with no thought of cost: every element has a path, and what it
//! holds is written out and compared as text.

use std::collections::BTreeMap;

use gops::eval::{Instance, Operation, Record, Value};
use gops::history::{Folded, FoldedElement, Seen};
use gops::model::Program;
use gops::syntax::ast::RecordKind;

/// The ways to the elements of a version: the identity of each, from the root.
fn paths(program: &Program, instance: &Instance) -> Vec<Option<Vec<String>>> {
    let mut paths: Vec<Option<Vec<String>>> = Vec::new();
    for (at, element) in instance.elements.iter().enumerate() {
        let above = match element.parent {
            None if at == 0 => Some(Vec::new()),
            None => None,
            Some(parent) => paths[parent as usize].clone(),
        };
        let plain = program.record(element.record.ty).is_some_and(|r| r.kind == RecordKind::Plain);
        paths.push(above.filter(|_| !plain).map(|mut path| {
            let keys = if at == 0 { Vec::new() } else { key(program, &element.record) };
            path.push(format!("{:?} {:?} {:?} {keys:?}", element.step, element.variant, element.record.ty));
            path
        }));
    }
    paths
}

fn key(program: &Program, record: &Record) -> Vec<Value> {
    let keys = program.record(record.ty).map(|r| r.keys.clone()).unwrap_or_default();
    keys.iter().map(|k| record.fields[k.path[0] as usize].clone()).collect()
}

/// All of a value; lists of elements in an order that does not depend on theirs.
fn written(program: &Program, paths: &[Option<Vec<String>>], value: &Value) -> String {
    let is_element = |value: &Value| match value {
        Value::Record(r) | Value::Variant(_, _, Some(r)) => {
            r.element.is_some_and(|e| paths[e.index as usize].is_some())
        }
        _ => false,
    };
    let of = |value: &Value| written(program, paths, value);
    let record = |r: &Record| {
        let identity = r.element.and_then(|e| paths[e.index as usize].clone());
        let fields: Vec<String> = r.fields.iter().map(of).collect();
        format!("{identity:?}{{{}}}", fields.join(","))
    };
    match value {
        Value::Record(r) => record(r),
        Value::Variant(_, v, payload) => {
            format!("#{v}{}", payload.as_ref().map_or("-".into(), |r| record(r)))
        }
        Value::List(items) | Value::Set(items) => {
            let mut texts: Vec<String> = items.iter().map(of).collect();
            if items.iter().any(is_element) {
                texts.sort();
            }
            format!("[{}]", texts.join(","))
        }
        Value::Map(entries) => {
            let texts: Vec<String> = entries.iter().map(|(k, v)| format!("{k:?}:{}", of(v))).collect();
            format!("<{}>", texts.join(","))
        }
        other => format!("{other:?}"),
    }
}

struct Version {
    /// Each element: its path, its number, and all that it is.
    elements: Vec<(Vec<String>, u32, String)>,
}

impl Version {
    fn new(program: &Program, instance: &Instance) -> Self {
        let paths = paths(program, instance);
        let mut elements = Vec::new();
        for (at, element) in instance.elements.iter().enumerate() {
            if let Some(path) = &paths[at] {
                let mut text = written(program, &paths, &Value::Record(element.record.clone()));
                text.push_str(&format!("{:?}", element.variant));
                elements.push((path.clone(), at as u32, text));
            }
        }
        Version { elements }
    }

    fn get(&self, path: &[String]) -> Option<(u32, &str)> {
        let found = self.elements.iter().find(|(p, ..)| p == path);
        found.map(|(_, at, text)| (*at, text.as_str()))
    }
}

/// What `history::fold` must give.
pub fn fold(program: &Program, current: Option<&Instance>, earlier: &[Option<&Instance>]) -> Folded {
    let now = current.map(|i| Version::new(program, i));
    let then: Vec<Option<Version>> = earlier.iter().map(|i| i.map(|i| Version::new(program, i))).collect();
    // Every path that any version has, in the order of the versions.
    let mut all: Vec<Vec<String>> = Vec::new();
    for version in now.iter().chain(then.iter().flatten()) {
        for (path, ..) in &version.elements {
            if !all.contains(path) {
                all.push(path.clone());
            }
        }
    }
    let mut folded = Folded::default();
    let mut numbers = BTreeMap::new();
    let roots: Vec<Vec<String>> = all.iter().filter(|p| p.len() == 1).cloned().collect();
    for root in roots {
        visit(&root, None, &all, now.as_ref(), &then, &mut numbers, &mut folded);
    }
    let number = |version: &Instance| {
        let paths = paths(program, version);
        paths.iter().map(|p| p.as_ref().map(|p| numbers[p])).collect()
    };
    let versions = std::iter::once(&current).chain(earlier);
    folded.numbers = versions.map(|v| v.map(number).unwrap_or_default()).collect();
    folded
}

fn visit(
    path: &[String],
    parent: Option<u32>,
    all: &[Vec<String>],
    now: Option<&Version>,
    then: &[Option<Version>],
    numbers: &mut BTreeMap<Vec<String>, u32>,
    folded: &mut Folded,
) {
    let here = now.and_then(|v| v.get(path));
    let newest = then.first().and_then(Option::as_ref).and_then(|v| v.get(path));
    let older = then
        .iter()
        .enumerate()
        .find_map(|(at, v)| v.as_ref()?.get(path).map(|(element, _)| Seen { version: at as u32, element }));
    let (operation, earlier) = match (here, newest) {
        (None, _) => (Operation::Delete, older),
        (Some(_), None) => (Operation::Create, None),
        (Some((_, a)), Some((element, b))) => {
            let operation = if a == b { Operation::Keep } else { Operation::Update };
            (operation, Some(Seen { version: 0, element }))
        }
    };
    let number = folded.elements.len() as u32;
    numbers.insert(path.to_vec(), number);
    folded.elements.push(FoldedElement { parent, operation, current: here.map(|(at, _)| at), earlier });
    for child in all.iter().filter(|p| p.len() == path.len() + 1 && p.starts_with(path)) {
        visit(child, Some(number), all, now, then, numbers, folded);
    }
}
