//! How a part of a file says which intent made it: in short, for people read these files.

use std::fmt;

use ecow::EcoString;

use crate::handler::{Mark, Marked, Token};

/// The first digits of a mark: `8c2f1e0a.9bc1d2e3f4a5b6c7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShortMark {
    lineage: EcoString,
    token: EcoString,
}

const LINEAGE: usize = 8;
const TOKEN: usize = 16;

impl ShortMark {
    /// The short form of a mark.
    pub(super) fn of(lineage: &str, token: &Token) -> Self {
        let first = |text: &str, digits: usize| text.get(..digits).unwrap_or(text).into();
        ShortMark { lineage: first(lineage, LINEAGE), token: first(token.as_str(), TOKEN) }
    }

    /// Reads one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (lineage, token) = text.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
        let fits = lineage.len() == LINEAGE && token.len() == TOKEN && digits(lineage) && digits(token);
        fits.then(|| ShortMark { lineage: lineage.into(), token: token.into() })
    }

    /// Whether it is the mark of this intent.
    pub(super) fn is(&self, lineage: &str, token: &Token) -> bool {
        *self == ShortMark::of(lineage, token)
    }

    /// The mark that it is short for, as far as that can be known: one of these, or one of this
    /// ledger with an unknown token, or one of another ledger.
    pub(super) fn read(&self, lineage: &EcoString, tokens: &[Option<&Token>]) -> Marked {
        if let Some(token) = tokens.iter().flatten().find(|token| self.is(lineage, token)) {
            return Marked::By(Mark { lineage: lineage.clone(), token: (*token).clone() });
        }
        let own = lineage.starts_with(self.lineage.as_str());
        let lineage = if own { lineage.clone() } else { self.lineage.clone() };
        let padded = format!("{}{}", self.token, "0".repeat(TOKEN));
        Token::parse(&padded).map_or(Marked::Not, |token| Marked::By(Mark { lineage, token }))
    }
}

impl fmt::Display for ShortMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.lineage, self.token)
    }
}
