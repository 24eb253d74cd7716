//! Items.

use chumsky::prelude::*;

use crate::base::Span;
use crate::syntax::ast::*;
use crate::syntax::split::{Body, Tok};
use crate::syntax::token::Kind;
use crate::syntax::trees::starts_item;

use super::expr::Exprs;
use super::member::deprecated;
use super::message::What;
use super::primitive::{field_path, name, path, path_of, plain_string, tok};
use super::{Cx, ItemParts, P};

/// An item.
pub(super) fn item(all: &Exprs, check: &P<Check>) -> P<ItemParts> {
    let kind = choice((
        imports(),
        declarations(all),
        records(),
        relations(all),
        check.clone().map(ItemKind::Check).boxed(),
        behaviour(all),
        changes(all),
    ));
    deprecated().then(kind).boxed()
}

fn imports() -> P<ItemKind> {
    let group = tok(Kind::Brace).map_with(|tok, e| {
        e.state()
            .parts(tok, Body::Elements, |cx, part, end| cx.part(What::Import, part, end, |g| &g.use_tree))
    });
    let prefix = name().then_ignore(tok(Kind::PathSep)).repeated().collect::<Vec<_>>();
    let several = prefix.clone().then(group).map(|(prefix, trees): (Vec<Ident>, Vec<UseTree>)| {
        let with_prefix = |tree: UseTree| {
            let mut parts = prefix.clone();
            parts.extend(tree.path.parts);
            UseTree { path: path_of(parts), rename: tree.rename }
        };
        trees.into_iter().map(with_prefix).collect()
    });
    let single = use_tree().map(|tree| vec![tree]);
    tok(Kind::Use).ignore_then(several.or(single)).map(ItemKind::Use).boxed()
}

/// `a::B as C`.
pub(super) fn use_tree() -> P<UseTree> {
    path()
        .then(tok(Kind::As).ignore_then(name()).or_not())
        .map(|(path, rename)| UseTree { path, rename })
        .boxed()
}

fn declarations(all: &Exprs) -> P<ItemKind> {
    let constant = tok(Kind::Const)
        .ignore_then(name())
        .then(tok(Kind::Colon).ignore_then(all.ty.clone()).or_not())
        .then_ignore(tok(Kind::Assign))
        .then(all.expr.clone())
        .map(|((name, ty), value)| ItemKind::Const(ConstDecl { name, ty, value }));
    let alias = tok(Kind::Type)
        .ignore_then(name())
        .then_ignore(tok(Kind::Assign))
        .then(all.ty.clone())
        .map(|(name, ty)| ItemKind::Alias(AliasDecl { name, ty }));
    let variants = tok(Kind::Brace).map_with(|tok, e| e.state().variants(tok)).boxed();
    let enumeration = tok(Kind::Enum)
        .ignore_then(name())
        .then(variants.clone())
        .map(|(name, variants)| ItemKind::Enum(EnumDecl { name, variants }));
    let union = tok(Kind::Union)
        .ignore_then(name())
        .then_ignore(tok(Kind::By))
        .then(name())
        .then(variants)
        .map(|((name, tag), variants)| ItemKind::Union(UnionDecl { name, tag, variants }));
    choice((constant.boxed(), alias.boxed(), enumeration.boxed(), union.boxed())).boxed()
}

fn records() -> P<ItemKind> {
    let members = tok(Kind::Brace).map_with(|tok, e| e.state().members(tok)).boxed();
    let source = plain_string()
        .then(tok(Kind::Each).map(|t| t.span).or_not())
        .map(|(path, each)| SliceSource { path, each });
    let slice = tok(Kind::Slice)
        .ignore_then(name())
        .then(tok(Kind::In).ignore_then(source))
        .then(members.clone())
        .map(|((name, source), members)| record(RecordKind::Slice, name, Some(source), None, members));
    let kind = choice((
        tok(Kind::Struct).to(RecordKind::Struct),
        tok(Kind::Plain).then(tok(Kind::Struct)).to(RecordKind::Plain),
        tok(Kind::Entity).to(RecordKind::Entity),
        tok(Kind::Target).to(RecordKind::Target),
    ));
    let simple = kind
        .then(name())
        .then(members.clone())
        .map(|((kind, name), members)| record(kind, name, None, None, members));
    let resource = tok(Kind::Resource)
        .ignore_then(name())
        .then(tok(Kind::Handled).then(tok(Kind::By)).ignore_then(plain_string()).or_not())
        .then(members)
        .map(|((name, handler), members)| record(RecordKind::Resource, name, None, handler, members));
    choice((slice.boxed(), simple.boxed(), resource.boxed())).boxed()
}

