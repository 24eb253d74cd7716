//! `match`: patterns, what they narrow, whether all values are met.

use super::body::{Cx, Fact, Origin, Path, Typed};
use crate::base::Span;
use crate::diag::codes::types as codes;
use crate::model::hir::Pattern;
use crate::model::scopes::TypeItem;
use crate::model::{Hir, HirKind, Type, TypeDef, TypeId};
use crate::syntax::ast::{self, Arm, Expr, ExprKind, PatternKind, StmtKind};
use crate::types::{marks, relation};

/// A part of a type's values that a pattern meets whole or not at all.
#[derive(Clone, PartialEq, Debug)]
enum Atom {
    Null,
    Bool(bool),
    /// Of an enum or a union.
    Variant(TypeId, u16),
    /// A literal, or a type without parts.
    Other(Type),
}

/// What of the subject is not met yet.
struct Cover {
    atoms: Vec<(Atom, bool)>,
    /// Literals that were met of types without parts.
    literals: Vec<Type>,
    /// Everything is met.
    all: bool,
}

impl Cover {
    fn rest(&self) -> impl Iterator<Item = &Atom> {
        let none = self.all;
        self.atoms.iter().filter(move |(_, met)| !met && !none).map(|(a, _)| a)
    }
}

/// A pattern that was lowered.
struct Met {
    pattern: Pattern,
    /// The type of the values that it meets.
    ty: Type,
    /// Whether one of them was not met before.
    new: bool,
}

