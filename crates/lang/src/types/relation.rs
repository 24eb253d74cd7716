//! Which type goes where another is wanted, and what two types have in common.

use std::sync::Arc;

use super::marks::{self, Marks};
use crate::base::Name;
use crate::model::ty::RefineId;
use crate::model::{Program, Type};

/// What must be done to a value of one type so that it is one of another. Nothing, by default.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Fit {
    /// Refinements are to be checked.
    pub refine: bool,
    /// Records, unions and enums become `any`.
    pub to_any: bool,
    /// An int literal becomes a float.
    pub to_float: bool,
    /// The payload of a union's value is taken out.
    pub payload: bool,
    /// A record literal becomes a struct or a map.
    pub anon: bool,
}

impl Fit {
    const AS_IT_IS: Fit = Fit { refine: false, to_any: false, to_float: false, payload: false, anon: false };

    fn and(self, other: Fit) -> Fit {
        Fit {
            refine: self.refine || other.refine,
            to_any: self.to_any || other.to_any,
            to_float: self.to_float || other.to_float,
            payload: self.payload || other.payload,
            anon: self.anon || other.anon,
        }
    }

    /// What can also be done to the elements of a collection.
    fn inside(self) -> Option<Fit> {
        (!self.to_float && !self.payload && !self.anon).then_some(self)
    }

    /// Whether the value stays as it is.
    pub fn is_identity(self) -> bool {
        self == Fit::AS_IT_IS
    }
}

/// How a value of type `from` goes where `to` is wanted; none if it does not.
pub fn fit(program: &Program, from: &Type, to: &Type) -> Option<Fit> {
    const YES: Option<Fit> = Some(Fit::AS_IT_IS);
    match (from, to) {
        (Type::Error | Type::Never, _) | (_, Type::Error) => YES,
        (Type::Alias(_, a), _) => fit(program, a, to),
        (_, Type::Alias(_, b)) => fit(program, from, b),
        (_, Type::Refined(_, id)) if holds(from, *id) => YES,
        (_, Type::Refined(b, _)) => Some(Fit { refine: true, ..fit(program, from, b)? }),
        (Type::Refined(a, _), _) => fit(program, a, to),
        (Type::OneOf(all), _) => all.iter().try_fold(Fit::AS_IT_IS, |f, a| Some(f.and(fit(program, a, to)?))),
        (Type::Null, Type::Optional(_)) => YES,
        (Type::Optional(a), Type::Optional(_)) => fit(program, a, to),
        (_, Type::Optional(b)) => fit(program, from, b),
        (_, Type::OneOf(all)) => {
            let fits = all.iter().filter_map(|b| fit(program, from, b));
            fits.min_by_key(|f| (!f.is_identity(), f.to_any, f.to_float, f.anon))
        }
        (Type::Secret(a), Type::Secret(b)) | (Type::Later(a), Type::Later(b)) => fit(program, a, b),
        (_, Type::Secret(b)) => {
            fit(program, &marks::without(from, Marks { secret: true, later: false }).0, b)
        }
        (_, Type::Later(b)) => fit(program, &marks::without(from, Marks { secret: false, later: true }).0, b),
        (Type::Secret(_) | Type::Later(_), _) => None,
        (_, Type::Any) => into_any(program, from),
        (a, b) if a == b => YES,
        (Type::StrLit(_), Type::Str) | (Type::IntLit(_), Type::Int) => YES,
        (Type::IntLit(_), Type::Float) => Some(Fit { to_float: true, ..Fit::default() }),
        (Type::Record(a) | Type::Ref(a), Type::Record(b) | Type::Ref(b)) if a == b => YES,
        (Type::Variant(a, _), Type::Union(b)) if a == b => YES,
        (Type::Variant(a, some), Type::Variant(b, more)) if a == b => {
            some.iter().all(|v| more.contains(v)).then_some(Fit::AS_IT_IS)
        }
        (Type::Variant(a, some), _) if some.len() == 1 => {
            let payload = program.union(*a)?.variants.get(some[0] as usize)?.payload.as_ref()?;
            Some(Fit { payload: true, ..fit(program, payload, to)? })
        }
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) => fit(program, a, b)?.inside(),
        (Type::Map(k, a), Type::Map(l, b)) => {
            let keys = fit(program, k, l).filter(|f| f.is_identity() || f.refine)?;
            Some(keys.and(fit(program, a, b)?.inside()?))
        }
        (Type::Anon(a), Type::Anon(b)) if a.len() == b.len() => {
            let fields = a.iter().zip(b.iter());
            fields.into_iter().try_fold(Fit::AS_IT_IS, |f, ((n, t), (m, u))| {
                let field = fit(program, t, u).filter(|_| n == m)?.inside()?;
                Some(f.and(field))
            })
        }
        _ => None,
    }
}

/// Whether a value of type `from` is one of type `to` as it is.
pub fn is_subtype(program: &Program, from: &Type, to: &Type) -> bool {
    fit(program, from, to).is_some_and(Fit::is_identity)
}

