//! `gops.toml`: the only configuration file.

use std::collections::BTreeMap;

use ecow::EcoString;
use toml_edit::{Document, Item, TableLike, Value};

use crate::base::{FileId, Span};
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place, did_you_mean};

/// The name of the file.
pub const CONFIG_FILE: &str = "gops.toml";

/// What `gops.toml` says.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// `name`: the project's name.
    pub name: EcoString,
    /// `id`: tells two projects of one name apart.
    pub id: Option<EcoString>,
    /// `edition`: the version of the language.
    pub edition: EcoString,
    /// `model`: the folder of the model files.
    pub model: EcoString,
    /// `history`: how earlier versions of instances are kept.
    pub history: History,
    /// `default_branch`: what a change is compared with, where Git does not say.
    pub default_branch: Option<EcoString>,
    /// `[environments]`, in order: name and the word in the names of its overlay files.
    pub environments: Vec<Environment>,
    /// `[guard]`.
    pub guard: Guard,
}

/// How earlier versions are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum History {
    /// In Git.
    Git,
    /// In the active store.
    Active,
}

/// An environment.
#[derive(Clone, PartialEq, Debug)]
pub struct Environment {
    /// Its name.
    pub name: EcoString,
    /// `a.OVERLAY.yaml`; none if it has no overlays.
    pub overlay: Option<EcoString>,
}

/// `[guard]`: what may be deleted.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Guard {
    /// `max_deletions`.
    pub max_deletions: Option<Limit>,
    /// `[[guard.allow]]`: the digest of a base, and how many deletions from it are approved.
    pub allow: Vec<(EcoString, u64)>,
}

/// A number, or a share of what there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// So many.
    Count(u64),
    /// So many in a hundred, rounded up, at least one.
    Percent(u64),
}

/// The words in the names of overlay files, by environment.
pub fn overlays(config: &Config) -> BTreeMap<EcoString, EcoString> {
    let named = |e: &Environment| Some((e.overlay.clone()?, e.name.clone()));
    config.environments.iter().filter_map(named).collect()
}

const TOP: &[&str] =
    &["name", "id", "edition", "model", "history", "default_branch", "environments", "guard"];

/// Reads the text of `gops.toml`. All that is wrong is reported; there is a configuration only
/// if nothing is.
pub fn parse(file: FileId, text: &str) -> (Option<Config>, Vec<Diagnostic>) {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().map_or(Span::at(0), |r| Span::new(r.start, r.end));
            let message = error.message().trim().to_owned();
            let problem = Diagnostic::new(
                codes::CONFIG_SYNTAX,
                Place::span(file, span),
                format!("gops.toml: {message}"),
            )
            .help("gops.toml is TOML: `name = \"shop\"`, one key a line");
            return (None, vec![problem]);
        }
    };
    let mut reader = Reader { file, problems: Vec::new() };
    let config = reader.config(document.as_table());
    let valid = reader.problems.is_empty();
    (config.filter(|_| valid), reader.problems)
}

struct Reader {
    file: FileId,
    problems: Vec<Diagnostic>,
}

impl Reader {
    fn config(&mut self, table: &dyn TableLike) -> Option<Config> {
        self.known(table, TOP, "gops.toml");
        let name = self.required(table, "name", "name = \"shop\"");
        let edition = self.required(table, "edition", "edition = \"2026\"");
        if let (Some(edition), Some(item)) = (&edition, table.get("edition"))
            && edition != "2026"
        {
            self.value(item, format!("there is no edition `{edition}`"), "write `edition = \"2026\"`");
        }
        if let (Some(name), Some(item)) = (&name, table.get("name"))
            && !is_word(name)
        {
            let help = "a name has letters, digits, `-` and `_`, and starts with a letter";
            self.value(item, format!("`{name}` cannot be a project's name"), help);
        }
        let history = match self.text(table, "history").as_deref() {
            None | Some("git") => History::Git,
            Some("active") => History::Active,
            Some(other) => {
                let help = "write `history = \"git\"` or `history = \"active\"`";
                if let Some(item) = table.get("history") {
                    self.value(item, format!("there is no history `{other}`"), help);
                }
                History::Git
            }
        };
        let model = self.text(table, "model").unwrap_or_else(|| "model".into());
        if let Some(item) = table.get("model")
            && !is_inside(&model)
        {
            let help = "write a path inside the project, without `..`: `model = \"model\"`";
            self.value(item, format!("`{model}` is not a folder of the project"), help);
        }
        Some(Config {
            id: self.text(table, "id"),
            default_branch: self.text(table, "default_branch"),
            environments: self.environments(table),
            guard: self.guard(table),
            name: name?,
            edition: edition?,
            model,
            history,
        })
    }

    fn environments(&mut self, table: &dyn TableLike) -> Vec<Environment> {
        let Some(item) = table.get("environments") else { return Vec::new() };
        let Some(entries) = item.as_table_like() else {
            self.value(item, "`environments` is a table".into(), "write `[environments]`, then `prod = {}`");
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, entry) in entries.iter() {
            let snake = name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !snake {
                let help = "it is the name of a variant in models: small letters, digits and `_`";
                self.value(entry, format!("`{name}` cannot be an environment's name"), help);
            }
            let Some(fields) = entry.as_table_like() else {
                let help = format!("write `{name} = {{ overlay = \"{name}\" }}`, or `{name} = {{}}`");
                self.value(entry, format!("environment `{name}` is a table"), &help);
                continue;
            };
            self.known(fields, &["overlay"], "an environment");
            found.push(Environment { name: name.into(), overlay: self.text(fields, "overlay") });
        }
        found
    }