impl<'a> Cx<'_, 'a> {
    /// `match` with a value.
    pub fn match_value(
        &mut self,
        subject: &'a Expr,
        arms: &'a [Arm],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let mut values: Vec<(Vec<Pattern>, Typed, Span)> = Vec::new();
        let subject = self.arms(subject, arms, span, |cx, patterns, body| {
            let value = cx.expr(body, want);
            values.push((patterns, value, body_span(body)));
        });
        let Some(subject) = subject else { return self.wrong(span) };
        let mut patterns = Vec::with_capacity(values.len());
        let mut branches = Vec::with_capacity(values.len());
        for (pattern, value, at) in values {
            patterns.push(pattern);
            branches.push((value, at));
        }
        let (hirs, ty, from) = self.join_arms(branches, want);
        let arms = patterns.into_iter().zip(hirs).collect();
        Typed { hir: self.hir(span, HirKind::Match { subject: Box::new(subject), arms }), ty, from }
    }

    /// `match` as a statement.
    pub fn match_statement(&mut self, subject: &'a Expr, arms: &'a [Arm], span: Span) -> Hir {
        let mut bodies: Vec<(Vec<Pattern>, Hir)> = Vec::new();
        let subject = self.arms(subject, arms, span, |cx, patterns, body| {
            let hir = match &body.kind {
                ExprKind::Block(block) => cx.statements(block),
                _ => cx.effect(body),
            };
            bodies.push((patterns, hir));
        });
        match subject {
            Some(subject) => self.hir(span, HirKind::Match { subject: Box::new(subject), arms: bodies }),
            None => self.hir(span, HirKind::Error),
        }
    }

    /// Goes through the arms, each body with what its patterns tell of the subject.
    fn arms(
        &mut self,
        subject: &'a Expr,
        arms: &'a [Arm],
        span: Span,
        mut body: impl FnMut(&mut Self, Vec<Pattern>, &'a Expr),
    ) -> Option<Hir> {
        let value = self.expr(subject, None);
        let value = self.plain(value, subject.span, "`match`");
        let (_, ty) = marks::split(&value.ty);
        let path = self.path_of(subject);
        let mut cover = self.cover(&ty);
        let wrong = value.is_error();
        let mut bad = false;
        for arm in arms {
            let mut patterns = Vec::with_capacity(arm.patterns.len());
            let mut types: Vec<Type> = Vec::with_capacity(arm.patterns.len());
            for pattern in &arm.patterns {
                let Some(met) = self.pattern(pattern, &ty, &mut cover, wrong) else {
                    bad = true;
                    continue;
                };
                if !met.new && !wrong {
                    let problem = self
                        .problem(codes::UNREACHABLE_ARM, pattern.span, "no value is left for this pattern")
                        .help("remove it, or put it before the patterns that take its values");
                    self.report(problem);
                }
                patterns.push(met.pattern);
                types.push(met.ty);
            }
            let mark = self.enter();
            let facts = self.arm_facts(path.as_ref(), types);
            let facts = self.assume(facts);
            body(self, patterns, &arm.body);
            self.forget(facts);
            self.leave(mark);
        }
        if !bad && !wrong {
            self.exhaustive(&cover, &ty, subject.span, span);
        }
        Some(value.hir)
    }

    fn arm_facts(&self, path: Option<&Path>, types: Vec<Type>) -> Vec<Fact> {
        let Some(path) = path else { return Vec::new() };
        let mut joined: Option<Type> = None;
        for ty in types {
            joined = match joined {
                None => Some(ty),
                Some(before) => match relation::join(self.program(), &before, &ty) {
                    Some(ty) => Some(ty),
                    None => return Vec::new(),
                },
            };
        }
        joined.map(|ty| vec![Fact { path: path.clone(), ty }]).unwrap_or_default()
    }

    fn join_arms(&mut self, branches: Vec<(Typed, Span)>, want: Option<&Type>) -> (Vec<Hir>, Type, Origin) {
        let branches =
            branches.into_iter().map(|(value, span)| super::branch::Branch { value, span }).collect();
        self.joined(branches, want)
    }

    // Exhaustiveness.

    fn cover(&self, ty: &Type) -> Cover {
        let mut atoms = Vec::new();
        self.atoms(ty, &mut atoms);
        Cover { atoms: atoms.into_iter().map(|a| (a, false)).collect(), literals: Vec::new(), all: false }
    }

    fn atoms(&self, ty: &Type, atoms: &mut Vec<Atom>) {
        match ty {
            Type::Alias(_, inner) | Type::Refined(inner, _) => self.atoms(inner, atoms),
            Type::Optional(inner) => {
                self.atoms(inner, atoms);
                atoms.push(Atom::Null);
            }
            Type::Null => atoms.push(Atom::Null),
            Type::Bool => atoms.extend([Atom::Bool(true), Atom::Bool(false)]),
            Type::Enum(id) | Type::Union(id) => {
                atoms.extend((0..self.variants(*id).len() as u16).map(|at| Atom::Variant(*id, at)));
            }
            Type::Variant(id, some) => atoms.extend(some.iter().map(|at| Atom::Variant(*id, *at))),
            Type::OneOf(all) => all.iter().for_each(|t| self.atoms(t, atoms)),
            Type::Never => {}
            _ => atoms.push(Atom::Other(ty.clone())),
        }
    }

    fn exhaustive(&mut self, cover: &Cover, ty: &Type, subject: Span, span: Span) {
        let missing: Vec<String> = cover
            .rest()
            .map(|atom| match atom {
                Atom::Null => "`null`".to_owned(),
                Atom::Bool(v) => format!("`{v}`"),
                Atom::Variant(id, at) => {
                    format!("`{}`", self.variants(*id).get(*at as usize).map_or("?", |v| v.name.as_str()))
                }
                Atom::Other(ty @ (Type::StrLit(_) | Type::IntLit(_))) => format!("`{}`", self.show(ty)),
                Atom::Other(_) => "any other value".to_owned(),
            })
            .collect();
        if missing.is_empty() {
            return;
        }
        let others = missing.iter().any(|m| m == "any other value");
        let head = Span { start: span.start, end: subject.end };
        let help = if others { "add an arm `_ => …`" } else { "add an arm for it, or `_ => …`" };
        let problem = self
            .problem(codes::NOT_EXHAUSTIVE, head, format!("no arm takes {}", missing.join(", ")))
            .at(format!("a `{}`", self.show(ty)))
            .help(help);
        self.report(problem);
    }

    // Patterns.

    fn pattern(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: &Type,
        cover: &mut Cover,
        wrong: bool,
    ) -> Option<Met> {
        match &pattern.kind {
            PatternKind::Any => {
                let rest: Vec<Atom> = cover.rest().cloned().collect();
                cover.all = true;
                let narrowed = self.type_of(&rest, ty);
                Some(Met { pattern: Pattern::Any, ty: narrowed, new: !rest.is_empty() })
            }
            PatternKind::Null => {
                let new = meet(cover, |a| *a == Atom::Null);
                let fits = ty.is_nullable();
                if !fits && !wrong {
                    let problem = self.problem(
                        codes::NEVER,
                        pattern.span,
                        format!("a `{}` is never null", self.show(ty)),
                    );
                    self.report(problem);
                    return None;
                }
                let any = cover.atoms.iter().any(|(a, _)| matches!(a, Atom::Other(Type::Any | Type::Error)));
                Some(Met { pattern: Pattern::Null, ty: Type::Null, new: new || any })
            }
            PatternKind::Name(path) => self.name_pattern(path, pattern.span, ty, cover, wrong),
            PatternKind::Literal(e) => self.literal_pattern(e, pattern.span, ty, cover),
        }
    }

    fn name_pattern(
        &mut self,
        path: &'a ast::Path,
        span: Span,
        ty: &Type,
        cover: &mut Cover,
        wrong: bool,
    ) -> Option<Met> {
        let (last, before) = path.parts.split_last()?;
        let owner = match before {
            [] => None,
            _ => match self.variant_owner(path, before) {
                Some(id) => Some(id),
                None => return None,
            },
        };
        let found =
            self.variants_named(ty, last.name).into_iter().find(|(id, _)| owner.is_none_or(|o| o == *id));
        if let Some((id, at)) = found {
            let new = meet(cover, |a| *a == Atom::Variant(id, at));
            let narrowed = match self.program().types.get(id.0 as usize) {
                Some(TypeDef::Union(_)) => Type::Variant(id, [at].into()),
                _ => Type::Enum(id),
            };
            return Some(Met { pattern: Pattern::Variant(at), ty: narrowed, new });
        }
        if wrong {
            return None;
        }
        if before.is_empty()
            && let Some(item) = self.ck.decls.scopes.type_named(self.module, last.name)
        {
            return self.type_pattern(item, span, ty, cover);
        }
        self.unknown_pattern(last, ty, owner);
        None
    }

    /// The enum or union before the last part of `Tier.prod`, `a::Tier.prod`.
    fn variant_owner(&mut self, path: &ast::Path, before: &[ast::Ident]) -> Option<TypeId> {
        let span = before.iter().map(|p| p.span).reduce(Span::to).unwrap_or(path.span);
        let owner = ast::Path { parts: before.to_vec(), span };
        let (scopes, nodes) = (&self.ck.decls.scopes, &mut self.ck.decls.nodes);
        match scopes.resolve_type(nodes, self.module, &owner) {
            Ok(item) => match self.ck.item_type(item).bare() {
                Type::Enum(id) | Type::Union(id) => Some(*id),
                _ => None,
            },
            Err(problem) => {
                self.report(*problem);
                None
            }
        }
    }

    fn type_pattern(&mut self, item: TypeItem, span: Span, ty: &Type, cover: &mut Cover) -> Option<Met> {
        let wanted = self.ck.item_type(item);
        let Some(narrowed) = super::narrow::narrow_to(self.program(), ty.non_null(), &wanted) else {
            let message = format!("a `{}` is never a `{}`", self.show(ty), self.show(&wanted));
            let carries = |v: &&crate::model::VariantDef| v.payload.as_ref() == Some(&wanted);
            let unions = self.variant_types(ty.non_null());
            let variant = unions.iter().find_map(|id| self.variants(*id).iter().find(carries));
            let help = match variant {
                Some(variant) => format!("write the variant that carries it: `{}`", variant.name),
                None => "take it out, or write a type that it may be of".to_owned(),
            };
            let problem = self.problem(codes::NEVER, span, message).help(help);
            self.report(problem);
            return None;
        };
        let mut new = false;
        for at in 0..cover.atoms.len() {
            let (atom, met) = &cover.atoms[at];
            let atom_ty = self.type_of(std::slice::from_ref(atom), ty);
            let inside = relation::is_subtype(self.program(), &atom_ty, &wanted);
            let partly = inside
                || matches!(atom, Atom::Other(Type::Any))
                || super::narrow::narrow_to(self.program(), &atom_ty, &wanted).is_some();
            new |= partly && !met && !cover.all;
            if inside {
                cover.atoms[at].1 = true;
            }
        }
        self.use_refinements(&wanted, span);
        Some(Met { pattern: Pattern::Type(wanted), ty: narrowed, new })
    }

    fn unknown_pattern(&mut self, name: &ast::Ident, ty: &Type, owner: Option<TypeId>) {
        let types = self.variant_types(ty);
        let text = name.name.as_str();
        let mut problem = match owner.or(types.first().copied()) {
            Some(id) => self.no_variant(id, *name),
            None => self
                .problem(
                    codes::UNKNOWN_VARIANT,
                    name.span,
                    format!("a `{}` has no variant `{text}`", self.show(ty)),
                )
                .help("a pattern is a variant, a type, a literal, `null` or `_`"),
        };
        if self.has_local(name.name) || self.this_field(name.name).is_some() {
            problem.help = Some("a pattern is no value: compare with `==` instead".to_owned());
        }
        self.report(problem);
    }

    fn literal_pattern(&mut self, e: &'a Expr, span: Span, ty: &Type, cover: &mut Cover) -> Option<Met> {
        let want = relation::unrefined(ty.non_null()).clone();
        let value = self.expr(e, Some(&want));
        let literal = value.ty.clone();
        if let (HirKind::Bool(v), true) =
            (&value.hir.kind, cover.atoms.iter().any(|(a, _)| matches!(a, Atom::Bool(_))))
        {
            let v = *v;
            let new = meet(cover, |a| *a == Atom::Bool(v));
            return Some(Met { pattern: Pattern::Literal(value.hir), ty: Type::Bool, new });
        }
        if !super::operators::overlap(self.program(), &literal, &want) {
            self.comparable(&want, &literal, span);
            return None;
        }
        // The type of any other literal has more values than it.
        let only = matches!(literal, Type::StrLit(_) | Type::IntLit(_));
        let exact = only && meet(cover, |a| *a == Atom::Other(literal.clone()));
        let open = cover.atoms.iter().any(|(a, met)| {
            !met && matches!(a, Atom::Other(t) if !matches!(t, Type::StrLit(_) | Type::IntLit(_)))
        });
        let key = match &value.hir.kind {
            HirKind::Float(v) => Type::StrLit(format!("float {v}").into()),
            HirKind::Duration(v) => Type::StrLit(format!("duration {v}").into()),
            HirKind::Size(v) => Type::StrLit(format!("size {v}").into()),
            _ => literal.clone(),
        };
        let seen = cover.literals.contains(&key);
        cover.literals.push(key);
        let new = exact || (open && !seen && !cover.all);
        Some(Met { pattern: Pattern::Literal(value.hir), ty: literal, new })
    }

    /// The type of the values of some atoms.
    fn type_of(&self, atoms: &[Atom], whole: &Type) -> Type {
        let mut null = false;
        let mut bool_ = false;
        let mut types: Vec<Type> = Vec::new();
        let mut variants: Vec<(TypeId, Vec<u16>)> = Vec::new();
        for atom in atoms {
            match atom {
                Atom::Null => null = true,
                Atom::Bool(_) => bool_ = true,
                Atom::Variant(id, at) => match variants.iter_mut().find(|(v, _)| v == id) {
                    Some((_, some)) => some.push(*at),
                    None => variants.push((*id, vec![*at])),
                },
                Atom::Other(ty) => types.push(ty.clone()),
            }
        }
        if bool_ {
            types.push(Type::Bool);
        }
        for (id, some) in variants {
            let all = some.len() == self.variants(id).len();
            types.push(match self.program().types.get(id.0 as usize) {
                Some(TypeDef::Union(_)) if all => Type::Union(id),
                Some(TypeDef::Union(_)) => Type::Variant(id, some.into()),
                _ => Type::Enum(id),
            });
        }
        let ty = match types.len() {
            0 if null => return Type::Null,
            0 => return Type::Never,
            1 => types.remove(0),
            _ => Type::OneOf(types.into()),
        };
        // Where nothing was taken away, the type keeps its name.
        if relation::is_subtype(self.program(), &ty, whole)
            && relation::is_subtype(self.program(), whole, &ty)
        {
            return if null { whole.clone().optional() } else { whole.clone() };
        }
        if null { ty.optional() } else { ty }
    }

    /// An expression that stands for what it does.
    pub fn effect(&mut self, e: &'a Expr) -> Hir {
        match &e.kind {
            ExprKind::If { condition, then, otherwise } => {
                self.if_statement(condition, then, otherwise.as_ref(), e.span)
            }
            ExprKind::Match { subject, arms } => self.match_statement(subject, arms, e.span),
            ExprKind::Block(block) => self.statements(block),
            ExprKind::Paren(inner) => self.effect(inner),
            _ => {
                let before = self.uses.len();
                let errors = self.ck.decls.diagnostics.len();
                let value = self.expr(e, None);
                let creates =
                    self.uses[before..].iter().any(|u| matches!(u.kind, super::uses::UseKind::Creates(_)));
                if !creates && !constructs(&value.hir) && errors == self.ck.decls.diagnostics.len() {
                    let problem = self
                        .problem(codes::NO_EFFECT, e.span, "this makes nothing, and its value goes nowhere")
                        .help("construct an object, or remove it");
                    self.report(problem);
                }
                value.hir
            }
        }
    }
}

/// Whether an expression makes something: in a test, also an instance.
fn constructs(hir: &Hir) -> bool {
    let mut found = matches!(hir.kind, HirKind::Construct(_));
    if !found {
        hir.each_child(&mut |child| found |= constructs(child));
    }
    found
}

fn meet(cover: &mut Cover, is: impl Fn(&Atom) -> bool) -> bool {
    let all = cover.all;
    let mut new = false;
    for (atom, met) in &mut cover.atoms {
        if is(atom) {
            new |= !*met && !all;
            *met = true;
        }
    }
    new
}

/// Where the value of an arm stands.
fn body_span(body: &Expr) -> Span {
    match &body.kind {
        ExprKind::Block(block) => match block.stmts.last() {
            Some(ast::Stmt { kind: StmtKind::Expr(e), .. }) => e.span,
            _ => body.span,
        },
        _ => body.span,
    }
}