/// Whether values of this type satisfy a refinement because their type says so.
fn holds(ty: &Type, id: RefineId) -> bool {
    match ty {
        Type::Refined(_, own) if *own == id => true,
        Type::Refined(inner, _) | Type::Alias(_, inner) => holds(inner, id),
        _ => false,
    }
}

fn into_any(program: &Program, from: &Type) -> Option<Fit> {
    if matches!(from, Type::Range | Type::File) || !marks::deep(program, from).is_none() {
        return None;
    }
    Some(Fit { to_any: !is_data(from), ..Fit::default() })
}

/// Whether values of this type look the same where `any` is wanted.
pub fn is_data(ty: &Type) -> bool {
    match ty {
        Type::Null
        | Type::Bool
        | Type::Int
        | Type::Float
        | Type::Str
        | Type::StrLit(_)
        | Type::IntLit(_)
        | Type::Any
        | Type::Never
        | Type::Error => true,
        Type::Alias(_, inner) | Type::Refined(inner, _) | Type::Optional(inner) | Type::List(inner) => {
            is_data(inner)
        }
        Type::Map(key, value) => matches!(key.bare(), Type::Str) && is_data(value),
        Type::OneOf(all) => all.iter().all(is_data),
        _ => false,
    }
}

/// The type of a literal's values in general: `string` of `"a"`.
pub fn widened(ty: &Type) -> Type {
    match ty {
        Type::StrLit(_) => Type::Str,
        Type::IntLit(_) => Type::Int,
        Type::Optional(inner) => widened(inner).optional(),
        Type::List(inner) => Type::List(Arc::new(widened(inner))),
        Type::Set(inner) => Type::Set(Arc::new(widened(inner))),
        Type::Secret(inner) => Type::Secret(Arc::new(widened(inner))),
        Type::Later(inner) => Type::Later(Arc::new(widened(inner))),
        Type::OneOf(all) => {
            let mut kept: Vec<Type> = Vec::new();
            for t in all.iter().map(widened) {
                if !kept.contains(&t) {
                    kept.push(t);
                }
            }
            if kept.len() == 1 { kept.remove(0) } else { Type::OneOf(kept.into()) }
        }
        _ => ty.clone(),
    }
}

/// The type of something that is either; none if they have nothing in common.
pub fn join(program: &Program, a: &Type, b: &Type) -> Option<Type> {
    if is_subtype(program, a, b) {
        return Some(b.clone());
    }
    if is_subtype(program, b, a) {
        return Some(a.clone());
    }
    match (a.bare(), b.bare()) {
        (Type::Null, _) => Some(b.clone().optional()),
        (_, Type::Null) => Some(a.clone().optional()),
        (Type::Optional(x), Type::Optional(y)) => Some(join(program, x, y)?.optional()),
        (Type::Optional(x), _) => Some(join(program, x, b)?.optional()),
        (_, Type::Optional(y)) => Some(join(program, a, y)?.optional()),
        (Type::Secret(_) | Type::Later(_), _) | (_, Type::Secret(_) | Type::Later(_)) => {
            let ((m, x), (n, y)) = (marks::split(a), marks::split(b));
            Some(m.and(n).on(join(program, &x, &y)?))
        }
        (Type::StrLit(_), Type::StrLit(_)) | (Type::IntLit(_), Type::IntLit(_)) => {
            Some(Type::OneOf([a.bare().clone(), b.bare().clone()].into()))
        }
        (Type::OneOf(x), Type::OneOf(y)) if literals(x) && literals(y) => Some(one_of(x, y)),
        (Type::OneOf(x), y @ (Type::StrLit(_) | Type::IntLit(_))) if literals(x) => {
            Some(one_of(x, std::slice::from_ref(y)))
        }
        (y @ (Type::StrLit(_) | Type::IntLit(_)), Type::OneOf(x)) if literals(x) => {
            Some(one_of(std::slice::from_ref(y), x))
        }
        (Type::Variant(x, some), Type::Variant(y, more)) if x == y => {
            let mut both: Vec<u16> = some.iter().chain(more.iter()).copied().collect();
            both.sort_unstable();
            both.dedup();
            let all = program.union(*x).is_some_and(|u| u.variants.len() == both.len());
            Some(if all { Type::Union(*x) } else { Type::Variant(*x, both.into()) })
        }
        (Type::List(x), Type::List(y)) => Some(Type::List(Arc::new(join(program, x, y)?))),
        (Type::Set(x), Type::Set(y)) => Some(Type::Set(Arc::new(join(program, x, y)?))),
        (Type::Map(k, x), Type::Map(l, y)) => {
            Some(Type::Map(Arc::new(join(program, k, l)?), Arc::new(join(program, x, y)?)))
        }
        (Type::Anon(x), Type::Anon(y)) if x.len() == y.len() => {
            let field = |((n, t), (m, u)): (&(Name, Type), &(Name, Type))| {
                (n == m).then(|| join(program, t, u)).flatten().map(|t| (*n, t))
            };
            Some(Type::Anon(x.iter().zip(y.iter()).map(field).collect::<Option<_>>()?))
        }
        // Of two different refinements nothing is left but what they refine.
        _ => {
            let (x, y) = (widened(unrefined(a)), widened(unrefined(b)));
            let changed = &x != a || &y != b;
            if changed { join(program, &x, &y) } else { None }
        }
    }
}

