//! What is written fits the schema, and what does not fit it is not read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use serde_json::Value;

use super::super::tests::graph;
use super::SCHEMA;
use crate::graph::{Graph, GraphError};

/// The keywords that the schema uses. Any other one fails the test, so that nothing stands in
/// the schema that is not checked here.
struct Validator {
    schema: Value,
    patterns: RefCell<BTreeMap<String, regex::Regex>>,
}

impl Validator {
    fn new() -> Self {
        Validator { schema: serde_json::from_str(SCHEMA).unwrap(), patterns: RefCell::default() }
    }

    fn check(&self, value: &Value) -> Result<(), String> {
        self.fits(value, &self.schema, "$")
    }

    fn fits(&self, value: &Value, schema: &Value, at: &str) -> Result<(), String> {
        let keywords = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return Err(format!("{at}: must not be there")),
            schema => schema.as_object().unwrap(),
        };
        for (keyword, with) in keywords {
            let fine = match keyword.as_str() {
                "$schema" | "$id" | "title" | "description" | "$defs" | "then" | "else" => true,
                "$ref" => {
                    let target = self.schema.pointer(with.as_str().unwrap().strip_prefix('#').unwrap());
                    self.fits(value, target.expect("a definition"), at)?;
                    true
                }
                "type" => {
                    let types: Vec<&str> = match with {
                        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                        one => vec![one.as_str().unwrap()],
                    };
                    types.iter().any(|t| is_type(value, t))
                }
                "const" => value == with,
                "enum" => with.as_array().unwrap().contains(value),
                "minimum" => value.as_f64().is_none_or(|v| v >= with.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|v| v <= with.as_f64().unwrap()),
                "pattern" => {
                    let pattern = with.as_str().unwrap();
                    let mut patterns = self.patterns.borrow_mut();
                    let compiled = patterns
                        .entry(pattern.to_owned())
                        .or_insert_with(|| regex::Regex::new(&format!("(?s){pattern}")).unwrap());
                    value.as_str().is_none_or(|text| compiled.is_match(text))
                }
                "required" => value.as_object().is_none_or(|map| {
                    with.as_array().unwrap().iter().all(|name| map.contains_key(name.as_str().unwrap()))
                }),
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.fits(item, with, &format!("{at}[]"))?;
                    }
                    true
                }
                "propertyNames" => {
                    for name in value.as_object().into_iter().flat_map(|map| map.keys()) {
                        self.fits(&Value::from(name.as_str()), with, at)?;
                    }
                    true
                }
                "properties" => {
                    for (name, with) in with.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.fits(member, with, &format!("{at}.{name}"))?;
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    let known = keywords.get("properties").and_then(Value::as_object);
                    for (name, member) in value.as_object().into_iter().flatten() {
                        if !known.is_some_and(|known| known.contains_key(name)) {
                            self.fits(member, with, &format!("{at}.{name}"))?;
                        }
                    }
                    true
                }
                "oneOf" => {
                    with.as_array().unwrap().iter().filter(|s| self.fits(value, s, at).is_ok()).count() == 1
                }
                "if" => {
                    let branch = if self.fits(value, with, at).is_ok() { "then" } else { "else" };
                    self.fits(value, &keywords[branch], at)?;
                    true
                }
                other => panic!("the schema has an unknown keyword `{other}`"),
            };
            if !fine {
                return Err(format!("{at}: {keyword} of {with}: {value}"));
            }
        }
        Ok(())
    }
}

fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type `{other}`"),
    }
}

/// Every map of a value, by its path, that belongs to the format and not to somebody's data.
fn maps(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(at.clone());
            for (name, member) in map.iter().filter(|(name, _)| *name != "fields") {
                maps(member, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                maps(item, format!("{at}/{number}"), found);
            }
        }
        _ => {}
    }
}

fn is_read(document: &Value) -> bool {
    // A document that was read and whose digest differs was understood.
    matches!(Graph::parse(document.to_string().as_bytes()), Ok(_) | Err(GraphError::Digest { .. }))
}

proptest! {
    #[test]
    fn schema_and_reader_agree(graph in graph(), choice in any::<prop::sample::Index>(), kind in 0..4) {
        thread_local!(static VALIDATOR: Rc<Validator> = Rc::new(Validator::new()));
        let validator = VALIDATOR.with(Rc::clone);
        let mut document: Value = serde_json::from_slice(&graph.to_canonical_json()).unwrap();
        prop_assert_eq!(validator.check(&document), Ok(()));
        let mut all = Vec::new();
        maps(&document, String::new(), &mut all);
        let map = document.pointer_mut(&all[choice.index(all.len())]).and_then(Value::as_object_mut).unwrap();
        let name = map.keys().nth(choice.index(map.len().max(1))).cloned().unwrap_or_default();
        match kind {
            0 => {
                map.remove(&name);
            }
            1 => {
                map.insert("other".to_owned(), Value::Null);
            }
            2 => {
                map.insert(name, Value::from(vec![1]));
            }
            // These must fit other texts, of which a schema can say nothing.
            _ if name == "type" || name == "target" => {}
            _ => {
                map.insert(name, Value::from("text"));
            }
        }
        let fits = validator.check(&document);
        // Texts are of no type in themselves: a digest or an id that is none is for the digest
        // to refuse.
        if kind == 3 {
            prop_assert!(fits.is_err() || is_read(&document), "{:?} {}", fits, document);
        } else {
            prop_assert_eq!(fits.is_ok(), is_read(&document), "{:?} {}", fits, document);
        }
    }
}
