//! Types as they are written in a model, for messages.

use std::fmt;

use super::program::Program;
use super::ty::{Type, TypeId};

/// A type, shown as source: `list<Page>?`.
pub struct Shown<'a> {
    program: &'a Program,
    ty: &'a Type,
}

/// Shows `ty` as it would be written.
pub fn show<'a>(program: &'a Program, ty: &'a Type) -> Shown<'a> {
    Shown { program, ty }
}

/// The name of a declared type in its module.
pub fn type_name(program: &Program, id: TypeId) -> &'static str {
    program.types.get(id.0 as usize).map_or("?", |t| t.decl().name.as_str())
}

/// Where a type stands in another, as far as parentheses are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On its own.
    Top,
    /// Between `<` and `>`, or beside a `|`.
    Inner,
    /// Before `?`.
    Suffixed,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.program, self.ty, Place::Top)
    }
}

fn parenthesised(
    f: &mut fmt::Formatter<'_>,
    needed: bool,
    inner: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if needed {
        f.write_str("(")?;
    }
    inner(f)?;
    if needed {
        f.write_str(")")?;
    }
    Ok(())
}

fn write(f: &mut fmt::Formatter<'_>, program: &Program, ty: &Type, place: Place) -> fmt::Result {
    match ty {
        Type::Error => f.write_str("?"),
        Type::Never => f.write_str("nothing"),
        Type::Null => f.write_str("null"),
        Type::Bool => f.write_str("bool"),
        Type::Int => f.write_str("int"),
        Type::Float => f.write_str("float"),
        Type::Str => f.write_str("string"),
        Type::Duration => f.write_str("duration"),
        Type::Size => f.write_str("size"),
        Type::FileMode => f.write_str("FileMode"),
        Type::Any => f.write_str("any"),
        Type::Range => f.write_str("range"),
        Type::File => f.write_str("file"),
        Type::StrLit(text) => write!(f, "{:?}", text.as_str()),
        Type::IntLit(value) => write!(f, "{value}"),
        Type::Enum(id) | Type::Record(id) | Type::Union(id) => f.write_str(type_name(program, *id)),
        Type::Ref(id) => write!(f, "ref<{}>", type_name(program, *id)),
        Type::Variant(id, variants) => {
            let union = program.union(*id);
            let several = variants.len() > 1;
            parenthesised(f, several && place == Place::Suffixed, |f| {
                for (i, &variant) in variants.iter().enumerate() {
                    let name = union.and_then(|u| u.variants.get(variant as usize)).map(|v| v.name.as_str());
                    let bar = if i == 0 { "" } else { " | " };
                    write!(f, "{bar}{}.{}", type_name(program, *id), name.unwrap_or("?"))?;
                }
                Ok(())
            })
        }
        Type::OneOf(all) => parenthesised(f, place == Place::Suffixed, |f| {
            for (i, ty) in all.iter().enumerate() {
                if i > 0 {
                    f.write_str(" | ")?;
                }
                write(f, program, ty, Place::Inner)?;
            }
            Ok(())
        }),
        Type::Optional(inner) => {
            write(f, program, inner, Place::Suffixed)?;
            f.write_str("?")
        }
        Type::List(inner) => generic(f, program, "list", &[inner]),
        Type::Set(inner) => generic(f, program, "set", &[inner]),
        Type::Map(key, value) => generic(f, program, "map", &[key, value]),
        Type::Secret(inner) => generic(f, program, "secret", &[inner]),
        Type::Later(inner) => generic(f, program, "later", &[inner]),
        Type::Anon(fields) => {
            f.write_str("{")?;
            for (i, (name, ty)) in fields.iter().enumerate() {
                write!(f, "{} {name}: ", if i == 0 { "" } else { "," })?;
                write(f, program, ty, Place::Inner)?;
            }
            f.write_str(if fields.is_empty() { "}" } else { " }" })
        }
        Type::Refined(inner, id) => parenthesised(f, place != Place::Top, |f| {
            write(f, program, inner, Place::Top)?;
            match program.refinements.get(id.0 as usize) {
                Some(refinement) => write!(f, " where {}", refinement.text),
                None => Ok(()),
            }
        }),
        Type::Alias(name, _) => write!(f, "{name}"),
    }
}

fn generic(f: &mut fmt::Formatter<'_>, program: &Program, name: &str, args: &[&Type]) -> fmt::Result {
    write!(f, "{name}<")?;
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write(f, program, arg, Place::Inner)?;
    }
    f.write_str(">")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn types_look_as_they_are_written() {
        let program = Program::default();
        let shown = |ty: Type| show(&program, &ty).to_string();
        let either = Type::OneOf([Type::Int, Type::StrLit("a\"b".into())].into());
        assert_eq!(shown(Type::List(Arc::new(Type::Str)).optional()), "list<string>?");
        assert_eq!(shown(either.clone().optional()), r#"(int | "a\"b")?"#);
        assert_eq!(shown(Type::Set(Arc::new(either))), r#"set<int | "a\"b">"#);
        assert_eq!(shown(Type::Map(Arc::new(Type::Str), Arc::new(Type::Any))), "map<string, any>");
        assert_eq!(shown(Type::Str.later().secret()), "secret<later<string>>");
        assert_eq!(shown(Type::Anon([].into())), "{}");
        assert_eq!(shown(Type::Anon([("a".into(), Type::Int)].into())), "{ a: int }");
    }
}
