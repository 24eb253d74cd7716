//! `gops init`

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Context, Exit, Failure};

/// Make a small project that works, with comments
///
/// Writes gops.toml, a model and two instances into DIR, which is made if it is not there.
/// Nothing that exists is overwritten.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops init shop                in the new folder shop
  gops init                     here
  gops init --name shop site    in the folder site, for a project named shop")]
pub(crate) struct Init {
    /// The folder of the project
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The project's name; by default that of the folder
    #[arg(long)]
    name: Option<String>,
}

/// Paths and texts; `{{name}}` stands for the project's name.
const FILES: &[(&str, &str)] = &[
    ("gops.toml", include_str!("template/gops.toml")),
    ("model/main.gops", include_str!("template/model/main.gops")),
    ("slices/greetings/morning.yaml", include_str!("template/slices/greetings/morning.yaml")),
    ("slices/greetings/evening.json", include_str!("template/slices/greetings/evening.json")),
];

impl Init {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let directory = context.path(&self.directory);
        std::fs::create_dir_all(&directory).map_err(Failure::write(&directory))?;
        let name = match &self.name {
            Some(name) => checked(name)?,
            None => name_of(&directory)?,
        };
        for (path, _) in FILES {
            let path = context.path(&self.directory.join(path));
            if path.exists() || path.is_symlink() {
                return Err(Failure::Exists(path));
            }
        }
        for (path, text) in FILES {
            let path = directory.join(path);
            let folder = path.parent().unwrap_or(&directory);
            std::fs::create_dir_all(folder).map_err(Failure::write(folder))?;
            std::fs::write(&path, text.replace("{{name}}", &name)).map_err(Failure::write(&path))?;
        }
        let ui = &context.ui;
        ui.note(&format!("made the project `{name}` in {}", directory.display()));
        for (path, _) in FILES {
            ui.note(&format!("  {path}"));
        }
        let enter = match self.directory == Path::new(".") {
            true => String::new(),
            false => format!("cd {} && ", self.directory.display()),
        };
        ui.note(&format!("next: {enter}gops check && gops plan"));
        Ok(Exit::Fine)
    }
}

fn checked(name: &str) -> Result<String, Failure> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if starts && word { Ok(name.to_owned()) } else { Err(Failure::Name(name.to_owned())) }
}

/// The folder's name, if it can be a project's; what else stands in it becomes `-`.
fn name_of(directory: &Path) -> Result<String, Failure> {
    let whole = directory.canonicalize().map_err(Failure::read(directory))?;
    let folder = whole.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = folder.chars().map(word).collect();
    let name = name.trim_matches('-');
    checked(if name.is_empty() { "project" } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        assert_eq!(checked("shop-2").unwrap(), "shop-2");
        for bad in ["", "2shop", "a b", "a/b", "ä"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
