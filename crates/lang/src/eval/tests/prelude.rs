//! Each builtin's example is true.

use std::fmt::Write as _;

use super::fixture::world;
use crate::base::{FileId, Name};
use crate::eval::{Plan, Value, constant};
use crate::model::prelude::BUILTINS;
use crate::model::{ModuleSource, Settings, declare};
use crate::syntax;
use crate::types::{Checked, check};

/// Checks a module on its own.
pub fn checked(text: &str) -> Checked {
    let file = FileId::new("model/examples.gops");
    let parsed = syntax::parse(file, text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    let source = ModuleSource { file, module_path: vec![Name::new("examples")], ast: &parsed.module };
    let settings = Settings { project: "shop".into(), environments: Vec::new() };
    check(declare(&[source], &settings), &|_: &str| Err("there are no files".into()))
}

#[test]
fn examples_are_true() {
    let mut failed = String::new();
    for row in BUILTINS.iter().filter(|row| !row.builtin.fills()) {
        let checked = checked(&format!("const EXAMPLE: bool = {}\n", row.example));
        let plan = Plan::new(&checked.program);
        let said: Vec<_> = checked.diagnostics.iter().filter(|d| d.is_error()).collect();
        if !said.is_empty() {
            let _ = writeln!(failed, "{}: {}: {said:?}", row.signature, row.example);
            continue;
        }
        let computed = constant(&world(&checked.program, &plan, None), 0);
        if computed.value != Ok(Value::Bool(true)) {
            let _ = writeln!(
                failed,
                "{}: {} is {:?}: {:?} {:?}",
                row.signature,
                row.example,
                computed.value,
                computed.output.diagnostics,
                computed.output.stopped
            );
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}
