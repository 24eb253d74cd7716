//! A store in which two branches activated one instance: the versions of both, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;

use crate::base::System;

use super::{Kept, Reader, Store, Version, name};

/// What becomes of the files of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The files that change: their new bytes, or none if they go.
    pub changes: BTreeMap<String, Option<Vec<u8>>>,
    /// The instances that two branches had activated, or that lack a version.
    pub instances: BTreeSet<EcoString>,
}

/// Puts the versions of each instance one after the other, whatever branch they are of: those that
/// come later get greater numbers, and each names the digest of the one before it. None is lost,
/// so nothing that any of them made is forgotten. What cannot be read stays as it is.
pub fn resolve(system: &dyn System, env: Option<&str>) -> Resolved {
    let mut reader = Reader { system, env, store: Store::default(), problems: Vec::new() };
    reader.folders();
    let labels = reader.problems.iter().filter_map(|problem| problem.labels.first());
    let conflicts: Vec<String> = labels.map(|label| label.place.file().path().to_owned()).collect();
    let mut resolved = Resolved::default();
    let mut instances = reader.store.instances;
    for path in conflicts {
        let Ok(bytes) = system.read(&path) else { continue };
        let Some(sides) = sides(&bytes).filter(|_| is_conflict(&bytes)) else { continue };
        let versions: Vec<Version> =
            sides.iter().filter_map(|side| Version::parse(side.as_bytes()).ok()).collect();
        // With one side that cannot be read something would be lost.
        if versions.len() < sides.len() {
            continue;
        }
        for version in versions {
            resolved.instances.insert(version.instance.clone());
            instances.entry(version.instance.clone()).or_default().push(Kept { path: path.clone(), version });
        }
    }
    for (instance, mut versions) in instances {
        // The sort is stable: of one number, that of this branch stands first.
        versions.sort_by_key(|kept| kept.version.number);
        let linked = versions.windows(2).all(|pair| match pair {
            [before, after] => super::broken(before, after).is_none() && before.path != after.path,
            _ => true,
        });
        if linked {
            continue;
        }
        resolved.instances.insert(instance);
        for kept in &versions {
            resolved.changes.insert(kept.path.clone(), None);
        }
        let mut before: Option<Version> = None;
        for kept in versions {
            let mut version = kept.version;
            if let Some(before) = &before {
                // Both branches did the same.
                if before.state == version.state && before.number == version.number {
                    continue;
                }
                version.number = version.number.max(before.number + 1);
                version.previous = Some(before.digest());
            }
            let path = name::path(env, &version.instance, version.number);
            resolved.changes.insert(path, Some(version.text().into_bytes()));
            before = Some(version);
        }
    }
    resolved.changes.retain(|path, bytes| system.read(path).ok().as_deref() != bytes.as_deref());
    resolved
}

/// Whether Git left a conflict in a file.
pub fn is_conflict(bytes: &[u8]) -> bool {
    bytes.split(|&b| b == b'\n').any(|line| line.starts_with(b"<<<<<<< "))
}

/// Both sides of a file with conflicts. (In the style `diff3` the base stands between them.)
fn sides(bytes: &[u8]) -> Option<[String; 2]> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut sides = [String::new(), String::new()];
    // Which side a line is of: both, one, or the base.
    let mut of: &[usize] = &[0, 1];
    for line in text.split_inclusive('\n') {
        match line.get(..7) {
            Some("<<<<<<<") => of = &[0],
            Some("|||||||") => of = &[],
            Some("=======") if of != [0, 1] => of = &[1],
            Some(">>>>>>>") => of = &[0, 1],
            _ => {
                for side in of {
                    if let Some(side) = sides.get_mut(*side) {
                        side.push_str(line);
                    }
                }
            }
        }
    }
    Some(sides)
}
