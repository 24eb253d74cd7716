//! The digests of what was compiled: of the model, and of the data.

use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use crate::base::FileId;
use crate::db::{Content, Database, Db as _, Project, SourceFile};

use super::queries;

/// Digests of files by their path, in 256 buckets, so that one change costs one bucket.
#[derive(Default)]
pub struct Sources {
    /// What each file held when its digest was computed.
    files: FxHashMap<FileId, Option<Arc<[u8]>>>,
    buckets: Vec<Bucket>,
}

#[derive(Default)]
struct Bucket {
    /// In no order until the digest of all is asked for.
    files: Vec<(&'static str, [u8; 32])>,
    digest: Option<[u8; 32]>,
}

impl Sources {
    /// The digests of the model and of the data, as the graph says them. `changed` are the files
    /// that may be new or have changed since the last time.
    pub(super) fn digests(
        &mut self,
        db: &Database,
        project: Project,
        changed: impl Iterator<Item = FileId>,
    ) -> (EcoString, EcoString) {
        let mut model = Sha256::new();
        for (_, file) in project.models(db).iter() {
            add(&mut model, file.path(db).path(), &digest(file.content(db)));
        }
        self.buckets.resize_with(256, Bucket::default);
        for path in changed {
            let file = db.source(path);
            self.update(db, file);
            if let Some(unit) = file.unit(db) {
                for (_, overlay) in &unit.overlays {
                    self.update(db, *overlay);
                }
                if let Some(encrypted) = unit.encrypted {
                    self.update(db, encrypted);
                }
            }
        }
        let mut data = Sha256::new();
        for bucket in &mut self.buckets {
            data.update(bucket.digest());
        }
        (text(model), text(data))
    }

    /// Whether a file is one of those that count.
    pub(super) fn knows(&self, file: FileId) -> bool {
        self.files.contains_key(&file)
    }

    fn update(&mut self, db: &Database, file: SourceFile) {
        let path = file.path(db);
        let content = file.content(db);
        let bytes = content.as_ref().ok();
        let same = |known: &Option<Arc<[u8]>>| match (known, bytes) {
            (Some(known), Some(bytes)) => Arc::ptr_eq(known, bytes),
            (known, bytes) => known.is_none() && bytes.is_none(),
        };
        if self.files.get(&path).is_some_and(same) {
            return;
        }
        let known = self.files.insert(path, bytes.cloned()).is_some();
        let (path, digest) = (path.path(), digest(content));
        let bucket = queries::bucket_of(path, 256);
        let Some(bucket) = self.buckets.get_mut(bucket) else { return };
        bucket.digest = None;
        match bucket.files.iter_mut().find(|(other, _)| known && *other == path) {
            Some((_, old)) => *old = digest,
            None => bucket.files.push((path, digest)),
        }
    }
}

impl Bucket {
    fn digest(&mut self) -> [u8; 32] {
        if let Some(known) = self.digest {
            return known;
        }
        self.files.sort_unstable_by_key(|(path, _)| *path);
        let mut all = Sha256::new();
        for (path, digest) in &self.files {
            add(&mut all, path, digest);
        }
        let digest = all.finalize().into();
        self.digest = Some(digest);
        digest
    }
}

fn add(to: &mut Sha256, path: &str, digest: &[u8; 32]) {
    to.update((path.len() as u64).to_le_bytes());
    to.update(path.as_bytes());
    to.update(digest);
}

fn digest(content: &Content) -> [u8; 32] {
    match content {
        Ok(bytes) => Sha256::digest(bytes).into(),
        Err(_) => [0; 32],
    }
}

fn text(digest: Sha256) -> EcoString {
    let hex: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    EcoString::from(format!("sha256:{hex}"))
}