fn record(
    kind: RecordKind,
    name: Ident,
    source: Option<SliceSource>,
    handler: Option<StrLit>,
    members: Vec<Member>,
) -> ItemKind {
    ItemKind::Record(RecordDecl { kind, name, source, handler, members })
}

fn relations(all: &Exprs) -> P<ItemKind> {
    let word = tok(Kind::Inverse).to(false).or(tok(Kind::Closure).to(true));
    let relation = word
        .then(path())
        .then_ignore(tok(Kind::Dot))
        .then(name())
        .then_ignore(tok(Kind::Colon))
        .then(all.ty.clone())
        .then_ignore(tok(Kind::By))
        .then(name())
        .map(|((((closure, owner), name), ty), by)| {
            ItemKind::Relation(RelationDecl { closure, owner, name, ty, by })
        });
    let acyclic = tok(Kind::Acyclic)
        .ignore_then(path())
        .then_ignore(tok(Kind::By))
        .then(name())
        .then(tok(Kind::Comma).ignore_then(all.expr.clone()).or_not())
        .map(|((owner, by), message)| ItemKind::Acyclic(AcyclicDecl { owner, by, message }));
    relation.or(acyclic).boxed()
}

fn behaviour(all: &Exprs) -> P<ItemKind> {
    let block = tok(Kind::Brace).map_with(|tok, e| e.state().block(tok)).boxed();
    let when = tok(Kind::When).ignore_then(all.head.clone()).or_not().boxed();
    let implementation = tok(Kind::Impl)
        .ignore_then(path())
        .then(when)
        .then(block.clone())
        .map(|((ty, when), body)| ItemKind::Impl(ImplDecl { ty, when, body }));
    let params = tok(Kind::Paren).map_with(|tok, e| {
        e.state().parts(tok, Body::Elements, |cx, part, end| cx.part(What::Param, part, end, |g| &g.param))
    });
    let function = tok(Kind::Fn)
        .ignore_then(name())
        .then(params)
        .then_ignore(tok(Kind::Arrow))
        .then(all.result.clone())
        .then(block.clone())
        .map(|(((name, params), result), body)| ItemKind::Fn(FnDecl { name, params, result, body }));
    let test = tok(Kind::Test)
        .ignore_then(plain_string())
        .then(block)
        .map(|(name, body)| ItemKind::Test(TestDecl { name, body }));
    choice((implementation.boxed(), function.boxed(), test.boxed())).boxed()
}

/// `a: T`.
pub(super) fn param(all: &Exprs) -> P<Param> {
    name().then_ignore(tok(Kind::Colon)).then(all.ty.clone()).map(|(name, ty)| Param { name, ty }).boxed()
}

fn changes(all: &Exprs) -> P<ItemKind> {
    let of_type = tok(Kind::Type)
        .ignore_then(path())
        .then_ignore(tok(Kind::To))
        .then(path())
        .map(|(from, to)| MovedKind::Type { from, to });
    let of_object = all
        .expr
        .clone()
        .then_ignore(tok(Kind::To))
        .then(all.expr.clone())
        .map(|(from, to)| MovedKind::Object { from, to });
    let moved =
        tok(Kind::Moved).ignore_then(of_type.or(of_object)).map(|kind| ItemKind::Moved(MovedDecl { kind }));
    let migration = tok(Kind::Migration)
        .ignore_then(plain_string())
        .then_ignore(tok(Kind::For))
        .then(path())
        .then(tok(Kind::When).ignore_then(all.head.clone()).or_not())
        .then(tok(Kind::Brace).map_with(|tok, e| e.state().steps(tok)))
        .map(|(((name, ty), when), steps)| ItemKind::Migration(MigrationDecl { name, ty, when, steps }));
    moved.or(migration).boxed()
}

/// A step of a migration.
pub(super) fn step(all: &Exprs) -> P<MigrationStep> {
    let set = tok(Kind::Set)
        .ignore_then(field_path())
        .then_ignore(tok(Kind::Assign))
        .then(all.expr.clone())
        .map_with(|(path, value), e| MigrationStep::Set { path, value, span: e.span() });
    let drop = tok(Kind::Drop)
        .ignore_then(field_path())
        .map_with(|path, e| MigrationStep::Drop { path, span: e.span() });
    set.or(drop).boxed()
}

/// Where an item turned out to end.
enum End {
    /// With its part.
    Whole,
    /// With the part below, which holds its braces.
    Joined,
    /// Before its body, if it has one: what is indented below belongs to it.
    Early,
}

