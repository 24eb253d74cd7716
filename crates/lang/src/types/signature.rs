//! The signatures of the builtins, read from the table of the prelude.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::base::Name;
use crate::model::Type;
use crate::model::prelude::{BUILTINS, Builtin, BuiltinInfo};

/// A type in a signature.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Sig {
    /// A single capital.
    Var(u8),
    /// A type of the language.
    Of(Type),
    /// `seq<T>`: a list, a set or, for int, a range.
    Seq(Box<Sig>),
    /// `list<T>`.
    List(Box<Sig>),
    /// `set<T>`.
    Set(Box<Sig>),
    /// `map<K, V>`.
    Map(Box<Sig>, Box<Sig>),
    /// `T?`.
    Optional(Box<Sig>),
    /// `(T, U) => V`.
    Function(Vec<Sig>, Box<Sig>),
    /// `{a: T, b: U}`, ordered by name.
    Record(Vec<(Name, Sig)>),
}

/// A parameter.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Param {
    /// Its name, for arguments by name.
    pub name: Name,
    /// Whether it may be left out.
    pub optional: bool,
    /// Its type.
    pub ty: Sig,
}

/// One row of the table, read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Signature {
    /// Which.
    pub builtin: Builtin,
    /// What it is called on; none of what is only called as `name(…)`.
    pub receiver: Option<Sig>,
    /// In order.
    pub params: Vec<Param>,
    /// What it gives.
    pub result: Sig,
}

/// All rows by name, those of one name in the order of the table.
#[derive(Debug)]
pub(crate) struct Signatures {
    rows: FxHashMap<&'static str, Vec<Signature>>,
}

static TABLE: LazyLock<Signatures> = LazyLock::new(|| {
    let mut rows: FxHashMap<&'static str, Vec<Signature>> = FxHashMap::default();
    for row in BUILTINS {
        // A test reads every row; one that cannot be read is no function.
        if let Some(signature) = read(row) {
            rows.entry(row.name).or_default().push(signature);
        }
    }
    Signatures { rows }
});

impl Signatures {
    /// The table.
    pub fn get() -> &'static Signatures {
        &TABLE
    }

    /// The rows of a name.
    pub fn named(&self, name: &str) -> &[Signature] {
        self.rows.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether there is a builtin of this name.
    pub fn has(&self, name: &str) -> bool {
        self.rows.contains_key(name)
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rows.keys().copied()
    }
}

impl Sig {
    /// Calls `f` for each variable outside of function values.
    pub fn each_var(&self, f: &mut impl FnMut(u8)) {
        match self {
            Sig::Var(v) => f(*v),
            Sig::Of(_) | Sig::Function(..) => {}
            Sig::Seq(t) | Sig::List(t) | Sig::Set(t) | Sig::Optional(t) => t.each_var(f),
            Sig::Map(k, v) => {
                k.each_var(f);
                v.each_var(f);
            }
            Sig::Record(fields) => fields.iter().for_each(|(_, t)| t.each_var(f)),
        }
    }

    /// Whether a variable stands in it, outside of function values.
    pub fn mentions(&self, var: u8) -> bool {
        let mut found = false;
        self.each_var(&mut |v| found |= v == var);
        found
    }
}

impl Signature {
    /// Whether one of its parameters is a function value.
    pub fn takes_function(&self) -> bool {
        self.params.iter().any(|p| matches!(p.ty, Sig::Function(..)))
    }
}

fn read(row: &BuiltinInfo) -> Option<Signature> {
    let mut reader = Reader { text: row.signature };
    let mut receiver = None;
    if !reader.text.starts_with(&format!("{}(", row.name)) {
        receiver = Some(reader.ty()?);
        reader.token(".")?;
    }
    reader.token(row.name)?;
    reader.token("(")?;
    let mut params = Vec::new();
    while !reader.eat(")") {
        let name = reader.word()?;
        let optional = reader.eat("?");
        reader.token(":")?;
        params.push(Param { name: Name::new(name), optional, ty: reader.ty()? });
        reader.eat(",");
    }
    reader.token("->")?;
    let result = reader.ty()?;
    reader.text.trim().is_empty().then_some(Signature { builtin: row.builtin, receiver, params, result })
}

struct Reader {
    text: &'static str,
}

impl Reader {
    fn eat(&mut self, token: &str) -> bool {
        match self.text.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self, token: &str) -> Option<()> {
        self.eat(token).then_some(())
    }

    fn word(&mut self) -> Option<&'static str> {
        let text = self.text.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.text = rest;
        (!word.is_empty()).then_some(word)
    }

    fn ty(&mut self) -> Option<Sig> {
        let ty = if self.eat("(") {
            let mut params = Vec::new();
            while !self.eat(")") {
                params.push(self.ty()?);
                self.eat(",");
            }
            self.token("=>")?;
            return Some(Sig::Function(params, Box::new(self.ty()?)));
        } else if self.eat("{") {
            let mut fields = Vec::new();
            while !self.eat("}") {
                let name = Name::new(self.word()?);
                self.token(":")?;
                fields.push((name, self.ty()?));
                self.eat(",");
            }
            fields.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
            Sig::Record(fields)
        } else {
            self.named()?
        };
        Some(if self.eat("?") { Sig::Optional(Box::new(ty)) } else { ty })
    }

    fn named(&mut self) -> Option<Sig> {
        let word = self.word()?;
        let one = |r: &mut Self| {
            r.token("<")?;
            let ty = r.ty()?;
            r.token(">")?;
            Some(Box::new(ty))
        };
        Some(match word {
            "list" => Sig::List(one(self)?),
            "set" => Sig::Set(one(self)?),
            "seq" => Sig::Seq(one(self)?),
            "map" => {
                self.token("<")?;
                let key = self.ty()?;
                self.token(",")?;
                let value = self.ty()?;
                self.token(">")?;
                Sig::Map(Box::new(key), Box::new(value))
            }
            "bool" => Sig::Of(Type::Bool),
            "int" => Sig::Of(Type::Int),
            "float" => Sig::Of(Type::Float),
            "string" => Sig::Of(Type::Str),
            "duration" => Sig::Of(Type::Duration),
            "size" => Sig::Of(Type::Size),
            "any" => Sig::Of(Type::Any),
            "range" => Sig::Of(Type::Range),
            "file" => Sig::Of(Type::File),
            _ => match word.as_bytes() {
                [v @ b'A'..=b'Z'] => Sig::Var(*v),
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        for row in BUILTINS {
            assert!(read(row).is_some(), "{}", row.signature);
        }
    }

    #[test]
    fn a_signature_is_read_in_its_parts() {
        let row = BUILTINS.iter().find(|r| r.builtin == Builtin::Fold);
        let signature = row.and_then(read).expect("fold is there");
        assert_eq!(signature.receiver, Some(Sig::Seq(Box::new(Sig::Var(b'T')))));
        let function = Sig::Function(vec![Sig::Var(b'U'), Sig::Var(b'T')], Box::new(Sig::Var(b'U')));
        assert_eq!(signature.params[1].ty, function);
        assert_eq!(signature.result, Sig::Var(b'U'));
        assert!(signature.takes_function());
    }
}
