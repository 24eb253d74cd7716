//! `gops.toml`: the only configuration file.

use std::collections::BTreeMap;

use ecow::EcoString;
use toml_edit::{Document, Item, TableLike, Value};

use crate::base::{FileId, Span};
use crate::diag::codes::project as codes;
use crate::diag::conflict;
use crate::diag::{Diagnostic, Place, did_you_mean, nearest};

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
    /// `[deployers]`, in order: those whose receipts tell what is settled.
    pub deployers: Vec<Deployer>,
}

/// Somebody who deploys the project, and says so with a receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deployer {
    /// What people call it.
    pub name: EcoString,
    /// Where its receipt is, in the project.
    pub receipt: EcoString,
    /// The environment that it deploys; none in a project without.
    pub env: Option<EcoString>,
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
    /// Where that stands.
    pub limit_span: Span,
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
    &["name", "id", "edition", "model", "history", "default_branch", "environments", "guard", "deployers"];

/// So many lines that are no TOML are reported.
const SYNTAX_MISTAKES: usize = 20;

/// Reads the text of `gops.toml`. All that is wrong is reported, and there is a configuration
/// nevertheless: with defaults where something is wrong, so that the rest of the project can be
/// checked with it.
pub fn parse(file: FileId, text: &str) -> (Config, Vec<Diagnostic>) {
    let mut reader = Reader { file, problems: Vec::new(), incomplete: false };
    let mut text = text.to_owned();
    if Document::parse(text.as_str()).is_err()
        && let Some(conflict) = conflict::find(&text)
    {
        reader.problems.push(conflict.diagnostic(file));
        reader.incomplete = true;
        text = conflict.ours(&text);
    }
    for _ in 0..SYNTAX_MISTAKES {
        match Document::parse(text.as_str()) {
            Ok(document) => return (reader.config(document.as_table()), reader.problems),
            Err(error) => {
                let range = error.span().unwrap_or_default();
                reader.syntax(&error, &text);
                // What is left is read without the line.
                reader.incomplete = true;
                if !blank_line(&mut text, range.start) {
                    break;
                }
            }
        }
    }
    reader.incomplete = true;
    (reader.config(&toml_edit::Table::new()), reader.problems)
}

/// Writes blanks over the line that holds a byte; says whether anything stood there.
fn blank_line(text: &mut String, at: usize) -> bool {
    let at = text.floor_char_boundary(at.min(text.len()));
    let mut start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let mut end = text[at..].find('\n').map_or(text.len(), |n| at + n);
    // A mistake at the end of a text is one of what stands before it.
    if text[start..end].trim().is_empty() {
        end = text[..start].trim_end().len();
        start = text[..end].rfind('\n').map_or(0, |n| n + 1);
    }
    if start >= end {
        return false;
    }
    text.replace_range(start..end, &" ".repeat(end - start));
    true
}

struct Reader {
    file: FileId,
    problems: Vec<Diagnostic>,
    /// Whether a part of the text could not be read, so that what is missing may stand there.
    incomplete: bool,
}

impl Reader {
    fn syntax(&mut self, error: &toml_edit::TomlError, text: &str) {
        let range = error.span().unwrap_or_default();
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.ceil_char_boundary(range.end.clamp(start, text.len()));
        let message = format!("gops.toml: {}", error.message().trim().replace('\n', ", "));
        let place = Place::span(self.file, Span::new(start, end));
        let problem = Diagnostic::new(codes::CONFIG_SYNTAX, place, message);
        self.problems.push(problem.help("gops.toml is TOML: `name = \"shop\"`, one key a line"));
    }

