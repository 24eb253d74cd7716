//! What differs between two values, place by place.

use std::cmp::Ordering;
use std::fmt;

use ecow::EcoString;

use super::super::value::GraphValue;
use super::QUIET;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Key(EcoString),
    /// Into a list, from 0.
    Item(usize),
}

/// The way to a value within another.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Step>);

/// One place at which two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: Path,
    /// What was there; none: nothing.
    pub old: Option<GraphValue>,
    /// What is there; none: nothing.
    pub new: Option<GraphValue>,
}

impl Change {
    /// Whether it says nothing of what is to be (of a part of an object that [`QUIET`] names).
    pub fn is_quiet(&self) -> bool {
        matches!(self.path.0.first(), Some(Step::Key(part)) if QUIET.contains(&part.as_str()))
    }

    /// The part of the object that it is in: `fields`, `requires`, `drift`, ….
    pub fn part(&self) -> &str {
        match self.path.0.first() {
            Some(Step::Key(part)) => part,
            _ => "",
        }
    }

    /// The way from a node's fields, if it is one of these that changed: `ports[0].number`.
    pub fn field(&self) -> Option<Path> {
        match self.path.0.split_first() {
            Some((Step::Key(part), rest)) if part == "fields" => Some(Path(rest.to_vec())),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |key: &str| {
            !key.is_empty()
                && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$'))
        };
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if plain(key) && at == 0 => f.write_str(key)?,
                Step::Key(key) if plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => {
                    let json = GraphValue::Str(key.clone()).to_json();
                    write!(f, "[{}]", String::from_utf8_lossy(&json))?;
                }
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// What differs, in the order of the paths. Maps are compared key by key, lists of one length
/// item by item; other lists, and all else, as a whole.
pub fn changes(old: &GraphValue, new: &GraphValue) -> Vec<Change> {
    let mut found = Vec::new();
    compare(old, new, &mut Vec::new(), &mut found);
    found
}

fn compare(old: &GraphValue, new: &GraphValue, path: &mut Vec<Step>, found: &mut Vec<Change>) {
    match (old, new) {
        _ if old == new => {}
        (GraphValue::Map(old), GraphValue::Map(new)) => compare_maps(old, new, path, found),
        (GraphValue::List(old), GraphValue::List(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                path.push(Step::Item(at));
                compare(old, new, path, found);
                path.pop();
            }
        }
        _ => found.push(Change { path: Path(path.clone()), old: Some(old.clone()), new: Some(new.clone()) }),
    }
}

type Entries = [(EcoString, GraphValue)];

fn compare_maps(old: &Entries, new: &Entries, path: &mut Vec<Step>, found: &mut Vec<Change>) {
    let mut old = old.iter().peekable();
    let mut new = new.iter().peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let (old, new) = match order {
            Ordering::Less => (old.next(), None),
            Ordering::Greater => (None, new.next()),
            Ordering::Equal => (old.next(), new.next()),
        };
        let Some((key, _)) = old.or(new) else { return };
        path.push(Step::Key(key.clone()));
        match (old, new) {
            (Some((_, old)), Some((_, new))) => compare(old, new, path, found),
            _ => found.push(Change {
                path: Path(path.clone()),
                old: old.map(|(_, value)| value.clone()),
                new: new.map(|(_, value)| value.clone()),
            }),
        }
        path.pop();
    }
}

/// Makes the changes in a value: what [`changes`] found between two makes the new one of the
/// old one. A change whose place is not there is left out.
pub fn patch(value: &mut GraphValue, changes: &[Change]) {
    for change in changes {
        put(value, &change.path.0, &change.new);
    }
}

fn put(value: &mut GraphValue, path: &[Step], new: &Option<GraphValue>) {
    let Some((step, rest)) = path.split_first() else {
        if let Some(new) = new {
            *value = new.clone();
        }
        return;
    };
    match (step, value) {
        (Step::Key(key), GraphValue::Map(entries)) => {
            match (entries.binary_search_by(|(k, _)| k.cmp(key)), rest, new) {
                (Ok(at), [], None) => {
                    entries.remove(at);
                }
                (Ok(at), ..) => {
                    if let Some((_, value)) = entries.get_mut(at) {
                        put(value, rest, new);
                    }
                }
                (Err(at), [], Some(new)) => entries.insert(at, (key.clone(), new.clone())),
                (Err(_), ..) => {}
            }
        }
        (Step::Item(at), GraphValue::List(items)) => {
            if let Some(item) = items.get_mut(*at) {
                put(item, rest, new);
            }
        }
        _ => {}
    }
}
