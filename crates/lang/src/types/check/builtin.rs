//! Calls of builtins: which row is meant, what its type variables stand for.

use super::body::{Cx, Mode, Origin, Typed};
use super::unify::Binding;
use crate::base::Span;
use crate::diag::codes::{history, types as codes};
use crate::model::prelude::Builtin;
use crate::model::{Hir, HirKind, Type};
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident};
use crate::types::marks::{self, Marks};
use crate::types::signature::{Sig, Signature};

/// An argument, checked or not yet.
pub(super) struct Given<'a> {
    pub(super) expr: &'a Expr,
    pub(super) value: Option<Typed>,
}

/// Which argument each parameter gets.
type Places = Vec<Option<usize>>;

impl<'a> Cx<'_, 'a> {
    /// Whether a literal that this is called on is a map.
    pub fn takes_map(&self, name: crate::base::Name) -> bool {
        let rows = self.ck.signatures.named(name.as_str());
        let mut receivers = rows.iter().filter_map(|r| r.receiver.as_ref());
        rows.iter().any(|r| matches!(r.receiver, Some(Sig::Map(..))))
            && !receivers.any(|r| matches!(r, Sig::Var(_)))
    }

    /// `x.name(…)`.
    pub fn method(
        &mut self,
        receiver: Typed,
        base: &'a Expr,
        name: Ident,
        args: &'a [Arg],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        if receiver.is_error() {
            self.check_loosely(args);
            return self.wrong(span);
        }
        let signatures = self.ck.signatures;
        let rows: Vec<&'static Signature> =
            signatures.named(name.name.as_str()).iter().filter(|r| r.receiver.is_some()).collect();
        if rows.is_empty() {
            self.check_loosely(args);
            return self.unknown_method(&receiver.ty, name);
        }
        {
            let given = self.given(args);
            self.call_rows(&rows, Some((receiver, base)), name, args, given, span, want)
        }
    }

    /// `name(…)` of a builtin; none if there is no such builtin.
    pub fn builtin_call(
        &mut self,
        name: Ident,
        args: &'a [Arg],
        span: Span,
        want: Option<&Type>,
    ) -> Option<Typed> {
        let signatures = self.ck.signatures;
        let rows = signatures.named(name.name.as_str());
        if rows.is_empty() {
            return None;
        }
        let free: Vec<&'static Signature> =
            rows.iter().filter(|r| r.receiver.is_none() && places(r, args).is_some()).collect();
        let rest = args.get(1..).unwrap_or_default();
        // A literal has no type of its own that would make it the receiver of a method.
        let literal = |a: &Arg| !free.is_empty() && matches!(a.value.kind, ExprKind::Brace(_));
        let first = args.first().filter(|a| a.name.is_none() && !literal(a));
        let methods: Vec<&'static Signature> = rows
            .iter()
            .filter(|r| r.receiver.is_some() && first.is_some() && places(r, rest).is_some())
            .collect();
        if self.mode == Mode::Where && methods.is_empty() && free.is_empty() {
            let implied: Vec<&'static Signature> =
                rows.iter().filter(|r| r.receiver.is_some() && places(r, args).is_some()).collect();
            if !implied.is_empty()
                && let Some(this) = self.this_value(name.span)
            {
                let given = self.given(args);
                return Some(self.apply_rows(
                    &implied,
                    Some((this, name.span)),
                    name,
                    args,
                    given,
                    span,
                    want,
                ));
            }
        }
        if let Some(first) = first
            && (!methods.is_empty() || free.is_empty())
        {
            let receiver = match &first.value.kind {
                ExprKind::Brace(entries) if self.takes_map(name.name) => {
                    self.brace_as_map(entries, first.value.span)
                }
                _ => self.expr(&first.value, None),
            };
            let mut given = self.given(args);
            let fits = free.is_empty() || self.fits_method(&methods, &receiver, &mut given[1..]);
            if fits {
                let rows: Vec<&'static Signature> = if methods.is_empty() {
                    rows.iter().filter(|r| r.receiver.is_some()).collect()
                } else {
                    methods
                };
                if receiver.is_error() {
                    self.check_loosely(rest);
                    return Some(self.wrong(span));
                }
                let receiver = Some((receiver, &first.value));
                return Some(self.call_rows(&rows, receiver, name, rest, given.split_off(1), span, want));
            }
            if let Some(slot) = given.first_mut() {
                slot.value = Some(receiver);
            }
            return Some(self.choose(&free, None, given, name, args, span, want));
        }
        let rows: Vec<&'static Signature> = if free.is_empty() { rows.iter().collect() } else { free };
        let given = self.given(args);
        Some(self.apply_rows(&rows, None, name, args, given, span, want))
    }

    /// Whether a call that may be one of a function without receiver is one of a method.
    fn fits_method(
        &mut self,
        methods: &[&'static Signature],
        receiver: &Typed,
        rest: &mut [Given<'a>],
    ) -> bool {
        if !methods.iter().any(|r| self.receives(r, &receiver.ty)) {
            return false;
        }
        for one in rest.iter_mut() {
            if !matches!(one.expr.kind, ExprKind::Lambda { .. }) {
                one.value = Some(self.expr(one.expr, None));
            }
        }
        methods.iter().any(|row| {
            let mut binding = Binding::default();
            let receives =
                row.receiver.as_ref().is_some_and(|s| binding.unify(self.program(), s, &receiver.ty));
            let mut params = row.params.iter().zip(rest.iter());
            receives
                && params.all(|(param, given)| match &given.value {
                    Some(value) => binding.unify(self.program(), &param.ty, &value.ty),
                    None => true,
                })
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn call_rows(
        &mut self,
        rows: &[&'static Signature],
        receiver: Option<(Typed, &'a Expr)>,
        name: Ident,
        args: &'a [Arg],
        given: Vec<Given<'a>>,
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        if let Some((value, base)) = &receiver {
            let plain = marks::split(&value.ty).1;
            let open = rows.iter().any(|r| matches!(r.receiver, Some(Sig::Var(_) | Sig::Optional(_))));
            if matches!(plain.bare(), Type::Optional(_) | Type::Null) && !open {
                let ty = value.ty.clone();
                self.check_loosely(args);
                return match self.may_be_null(&ty, base, name, "(…)") {
                    Some(wrong) => wrong,
                    None => self.wrong(span),
                };
            }
        }
        self.apply_rows(rows, receiver.map(|(v, e)| (v, e.span)), name, args, given, span, want)
    }

    #[allow(clippy::too_many_arguments)]
    fn apply_rows(
        &mut self,
        rows: &[&'static Signature],
        receiver: Option<(Typed, Span)>,
        name: Ident,
        args: &'a [Arg],
        given: Vec<Given<'a>>,
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let fitting: Vec<&'static Signature> = match &receiver {
            Some((value, _)) => {
                let fitting: Vec<_> = rows.iter().copied().filter(|r| self.receives(r, &value.ty)).collect();
                if fitting.is_empty() {
                    self.check_loosely(args);
                    return self.wrong_receiver(rows, &value.ty.clone(), name);
                }
                fitting
            }
            None => rows.to_vec(),
        };
        self.choose(&fitting, receiver, given, name, args, span, want)
    }

    fn given(&self, args: &'a [Arg]) -> Vec<Given<'a>> {
        args.iter().map(|a| Given { expr: &a.value, value: None }).collect()
    }

    /// Whether a row can be called on a value of this type.
    pub fn receives(&self, row: &Signature, ty: &Type) -> bool {
        row.receiver.as_ref().is_some_and(|sig| Binding::default().unify(self.program(), sig, ty))
    }

    #[allow(clippy::too_many_arguments)]
    fn choose(
        &mut self,
        rows: &[&'static Signature],
        receiver: Option<(Typed, Span)>,
        mut given: Vec<Given<'a>>,
        name: Ident,
        args: &'a [Arg],
        span: Span,
        want: Option<&Type>,
    ) -> Typed {
        let shaped: Vec<(&'static Signature, Places)> =
            rows.iter().filter_map(|r| Some((*r, places(r, args)?))).collect();
        let Some(first) = shaped.first() else {
            return self.wrong_arguments(rows, given, name, args, span);
        };
        let mut chosen = first.clone();
        if shaped.len() > 1 {
            for one in given.iter_mut().filter(|g| g.value.is_none()) {
                if !matches!(one.expr.kind, ExprKind::Lambda { .. }) {
                    one.value = Some(self.expr(one.expr, None));
                }
            }
            let fits = |cx: &Self, (row, places): &(&'static Signature, Places)| {
                let mut binding = Binding::default();
                let receives = match (&row.receiver, &receiver) {
                    (Some(sig), Some((value, _))) => binding.unify(cx.program(), sig, &value.ty),
                    (None, None) => true,
                    _ => false,
                };
                let mut params = row.params.iter().zip(places);
                receives
                    && params.all(|(param, at)| match at.and_then(|at| given[at].value.as_ref()) {
                        Some(value) => binding.unify(cx.program(), &param.ty, &value.ty),
                        None => true,
                    })
            };
            if let Some(found) = shaped.iter().find(|c| fits(self, c)) {
                chosen = found.clone();
            }
        }
        self.apply(chosen.0, &chosen.1, receiver, given, name, span, want)
    }

    #[allow(clippy::too_many_arguments)]
    fn apply(
        &mut self,
        row: &'static Signature,
        places: &Places,
        receiver: Option<(Typed, Span)>,
        mut given: Vec<Given<'a>>,
        name: Ident,
        span: Span,
        _want: Option<&Type>,
    ) -> Typed {
        if row.builtin.fills() && self.mode != Mode::Assigned {
            let message = format!("`{}` cannot stand in {}", name.name, self.mode.noun());
            let problem = self
                .problem(history::FILLS_NOWHERE, name.span, message)
                .help("it fills a field that is written back: `assigned id: … = …` in a slice or struct");
            self.report(problem);
        }
        let mut binding = Binding::default();
        let mut lowered: Vec<Option<Hir>> = Vec::with_capacity(row.params.len() + 1);
        let from = receiver.as_ref().map_or(Origin::Other, |(v, _)| v.from);
        if let (Some(sig), Some((value, at))) = (&row.receiver, receiver) {
            let whole = marks::top(&value.ty);
            if !whole.is_none() && row.takes_function() {
                self.refuse_mark(whole, at, "a function value");
            }
            binding.unify(self.program(), sig, &value.ty);
            let hir = self.argument(sig, value, at, &mut binding);
            lowered.push(Some(hir));
        }
        // Function values last: what they are given is known by then.
        let mut args: Vec<Option<Hir>> = row.params.iter().map(|_| None).collect();
        for functions in [false, true] {
            for (at, (param, place)) in row.params.iter().zip(places).enumerate() {
                let Some(place) = *place else { continue };
                if matches!(param.ty, Sig::Function(..)) != functions {
                    continue;
                }
                let expr = given[place].expr;
                let hir = match given[place].value.take() {
                    Some(value) => self.argument(&param.ty, value, expr.span, &mut binding),
                    None if functions => self.function_value(row, param, expr, from, &mut binding),
                    None => {
                        let want = binding.wanted(&param.ty);
                        let value = match &expr.kind {
                            ExprKind::Brace(entries)
                                if matches!(param.ty, Sig::Map(..)) && want.is_none() =>
                            {
                                self.brace_as_map(entries, expr.span)
                            }
                            _ => self.expr(expr, want.as_ref()),
                        };
                        self.argument(&param.ty, value, expr.span, &mut binding)
                    }
                };
                args[at] = Some(hir);
            }
        }
        lowered.extend(args);
        self.constraints(row, &binding, name, span);
        let marks = binding.marks.and(self.compared_marks(row, &binding));
        let result = binding.result(&row.result);
        let ty = marks.on_whole(result);
        let kind = self.builtin_kind(row.builtin, lowered, &given, places);
        let nested =
            matches!(row.result, Sig::Var(_) | Sig::Optional(_) | Sig::List(_)) && from != Origin::Here;
        let hir = self.hir(span, kind);
        Typed { hir, ty, from: if nested && self.keeps_elements(row) { from } else { Origin::Other } }
    }

    /// Whether the result is elements of what it was called on.
    fn keeps_elements(&self, row: &Signature) -> bool {
        let element = match &row.receiver {
            Some(Sig::Seq(t) | Sig::List(t) | Sig::Set(t)) => t.as_ref(),
            Some(Sig::Map(_, v)) => v.as_ref(),
            _ => return false,
        };
        match (&row.result, element) {
            (Sig::Var(a), Sig::Var(b)) => a == b,
            (Sig::Optional(t) | Sig::List(t) | Sig::Set(t), element) => t.as_ref() == element,
            _ => false,
        }
    }

    /// What the variables stand for must be what their letters say.
    fn constraints(&mut self, row: &Signature, binding: &Binding, name: Ident, span: Span) {
        let mut vars: Vec<u8> = Vec::new();
        let mut note = |v: u8| {
            if !vars.contains(&v) {
                vars.push(v);
            }
        };
        row.receiver.iter().for_each(|r| r.each_var(&mut note));
        row.params.iter().for_each(|p| match &p.ty {
            Sig::Function(_, result) => result.each_var(&mut note),
            ty => ty.each_var(&mut note),
        });
        for var in vars {
            let Some(ty) = binding.get(var) else { continue };
            let (marks, plain) = marks::split(ty);
            let what = match var {
                b'K' if !super::map_literal::is_map_key(&plain) => "cannot be the key of a map",
                b'N' if !is_amount(&plain) => "is no number",
                b'O' if !has_order(&plain) => "has no order",
                _ => {
                    let deep = marks.and(marks::deep(self.program(), ty));
                    if !deep.is_none() && (var == b'K' || needs_plain(row)) {
                        self.refuse_mark(deep, span, &format!("what `{}` decides by", name.name));
                    }
                    continue;
                }
            };
            let message = format!("a `{}` {what}", self.show(&crate::types::relation::widened(ty)));
            let mut problem = self.problem(codes::BAD_CALL, span, message);
            if var == b'O' && matches!(row.builtin, Builtin::Sorted | Builtin::ListMin | Builtin::ListMax) {
                problem = problem.help(format!("say by what: `.{}(by: x => …)`", name.name));
            }
            self.report(problem);
        }
    }

    /// The marks of what is compared, where the result does not hold it.
    fn compared_marks(&self, row: &Signature, binding: &Binding) -> Marks {
        let mut all = Marks::NONE;
        for var in b'A'..=b'Z' {
            let Some(ty) = binding.get(var) else { continue };
            let mut times = 0;
            row.receiver.iter().for_each(|r| r.each_var(&mut |v| times += usize::from(v == var)));
            row.params.iter().for_each(|p| p.ty.each_var(&mut |v| times += usize::from(v == var)));
            let alone = matches!(row.receiver, Some(Sig::Var(v)) if v == var);
            if (times > 1 || alone) && !row.result.mentions(var) {
                all = all.and(marks::deep(self.program(), ty));
            }
        }
        all
    }

    /// The call, with a literal regular expression compiled.
    fn builtin_kind(
        &mut self,
        builtin: Builtin,
        mut args: Vec<Option<Hir>>,
        given: &[Given<'a>],
        places: &Places,
    ) -> HirKind {
        let pattern = matches!(
            builtin,
            Builtin::Matches | Builtin::Captures | Builtin::FindMatches | Builtin::ReplaceMatches
        );
        if !pattern {
            return HirKind::Builtin { builtin, args };
        }
        let Some(e) = places.first().copied().flatten().map(|at| given[at].expr) else {
            return HirKind::Builtin { builtin, args };
        };
        let Some(text) = Self::literal_text(e) else { return HirKind::Builtin { builtin, args } };
        match self.ck.regex(&text) {
            Ok(regex) if builtin == Builtin::Matches => match args.first_mut().and_then(Option::take) {
                Some(value) => HirKind::Matches { value: Box::new(value), regex },
                None => HirKind::Error,
            },
            Ok(_) => HirKind::Builtin { builtin, args },
            Err(why) => {
                let message = format!("this is no regular expression: {why}");
                let help = "`\\` before a character takes it as it stands: `\\.`, `\\[`, `\\(`";
                let problem = self.problem(codes::BAD_REGEX, e.span, message).help(help);
                self.report(problem);
                HirKind::Error
            }
        }
    }

    // What is said.
}

/// Which argument each parameter gets; none if they do not fit by number, name and kind.
pub(super) fn places(row: &Signature, args: &[Arg]) -> Option<Places> {
    let mut places: Places = row.params.iter().map(|_| None).collect();
    let mut next = 0;
    for (at, arg) in args.iter().enumerate() {
        let param = match &arg.name {
            Some(name) => {
                let [name] = name.as_slice() else { return None };
                row.params.iter().position(|p| p.name == name.name)?
            }
            None => {
                next += 1;
                next - 1
            }
        };
        let slot = places.get_mut(param)?;
        let function = matches!(row.params[param].ty, Sig::Function(..));
        let lambda = matches!(arg.value.kind, ExprKind::Lambda { .. });
        let name = matches!(arg.value.kind, ExprKind::Name(_) | ExprKind::Path(_));
        if slot.is_some() || (lambda && !function) || (function && !lambda && !name) {
            return None;
        }
        *slot = Some(at);
    }
    let complete = row.params.iter().zip(&places).all(|(p, place)| p.optional || place.is_some());
    complete.then_some(places)
}

/// Whether a function value's result decides something, so that no mark may reach it.
pub(super) fn decides(result: &Sig) -> bool {
    matches!(result, Sig::Of(Type::Bool) | Sig::Var(b'K' | b'O'))
}

/// Builtins whose result's shape depends on comparing elements.
fn needs_plain(row: &Signature) -> bool {
    let order = matches!(
        row.builtin,
        Builtin::Sorted | Builtin::ListMin | Builtin::ListMax | Builtin::Unique | Builtin::Duplicates
    );
    order
        || matches!(
            row.builtin,
            Builtin::ListWithout
                | Builtin::ToSet
                | Builtin::Union
                | Builtin::Intersection
                | Builtin::Difference
        )
}

fn is_amount(ty: &Type) -> bool {
    let ty = crate::types::relation::widened(ty.bare());
    matches!(ty, Type::Int | Type::Float | Type::Duration | Type::Size | Type::Error | Type::Never)
}

fn has_order(ty: &Type) -> bool {
    match ty.bare() {
        Type::Error | Type::Never | Type::Bool | Type::Null | Type::Any => true,
        Type::Record(_) | Type::Ref(_) => true,
        Type::List(t) | Type::Optional(t) => has_order(t),
        Type::OneOf(_) => super::operators::is_ordered(ty),
        _ => super::operators::is_ordered(ty),
    }
}
