//! The language that selects resources: `TextFile[host=h1,path~/srv/**]`. `docs/selectors.md`
//! describes it for those who write it.
//!
//! A selector speaks of ids alone, of types and keys: so it means the same of what the project
//! wants and of what only the ledger knows, of which there is nothing else to be asked. The id of
//! a resource, as it is shown, is a selector that selects it.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ecow::EcoString;
use globset::GlobMatcher;
use miette::SourceSpan;

use crate::base::id::{self, Id, KeyValue, reads_as_string};
use crate::diag::{did_you_mean, nearest};

use super::scope::Select;

/// How many ids a message names.
const NAMED: usize = 3;

/// A selector, as it was written.
#[derive(Clone, Debug)]
pub struct Selector {
    text: EcoString,
    /// The end of a type's path, `*` and `?` in it standing for any letters.
    kind: EcoString,
    conditions: Vec<Condition>,
}

/// One of the conditions that all must hold.
#[derive(Clone, Debug)]
struct Condition {
    field: EcoString,
    /// Where the field stands.
    at: Range<usize>,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Is(Value),
    IsNot(Value),
    Like(Box<GlobMatcher>),
    Unlike(Box<GlobMatcher>),
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Read as in an id: `1` is the number.
    Plain(EcoString),
    /// In quotes: a text, whatever it looks like.
    Quoted(EcoString),
}

/// What is wrong with a selector, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("{problem}")]
#[diagnostic(code(gops::selector))]
pub struct SelectorError {
    problem: String,
    #[source_code]
    text: String,
    #[label("{label}")]
    at: SourceSpan,
    label: String,
    #[help]
    help: Option<String>,
}

impl SelectorError {
    fn new(text: &str, at: Range<usize>, problem: impl Into<String>, label: impl Into<String>) -> Self {
        let at = SourceSpan::from((at.start, at.end.saturating_sub(at.start)));
        SelectorError { problem: problem.into(), text: text.to_owned(), at, label: label.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Selector {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parse::parse(text)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it selects the resource with this id.
    pub fn selects(&self, id: &str) -> bool {
        // A part belongs to its resource.
        let whole = id.rsplit_once("]#").map_or(id, |(whole, _)| id.get(..=whole.len()).unwrap_or(id));
        id::parse(whole).is_ok_and(|id| self.fits(&id))
    }

    fn fits(&self, id: &Id) -> bool {
        self.is_of(&id.type_path) && self.conditions.iter().all(|condition| condition.holds(id))
    }

    fn is_of(&self, type_path: &str) -> bool {
        let parts: Vec<&str> = type_path.split("::").collect();
        let wanted: Vec<&str> = self.kind.split("::").collect();
        let Some(tail) = parts.len().checked_sub(wanted.len()).and_then(|at| parts.get(at..)) else {
            return false;
        };
        wanted.iter().zip(tail).all(|(pattern, part)| letters(pattern.as_bytes(), part.as_bytes()))
    }
}

impl Condition {
    /// What has no such key fits neither the one nor its opposite.
    fn holds(&self, id: &Id) -> bool {
        let Some(value) = find(&id.keys, &self.field) else { return false };
        match &self.test {
            Test::Is(wanted) => wanted.is(value),
            Test::IsNot(wanted) => !wanted.is(value),
            Test::Like(glob) => text(value).is_some_and(|text| glob.is_match(text.as_str())),
            Test::Unlike(glob) => !text(value).is_some_and(|text| glob.is_match(text.as_str())),
        }
    }
}

/// The value of a key; of a reference with several keys one of these, `site.name`.
fn find<'a>(keys: &'a [(String, KeyValue)], field: &str) -> Option<&'a KeyValue> {
    if let Some((_, value)) = keys.iter().find(|(name, _)| name == field) {
        return Some(value);
    }
    keys.iter().find_map(|(name, value)| {
        match (field.strip_prefix(name.as_str())?.strip_prefix('.'), value) {
            (Some(rest), KeyValue::Keys(keys)) => find(keys, rest),
            _ => None,
        }
    })
}

impl Value {
    fn is(&self, value: &KeyValue) -> bool {
        match (self, value) {
            (Value::Quoted(wanted), KeyValue::Str(text)) => wanted == text,
            (Value::Quoted(_), _) => false,
            (Value::Plain(wanted), KeyValue::Str(text)) => wanted == text && reads_as_string(text),
            (Value::Plain(wanted), KeyValue::Null) => wanted == "null",
            (Value::Plain(wanted), value) => text(value).as_ref() == Some(wanted),
        }
    }
}

/// What patterns are compared with: a text without its quotes. Nothing is like no pattern.
fn text(value: &KeyValue) -> Option<EcoString> {
    Some(match value {
        KeyValue::Null => return None,
        KeyValue::Bool(value) => ecow::eco_format!("{value}"),
        KeyValue::Int(value) => ecow::eco_format!("{value}"),
        KeyValue::Str(text) => text.as_str().into(),
        KeyValue::Keys(keys) => {
            let whole = Id { type_path: String::new(), keys: keys.clone() }.to_string();
            let body = whole.strip_prefix('[').and_then(|w| w.strip_suffix(']')).unwrap_or(&whole);
            ecow::eco_format!("{{{body}}}")
        }
    })
}

/// Whether letters fit a pattern, in which `*` stands for any of them and `?` for one.
fn letters(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    // The last star, and how much of the name it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), name.get(pos)) {
            (Some(b'*'), _) => {
                star = Some((at, pos));
                at += 1;
            }
            (Some(b'?'), Some(_)) => (at, pos) = (at + 1, pos + 1),
            (Some(wanted), Some(found)) if wanted == found => (at, pos) = (at + 1, pos + 1),
            (None, None) => return true,
            _ => match star {
                Some((back, start)) if start < name.len() => {
                    star = Some((back, start + 1));
                    (at, pos) = (back + 1, start + 1);
                }
                _ => return false,
            },
        }
    }
}

