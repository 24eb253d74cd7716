//! What of a refinement a schema can say: ranges, lengths, simple patterns, lists of values.

use serde_json::{Value, json};

use crate::model::Program;
use crate::model::hir::{Hir, HirKind};
use crate::model::prelude::Builtin;
use crate::syntax::ast::BinaryOp;

/// The schema, with what `condition` says of `self` and can be said.
pub fn narrow(schema: Value, condition: &Hir, program: &Program) -> Value {
    let mut found = Vec::new();
    collect(condition, program, &mut found);
    if found.is_empty() {
        return schema;
    }
    match schema {
        // In an object of its own the words may be added, unless one is there already.
        Value::Object(mut object) if !object.contains_key("$ref") => {
            let mut rest = Vec::new();
            for (key, value) in found {
                if object.contains_key(key) {
                    rest.push(json!({ key: value }));
                } else {
                    object.insert(key.to_owned(), value);
                }
            }
            if !rest.is_empty() && !object.contains_key("allOf") {
                object.insert("allOf".to_owned(), Value::Array(rest));
            }
            Value::Object(object)
        }
        schema => {
            let words: serde_json::Map<String, Value> =
                found.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            json!({ "allOf": [schema, words] })
        }
    }
}

type Words = Vec<(&'static str, Value)>;

fn collect(condition: &Hir, program: &Program, words: &mut Words) {
    match &condition.kind {
        HirKind::Binary(BinaryOp::And, a, b) => {
            collect(a, program, words);
            collect(b, program, words);
        }
        HirKind::Range { start, end, inclusive } => {
            range(start.as_deref(), end.as_deref(), *inclusive, words)
        }
        HirKind::Binary(BinaryOp::In, a, b) if is_self(a) => match &b.kind {
            HirKind::Range { start, end, inclusive } => {
                range(start.as_deref(), end.as_deref(), *inclusive, words)
            }
            HirKind::List(items) => one_of(items, words),
            HirKind::ToSet(list) => {
                if let HirKind::List(items) = &list.kind {
                    one_of(items, words);
                }
            }
            _ => {}
        },
        HirKind::List(items) => one_of(items, words),
        HirKind::Matches { value, regex } if is_self(value) => {
            let text = program.regexes.get(*regex as usize).map(|r| r.text.as_str());
            if let Some(pattern) = text.and_then(pattern) {
                words.push(("pattern", json!(pattern)));
            }
        }
        HirKind::Binary(op, a, b) => compare(*op, a, b, words),
        _ => {}
    }
}

fn is_self(hir: &Hir) -> bool {
    matches!(hir.kind, HirKind::SelfValue)
}

fn int(hir: &Hir) -> Option<i64> {
    match &hir.kind {
        HirKind::Int(value) => Some(*value),
        HirKind::Unary(crate::syntax::ast::UnaryOp::Neg, inner) => int(inner)?.checked_neg(),
        _ => None,
    }
}

fn range(start: Option<&Hir>, end: Option<&Hir>, inclusive: bool, words: &mut Words) {
    if let Some(start) = start.and_then(int) {
        words.push(("minimum", json!(start)));
    }
    if let Some(end) = end.and_then(int) {
        words.push((if inclusive { "maximum" } else { "exclusiveMaximum" }, json!(end)));
    }
}

fn one_of(items: &[Hir], words: &mut Words) {
    let literal = |hir: &Hir| match &hir.kind {
        HirKind::Int(value) => Some(json!(value)),
        HirKind::Str(text) => Some(json!(text.as_str())),
        _ => None,
    };
    if let Some(all) = items.iter().map(literal).collect::<Option<Vec<Value>>>() {
        words.push(("enum", Value::Array(all)));
    }
}

/// `self >= 1` and `len(self) <= 63`.
fn compare(op: BinaryOp, a: &Hir, b: &Hir, words: &mut Words) {
    let Some(limit) = int(b) else { return };
    if is_self(a) {
        match op {
            BinaryOp::Ge => words.push(("minimum", json!(limit))),
            BinaryOp::Gt => words.push(("exclusiveMinimum", json!(limit))),
            BinaryOp::Le => words.push(("maximum", json!(limit))),
            BinaryOp::Lt => words.push(("exclusiveMaximum", json!(limit))),
            _ => {}
        }
        return;
    }
    let HirKind::Builtin { builtin, args } = &a.kind else { return };
    let of_self = args.first().is_some_and(|a| a.as_ref().is_some_and(is_self));
    let (least, most) = match builtin {
        // Characters are Unicode scalar values in both.
        Builtin::StringLen => ("minLength", "maxLength"),
        Builtin::ListLen => ("minItems", "maxItems"),
        Builtin::MapLen => ("minProperties", "maxProperties"),
        _ => return,
    };
    if !of_self {
        return;
    }
    match op {
        BinaryOp::Ge => words.push((least, json!(limit))),
        BinaryOp::Gt => words.push((least, json!(limit.saturating_add(1)))),
        BinaryOp::Le => words.push((most, json!(limit))),
        BinaryOp::Lt => words.push((most, json!(limit.saturating_sub(1).max(0)))),
        _ => {}
    }
}

/// The expression as ECMA 262 has it, which JSON Schema uses, if it means the same there.
fn pattern(text: &str) -> Option<String> {
    let flags = text.match_indices("(?").any(|(at, _)| !text[at..].starts_with("(?:"));
    let classes = ["\\p", "\\P", "\\x", "\\u", "\\U", "\\A", "\\z", "[[:", "&&", "--", "~~"];
    let foreign = flags || classes.iter().any(|c| text.contains(c));
    (!foreign && text.is_ascii()).then(|| format!("^(?:{text})$"))
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn patterns_are_whole_and_mean_the_same() {
        assert_eq!(pattern("[a-z]+").as_deref(), Some("^(?:[a-z]+)$"));
        assert_eq!(pattern("(?:a|b)c").as_deref(), Some("^(?:(?:a|b)c)$"));
        for foreign in ["(?i)a", r"\p{L}+", "[[:alpha:]]", "(?P<n>a)"] {
            assert_eq!(pattern(foreign), None, "{foreign}");
        }
    }
}