fn literals(all: &[Type]) -> bool {
    all.iter().all(|t| matches!(t, Type::StrLit(_) | Type::IntLit(_)))
}

/// More alternatives than this are no longer told apart.
const LITERALS: usize = 16;

fn one_of(a: &[Type], b: &[Type]) -> Type {
    let mut all = a.to_vec();
    for ty in b {
        if !all.contains(ty) {
            all.push(ty.clone());
        }
    }
    let ty = Type::OneOf(all.into());
    match &ty {
        Type::OneOf(all) if all.len() > LITERALS => widened(&ty),
        _ => ty,
    }
}

/// The type without refinements and names of aliases at its top.
pub fn unrefined(ty: &Type) -> &Type {
    ty.bare()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ty: Type) -> Type {
        Type::List(Arc::new(ty))
    }

    fn refined(ty: Type, id: u32) -> Type {
        Type::Refined(Arc::new(ty), RefineId(id))
    }

    #[test]
    fn what_goes_where() {
        let program = Program::default();
        let lit = |s: &str| Type::StrLit(s.into());
        let a_or_b = Type::OneOf([lit("a"), lit("b")].into());
        let int_or_string = Type::OneOf([Type::Int, Type::Str].into());
        let alias = Type::Alias("Port".into(), Arc::new(refined(Type::Int, 0)));
        let yes = [
            (Type::Int, Type::Int.optional()),
            (Type::Null, Type::Int.optional()),
            (Type::Never, Type::Bool),
            (list(Type::Never), list(Type::Str)),
            (lit("a"), Type::Str),
            (lit("a"), a_or_b.clone()),
            (a_or_b.clone(), Type::Str),
            (Type::Int, int_or_string.clone()),
            (Type::Str, Type::Str.secret()),
            (Type::Str.later(), Type::Str.secret().later()),
            (list(Type::Str.later()), list(Type::Str).later()),
            (Type::Str.secret(), Type::OneOf([Type::Str, Type::Str.secret()].into())),
            (Type::OneOf([Type::Str, Type::Str.secret()].into()), Type::Str.secret()),
            (Type::Str.secret(), Type::Str.secret().optional()),
            (list(alias.clone()), list(Type::Int)),
            (alias.clone(), alias.clone()),
            (refined(alias.clone(), 1), alias.clone()),
            (Type::Error, Type::Bool),
            (list(Type::Int).optional(), Type::Any),
        ];
        for (from, to) in yes {
            assert!(is_subtype(&program, &from, &to), "{from:?} -> {to:?}");
        }
        let no = [
            (Type::Int.optional(), Type::Int),
            (Type::Int, Type::Float),
            (Type::Int, Type::Str),
            (lit("c"), a_or_b.clone()),
            (Type::Str, a_or_b),
            (int_or_string, Type::Int),
            (Type::Str.secret(), Type::Str),
            (Type::Str.later(), Type::Str.secret()),
            (Type::Str.secret(), Type::Any),
            (list(Type::Str).secret(), Type::Any),
            (list(Type::Int), list(Type::Float)),
            (Type::Any, Type::Int),
            (list(Type::Int), Type::Set(Arc::new(Type::Int))),
        ];
        for (from, to) in no {
            assert_eq!(fit(&program, &from, &to), None, "{from:?} -> {to:?}");
        }
        assert!(fit(&program, &Type::Int, &alias).unwrap().refine);
        assert!(fit(&program, &list(Type::Int), &list(alias)).unwrap().refine);
        assert!(fit(&program, &Type::IntLit(1), &Type::Float).unwrap().to_float);
        assert!(fit(&program, &list(Type::Duration), &Type::Any).unwrap().to_any);
    }

    #[test]
    fn what_two_types_have_in_common() {
        let program = Program::default();
        let joined = |a: &Type, b: &Type| join(&program, a, b);
        let lit = |s: &str| Type::StrLit(s.into());
        assert_eq!(joined(&Type::Null, &Type::Int), Some(Type::Int.optional()));
        assert_eq!(joined(&lit("a"), &lit("b")), Some(Type::OneOf([lit("a"), lit("b")].into())));
        assert_eq!(joined(&lit("a"), &Type::Str), Some(Type::Str));
        assert_eq!(joined(&Type::Str.secret(), &Type::Str), Some(Type::Str.secret()));
        assert_eq!(joined(&list(Type::Never), &list(Type::Int)), Some(list(Type::Int)));
        assert_eq!(joined(&refined(Type::Int, 0), &refined(Type::Int, 1)), Some(Type::Int));
        assert_eq!(joined(&Type::IntLit(1), &refined(Type::Int, 1)), Some(Type::Int));
        assert_eq!(joined(&Type::Int, &Type::Str), None);
        assert_eq!(joined(&Type::Int.optional(), &Type::Str), None);
    }
}