/// What selectors choose from: the ids of a project and of its ledger.
#[derive(Debug, Default)]
pub struct Universe {
    /// By full path of a type the names of its keys.
    kinds: BTreeMap<String, BTreeSet<String>>,
    ids: BTreeSet<EcoString>,
}

impl Universe {
    /// That of some ids.
    pub fn of<'a>(ids: impl IntoIterator<Item = &'a EcoString>) -> Self {
        let mut universe = Universe::default();
        for id in ids {
            let Ok(parsed) = id::parse(id) else { continue };
            let keys = universe.kinds.entry(parsed.type_path).or_default();
            if keys.is_empty() {
                keys.extend(parsed.keys.into_iter().map(|(name, _)| name));
            }
            universe.ids.insert(id.clone());
        }
        universe
    }

    /// How many there are to choose from.
    pub fn size(&self) -> usize {
        self.ids.len()
    }

    /// What these select, each of them something.
    pub fn choose(&self, selectors: &[Selector]) -> Result<Chosen, SelectorError> {
        for selector in selectors {
            self.examine(selector)?;
        }
        Ok(Chosen(selectors.to_vec()))
    }

    /// How many a choice has.
    pub fn count(&self, chosen: &Chosen) -> usize {
        self.ids.iter().filter(|id| chosen.selects(id)).count()
    }

    fn examine(&self, selector: &Selector) -> Result<(), SelectorError> {
        let kinds: Vec<(&String, &BTreeSet<String>)> =
            self.kinds.iter().filter(|(kind, _)| selector.is_of(kind)).collect();
        if kinds.is_empty() {
            return Err(self.no_type(selector));
        }
        for condition in &selector.conditions {
            let known = |keys: &BTreeSet<String>| {
                let first = condition.field.split('.').next().unwrap_or_default();
                keys.contains(condition.field.as_str()) || keys.contains(first)
            };
            if !kinds.iter().any(|(_, keys)| known(keys)) {
                return Err(no_key(selector, condition, &kinds));
            }
        }
        if self.ids.iter().any(|id| selector.selects(id)) { Ok(()) } else { Err(self.nothing(selector)) }
    }

    fn no_type(&self, selector: &Selector) -> SelectorError {
        let kind = selector.kind.as_str();
        let label = "there is none of this type, in the project or in the ledger";
        let error = SelectorError::new(&selector.text, 0..kind.len(), format!("there is no `{kind}`"), label);
        let last = |path: &'_ str| path.rsplit("::").next().map(str::to_owned).unwrap_or_default();
        let names: BTreeSet<String> = self.kinds.keys().map(|path| last(path)).collect();
        let meant = nearest(&last(kind), names.iter().map(String::as_str));
        match meant {
            Some(name) => error.help(format!("did you mean `{name}`?")),
            None if names.is_empty() => error.help("there are no resources at all"),
            None => error.help(format!("there are {}", listed(names.iter().map(String::as_str)))),
        }
    }

    fn nothing(&self, selector: &Selector) -> SelectorError {
        let problem = format!("`{}` selects nothing", selector.text);
        let error = SelectorError::new(
            &selector.text,
            0..selector.text.len(),
            problem,
            "neither the project nor the ledger has one",
        );
        // The condition to blame is one without which there would be something.
        let blamed = (0..selector.conditions.len()).find_map(|at| {
            let mut without = selector.clone();
            let condition = without.conditions.remove(at);
            let rest: Vec<&EcoString> = self.ids.iter().filter(|id| without.selects(id)).collect();
            (!rest.is_empty()).then_some((condition, rest))
        });
        let Some((condition, rest)) = blamed else { return error };
        if let Test::Is(Value::Plain(written)) = &condition.test
            && written.contains(['*', '?'])
        {
            let help = format!("patterns stand behind `~`: `{}~{written}`", condition.field);
            return error.help(help);
        }
        let values: BTreeSet<EcoString> =
            rest.iter().filter_map(|id| text(find(&id::parse(id).ok()?.keys, &condition.field)?)).collect();
        if let Test::Is(Value::Plain(written) | Value::Quoted(written)) = &condition.test
            && let Some(help) = did_you_mean(written, values.iter().map(EcoString::as_str))
        {
            return error.help(help);
        }
        let shown = rest.iter().map(|id| id::shown(id).into_owned()).collect::<Vec<_>>();
        error.help(format!(
            "without `{}` there is {}",
            condition.field,
            listed(shown.iter().map(String::as_str))
        ))
    }
}

