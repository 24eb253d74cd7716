//! What the type variables of a builtin's signature stand for in one call.

use std::sync::Arc;

use crate::model::{Program, Type};
use crate::types::marks::{self, Marks};
use crate::types::relation::{self, widened};
use crate::types::signature::Sig;

/// What the variables stand for, and the marks that were taken off values on the way.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Binding {
    vars: [Option<Type>; 26],
    /// Of whatever a concrete type was wanted for: the result carries them.
    pub marks: Marks,
}

impl Binding {
    /// What a variable stands for.
    pub fn get(&self, var: u8) -> Option<&Type> {
        self.vars.get(usize::from(var.wrapping_sub(b'A')))?.as_ref()
    }

    fn set(&mut self, var: u8, ty: Type) {
        if let Some(slot) = self.vars.get_mut(usize::from(var.wrapping_sub(b'A'))) {
            *slot = Some(ty);
        }
    }

    /// Whether a value of this type goes where the signature says; binds what is open.
    pub fn unify(&mut self, program: &Program, sig: &Sig, ty: &Type) -> bool {
        if matches!(ty.bare(), Type::Error) {
            return true;
        }
        let Sig::Var(var) = sig else {
            let (marks, plain) = marks::split(ty);
            self.marks = self.marks.and(marks);
            return self.unify_plain(program, sig, &plain);
        };
        self.bind(program, *var, ty)
    }

    /// The same for what a function value gives: literals are not what they are by chance.
    pub fn unify_result(&mut self, program: &Program, sig: &Sig, ty: &Type) -> bool {
        match sig {
            // That no mark reaches it is said by the caller.
            Sig::Of(wanted) => {
                let (_, plain) = marks::split(ty);
                relation::fit(program, &plain, wanted).is_some()
            }
            _ => self.unify(program, sig, &widened(ty)),
        }
    }

    fn bind(&mut self, program: &Program, var: u8, ty: &Type) -> bool {
        let ty = match ty.bare() {
            Type::StrLit(_) | Type::IntLit(_) => widened(ty.bare()),
            _ if matches!(var, b'N' | b'O') => widened(relation::unrefined(ty)),
            _ => ty.clone(),
        };
        let joined = match self.get(var) {
            Some(bound) => match relation::join(program, bound, &ty) {
                Some(joined) => joined,
                None => return false,
            },
            None => ty,
        };
        self.set(var, joined);
        true
    }

    fn unify_plain(&mut self, program: &Program, sig: &Sig, ty: &Type) -> bool {
        let bare = ty.bare();
        match sig {
            Sig::Var(var) => self.bind(program, *var, ty),
            Sig::Of(Type::Any) => !matches!(bare, Type::Range | Type::File),
            Sig::Of(wanted) => {
                let fit = relation::fit(program, bare, wanted);
                fit.is_some_and(|f| f.is_identity() || f.to_float)
                    || matches!((bare, wanted), (Type::FileMode, Type::Int))
            }
            Sig::Seq(element) => match bare {
                Type::List(t) | Type::Set(t) => self.unify(program, element, t),
                Type::Range => self.unify(program, element, &Type::Int),
                Type::OneOf(all) => all.iter().all(|t| self.unify_plain(program, sig, t)),
                Type::Never => true,
                _ => false,
            },
            Sig::List(element) => match bare {
                Type::List(t) => self.unify(program, element, t),
                Type::Never => true,
                _ => false,
            },
            Sig::Set(element) => match bare {
                Type::Set(t) => self.unify(program, element, t),
                _ => false,
            },
            Sig::Map(key, value) => match bare {
                Type::Map(k, v) => self.unify(program, key, k) && self.unify(program, value, v),
                Type::Anon(fields) => {
                    self.unify(program, key, &Type::Str)
                        && fields.iter().all(|(_, t)| self.unify(program, value, t))
                }
                _ => false,
            },
            Sig::Optional(inner) => match bare {
                Type::Null => true,
                Type::Optional(t) => self.unify(program, inner, t),
                _ => self.unify(program, inner, ty),
            },
            Sig::Record(fields) => match bare {
                Type::Anon(own) => {
                    own.len() == fields.len()
                        && fields
                            .iter()
                            .zip(own.iter())
                            .all(|((n, sig), (m, t))| n == m && self.unify(program, sig, t))
                }
                _ => false,
            },
            Sig::Function(..) => false,
        }
    }

    /// The type that a signature's type is here; what is still open is nothing.
    pub fn result(&self, sig: &Sig) -> Type {
        self.substitute(sig, &Type::Never)
    }

    /// The same for messages.
    pub fn shown(&self, sig: &Sig) -> Type {
        self.substitute(sig, &Type::Any)
    }

    /// What is expected of an argument; none if that is open.
    pub fn wanted(&self, sig: &Sig) -> Option<Type> {
        let mut open = false;
        sig.each_var(&mut |v| open |= self.get(v).is_none());
        if open || matches!(sig, Sig::Function(..)) {
            return None;
        }
        let ty = self.result(sig);
        if holds_nothing(&ty) {
            return None;
        }
        // A hint, not a demand: what is compared with a port need not be one.
        Some(match sig {
            Sig::Var(_) => relation::unrefined(&ty).clone(),
            _ => ty,
        })
    }

    fn substitute(&self, sig: &Sig, open: &Type) -> Type {
        match sig {
            Sig::Var(var) => self.get(*var).unwrap_or(open).clone(),
            Sig::Of(ty) => ty.clone(),
            Sig::Seq(t) | Sig::List(t) => Type::List(Arc::new(self.substitute(t, open))),
            Sig::Set(t) => Type::Set(Arc::new(self.substitute(t, open))),
            Sig::Map(k, v) => {
                Type::Map(Arc::new(self.substitute(k, open)), Arc::new(self.substitute(v, open)))
            }
            Sig::Optional(t) => self.substitute(t, open).optional(),
            Sig::Function(..) => Type::Error,
            Sig::Record(fields) => {
                Type::Anon(fields.iter().map(|(n, t)| (*n, self.substitute(t, open))).collect())
            }
        }
    }
}

/// Whether a type is of empty lists: nothing can be expected of what goes where it is bound.
fn holds_nothing(ty: &Type) -> bool {
    match ty {
        Type::Never => true,
        Type::List(t) | Type::Set(t) | Type::Map(_, t) | Type::Optional(t) => holds_nothing(t),
        Type::Alias(_, t) | Type::Refined(t, _) | Type::Secret(t) | Type::Later(t) => holds_nothing(t),
        _ => false,
    }
}
