//! Where `file()` and `files()` look.

use std::sync::Arc;

use ecow::EcoString;

use super::value::{FileValue, Value};
use super::world::World;

/// What was asked for, in the project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Located {
    /// The folder that `.path` is relative to, without a slash at the end; empty for the root.
    folder: String,
    /// The path or pattern in it.
    path: String,
    /// Asked for from `/`.
    absolute: bool,
}

/// Finds the place that a path means: from `/` the project's root, else a folder.
pub(super) fn locate(folder: Option<&str>, asked: &str) -> Result<Located, EcoString> {
    let (start, path, absolute) = match (asked.strip_prefix('/'), folder) {
        (Some(rest), _) => ("", rest, true),
        (None, Some(folder)) => (folder, asked, false),
        (None, None) => {
            return Err(
                format!("`{asked}` is relative, and there is no instance here: start it with `/`").into()
            );
        }
    };
    // `..` at the start goes up from the folder; the folder itself holds no dots.
    let mut parts: Vec<&str> = start.split('/').filter(|p| !p.is_empty()).collect();
    let mut rest: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if rest.pop().is_none() && parts.pop().is_none() {
                    return Err(format!("`{asked}` leads out of the project").into());
                }
            }
            part => rest.push(part),
        }
    }
    Ok(Located { folder: parts.join("/"), path: rest.join("/"), absolute })
}

/// Reads one file.
pub(super) fn read_one(world: &dyn World, at: &Located, asked: &str) -> Result<Value, EcoString> {
    let full = join(&at.folder, &at.path);
    let file = world.file(&full)?;
    Ok(Value::File(as_asked(file, asked.into())))
}

/// Reads all files that match a pattern, in the order of their paths.
pub(super) fn read_all(world: &dyn World, at: &Located, asked: &str) -> Result<Value, EcoString> {
    // What stands before the first `..` or name is kept in `.path`, so that it reads as asked.
    let up: String = asked.split('/').take_while(|p| *p == "..").map(|_| "../").collect();
    let mut found = Vec::new();
    for full in world.files(&at.folder, &at.path)? {
        let file = world.file(&full)?;
        let inside = match at.folder.as_str() {
            "" => full.as_str(),
            folder => full.strip_prefix(folder).and_then(|p| p.strip_prefix('/')).unwrap_or(&full),
        };
        let path = if at.absolute { format!("/{full}") } else { format!("{up}{inside}") };
        found.push(Value::File(as_asked(file, path.into())));
    }
    Ok(Value::List(found.into()))
}

fn as_asked(file: Arc<FileValue>, path: EcoString) -> Arc<FileValue> {
    if file.path == path { file } else { Arc::new(FileValue { path, ..(*file).clone() }) }
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// The folder of a file.
pub(super) fn folder_of(path: &'static str) -> &'static str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(folder: Option<&str>, asked: &str) -> Result<String, EcoString> {
        locate(folder, asked).map(|l| join(&l.folder, &l.path))
    }

    #[test]
    fn paths_stay_in_the_project() {
        assert_eq!(at(Some("slices/sites"), "a.conf").as_deref(), Ok("slices/sites/a.conf"));
        assert_eq!(at(Some("slices/sites"), "./../x/a").as_deref(), Ok("slices/x/a"));
        assert_eq!(at(Some("slices/sites"), "/a.conf").as_deref(), Ok("a.conf"));
        assert_eq!(at(Some(""), "a").as_deref(), Ok("a"));
        assert!(at(Some("slices"), "../../a").is_err());
        assert!(at(Some("slices"), "/../a").is_err());
        assert!(at(None, "a.conf").is_err());
        assert_eq!(at(None, "/a.conf").as_deref(), Ok("a.conf"));
    }
}
