//! What an encrypted file holds.

use indexmap::IndexMap;

use crate::data::Document;

use super::age::{self, Closed};
use super::error::SecretError;
use super::identity::Identities;
use super::{Plain, sops};

/// The keys that open, read once.
#[derive(Debug, Default)]
pub(super) struct Opener {
    identities: Option<Result<Identities, SecretError>>,
}

impl Opener {
    /// With these keys.
    pub(super) fn with(identities: Identities) -> Self {
        Opener { identities: Some(Ok(identities)) }
    }

    fn identities(&mut self) -> Result<&Identities, SecretError> {
        let found = self.identities.get_or_insert_with(Identities::of_user);
        found.as_ref().map_err(SecretError::clone)
    }

    /// The values of a document of sops, by their pointers.
    pub(super) fn sops(
        &mut self,
        file: &str,
        document: &Document,
    ) -> Result<IndexMap<String, Plain>, SecretError> {
        sops::open(file, document, self.identities()?)
    }

    /// The text of an age file.
    pub(super) fn age(&mut self, file: &str, bytes: &[u8]) -> Result<Plain, SecretError> {
        let identities = self.identities()?;
        let damaged = |what: &str| SecretError::Damaged { file: file.to_owned(), what: what.to_owned() };
        let plain = age::open(bytes, identities).map_err(|closed| match closed {
            Closed::NotOurs => identities.failed(file, Vec::new()),
            Closed::Passphrase => SecretError::Unknown {
                file: file.to_owned(),
                what: "it is encrypted with a passphrase, which gops does not ask for".to_owned(),
            },
            Closed::Damaged(what) => damaged(what),
        })?;
        String::from_utf8(plain).map(Plain::Str).map_err(|_| SecretError::Unknown {
            file: file.to_owned(),
            what: "what is in it is no UTF-8 text".to_owned(),
        })
    }
}

/// Whether bytes begin as an age file does.
pub(super) fn is_age(bytes: &[u8]) -> bool {
    age::is_age(bytes)
}
