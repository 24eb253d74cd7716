//! The files of another time under the models of this one.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{Entry, EntryKind, System, SystemError};
use crate::project::config::CONFIG_FILE;

/// Reads `gops.toml`, the models and the templates from one system and all else from another.
#[derive(Debug)]
pub(super) struct WithModel {
    model: Arc<dyn System>,
    data: Arc<dyn System>,
    /// The folder of the models.
    folder: String,
    /// Files of the model outside of it.
    files: BTreeSet<String>,
}

impl WithModel {
    pub(super) fn new(
        model: Arc<dyn System>,
        data: Arc<dyn System>,
        folder: &str,
        templates: impl Iterator<Item = String>,
    ) -> Self {
        let files = templates.chain([CONFIG_FILE.to_owned()]).collect();
        WithModel { model, data, folder: folder.to_owned(), files }
    }

    fn in_folder(&self, path: &str) -> bool {
        path.strip_prefix(self.folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What a folder holds of the model, by name: files, and folders on the way to some.
    fn on_the_way(&self, path: &str) -> impl Iterator<Item = Entry> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let all = self.files.iter().map(|f| (f, EntryKind::File));
        let all = all.chain([(&self.folder, EntryKind::Directory)]);
        all.filter_map(move |(file, kind)| {
            let rest = file.strip_prefix(&prefix).filter(|rest| !rest.is_empty())?;
            let (name, kind) = rest.split_once('/').map_or((rest, kind), |(n, _)| (n, EntryKind::Directory));
            Some(Entry { name: name.to_owned(), kind })
        })
    }
}

impl System for WithModel {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, SystemError> {
        let of_model = self.files.contains(path) || self.in_folder(path);
        if of_model { self.model.read(path) } else { self.data.read(path) }
    }

    fn open(&self, path: &str) -> Result<Box<dyn std::io::Read>, SystemError> {
        let of_model = self.files.contains(path) || self.in_folder(path);
        if of_model { self.model.open(path) } else { self.data.open(path) }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, SystemError> {
        if self.in_folder(path) {
            return self.model.list(path);
        }
        let mut mine: Vec<Entry> = self.on_the_way(path).collect();
        let mut entries = match self.data.list(path) {
            Err(SystemError::NotFound(_)) if !mine.is_empty() => Vec::new(),
            entries => entries?,
        };
        entries.retain(|e| !mine.iter().any(|m| m.name == e.name && m.kind == EntryKind::File));
        mine.retain(|m| !entries.iter().any(|e| e.name == m.name));
        entries.append(&mut mine);
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|b, a| a.name == b.name);
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MemorySystem;

    #[test]
    fn the_model_is_of_now_and_the_data_of_then() {
        let now = MemorySystem::new([
            ("gops.toml", "now"),
            ("model/a.gops", "now"),
            ("files/motd.tmpl", "now"),
            ("slices/new.yaml", "now"),
        ]);
        let then = MemorySystem::new([("model/old.gops", "then"), ("slices/old.yaml", "then")]);
        let templates = ["files/motd.tmpl".to_owned()].into_iter();
        let mixed = WithModel::new(Arc::new(now), Arc::new(then), "model", templates);
        let names = |path: &str| mixed.list(path).unwrap().into_iter().map(|e| e.name).collect::<Vec<_>>();
        assert_eq!(names(""), ["files", "gops.toml", "model", "slices"]);
        assert_eq!(names("model"), ["a.gops"]);
        assert_eq!(names("slices"), ["old.yaml"]);
        assert_eq!(names("files"), ["motd.tmpl"]);
        for path in ["gops.toml", "model/a.gops", "files/motd.tmpl"] {
            assert_eq!(&*mixed.read(path).unwrap(), b"now", "{path}");
        }
        assert!(mixed.read("model/old.gops").is_err() && mixed.read("slices/new.yaml").is_err());
    }
}
