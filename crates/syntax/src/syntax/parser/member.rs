//! The members of records, and variants.

use chumsky::prelude::*;

use crate::base::Span;
use crate::diag::Place;
use crate::syntax::ast::*;
use crate::syntax::split::{Body, Tok};
use crate::syntax::token::Kind;

use super::expr::Exprs;
use super::fault::Fault;
use super::message::What;
use super::primitive::{name, one, path, plain_string, tok};
use super::repair::default_type;
use super::{Cx, Ex, In, MemberParts, P};

/// `deprecated "use x"`.
pub(super) fn deprecated() -> impl Parser<'static, In, Option<StrLit>, Ex> + Clone {
    tok(Kind::Deprecated).ignore_then(plain_string()).or_not()
}

/// A member.
pub(super) fn member(all: &Exprs, check: &P<Check>) -> P<MemberParts> {
    let derived = tok(Kind::Let)
        .ignore_then(name())
        .then(tok(Kind::Colon).ignore_then(all.ty.clone()).or_not())
        .then_ignore(tok(Kind::Assign))
        .then(all.expr.clone())
        .map(|((name, ty), value)| MemberKind::Derived { name, ty, value });
    let several = tok(Kind::Paren).map_with(|tok, e| {
        e.state().parts(tok, Body::Elements, |cx, part, end| cx.part(What::Name, part, end, |g| &g.name))
    });
    let unique =
        tok(Kind::Unique).ignore_then(several.or(name().map(|name| vec![name]))).map(MemberKind::Unique);
    let rest = tok(Kind::Ellipsis)
        .ignore_then(name())
        .then_ignore(tok(Kind::Colon))
        .then(all.ty.clone())
        .map(|(name, ty)| MemberKind::Rest { name, ty });
    let include = tok(Kind::Ellipsis).ignore_then(path()).map(MemberKind::Include);
    let key_path = tok(Kind::Key)
        .ignore_then(name())
        .then(tok(Kind::Dot).ignore_then(name()).repeated().at_least(1).collect::<Vec<_>>())
        .map(|(first, rest)| MemberKind::KeyPath(std::iter::once(first).chain(rest).collect()));
    let kind = choice((
        derived.boxed(),
        unique.boxed(),
        rest.boxed(),
        include.boxed(),
        check.clone().map(MemberKind::Check),
        key_path.boxed(),
        field(all).map(MemberKind::Field),
    ));
    deprecated().then(kind).boxed()
}

fn field(all: &Exprs) -> P<FieldDecl> {
    let role =
        one(&[Kind::Key, Kind::Output, Kind::Assigned]).or_not().map(|word| match word.map(|w| w.kind) {
            Some(Kind::Key) => FieldRole::Key,
            Some(Kind::Output) => FieldRole::Output,
            Some(_) => FieldRole::Assigned,
            None => FieldRole::Plain,
        });
    let cost = one(&[Kind::Live, Kind::Restart, Kind::Replace]).map(|word| {
        let cost = match word.kind {
            Kind::Live => Cost::Live,
            Kind::Restart => Cost::Restart,
            _ => Cost::Replace,
        };
        (cost, word.span)
    });
    let suffixes = cost
        .or_not()
        .then(tok(Kind::Was).ignore_then(plain_string()).repeated().collect::<Vec<_>>())
        .then(tok(Kind::As).ignore_then(plain_string()).or_not())
        .boxed();
    role.then(name())
        .then_ignore(tok(Kind::Colon))
        .then(all.ty.clone())
        .then(tok(Kind::Assign).ignore_then(all.bare.clone()).or_not())
        .then(suffixes)
        .map(|((((role, name), ty), default), ((cost, was), data_name))| FieldDecl {
            role,
            name,
            ty,
            default,
            cost,
            was,
            data_name,
        })
        .boxed()
}

/// A variant of an enum or a union.
pub(super) fn variant(all: &Exprs) -> P<Variant> {
    deprecated()
        .then(name())
        .then(tok(Kind::As).ignore_then(plain_string()).or_not())
        .then(tok(Kind::Colon).ignore_then(all.ty.clone()).or_not())
        .map_with(|(((deprecated, name), data_name), payload), e| Variant {
            docs: Docs::default(),
            deprecated,
            name,
            data_name,
            payload,
            span: e.span(),
        })
        .boxed()
}

impl Cx {
    /// What stands between the braces of a record.
    pub(super) fn members(&mut self, tok: Tok) -> Vec<Member> {
        let owner = self.owner_of(tok);
        let outer = std::mem::replace(&mut self.owner, owner);
        let found = self.several_parts(tok, Body::Members, Self::member);
        self.owner = outer;
        found
    }

