//! Lints of declarations, and the comments that silence lints.

use crate::base::Span;
use crate::diag::Code;
use crate::diag::codes::lint as codes;
use crate::model::scopes::ModuleId;
use crate::syntax::ast::{self, Ident, ItemKind, Member, MemberKind};

use super::Declarations;

/// Whether a comment in a module silences a lint at a place.
pub fn is_allowed(module: &ast::Module, code: Code, at: Span) -> bool {
    module.allows.iter().any(|allow| {
        let named = allow.lint.name.as_str();
        let lint = named == code.info().name || named.eq_ignore_ascii_case(code.id());
        lint && allow.line.is_none_or(|line| line.touches(at.start as usize))
    })
}

/// The style of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// `TextFile`: types.
    Type,
    /// `MAX_PORTS`: constants.
    Constant,
    /// `admin_password`: everything else.
    Other,
}

impl Style {
    fn describe(self) -> &'static str {
        match self {
            Style::Type => "the names of types are written `LikeThis`",
            Style::Constant => "the names of constants are written `LIKE_THIS`",
            Style::Other => "names are written `like_this`",
        }
    }

    /// The name in this style, if it is in another.
    fn mend(self, name: &str) -> Option<String> {
        let bare = name.trim_start_matches('_');
        let fits = match self {
            Style::Type => bare.starts_with(|c: char| c.is_ascii_uppercase()) && !bare.contains('_'),
            Style::Constant => !bare.contains(|c: char| c.is_ascii_lowercase()),
            Style::Other => !bare.contains(|c: char| c.is_ascii_uppercase()),
        };
        if fits || bare.is_empty() {
            return None;
        }
        let words = words(bare);
        let capital = |w: &String| {
            let mut chars = w.chars();
            chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        };
        Some(match self {
            Style::Type => words.iter().map(capital).collect(),
            Style::Constant => words.join("_").to_ascii_uppercase(),
            Style::Other => words.join("_"),
        })
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before_upper = true;
    let mut new = true;
    for c in name.chars() {
        if c == '_' {
            new = true;
            continue;
        }
        let upper = c.is_ascii_uppercase();
        if new || (upper && !before_upper) {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut() {
            last.push(c.to_ascii_lowercase());
        }
        (before_upper, new) = (upper, false);
    }
    words
}

impl Declarations<'_> {
    /// The same of a name that stands in data too, where it may have to stay as it is.
    fn lint_data_name(&mut self, module: ModuleId, name: Ident, named: bool) {
        let Some(mended) = Style::Other.mend(name.name.as_str()).filter(|_| !named) else {
            return self.lint_name(module, name, Style::Other);
        };
        let message = format!("`{}` would be written `{mended}`", name.name);
        let help = format!(
            "{}; `{mended}` with `as \"{}\"` is still that in the data",
            Style::Other.describe(),
            name.name
        );
        let problem = self.problem(codes::NAMING, module, name.span, message).help(help);
        self.lint(module, name.span, problem);
    }

    /// Warns of a name that is not written in its style.
    pub fn lint_name(&mut self, module: ModuleId, name: Ident, style: Style) {
        let Some(mended) = style.mend(name.name.as_str()) else { return };
        let message = format!("`{}` would be written `{mended}`", name.name);
        let problem = self.problem(codes::NAMING, module, name.span, message).help(style.describe());
        self.lint(module, name.span, problem);
    }
}

/// Lints what all modules of the project declare.
pub(super) fn all(d: &mut Declarations<'_>) {
    for index in 0..d.modules.len() {
        let module = ModuleId(index as u32);
        let tree = d.modules[index];
        for item in &tree.items {
            item_names(d, module, &item.kind);
        }
        for import in &tree.unused_imports {
            unused_import(d, module, *import);
        }
        for allow in &tree.allows {
            unknown_lint(d, module, allow);
        }
    }
}

fn item_names(d: &mut Declarations<'_>, module: ModuleId, item: &ItemKind) {
    match item {
        ItemKind::Const(tree) => d.lint_name(module, tree.name, Style::Constant),
        ItemKind::Alias(tree) => d.lint_name(module, tree.name, Style::Type),
        ItemKind::Enum(tree) => {
            d.lint_name(module, tree.name, Style::Type);
            tree.variants.iter().for_each(|v| d.lint_data_name(module, v.name, v.data_name.is_some()));
        }
        ItemKind::Union(tree) => {
            d.lint_name(module, tree.name, Style::Type);
            tree.variants.iter().for_each(|v| d.lint_data_name(module, v.name, v.data_name.is_some()));
        }
        ItemKind::Record(tree) => {
            d.lint_name(module, tree.name, Style::Type);
            tree.members.iter().for_each(|m| member_name(d, module, m));
        }
        ItemKind::Relation(tree) => d.lint_name(module, tree.name, Style::Other),
        ItemKind::Fn(tree) => {
            d.lint_name(module, tree.name, Style::Other);
            tree.params.iter().for_each(|p| d.lint_name(module, p.name, Style::Other));
        }
        _ => {}
    }
}

fn member_name(d: &mut Declarations<'_>, module: ModuleId, member: &Member) {
    let name = match &member.kind {
        MemberKind::Field(field) => {
            return d.lint_data_name(module, field.name, field.data_name.is_some());
        }
        MemberKind::Derived { name, .. } | MemberKind::Rest { name, .. } => *name,
        _ => return,
    };
    d.lint_name(module, name, Style::Other);
}

fn unused_import(d: &mut Declarations<'_>, module: ModuleId, import: Ident) {
    // Of one that failed enough is said.
    if d.scopes.module(module).broken.contains_key(&import.name) {
        return;
    }
    let message = format!("`{}` is imported and not used", import.name);
    let problem = d.problem(codes::UNUSED_IMPORT, module, import.span, message);
    d.lint(module, import.span, problem.help("take it out of the `use`"));
}

fn unknown_lint(d: &mut Declarations<'_>, module: ModuleId, allow: &ast::Allow) {
    let name = allow.lint.name.as_str();
    if Code::find(name).is_some_and(|code| code.info().severity != crate::diag::Severity::Error) {
        return;
    }
    let message = format!("there is no lint `{name}`");
    let place = d.place(module, allow.lint.span);
    let mut problem = d.problem(codes::UNKNOWN_LINT, module, allow.lint.span, message);
    let lints = Code::all().map(Code::info).filter(|i| i.severity != crate::diag::Severity::Error);
    if let Some(near) = crate::diag::nearest(name, lints.map(|i| i.name)) {
        problem =
            problem.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), true, place, near);
    }
    d.diagnostics.push(problem);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mended() {
        assert_eq!(Style::Type.mend("text_file").as_deref(), Some("TextFile"));
        assert_eq!(Style::Constant.mend("maxPorts").as_deref(), Some("MAX_PORTS"));
        assert_eq!(Style::Other.mend("AdminPassword").as_deref(), Some("admin_password"));
        assert_eq!(Style::Other.mend("useTLS").as_deref(), Some("use_tls"));
        assert_eq!(Style::Type.mend("TLS"), None);
        assert_eq!(Style::Other.mend("_x1"), None);
        assert_eq!(Style::Constant.mend("DOMAIN"), None);
    }
}
