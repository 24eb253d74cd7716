//! Texts and values of parts that may be secrets.
//!
//! What is recorded of a secret is an entry: its keyed hash, and the name of what it is made of. The
//! one tells whether what is there is what was applied, the other whether that is what is wanted,
//! before the secret is opened.

use std::borrow::Cow;

use ecow::{EcoString, eco_format};
use sha2::{Digest as _, Sha256};

use crate::graph::{GraphValue, Secret};
use crate::handler::file::look::hex;
use crate::handler::file::spec::{Findings, given, opened, text};
use crate::handler::{Fault, PrintKey};

/// A text, which may be a secret.
#[derive(Clone, Copy, Debug)]
pub(super) enum Words<'a> {
    Plain(&'a str),
    Secret(&'a Secret),
    /// Known once others are deployed.
    Later(&'a GraphValue),
}

impl<'a> Words<'a> {
    /// The text of a field.
    pub(super) fn of(fields: &'a GraphValue, name: &str, problems: &mut Findings) -> Option<Self> {
        match given(fields, name) {
            Some(GraphValue::Secret(secret)) => Some(Words::Secret(secret)),
            Some(value @ GraphValue::Later(_)) => Some(Words::Later(value)),
            _ => text(fields, name, problems).map(Words::Plain),
        }
    }

    /// The text, if it is known.
    pub(super) fn known(self) -> Option<&'a str> {
        match self {
            Words::Plain(text) => Some(text),
            Words::Secret(secret) => opened(secret).ok(),
            Words::Later(_) => None,
        }
    }

    /// The text, or why it is not known.
    pub(super) fn opened(self) -> Result<&'a str, Fault> {
        match self {
            Words::Plain(text) => Ok(text),
            Words::Secret(secret) => opened(secret),
            Words::Later(_) => Err(Fault::new("what is to be there is not known yet")),
        }
    }

    /// The secret that it is.
    pub(super) fn secret(self) -> Option<&'a Secret> {
        match self {
            Words::Plain(_) | Words::Later(_) => None,
            Words::Secret(secret) => Some(secret),
        }
    }

    /// As the field has it.
    pub(super) fn value(self) -> GraphValue {
        match self {
            Words::Plain(text) => GraphValue::Str(text.into()),
            Words::Secret(secret) => GraphValue::Secret(secret.clone()),
            Words::Later(value) => value.clone(),
        }
    }

    /// Whether a secret is part of it.
    pub(super) fn is_secret(self) -> bool {
        match self {
            Words::Plain(_) => false,
            Words::Secret(_) => true,
            Words::Later(value) => value.has_secret(),
        }
    }
}

/// A value with its secrets in the open.
pub(super) fn plain_of(value: &GraphValue) -> Result<Cow<'_, GraphValue>, Fault> {
    if !value.has_secret() {
        return Ok(Cow::Borrowed(value));
    }
    let plain = value.map_secrets(&mut |secret| match secret {
        Secret::Known(known) => Ok((*known.value).clone()),
        _ => Err(Fault::new("the secret was not opened")),
    });
    plain.map(Cow::Owned)
}

/// What tells a value with secrets from values that are made of something else; nothing for one
/// without.
pub(super) fn name_of(value: &GraphValue) -> Option<EcoString> {
    if let GraphValue::Secret(secret) = value {
        return Some(secret.name());
    }
    if !value.has_secret() {
        return None;
    }
    let Ok(named) =
        value.map_secrets(&mut |secret| Ok::<_, std::convert::Infallible>(GraphValue::Str(secret.name())));
    Some(hex(Sha256::digest(named.to_json()).get(..16).unwrap_or_default()))
}

/// The key of a value with secrets, if they are open.
pub(super) fn key_of(value: &GraphValue) -> Option<PrintKey> {
    let mut key = None;
    let Ok(_) = value.map_secrets(&mut |secret| {
        if let Secret::Known(known) = secret {
            key = Some(PrintKey::new(known.key));
        }
        Ok::<_, std::convert::Infallible>(GraphValue::Null)
    });
    key
}

const KEYED: &str = "keyed:";

/// What is recorded of a secret; one that was not opened is like none that is there.
pub(super) fn entry(print: Option<&str>, name: &str) -> EcoString {
    eco_format!("{KEYED}{} {name}", print.unwrap_or("-"))
}

/// Whether an entry is one of a secret.
pub(super) fn is_entry(entry: &str) -> bool {
    entry.starts_with(KEYED)
}

/// Whether an entry stands for what has this hash.
pub(super) fn has_print(entry: &str, print: &str) -> bool {
    let rest = entry.strip_prefix(KEYED).and_then(|rest| rest.strip_prefix(print));
    rest.is_some_and(|rest| rest.starts_with(' '))
}

/// Whether what is there is the secret that is wanted: by its hash if that is open, else by what
/// was applied last.
pub(super) fn is_wanted<'e>(
    found: Option<&str>,
    wanted: Option<&str>,
    name: &str,
    last: impl IntoIterator<Item = &'e EcoString>,
) -> bool {
    match (found, wanted) {
        (Some(found), Some(wanted)) => found == wanted,
        (Some(found), None) => last.into_iter().any(|known| *known == entry(Some(found), name)),
        (None, _) => false,
    }
}