impl Cx {
    fn steps(&mut self, tok: Tok) -> Vec<MigrationStep> {
        self.parts(tok, Body::Steps, |cx, part, end| cx.part(What::Step, part, end, |g| &g.step))
    }

    /// The items of a module.
    pub(super) fn items(&mut self, parts: &[&[Tok]], end: Span, items: &mut Vec<Item>) {
        let mut skip_below = None;
        let mut rest = parts.iter();
        while let Some(part) = rest.next() {
            let Some(first) = part.first().copied() else { continue };
            let indent = self.indent(first);
            // The body of an item that has no `{` belongs to a mistake that is reported.
            if skip_below.is_some_and(|i| indent > i) && !starts_item(first.kind) {
                continue;
            }
            skip_below = None;
            let next = rest.as_slice().first().filter(|n| n.first().is_some_and(|t| t.kind == Kind::Brace));
            let (found, end) = self.item(part, super::end_of(part, end), next.copied());
            match end {
                End::Whole => {}
                End::Joined => {
                    rest.next();
                }
                End::Early => skip_below = Some(indent),
            }
            items.extend(found);
        }
    }

    /// Notes the name of an item that could not be read, with what was said of it: who uses the
    /// name makes no mistake.
    fn lose(&mut self, part: &[Tok]) {
        let name = part.iter().skip(1).take(3).find(|t| t.kind == Kind::Ident);
        if let (Some(name), Some(problem)) = (name.and_then(|t| self.word(Some(t))), self.sink.last()) {
            let lost = (crate::base::Name::new(name), problem.clone());
            self.lost.push(lost);
        }
    }

    /// How far from the start of its line a token stands.
    fn indent(&self, tok: Tok) -> usize {
        let before = self.text.get(..tok.span.start as usize).unwrap_or_default();
        before.bytes().rev().take_while(|&b| b == b' ' || b == b'\t').count()
    }

    /// One item of a module. `braces` is the next part if it begins with `{`: the body of an
    /// item whose line ends too early.
    fn item(&mut self, part: &[Tok], end: Span, braces: Option<&[Tok]>) -> (Option<Item>, End) {
        let Some(first) = part.first().copied() else { return (None, End::Whole) };
        let span = part.iter().map(|t| t.span).reduce(Span::to).unwrap_or(end);
        let docs = self.docs(first);
        let before = self.sink.count();
        let fault = match self.try_part(What::Item, part, end, |g| &g.item) {
            Ok((deprecated, mut kind)) => {
                if let ItemKind::Check(check) = &mut kind {
                    self.distrust(check, before);
                }
                return (Some(Item { span, docs, deprecated, kind }), End::Whole);
            }
            Err(fault) => fault,
        };
        let early = fault.is_some_and(|f| f.found.is_none() && f.expects(Kind::Brace));
        self.report(fault, What::Item, part, end);
        self.lose(part);
        if let Some(braces) = braces.filter(|_| early) {
            let joined = [part, braces].concat();
            return (self.item(&joined, super::end_of(braces, end), None).0, End::Joined);
        }
        let kind = self.broken_item(part, end);
        let whole = kind.is_some() && part.iter().any(|t| t.kind == Kind::Brace);
        let end = if whole { End::Whole } else { End::Early };
        (kind.map(|kind| Item { span, docs, deprecated: None, kind }), end)
    }

    /// An item of which only the name is known, and what its braces hold: so nothing else that
    /// speaks of it is wrong too.
    fn broken_item(&mut self, part: &[Tok], end: Span) -> Option<ItemKind> {
        let kind = part.first()?.kind;
        let word = |t: &&Tok| t.kind == Kind::Ident || t.kind.is_keyword();
        let at = usize::from(kind == Kind::Plain) + 1;
        let name = self.ident(*part.get(at).filter(word)?);
        let value = Expr { span: end, kind: ExprKind::Error };
        let ty = TypeExpr { span: end, kind: TypeKind::Error };
        let record_kind = match kind {
            Kind::Slice => RecordKind::Slice,
            Kind::Struct => RecordKind::Struct,
            Kind::Plain => RecordKind::Plain,
            Kind::Entity => RecordKind::Entity,
            Kind::Target => RecordKind::Target,
            Kind::Resource => RecordKind::Resource,
            Kind::Const => return Some(ItemKind::Const(ConstDecl { name, ty: None, value })),
            Kind::Type => return Some(ItemKind::Alias(AliasDecl { name, ty })),
            _ => return None,
        };
        let braces = part.iter().find(|t| t.kind == Kind::Brace).copied();
        let members = braces.map(|b| self.members(b)).unwrap_or_default();
        Some(record(record_kind, name, None, None, members))
    }
}
