//! Text of models to a tree and its errors: lexer, token trees, parser, formatter. Pure.

pub mod ast;
mod format;
mod lexer;
mod literal;
mod parser;
mod plain;
mod sink;
mod split;
mod token;
mod trees;

pub use format::format;

use crate::base::FileId;
use crate::diag::{Diagnostic, conflict};

/// A parsed model file.
#[derive(Debug)]
pub struct Parse {
    /// The tree; what could not be read is left out of it.
    pub module: ast::Module,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How many tokens the parsers were given, one that was given twice counted twice: what it
    /// took.
    pub work: u64,
}

/// Parses a model file. Never fails: the tree holds what could be read.
pub fn parse(file: FileId, text: &str) -> Parse {
    let parsed = parse_once(file, text);
    // Of a text with mistakes alone: what is in order costs nothing.
    let conflict = (!parsed.diagnostics.is_empty()).then(|| conflict::find(text)).flatten();
    let Some(conflict) = conflict else { return parsed };
    // One side of it is read, so that what uses this module finds what it declares.
    let ours = parse_once(file, &conflict.ours(text));
    Parse { diagnostics: vec![conflict.diagnostic(file)], ..ours }
}

fn parse_once(file: FileId, text: &str) -> Parse {
    let mut cx = parser::context(file, text);
    let module = cx.module();
    let work = cx.work();
    Parse { module, diagnostics: cx.finish(), work }
}

/// Whether two texts, places aside, are read as one module; a text with errors is like no other.
pub fn same_meaning(a: &str, b: &str) -> bool {
    let meaning = |text| {
        let parsed = parse(FileId::new("<meaning>"), text);
        let faulty = parsed.diagnostics.iter().any(Diagnostic::is_error);
        (!faulty).then(|| plain::erased(parsed.module))
    };
    meaning(a).is_some_and(|a| meaning(b) == Some(a))
}

/// Parses one expression.
pub fn parse_expr(file: FileId, text: &str) -> (ast::Expr, Vec<Diagnostic>) {
    let mut cx = parser::context(file, text);
    let expr = cx.whole_expr();
    (expr, cx.finish())
}

/// Parses the text of a template file: its `${…}` are expressions, `\${` is the text `${`, and
/// everything else stands for itself.
pub fn parse_template(file: FileId, text: &str) -> (Vec<ast::StrPart>, Vec<Diagnostic>) {
    let mut cx = parser::template_context(file, text);
    let parts = cx.template();
    (parts, cx.finish())
}
