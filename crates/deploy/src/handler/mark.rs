//! Marks: how an object on a target says which ledger made it, and by which intent.

use std::fmt;

use ecow::EcoString;
use serde::{Deserialize, Serialize};

use super::Random;

/// Names one intent, and so the object that it made: 32 hex digits that no other intent has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(EcoString);

impl Token {
    /// A new one.
    pub fn new(random: &dyn Random) -> Self {
        Token(ecow::eco_format!("{:032x}", random.next()))
    }

    /// Reads one; `None` if the text is no token, which matters because tokens become parts of
    /// file names.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 32 && text.bytes().all(digits)).then(|| Token(text.into()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Token::parse(&text).ok_or("a token has 32 hex digits")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands at an object that gops made: the ledger's lineage and the intent's token. It is
/// set atomically with the object.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// Which ledger made it.
    pub lineage: EcoString,
    /// Which intent made it.
    pub token: Token,
}

impl Mark {
    /// Reads `LINEAGE:TOKEN`.
    pub fn parse(text: &str) -> Option<Self> {
        let (lineage, token) = text.split_once(':')?;
        Some(Mark { lineage: lineage.into(), token: Token::parse(token)? })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.lineage, self.token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::SeededRandom;

    #[test]
    fn marks_read_back_and_nothing_else_is_one() {
        let token = Token::new(&SeededRandom::new(1));
        let mark = Mark { lineage: "abc".into(), token };
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for text in ["", "abc", "abc:", "abc:../../../../etc/passwd-aaaaaaaaaa", "abc:0G"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }
}
