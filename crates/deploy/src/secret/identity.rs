//! The keys of whoever deploys, from where sops has them too.

use std::fmt;
use std::path::{Path, PathBuf};

use super::age::Key;
use super::error::SecretError;
use super::ssh::SshKey;
use super::{age, bech32};

/// A key that opens.
pub(super) enum Identity {
    /// A key of age.
    X25519(Key),
    /// A key of OpenSSH.
    Ssh(Box<SshKey>),
}

/// All keys that there are.
#[derive(Default)]
pub struct Identities {
    keys: Vec<Identity>,
    /// Where they came from.
    found: Vec<String>,
    /// Where they could have been.
    looked: Vec<String>,
}

/// The world outside, as far as keys are found in it.
pub(super) struct Outside<'a> {
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub read: &'a dyn Fn(&Path) -> std::io::Result<String>,
}

impl Identities {
    /// Those of the user: `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names,
    /// `sops/age/keys.txt` among the user's settings, the ssh key that
    /// `SOPS_AGE_SSH_PRIVATE_KEY_FILE` names or `~/.ssh/id_ed25519`.
    pub fn of_user() -> Result<Self, SecretError> {
        let variable = |name: &str| std::env::var(name).ok();
        Self::find(&Outside { variable: &variable, read: &|path| std::fs::read_to_string(path) })
    }

    pub(super) fn find(outside: &Outside<'_>) -> Result<Self, SecretError> {
        let mut all = Identities::default();
        let variable = |name: &str| (outside.variable)(name).filter(|value| !value.is_empty());
        if let Some(text) = all.look("SOPS_AGE_KEY", variable("SOPS_AGE_KEY")) {
            all.add(&text, "SOPS_AGE_KEY")?;
        }
        let named = all.look("SOPS_AGE_KEY_FILE", variable("SOPS_AGE_KEY_FILE"));
        let ssh = all.look("SOPS_AGE_SSH_PRIVATE_KEY_FILE", variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE"));
        for path in named.iter().chain(&ssh) {
            all.add_file(Path::new(path), outside, true)?;
        }
        let home = variable("HOME").map(PathBuf::from);
        let settings = variable("XDG_CONFIG_HOME").map(PathBuf::from);
        let settings = settings.or_else(|| home.as_ref().map(|home| home.join(".config")));
        let usual = settings.map(|folder| folder.join("sops/age/keys.txt"));
        let own_ssh = home.filter(|_| ssh.is_none()).map(|home| home.join(".ssh/id_ed25519"));
        for path in usual.iter().chain(&own_ssh) {
            all.looked.push(path.display().to_string());
            all.add_file(path, outside, false)?;
        }
        Ok(all)
    }

    fn look(&mut self, place: &str, value: Option<String>) -> Option<String> {
        self.looked.push(place.to_owned());
        value
    }

    /// The keys of a file. One that nobody named need not be there, and need not be of use.
    fn add_file(&mut self, path: &Path, outside: &Outside<'_>, named: bool) -> Result<(), SecretError> {
        let place = path.display().to_string();
        let added = match (outside.read)(path) {
            Ok(text) => self.add(&text, &place),
            Err(error) => Err(SecretError::Key { place, what: error.to_string() }),
        };
        if named { added } else { Ok(()) }
    }

    fn add(&mut self, text: &str, place: &str) -> Result<(), SecretError> {
        let wrong = |what: &str| Err(SecretError::Key { place: place.to_owned(), what: what.to_owned() });
        if SshKey::is_one(text) {
            match SshKey::parse(text) {
                Ok(key) => self.keys.push(Identity::Ssh(Box::new(key))),
                Err(what) => return wrong(what),
            }
        } else if age::is_age(text.as_bytes()) {
            return wrong("it is encrypted with a passphrase, which gops does not ask for");
        } else {
            let keys = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            for (number, line) in (1..).zip(keys) {
                match bech32::decode(line, "age-secret-key-").and_then(|bytes| bytes.try_into().ok()) {
                    Some(key) => self.keys.push(Identity::X25519(key)),
                    // A plugin's key is of no use here; another one beside it may be.
                    None if line.starts_with("AGE-PLUGIN-") => {}
                    None => return wrong(&format!("the {number}. key in it is no key of age")),
                }
            }
        }
        self.found.push(place.to_owned());
        Ok(())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Identity> {
        self.keys.iter()
    }

    /// Why none of the keys opened a file.
    pub(super) fn failed(&self, file: &str, recipients: Vec<String>) -> SecretError {
        let file = file.to_owned();
        match self.keys.is_empty() {
            true => SecretError::NoKey { file, looked: self.looked.clone() },
            false => SecretError::WrongKey { file, recipients, tried: self.found.clone() },
        }
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("found", &self.found).finish_non_exhaustive()
    }
}
