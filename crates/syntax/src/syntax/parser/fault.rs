//! What chumsky reports: where no parser could go on, and what each of them wanted.

use chumsky::DefaultExpected;
use chumsky::error::{Error, LabelError};
use chumsky::util::MaybeRef;

use crate::base::Span;
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::In;
use super::primitive::bit;

/// A place where no parser could go on: what each of them wanted, as a set of kinds. Small, and
/// made without allocation, since one is made for every alternative that is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// The kinds that were wanted, as bits.
    pub expected: u128,
    /// What stands there; none at the end of the part.
    pub found: Option<Tok>,
}

impl Fault {
    pub fn new(expected: u128, found: Option<Tok>) -> Self {
        Fault { expected, found }
    }

    /// Whether this kind was wanted.
    pub fn expects(&self, kind: Kind) -> bool {
        self.expected & bit(kind) != 0
    }

    /// The wanted kinds.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        Kind::ALL.iter().copied().filter(|&k| self.expects(k))
    }

    /// Where in the part it is.
    pub fn index(&self, part: &[Tok]) -> usize {
        let found = self.found.and_then(|f| part.iter().position(|t| t.span == f.span && t.kind == f.kind));
        found.unwrap_or(part.len())
    }
}

impl Error<'static, In> for Fault {
    fn merge(mut self, other: Self) -> Self {
        self.expected |= other.expected;
        self
    }
}

impl LabelError<'static, In, DefaultExpected<'static, Tok>> for Fault {
    fn expected_found<E: IntoIterator<Item = DefaultExpected<'static, Tok>>>(
        expected: E,
        found: Option<MaybeRef<'static, Tok>>,
        _: Span,
    ) -> Self {
        let set = |e: DefaultExpected<'static, Tok>| match e {
            DefaultExpected::Token(tok) => bit(tok.kind),
            DefaultExpected::EndOfInput => bit(Kind::End),
            _ => 0,
        };
        let expected = expected.into_iter().map(set).fold(0, |a, b| a | b);
        Fault { expected, found: found.map(|f| *f) }
    }
}
