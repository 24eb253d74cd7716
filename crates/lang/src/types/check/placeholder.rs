//! Strings with a name in them that looks as if it stood for its value.

use super::body::Cx;
use crate::base::{Name, Span};
use crate::diag::codes::lint as codes;
use crate::syntax::ast::StrPart;

impl Cx<'_, '_> {
    /// Warns of `{name}` and `$name` of a local or a field, in a text of one line that is nothing
    /// like a template or code.
    pub fn placeholders(&mut self, parts: &[StrPart], span: Span) {
        if self.sealed {
            return;
        }
        let texts =
            || parts.iter().filter_map(|p| if let StrPart::Text(text) = p { Some(text) } else { None });
        if !texts().any(|text| text.contains(['{', '$'])) || texts().any(|text| text.contains('\n')) {
            return;
        }
        // `"{name}"` alone is what another tool replaces.
        if let [StrPart::Text(text)] = parts
            && (whole(text, '{') || text.starts_with('$') && !text.contains(' '))
        {
            return;
        }
        let found: Vec<Found<'_>> = texts().flat_map(|text| placeholders(text)).collect();
        let braces: usize = texts().map(|text| text.matches('{').count()).sum();
        if braces != found.iter().filter(|f| f.braces).count() {
            return;
        }
        // Other languages have `$name` too: a line with spaces may be one of theirs.
        let code = texts().any(|text| text.contains([' ', ';']));
        for Found { name, braces } in found {
            if code && !braces {
                continue;
            }
            let known = Name::new(name);
            if !self.has_local(known) && self.this_field(known).is_none() {
                continue;
            }
            let written = if braces { format!("{{{name}}}") } else { format!("${name}") };
            let message = format!("`{written}` is text as it stands");
            let problem = self.problem(codes::PLACEHOLDER, span, message);
            self.report(problem.help(format!("write `${{{name}}}` for the value of `{name}`")));
        }
    }
}

struct Found<'t> {
    name: &'t str,
    braces: bool,
}

fn whole(text: &str, first: char) -> bool {
    text.starts_with(first) && text.ends_with('}') && text.matches('{').count() == 1
}

/// The names in `{…}` and behind `$`.
fn placeholders(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        let rest = text.get(at + 1..).unwrap_or_default();
        let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest.get(..word).unwrap_or_default();
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase());
        match c {
            '{' if is_name && rest.get(word..).is_some_and(|r| r.starts_with('}')) => {
                found.push(Found { name, braces: true });
            }
            '$' if is_name => found.push(Found { name, braces: false }),
            _ => {}
        }
    }
    found
}
