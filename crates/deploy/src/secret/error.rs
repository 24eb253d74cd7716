//! Why a secret was not opened. Nothing of a secret stands in any of these.

/// Why a secret was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no key at all.
    #[error("no key is there to open `{file}`")]
    NoKey {
        /// The encrypted file.
        file: String,
        /// Where keys were looked for.
        looked: Vec<String>,
    },
    /// None of the keys is one that it is encrypted for.
    #[error("none of the keys opens `{file}`")]
    WrongKey {
        /// The encrypted file.
        file: String,
        /// The recipients that it is encrypted for.
        recipients: Vec<String>,
        /// Where the keys that were tried came from.
        tried: Vec<String>,
    },
    /// It was changed without its key, or broken.
    #[error("`{file}` is damaged: {what}")]
    Damaged {
        /// The encrypted file.
        file: String,
        /// How that shows.
        what: String,
    },
    /// It is encrypted in a way that this program does not open.
    #[error("`{file}` cannot be opened: {what}")]
    Unknown {
        /// The encrypted file.
        file: String,
        /// What it is encrypted with.
        what: String,
    },
    /// A key that was named cannot be read.
    #[error("the key in {place} cannot be used: {what}")]
    Key {
        /// The variable or file.
        place: String,
        /// Why not.
        what: String,
    },
    /// The file has no such value any more.
    #[error("`{file}` has no value at `{pointer}`")]
    Missing {
        /// The file.
        file: String,
        /// The way to the value.
        pointer: String,
    },
    /// The file was changed while it was worked with.
    #[error("`{file}` was changed while it was deployed")]
    Changed {
        /// The file.
        file: String,
    },
    /// The file cannot be read.
    #[error("`{file}` cannot be read: {what}")]
    Unread {
        /// The file.
        file: String,
        /// Why not.
        what: String,
    },
}

impl SecretError {
    /// Whether the value was found, and did not open.
    pub(super) fn is_of_value(&self) -> bool {
        match self {
            SecretError::NoKey { .. }
            | SecretError::WrongKey { .. }
            | SecretError::Damaged { .. }
            | SecretError::Unknown { .. }
            | SecretError::Key { .. } => true,
            SecretError::Missing { .. } | SecretError::Changed { .. } | SecretError::Unread { .. } => false,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            SecretError::NoKey { looked, .. } => format!(
                "give the key in SOPS_AGE_KEY or the path of its file in SOPS_AGE_KEY_FILE; looked at {}",
                looked.join(", ")
            ),
            SecretError::WrongKey { recipients, tried, .. } => format!(
                "it is encrypted for {}; the keys of {} were tried",
                listed(recipients),
                listed(tried)
            ),
            SecretError::Damaged { .. } => {
                "take it from a revision in which it was whole, and change it with `sops` or `age` only"
                    .to_owned()
            }
            SecretError::Unknown { .. } => "encrypt it for an age key too".to_owned(),
            SecretError::Changed { .. } => "run this again".to_owned(),
            SecretError::Key { .. } | SecretError::Missing { .. } | SecretError::Unread { .. } => {
                return None;
            }
        })
    }
}

fn listed(all: &[String]) -> String {
    if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
}