fn no_key(
    selector: &Selector,
    condition: &Condition,
    kinds: &[(&String, &BTreeSet<String>)],
) -> SelectorError {
    let keys: BTreeSet<&str> = kinds.iter().flat_map(|(_, keys)| keys.iter()).map(String::as_str).collect();
    let of = match kinds {
        [(kind, _)] => format!("`{}`", kind.rsplit("::").next().unwrap_or(kind)),
        _ => "any of these types".to_owned(),
    };
    let problem = format!("`{}` is no key of {of}", condition.field);
    let error = SelectorError::new(
        &selector.text,
        condition.at.clone(),
        problem,
        "resources are selected by their keys",
    );
    match nearest(&condition.field, keys.iter().copied()) {
        Some(name) => error.help(format!("did you mean `{name}`?")),
        None if keys.is_empty() => error.help("it has no keys: write the type alone"),
        None => error.help(format!("there is {}", listed(keys.into_iter()))),
    }
}

/// `a`, `b` and 3 more
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let text = names.take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

/// Resources that any of several selectors selects.
#[derive(Clone, Debug)]
pub struct Chosen(Vec<Selector>);

impl Select for Chosen {
    fn selects(&self, id: &str) -> bool {
        self.0.iter().any(|selector| selector.selects(id))
    }
}
