//! What a machine is, whatever its name.

use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use sha2::{Digest as _, Sha256};

/// This machine.
#[derive(Clone, Debug)]
pub struct Machine {
    identity: EcoString,
}

impl Machine {
    /// The one that runs this program.
    pub fn this() -> Self {
        let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
            .into_iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        // The id itself is not to be spread (machine-id(5)).
        let hash = Sha256::digest(format!("gops {}", id.trim()));
        let identity = hash.iter().take(8).map(|byte| eco_format!("{byte:02x}")).collect();
        Machine { identity }
    }

    /// What a target on it is, with the folder that stands for its `/`, if one does.
    pub fn identity(&self, folder: Option<&Path>) -> EcoString {
        match folder {
            Some(folder) => eco_format!("{}:{}", self.identity, folder.display()),
            None => self.identity.clone(),
        }
    }
}

/// The same path whether it is there already or not: without links as far as it is.
pub(super) fn settled(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there.and_then(|(above, real)| Some((path.strip_prefix(above).ok()?, real))) {
        Some((rest, real)) if rest.as_os_str().is_empty() => real,
        Some((rest, real)) => real.join(rest),
        None => path.to_owned(),
    }
}