    /// The name that stands between a keyword and these braces.
    fn owner_of(&self, tok: Tok) -> Option<crate::base::Name> {
        let before = self.lexed.tokens.get(..tok.at as usize)?;
        let at = before.iter().rposition(|t| {
            use Kind::*;
            matches!(t.kind, Slice | Struct | Entity | Target | Resource)
        })?;
        let name = before.get(at + 1).filter(|t| t.kind == Kind::Ident)?;
        Some(crate::base::Name::new(self.text(name.span)))
    }

    fn member(&mut self, part: &[Tok], end: Span, found: &mut Vec<Member>) {
        let Some(first) = part.first().copied() else { return };
        let span = part.iter().map(|t| t.span).reduce(Span::to).unwrap_or(end);
        let docs = self.docs(first);
        let before = self.sink.count();
        let fault = match self.try_part(What::Member, part, end, |g| &g.member) {
            Ok((deprecated, mut kind)) => {
                if let MemberKind::Check(check) = &mut kind {
                    self.distrust(check, before);
                }
                return found.push(Member { docs, deprecated, span, kind });
            }
            Err(fault) => fault,
        };
        let misplaced = fault.is_some_and(|f| self.misplaced_item(&f, What::Member, part).is_some());
        self.report_member(fault, part, end);
        if misplaced {
            return;
        }
        // `a: T b: U` is two fields, and only what separates them is missing.
        let at = fault.map_or(0, |f| f.index(part));
        let word = self.word(part.get(at)).is_some();
        if at > 1 && word && part.get(at + 1).is_some_and(|t| t.kind == Kind::Colon) {
            let (one, other) = part.split_at(at);
            self.member(one, super::end_of(one, end), found);
            return self.member(other, end, found);
        }
        let kind = self.broken_member(part, end);
        found.extend(kind.map(|kind| Member { docs, deprecated: None, span, kind }));
    }

    /// Reports what is wrong with a member, and offers a type to a field that has a default and
    /// none.
    fn report_member(&mut self, fault: Option<Fault>, part: &[Tok], end: Span) {
        let ty = fault.and_then(|f| default_type(&f, What::Member, part)).filter(|ty| !ty.is_empty());
        let before = fault.and_then(|f| part.get(f.index(part).checked_sub(1)?));
        let (Some(fault), Some(ty), Some(name)) = (fault, ty, before) else {
            return self.report(fault, What::Member, part, end);
        };
        let place = Place::span(self.sink.file(), Span::at(name.span.end as usize));
        let error = self.explain(&fault, What::Member, part, end);
        self.sink.push(error.fix(format!("write `: {ty}`"), false, place, format!(": {ty}")));
    }

    /// A member of which only the name is known, so that nothing else that speaks of it is
    /// wrong too.
    fn broken_member(&self, part: &[Tok], end: Span) -> Option<MemberKind> {
        let word = |t: &&Tok| t.kind == Kind::Ident || t.kind.is_keyword();
        let first = part.first()?;
        let role = match first.kind {
            Kind::Key => FieldRole::Key,
            Kind::Output => FieldRole::Output,
            Kind::Assigned => FieldRole::Assigned,
            _ => FieldRole::Plain,
        };
        let skip = usize::from(role != FieldRole::Plain || first.kind == Kind::Let);
        let name = self.ident(*part.get(skip).filter(word)?);
        if first.kind == Kind::Let {
            let value = Expr { span: end, kind: ExprKind::Error };
            return Some(MemberKind::Derived { name, ty: None, value });
        }
        if matches!(first.kind, Kind::Check | Kind::Unique | Kind::Deprecated) {
            return None;
        }
        Some(MemberKind::Field(FieldDecl {
            role,
            name,
            ty: TypeExpr { span: end, kind: TypeKind::Error },
            default: None,
            cost: None,
            was: Vec::new(),
            data_name: None,
        }))
    }

    /// A check in which something was wrong says nothing of the data: what was read may not be
    /// what is meant. `before` is how much was wrong before it.
    pub(super) fn distrust(&self, check: &mut Check, before: usize) {
        if self.sink.count() > before {
            check.condition = Expr { span: check.condition.span, kind: ExprKind::Error };
        }
    }

    /// What stands between the braces of an enum or a union.
    pub(super) fn variants(&mut self, tok: Tok) -> Vec<Variant> {
        let mut variants = self.elements_of(tok, Body::Variants, What::Variant, |g| &g.variant);
        for variant in &mut variants {
            let at = self.lexed.tokens.partition_point(|t| t.span.start < variant.span.start);
            let first = Tok { kind: Kind::Ident, newline: false, span: variant.span, at: at as u32 };
            variant.docs = self.docs(first);
        }
        variants
    }
}