    fn guard(&mut self, table: &dyn TableLike) -> Guard {
        let mut guard = Guard::default();
        let Some(item) = table.get("guard") else { return guard };
        let Some(fields) = item.as_table_like() else {
            self.value(item, "`guard` is a table".into(), "write `[guard]`, then `max_deletions = \"10%\"`");
            return guard;
        };
        self.known(fields, &["max_deletions", "allow"], "[guard]");
        if let Some(item) = fields.get("max_deletions") {
            let number = item.as_integer().and_then(|n| u64::try_from(n).ok()).map(Limit::Count);
            let percent = item.as_str().and_then(|s| s.strip_suffix('%')?.trim().parse().ok());
            let percent = percent.filter(|&p| p <= 100).map(Limit::Percent);
            guard.max_deletions = number.or(percent);
            if guard.max_deletions.is_none() {
                let help = "write a number, `max_deletions = 5`, or a share, `max_deletions = \"10%\"`";
                self.value(item, "`max_deletions` is a number or a share".into(), help);
            }
        }
        if let Some(item) = fields.get("allow") {
            let Some(entries) = item.as_array_of_tables() else {
                let help = "write `[[guard.allow]]`, then `base = \"sha256:…\"` and `deletions = 12`";
                self.value(item, "`guard.allow` is a list of tables".into(), help);
                return guard;
            };
            for entry in entries {
                self.known(entry, &["base", "deletions"], "[[guard.allow]]");
                let base = self.text(entry, "base");
                let deletions = entry.get("deletions").and_then(Item::as_integer);
                match (base, deletions.and_then(|n| u64::try_from(n).ok())) {
                    (Some(base), Some(deletions)) => guard.allow.push((base, deletions)),
                    _ => {
                        let help = "write `base = \"sha256:…\"` and `deletions = 12` below it";
                        self.value(item, "an approval has a base and a number of deletions".into(), help);
                    }
                }
            }
        }
        guard
    }

    fn text(&mut self, table: &dyn TableLike, key: &str) -> Option<EcoString> {
        let item = table.get(key)?;
        match item.as_value() {
            Some(Value::String(text)) => Some(text.value().as_str().into()),
            _ => {
                self.value(item, format!("`{key}` is a string"), &format!("write `{key} = \"…\"`"));
                None
            }
        }
    }

    fn required(&mut self, table: &dyn TableLike, key: &str, example: &str) -> Option<EcoString> {
        if table.get(key).is_none() {
            let problem = Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                Place::span(self.file, Span::at(0)),
                format!("gops.toml has no `{key}`"),
            );
            self.problems.push(problem.help(format!("write `{example}`")));
            return None;
        }
        self.text(table, key)
    }

    fn known(&mut self, table: &dyn TableLike, keys: &[&str], of: &str) {
        for (name, item) in table.iter().filter(|(name, _)| !keys.contains(name)) {
            let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            let span = span.map_or(Span::at(0), |r| Span::new(r.start, r.end));
            let help =
                did_you_mean(name, keys.iter().copied()).unwrap_or_else(|| format!("it has {}", list(keys)));
            let message = format!("{of} has no key `{name}`");
            self.problems.push(
                Diagnostic::new(codes::CONFIG_UNKNOWN_KEY, Place::span(self.file, span), message).help(help),
            );
        }
    }

    fn value(&mut self, item: &Item, message: String, help: &str) {
        let span = item.span().map_or(Span::at(0), |r| Span::new(r.start, r.end));
        self.problems
            .push(Diagnostic::new(codes::CONFIG_VALUE, Place::span(self.file, span), message).help(help));
    }
}

fn list(keys: &[&str]) -> String {
    keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Whether a path stays inside the project: relative, and without `.` and `..`.
pub fn is_inside(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let (config, problems) = parse(FileId::new(CONFIG_FILE), text);
        assert_eq!(config.is_none(), !problems.is_empty());
        problems.into_iter().map(|d| format!("{} {}", d.code.id(), d.message)).collect()
    }

    #[test]
    fn reads_everything() {
        let text = "name = \"shop\"\nedition = \"2026\"\nhistory = \"active\"\n[environments]\nprod = { overlay = \
                    \"prod\" }\ndev = {}\n[guard]\nmax_deletions = \"10%\"\n[[guard.allow]]\nbase = \
                    \"sha256:00\"\ndeletions = 12\n";
        let (config, problems) = parse(FileId::new(CONFIG_FILE), text);
        assert_eq!(problems, []);
        let config = config.unwrap();
        assert_eq!(config.history, History::Active);
        assert_eq!(config.environments.len(), 2);
        assert_eq!(config.environments[1].overlay, None);
        assert_eq!(config.guard.max_deletions, Some(Limit::Percent(10)));
        assert_eq!(config.guard.allow, [("sha256:00".into(), 12)]);
        assert_eq!(config.model, "model");
    }

    #[test]
    fn says_everything_that_is_wrong() {
        let text = "nam = \"shop\"\nedition = 2026\nhistory = \"svn\"\nmodel = \"../m\"\n[guard]\nmax_deletions = \
                    \"x\"\n[environments]\nProd = {}\nb = 1\n";
        let found = problems(text);
        for expected in [
            "G0802 gops.toml has no key `nam`",
            "G0804 gops.toml has no `name`",
            "G0803 `edition` is a string",
            "G0803 there is no history `svn`",
            "G0803 `../m` is not a folder of the project",
            "G0803 `max_deletions` is a number or a share",
            "G0803 `Prod` cannot be an environment's name",
            "G0803 environment `b` is a table",
        ] {
            assert!(found.iter().any(|m| m == expected), "{expected} is not in {found:#?}");
        }
        assert_eq!(problems("name = ").len(), 1);
    }
}
