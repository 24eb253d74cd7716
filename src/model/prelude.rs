//! The builtins: one row each, with its signature, what it does, and an example that a test
//! evaluates. The evaluator has one arm for each in `eval::builtins`.

/// One row of the table.
#[derive(Debug)]
pub struct BuiltinInfo {
    /// Which.
    pub builtin: Builtin,
    /// Its name in models. Several rows may share a name: the first whose receiver and
    /// arguments fit is meant.
    pub name: &'static str,
    /// `list<T>.map(f: (T) => U) -> list<U>`. Single capitals are type variables; `K` is a type
    /// that can be a key; `a?: T` may be left out; without a receiver: `range(int, int) -> …`.
    pub signature: &'static str,
    /// What it does.
    pub docs: &'static str,
    /// An expression that is true.
    pub example: &'static str,
}

macro_rules! builtins {
    ($($builtin:ident = $name:literal $signature:literal, $docs:literal, $example:literal;)*) => {
        /// A builtin function.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs)]
        pub enum Builtin { $($builtin),* }

        /// All rows, in the order of the reference.
        pub static BUILTINS: &[BuiltinInfo] = &[$(BuiltinInfo {
            builtin: Builtin::$builtin,
            name: $name,
            signature: $signature,
            docs: $docs,
            example: $example,
        }),*];
    };
}

builtins! {
    StringLen = "len" "string.len() -> int", "The number of Unicode scalar values.", r#""abc".len() == 3"#;
    ListLen = "len" "list<T>.len() -> int", "The number of elements.", "[1, 2].len() == 2";
    ListMap = "map" "list<T>.map(f: (T) => U) -> list<U>", "What `f` makes of each element.",
        "[1, 2].map(x => x + 1) == [2, 3]";
    Range = "range" "range(start: int, end: int) -> list<int>", "The ints from `start` up to, not with, `end`.",
        "range(1, 4) == [1, 2, 3]";
}
