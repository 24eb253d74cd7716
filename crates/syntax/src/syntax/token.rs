//! The kinds of tokens.

use logos::Logos;

use crate::base::Span;

/// Declares [`Kind`] with the text of each fixed token, for messages.
macro_rules! kinds {
    (
        words { $($word:ident = $word_text:literal,)* }
        signs { $($sign:ident = $sign_text:literal,)* }
        others { $($(#[$attr:meta])* $other:ident = $other_text:literal,)* }
    ) => {
        /// What a token is. Keywords are contextual: which of them a name may be is decided
        /// where names are parsed.
        #[derive(Logos, Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[logos(skip r"[ \t\u{FEFF}]+")]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Kind {
            $(#[token($word_text)] $word,)*
            $(#[token($sign_text)] $sign,)*
            $($(#[$attr])* $other,)*
        }

        impl Kind {
            /// Every kind, in the order of their numbers.
            pub const ALL: &[Kind] = &[$(Kind::$word,)* $(Kind::$sign,)* $(Kind::$other,)*];

            /// Every keyword.
            pub const WORDS: &[Kind] = &[$(Kind::$word,)*];

            /// How it is written; a description for what has no fixed text.
            pub fn text(self) -> &'static str {
                match self {
                    $(Kind::$word => $word_text,)*
                    $(Kind::$sign => $sign_text,)*
                    $(Kind::$other => $other_text,)*
                }
            }

            /// Whether it is made of letters: a keyword.
            pub fn is_keyword(self) -> bool {
                matches!(self, $(Kind::$word)|*)
            }

            /// Whether it names a type that takes `<…>`: only after these a `<` is no comparison.
            pub fn is_generic(self) -> bool {
                use Kind::*;
                matches!(self, List | Set | Map | Ref | Secret | Later)
            }

            /// Whether it has a fixed text.
            pub fn is_fixed(self) -> bool {
                matches!(self, $(Kind::$word)|* $(| Kind::$sign)*)
            }
        }
    };
}

kinds! {
    words {
        Use = "use",
        Const = "const",
        Type = "type",
        Enum = "enum",
        Slice = "slice",
        Struct = "struct",
        Plain = "plain",
        Entity = "entity",
        Target = "target",
        Resource = "resource",
        Union = "union",
        Impl = "impl",
        Fn = "fn",
        Test = "test",
        Check = "check",
        Let = "let",
        Inverse = "inverse",
        Closure = "closure",
        Acyclic = "acyclic",
        Moved = "moved",
        Migration = "migration",
        Deprecated = "deprecated",
        Key = "key",
        Output = "output",
        Assigned = "assigned",
        Unique = "unique",
        As = "as",
        Was = "was",
        Live = "live",
        Restart = "restart",
        Replace = "replace",
        By = "by",
        In = "in",
        Each = "each",
        Handled = "handled",
        When = "when",
        If = "if",
        Else = "else",
        Match = "match",
        For = "for",
        And = "and",
        Or = "or",
        Not = "not",
        Is = "is",
        True = "true",
        False = "false",
        Null = "null",
        After = "after",
        Protect = "protect",
        Adopt = "adopt",
        Keep = "keep",
        Timeout = "timeout",
        Drift = "drift",
        Report = "report",
        Repair = "repair",
        Ignore = "ignore",
        At = "at",
        Expect = "expect",
        ErrorWord = "error",
        Given = "given",
        Before = "before",
        Set = "set",
        Drop = "drop",
        Where = "where",
        To = "to",
        List = "list",
        Map = "map",
        Ref = "ref",
        Secret = "secret",
        Later = "later",
    }
    signs {
        ParenOpen = "(",
        ParenClose = ")",
        BracketOpen = "[",
        BracketClose = "]",
        BraceOpen = "{",
        BraceClose = "}",
        Comma = ",",
        Colon = ":",
        PathSep = "::",
        Dot = ".",
        OptDot = "?.",
        Ellipsis = "...",
        RangeInclusive = "..=",
        Range = "..",
        Coalesce = "??",
        Question = "?",
        FatArrow = "=>",
        Arrow = "->",
        Eq = "==",
        Ne = "!=",
        Le = "<=",
        Ge = ">=",
        Lt = "<",
        Gt = ">",
        Assign = "=",
        Plus = "+",
        Minus = "-",
        Star = "*",
        Slash = "/",
        Percent = "%",
        Pipe = "|",
        BlockQuote = "\"\"\"",
        Quote = "\"",
    }
    others {
        #[regex("[A-Za-z_][A-Za-z0-9_]*", priority = 1)]
        Ident = "a name",
        #[regex(r"[0-9][0-9A-Za-z_]*(\.[0-9][0-9A-Za-z_]*)?")]
        #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[eE][+-][0-9][0-9_]*")]
        Number = "a number",
        #[regex("r\"", raw_string)]
        #[regex("r#+\"", raw_string)]
        RawStr = "a raw string",
        #[regex(r"\r\n|\n|\r")]
        Newline = "the end of the line",
        #[regex(r"//[^\r\n]*", allow_greedy = true)]
        Comment = "a comment",
        #[regex(r"[\p{L}_][\p{L}\p{M}\p{N}_]*", priority = 0)]
        ForeignWord = "a word",
        // The rest is made by the lexer's driver and the token trees.
        StrText = "text",
        InterpOpen = "${",
        InterpClose = "the `}` of `${`",
        StrClose = "the closing quotes",
        Paren = "`(…)`",
        Bracket = "`[…]`",
        Brace = "`{…}`",
        Str = "a string",
        End = "the end",
    }
}

// A set of kinds is an u128.
const _: () = assert!(Kind::ALL.len() <= 128);

/// Takes a raw string up to its closing quote. One without end is refused, and the driver says
/// so.
fn raw_string(lexer: &mut logos::Lexer<'_, Kind>) -> bool {
    let hashes = lexer.slice().len() - 2;
    let rest = lexer.remainder().as_bytes();
    let mut from = 0;
    while let Some(found) = rest.get(from..).and_then(|r| r.iter().position(|&b| b == b'"')) {
        let close = from + found + 1;
        let closed = rest.get(close..close + hashes).is_some_and(|h| h.iter().all(|&b| b == b'#'));
        if closed {
            lexer.bump(close + hashes);
            return true;
        }
        from = close;
    }
    false
}

/// A token of the flat list, delimiters included.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Whether a line ends between the token before it and this one.
    pub newline: bool,
    /// Where.
    pub span: Span,
    /// Of an opening delimiter the index of the closing one, and the other way round.
    pub partner: u32,
}

/// No partner.
pub const NONE: u32 = u32::MAX;
