//! Strings: what stands in `${…}` is formatted, and block strings move with their line.

use crate::syntax::split::{Tok, group_end, level};
use crate::syntax::token::Kind;

use super::flat::Flat;
use super::write::Writer;

impl Writer<'_> {
    /// A string of one line, or None if it has several.
    pub(super) fn flat_string(&mut self, tok: Tok) -> Option<String> {
        let end = group_end(self.tokens, tok.at);
        let mut out = String::new();
        let mut i = tok.at as usize;
        while i < end.after {
            let Some(token) = self.tokens.get(i).copied() else { break };
            if token.kind == Kind::InterpOpen {
                out.push_str(&self.flat_hole(i as u32)?);
                i = group_end(self.tokens, i as u32).after.max(i + 1);
            } else {
                out.push_str(self.text.get(token.span.range()).unwrap_or_default());
                i += 1;
            }
        }
        (!out.contains(['\n', '\r'])).then_some(out)
    }

    /// `${…}` on one line; as it is written if it has comments or several lines.
    fn flat_hole(&mut self, at: u32) -> Option<String> {
        let end = group_end(self.tokens, at);
        let toks = level(self.tokens, at as usize + 1, end.inside);
        let open = self.tokens.get(at as usize)?.span;
        if !self.has_comments(at as usize + 1, end.inside)
            && let Flat::Text(text) = self.flat_part(&toks)
        {
            return Some(format!("${{{text}}}"));
        }
        self.text.get(open.to(end.close).range()).map(str::to_owned)
    }

    /// A block string, or another one of several lines. Its text keeps its indentation to the
    /// line that it begins on; what cannot be moved without a change stays as it is.
    pub(super) fn write_string(&mut self, tok: Tok, indent: usize) {
        let raw = self.text.get(tok.span.range()).unwrap_or_default().to_owned();
        let block = self.tokens.get(tok.at as usize).is_some_and(|t| t.kind == Kind::BlockQuote);
        let moved = block.then(|| self.moved_block(tok, indent)).flatten();
        self.push_raw(&moved.unwrap_or_else(|| raw.replace("\r\n", "\n")));
    }

    /// The block string with its text one step deeper than its line.
    fn moved_block(&mut self, tok: Tok, indent: usize) -> Option<String> {
        let end = group_end(self.tokens, tok.at);
        let mut out = String::new();
        let mut i = tok.at as usize + 1;
        while i < end.inside {
            let token = self.tokens.get(i).copied()?;
            if token.kind == Kind::InterpOpen {
                let hole = self.flat_hole(i as u32)?;
                // Lines within `${…}` are no lines of the text.
                if hole.contains(['\n', '\r']) {
                    return None;
                }
                out.push_str(&hole);
                i = group_end(self.tokens, i as u32).after.max(i + 1);
            } else {
                out.push_str(self.text.get(token.span.range())?);
                i += 1;
            }
        }
        let text = out.replace("\r\n", "\n");
        let mut lines = text.split('\n');
        let first = lines.next()?;
        let rest: Vec<&str> = lines.collect();
        let indent_of = |l: &&str| l.len() - l.trim_start_matches([' ', '\t']).len();
        let filled = rest.iter().filter(|l| !l.trim().is_empty());
        let common = filled.clone().map(indent_of).min()?;
        let lead = filled.clone().next().and_then(|l| l.get(..common))?;
        if !filled.clone().all(|l| l.starts_with(lead)) {
            return None;
        }
        let pad = " ".repeat(indent + 4);
        let mut moved = format!("\"\"\"{first}");
        for (n, line) in rest.iter().enumerate() {
            moved.push('\n');
            let last = n + 1 == rest.len();
            if line.trim().is_empty() {
                // The spaces of an empty line are no text, but those before the quotes place them.
                moved.push_str(if last { &pad } else { "" });
            } else {
                moved.push_str(&pad);
                moved.push_str(line.get(common..)?);
            }
        }
        moved.push_str("\"\"\"");
        Some(moved)
    }
}
