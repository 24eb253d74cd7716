//! The kinds of data that a type may stand as, which tell the alternatives of `A | B` apart.

use super::program::Program;
use super::schema::TypeDef;
use super::ty::Type;

/// A set of kinds of data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Kinds(u8);

impl Kinds {
    /// None.
    pub const NONE: Kinds = Kinds(0);
    /// `null`.
    pub const NULL: Kinds = Kinds(1);
    /// A bool.
    pub const BOOL: Kinds = Kinds(2);
    /// An int.
    pub const INT: Kinds = Kinds(4);
    /// A float.
    pub const FLOAT: Kinds = Kinds(8);
    /// A string.
    pub const STRING: Kinds = Kinds(16);
    /// A sequence.
    pub const LIST: Kinds = Kinds(32);
    /// A mapping.
    pub const MAPPING: Kinds = Kinds(64);
    /// All of them.
    pub const ALL: Kinds = Kinds(127);

    /// Those of either.
    pub fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Those of both.
    pub fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are among them.
    pub fn has(self, other: Kinds) -> bool {
        self.0 & other.0 == other.0
    }

    /// The first of them, in words.
    pub fn word(self) -> &'static str {
        const WORDS: [(Kinds, &str); 7] = [
            (Kinds::NULL, "null"),
            (Kinds::BOOL, "a bool"),
            (Kinds::INT, "an int"),
            (Kinds::FLOAT, "a float"),
            (Kinds::STRING, "a string"),
            (Kinds::LIST, "a list"),
            (Kinds::MAPPING, "a mapping"),
        ];
        WORDS.iter().find(|(k, _)| self.has(*k)).map_or("nothing", |(_, w)| w)
    }
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:07b}", self.0)
    }
}

/// The kinds that a value of this type may have in data. A type that stands nowhere in data has
/// none.
pub fn kinds(program: &Program, ty: &Type) -> Kinds {
    kinds_within(program, ty, 0)
}

/// References to slices whose one key is again such a reference are followed this far: a cycle of
/// them is an error of its own.
const DEEPEST: usize = 32;

fn kinds_within(program: &Program, ty: &Type, depth: usize) -> Kinds {
    if depth > DEEPEST {
        return Kinds::NONE;
    }
    match ty {
        Type::Error | Type::Any => Kinds::ALL,
        Type::Never | Type::Range | Type::File | Type::Later(_) => Kinds::NONE,
        Type::Null => Kinds::NULL,
        Type::Bool => Kinds::BOOL,
        Type::Int | Type::IntLit(_) => Kinds::INT,
        Type::Float => Kinds::FLOAT,
        Type::Str | Type::StrLit(_) | Type::Duration | Type::Size | Type::Enum(_) => Kinds::STRING,
        Type::FileMode => Kinds::INT.or(Kinds::STRING),
        Type::Record(_) | Type::Union(_) | Type::Variant(..) | Type::Map(..) | Type::Anon(_) => {
            Kinds::MAPPING
        }
        Type::Ref(id) => match program.types.get(id.0 as usize) {
            Some(TypeDef::Record(record)) => match record.keys.as_slice() {
                [one] => kinds_within(program, &one.ty, depth + 1),
                _ => Kinds::MAPPING,
            },
            _ => Kinds::NONE,
        },
        Type::OneOf(alternatives) => {
            let all = alternatives.iter().map(|a| kinds_within(program, a, depth));
            all.fold(Kinds::NONE, Kinds::or)
        }
        Type::Optional(inner) => kinds_within(program, inner, depth).or(Kinds::NULL),
        Type::List(_) | Type::Set(_) => Kinds::LIST,
        Type::Secret(inner) | Type::Refined(inner, _) | Type::Alias(_, inner) => {
            kinds_within(program, inner, depth)
        }
    }
}
