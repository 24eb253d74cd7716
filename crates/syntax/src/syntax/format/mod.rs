//! One style for models: 4 spaces, lines of at most 100 characters where a line can be broken,
//! one newline at the end, commas only where one line holds several. What the author broke stays
//! broken; of several empty lines one stays.
//!
//! The formatter moves the tokens of the text, and so keeps every comment. What it changes are
//! line breaks and the commas between parts; it parses what it has written, and would rather
//! change nothing than what the text means.

mod flat;
mod spacing;
mod strings;
mod write;

use crate::base::FileId;
use crate::diag::Diagnostic;

use super::ast::Module;
use super::parser;
use super::plain;

/// The longest line that is not broken if it can be.
const WIDTH: usize = 100;

/// What is broken for its length is taken for broken by the author when it is read again, and
/// may then be laid out better; so often at most.
const PASSES: usize = 8;

/// Formats a model file. A text with mistakes is not formatted: they are returned.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (meaning, mut formatted) = pass(text)?;
    for left in (0..PASSES).rev() {
        // A mistake of the formatter must not become one of the model.
        let Ok((same, again)) = pass(&formatted) else { return Ok(text.to_owned()) };
        if same != meaning {
            return Ok(text.to_owned());
        }
        if again == formatted || left == 0 {
            break;
        }
        formatted = again;
    }
    Ok(formatted)
}

/// What the text means, and how it looks after one pass.
fn pass(text: &str) -> Result<(Module, String), Vec<Diagnostic>> {
    let file = FileId::new("<format>");
    let (module, lexed, bodies, diagnostics) = parser::context(file, text).module_with_bodies();
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    Ok((plain::erased(module), write::Writer::new(text, &lexed, &bodies).module()))
}
