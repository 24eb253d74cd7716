//! What chumsky reports, and how it is said.

use chumsky::DefaultExpected;
use chumsky::error::{Error, LabelError};
use chumsky::util::MaybeRef;

use crate::base::Span;
use crate::diag::codes::syntax as codes;
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::primitive::bit;
use super::{Cx, In};

/// A place where no parser could go on: what each of them wanted, as a set of kinds. Small, and
/// made without allocation, since one is made for every alternative that is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    expected: u128,
    found: Option<Tok>,
    span: Span,
}

impl Fault {
    pub(super) fn new(expected: u128, found: Option<Tok>, span: Span) -> Self {
        Fault { expected, found, span }
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
        span: Span,
    ) -> Self {
        let set = |e: DefaultExpected<'static, Tok>| match e {
            DefaultExpected::Token(tok) => bit(tok.kind),
            DefaultExpected::EndOfInput => bit(Kind::End),
            _ => 0,
        };
        let expected = expected.into_iter().map(set).fold(0, |a, b| a | b);
        Fault { expected, found: found.map(|f| *f), span }
    }
}

impl Cx {
    pub(super) fn report(&mut self, fault: Fault, part: &[Tok], end: Span) {
        let _ = part;
        let (what, span) = match fault.found {
            Some(tok) => (format!("unexpected {}", self.describe(tok)), tok.span),
            None => ("something is missing here".to_owned(), end),
        };
        let expected: Vec<String> = Kind::ALL
            .iter()
            .filter(|&&k| fault.expected & bit(k) != 0)
            .map(|k| if k.is_fixed() { format!("`{}`", k.text()) } else { k.text().to_owned() })
            .collect();
        let _ = fault.span;
        let error = self
            .sink
            .at(codes::UNEXPECTED_TOKEN, span, what)
            .help(format!("expected {}", expected.join(", ")));
        self.sink.push(error);
    }

    fn describe(&self, tok: Tok) -> String {
        match tok.kind {
            Kind::Paren | Kind::Bracket | Kind::Brace | Kind::Str => tok.kind.text().to_owned(),
            _ => format!("`{}`", self.text(tok.span)),
        }
    }
}