    fn config(&mut self, table: &dyn TableLike) -> Config {
        self.known(table, TOP, "gops.toml");
        let name = self.required(table, "name", "name = \"shop\"");
        let edition = self.required(table, "edition", "edition = \"2026\"");
        if let (Some(edition), Some(item)) = (&edition, meant(table, TOP, "edition"))
            && edition != "2026"
        {
            self.value(item, format!("there is no edition `{edition}`"), "write `edition = \"2026\"`");
        }
        if let (Some(name), Some(item)) = (&name, meant(table, TOP, "name"))
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
                if let Some(item) = meant(table, TOP, "history") {
                    self.value(item, format!("there is no history `{other}`"), help);
                }
                History::Git
            }
        };
        let mut model = self.text(table, "model").unwrap_or_else(|| "model".into());
        if let Some(item) = meant(table, TOP, "model")
            && !is_inside(&model)
        {
            let help = "write a path inside the project, without `..`: `model = \"model\"`";
            self.value(item, format!("`{model}` is not a folder of the project"), help);
            model = "model".into();
        }
        let environments = self.environments(table);
        Config {
            id: self.text(table, "id"),
            default_branch: self.text(table, "default_branch"),
            guard: self.guard(table),
            deployers: self.deployers(table, &environments),
            environments,
            name: name.unwrap_or_default(),
            edition: edition.unwrap_or_else(|| "2026".into()),
            model,
            history,
        }
    }

    fn environments(&mut self, table: &dyn TableLike) -> Vec<Environment> {
        let Some(item) = meant(table, TOP, "environments") else { return Vec::new() };
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
                // It is known all the same: a model may compare with it.
                found.push(Environment { name: name.into(), overlay: None });
                continue;
            };
            self.known(fields, &["overlay"], "an environment");
            found.push(Environment { name: name.into(), overlay: self.text(fields, "overlay") });
        }
        found
    }

    fn deployers(&mut self, table: &dyn TableLike, environments: &[Environment]) -> Vec<Deployer> {
        let Some(item) = meant(table, TOP, "deployers") else { return Vec::new() };
        let Some(entries) = item.as_table_like() else {
            self.value(item, "`deployers` is a table".into(), "write `[deployers]`, then `prod = {}`");
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, entry) in entries.iter() {
            if !is_word(name) {
                let help = "a name has letters, digits, `-` and `_`, and starts with a letter";
                self.value(entry, format!("`{name}` cannot be a deployer's name"), help);
            }
            let Some(fields) = entry.as_table_like() else {
                let help = format!("write `{name} = {{}}`, or `{name} = {{ receipt = \"path.json\" }}`");
                self.value(entry, format!("deployer `{name}` is a table"), &help);
                continue;
            };
            self.known(fields, &["receipt", "env"], "a deployer");
            let receipt = self.text(fields, "receipt").filter(|path| {
                let inside = is_inside(path);
                if let Some(item) = fields.get("receipt")
                    && !inside
                {
                    let help = "receipts are committed: write a path inside the project, without `..`";
                    self.value(item, format!("`{path}` is not a file of the project"), help);
                }
                inside
            });
            let env = self.text(fields, "env");
            if let (Some(env), Some(item)) = (&env, fields.get("env"))
                && !environments.iter().any(|e| e.name == *env)
            {
                let names = environments.iter().map(|e| e.name.as_str());
                let help = did_you_mean(env, names)
                    .unwrap_or_else(|| format!("write `[environments]`, then `{env} = {{}}`"));
                self.value(item, format!("the project has no environment `{env}`"), &help);
            }
            let receipt = receipt.unwrap_or_else(|| crate::history::receipt::receipt_path(name).into());
            found.push(Deployer { name: name.into(), receipt, env });
        }
        found
    }

    fn guard(&mut self, table: &dyn TableLike) -> Guard {
        let mut guard = Guard::default();
        let Some(item) = meant(table, TOP, "guard") else { return guard };
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
            guard.limit_span = item.span().map_or(Span::at(0), |r| Span::new(r.start, r.end));
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
        let item = table.get(key).or_else(|| meant(table, TOP, key))?;
        match item.as_value() {
            Some(Value::String(text)) => Some(text.value().as_str().into()),
            _ => {
                self.value(item, format!("`{key}` is a string"), &format!("write `{key} = \"…\"`"));
                None
            }
        }
    }

    fn required(&mut self, table: &dyn TableLike, key: &str, example: &str) -> Option<EcoString> {
        if meant(table, TOP, key).is_none() {
            if self.incomplete {
                return None;
            }
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

/// The item of a key, or the one of an unknown key that was meant for it: of that, enough is said.
fn meant<'t>(table: &'t dyn TableLike, keys: &[&str], key: &str) -> Option<&'t Item> {
    let slip = |(name, _): &(&str, &Item)| {
        !keys.contains(name)
            && nearest(name, keys.iter().copied().filter(|k| !table.contains_key(k))) == Some(key)
    };
    let slips = || keys.contains(&key).then(|| table.iter().find(slip)).flatten();
    table.get(key).or_else(|| slips().map(|(_, item)| item))
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
        let (_, problems) = parse(FileId::new(CONFIG_FILE), text);
        problems.into_iter().map(|d| format!("{} {}", d.code.id(), d.message)).collect()
    }

    #[test]
    fn reads_everything() {
        let text = "name = \"shop\"\nedition = \"2026\"\nhistory = \"active\"\n[environments]\nprod = { overlay = \
                    \"prod\" }\ndev = {}\n[guard]\nmax_deletions = \"10%\"\n[[guard.allow]]\nbase = \
                    \"sha256:00\"\ndeletions = 12\n[deployers]\nprod = { env = \"prod\" }\nlab = { receipt = \
                    \"r/lab.json\" }\n";
        let (config, problems) = parse(FileId::new(CONFIG_FILE), text);
        assert_eq!(problems, []);
        assert_eq!(config.history, History::Active);
        assert_eq!(config.environments.len(), 2);
        assert_eq!(config.environments[1].overlay, None);
        assert_eq!(config.guard.max_deletions, Some(Limit::Percent(10)));
        assert_eq!(config.guard.allow, [("sha256:00".into(), 12)]);
        let deployers = config.deployers.iter().map(|d| (&*d.name, &*d.receipt, d.env.as_deref()));
        let expected = [("prod", "receipts/prod.json", Some("prod")), ("lab", "r/lab.json", None)];
        assert_eq!(deployers.collect::<Vec<_>>(), expected);
        assert_eq!(config.model, "model");
    }

    #[test]
    fn says_everything_that_is_wrong() {
        let text = "nam = \"shop\"\nedition = 2026\nhistory = \"svn\"\nmodel = \"../m\"\n[guard]\nmax_deletions = \
                    \"x\"\n[environments]\nProd = {}\nb = 1\n[deployers]\nc = 1\nd = { receipt = \"../r\", env = \"pord\" }\n";
        let found = problems(text);
        for expected in [
            "G0802 gops.toml has no key `nam`",
            "G0803 `edition` is a string",
            "G0803 there is no history `svn`",
            "G0803 `../m` is not a folder of the project",
            "G0803 `max_deletions` is a number or a share",
            "G0803 `Prod` cannot be an environment's name",
            "G0803 environment `b` is a table",
            "G0803 deployer `c` is a table",
            "G0803 `../r` is not a file of the project",
            "G0803 the project has no environment `pord`",
        ] {
            assert!(found.iter().any(|m| m == expected), "{expected} is not in {found:#?}");
        }
        assert!(!found.iter().any(|m| m.starts_with("G0804")), "`nam` is meant for `name`: {found:#?}");
        assert_eq!(problems("name = ").len(), 1);
        assert_eq!(problems("edition = \"2026\"\n"), ["G0804 gops.toml has no `name`"]);
    }

    #[test]
    fn reads_what_is_beside_a_mistake() {
        let text =
            "name = shop\nmodle = \"m\"\nedition = \"2026\"\nhistory = git\n[environments]\nprod = 1\n";
        let (config, problems) = parse(FileId::new(CONFIG_FILE), text);
        assert_eq!(config.model, "m");
        assert_eq!(config.environments.len(), 1);
        let codes: Vec<_> = problems.iter().map(|d| d.code.id()).collect();
        assert_eq!(codes, ["G0801", "G0801", "G0802", "G0803"], "{problems:#?}");
    }
}
