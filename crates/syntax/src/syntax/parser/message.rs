//! How a [`Fault`] is said: what is wrong, and what to write instead.

use crate::base::Span;
use crate::diag::codes::syntax as codes;
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

use super::Cx;
use super::fault::Fault;

/// What a part is parsed as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Item,
    Member,
    Variant,
    Stmt,
    Step,
    Entry,
    Arm,
    Arg,
    Param,
    Import,
    Name,
    Expr,
    Type,
    Comprehension,
}

impl What {
    /// The words that begin such a part.
    pub fn starters(self) -> &'static [&'static str] {
        match self {
            What::Item => &[
                "use",
                "const",
                "type",
                "enum",
                "slice",
                "struct",
                "plain",
                "entity",
                "target",
                "resource",
                "union",
                "impl",
                "fn",
                "test",
                "check",
                "inverse",
                "closure",
                "acyclic",
                "moved",
                "migration",
                "deprecated",
            ],
            What::Member => &["key", "let", "check", "unique", "output", "assigned", "deprecated"],
            What::Stmt => &["let", "for", "if", "match", "check", "expect", "given", "before"],
            What::Step => &["set", "drop"],
            _ => &[],
        }
    }
}

/// What people write who know other languages, where an item begins.
const OTHER_ITEMS: &[(&str, &str)] = &[
    ("import", "an import is written `use a::B`"),
    ("include", "an import is written `use a::B`"),
    ("from", "an import is written `use a::B`"),
    ("def", "a function is written `fn name(a: T) -> R { … }`"),
    ("func", "a function is written `fn name(a: T) -> R { … }`"),
    ("function", "a function is written `fn name(a: T) -> R { … }`"),
    ("let", "a value of a module is written `const NAME = …`"),
    ("var", "a value of a module is written `const NAME = …`"),
    ("val", "a value of a module is written `const NAME = …`"),
    ("class", "nested data is a `struct`, data in files a `slice`, what exists an `entity`"),
    ("record", "nested data is a `struct`, data in files a `slice`, what exists an `entity`"),
    ("object", "nested data is a `struct`, data in files a `slice`, what exists an `entity`"),
    ("interface", "types that share fields are a `union`, or include a struct: `...Meta`"),
    ("trait", "types that share fields are a `union`, or include a struct: `...Meta`"),
    ("alias", "an alias is written `type Name = T`"),
    ("typedef", "an alias is written `type Name = T`"),
    ("assert", "a condition is written `check c, \"what is wrong\"`"),
    ("module", "the module of a file is the file's path; nothing declares it"),
    ("mod", "the module of a file is the file's path; nothing declares it"),
    ("package", "the module of a file is the file's path; nothing declares it"),
    ("pub", "all items can be used by other modules; take `pub` away"),
    ("export", "all items can be used by other modules; take `export` away"),
    ("public", "all items can be used by other modules; take `public` away"),
];

/// The same where a statement begins.
const OTHER_STMTS: &[(&str, &str)] = &[
    ("return", "the last expression of a block is its value; take `return` away"),
    ("var", "a local is written `let x = …`"),
    ("val", "a local is written `let x = …`"),
    ("const", "a local is written `let x = …`"),
    ("while", "every loop is a `for`: `for x in xs { … }`"),
    ("loop", "every loop is a `for`: `for x in xs { … }`"),
    ("foreach", "write `for x in xs { … }`"),
    ("switch", "write `match x { a => …, _ => … }`"),
    ("assert", "write `check c, \"what is wrong\"`, or `expect c` in a test"),
    ("print", "nothing prints; a test shows values with `expect`"),
];

/// Kinds that may begin a value; a set that has the first three has them all in mind.
const VALUES: &[Kind] = &[
    Kind::Number,
    Kind::Match,
    Kind::Str,
    Kind::RawStr,
    Kind::True,
    Kind::False,
    Kind::Null,
    Kind::If,
    Kind::Paren,
    Kind::Bracket,
    Kind::Brace,
    Kind::Minus,
    Kind::Not,
    Kind::Range,
    Kind::RangeInclusive,
    Kind::Ident,
];

/// Kinds that may go on with a value.
const OPERATORS: &[Kind] = &[
    Kind::Dot,
    Kind::OptDot,
    Kind::Paren,
    Kind::Bracket,
    Kind::Question,
    Kind::As,
    Kind::Star,
    Kind::Slash,
    Kind::Percent,
    Kind::Plus,
    Kind::Minus,
    Kind::Range,
    Kind::RangeInclusive,
    Kind::Eq,
    Kind::Ne,
    Kind::Lt,
    Kind::Le,
    Kind::Gt,
    Kind::Ge,
    Kind::In,
    Kind::Not,
    Kind::Is,
    Kind::And,
    Kind::Or,
    Kind::Coalesce,
    Kind::After,
    Kind::Timeout,
    Kind::Drift,
    Kind::Protect,
    Kind::Adopt,
    Kind::Keep,
    Kind::PathSep,
];

const TYPES: &[Kind] =
    &[Kind::Paren, Kind::Null, Kind::Minus, Kind::Number, Kind::Str, Kind::RawStr, Kind::Ident, Kind::Pipe];

/// Kinds that may go on with a type.
const TYPE_SUFFIXES: &[Kind] = &[Kind::Question, Kind::Pipe, Kind::Where, Kind::Lt, Kind::PathSep];

/// Kinds that may go on with a field.
const FIELD_SUFFIXES: &[Kind] =
    &[Kind::Assign, Kind::Live, Kind::Restart, Kind::Replace, Kind::Was, Kind::As];

impl Fault {
    /// Whether a value could begin here.
    pub fn wants_value(&self) -> bool {
        self.expects(Kind::Number) && self.expects(Kind::Match)
    }

    /// Whether a type could begin here.
    pub fn wants_type(&self) -> bool {
        self.expects(Kind::Number) && self.expects(Kind::Null) && !self.expects(Kind::Match)
    }

    /// Whether a value has ended here, which could go on.
    pub fn after_value(&self) -> bool {
        self.expects(Kind::Star) && self.expects(Kind::Plus)
    }

    fn after_type(&self) -> bool {
        self.expects(Kind::Question) && self.expects(Kind::Pipe)
    }

    /// What is wanted, as people call it.
    fn wanted(&self) -> Vec<String> {
        let mut left = self.kinds().collect::<Vec<_>>();
        let mut wanted = Vec::new();
        let mut take = |kinds: &[Kind], what: &str| {
            left.retain(|k| !kinds.contains(k));
            if !what.is_empty() {
                wanted.push(what.to_owned());
            }
        };
        if self.after_value() {
            take(OPERATORS, "");
        }
        if self.after_type() {
            take(TYPE_SUFFIXES, "");
        }
        if self.wants_value() {
            take(VALUES, "a value");
        } else if self.wants_type() {
            take(TYPES, "a type");
        }
        if self.expects(Kind::End) && self.expects(Kind::Was) {
            take(FIELD_SUFFIXES, "");
        }
        if self.after_value() && self.expects(Kind::FatArrow) {
            // An argument could have been named, or a function.
            take(&[Kind::Colon, Kind::FatArrow], "");
        }
        take(&[Kind::End], "");
        if self.expects(Kind::Str) {
            take(&[Kind::RawStr], "");
        }
        let is_name = |k: &&Kind| **k == Kind::Ident;
        wanted.extend(left.iter().filter(is_name).map(|k| k.text().to_owned()));
        wanted.extend(left.iter().filter(|k| !is_name(k)).map(|&k| spelled(k)));
        wanted
    }
}

/// A kind in a message.
fn spelled(kind: Kind) -> String {
    match kind {
        Kind::Paren => "`(`".to_owned(),
        Kind::Bracket => "`[`".to_owned(),
        Kind::Brace => "`{`".to_owned(),
        _ if kind.is_fixed() => format!("`{}`", kind.text()),
        _ => kind.text().to_owned(),
    }
}

/// `a, b or c`.
fn any_of(wanted: &[String]) -> String {
    match wanted {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What is known of a mistake beyond that something else was wanted.
struct Known {
    code: Code,
    message: String,
    help: String,
    /// Where, if not where the fault is.
    place: Option<Span>,
}

impl Known {
    fn at(mut self, place: Option<Span>) -> Self {
        self.place = place;
        self
    }
}

fn known(code: Code, message: impl Into<String>, help: impl Into<String>) -> Option<Known> {
    Some(Known { code, message: message.into(), help: help.into(), place: None })
}

impl Cx {
    /// The diagnostic of a fault.
    pub(super) fn explain(&self, fault: &Fault, what: What, part: &[Tok], end: Span) -> Diagnostic {
        let index = fault.index(part);
        let place = match fault.found {
            Some(tok) => self.shown_span(tok),
            None => end,
        };
        if let Some(known) = self.known_mistake(fault, what, part, index) {
            let error = self.sink.at(known.code, known.place.unwrap_or(place), known.message);
            return if known.help.is_empty() { error } else { error.help(known.help) };
        }
        let wanted = fault.wanted();
        let after = index.checked_sub(1).and_then(|i| part.get(i)).map(|&t| self.describe(t));
        let message = match (fault.found, &after) {
            (Some(found), _) if wanted.is_empty() || wanted.len() > 6 => {
                format!("unexpected {}", self.describe(found).trim_start_matches("a "))
            }
            (Some(found), _) => format!("expected {}, found {}", any_of(&wanted), self.describe(found)),
            (None, Some(after)) if wanted.is_empty() => format!("something is missing after {after}"),
            (None, Some(after)) => format!("expected {} after {after}", any_of(&wanted)),
            (None, None) => format!("expected {}", any_of(&wanted)),
        };
        let error = self.sink.at(codes::UNEXPECTED_TOKEN, place, message);
        match self.help(fault, what, part, index) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// A bracket stands for what it holds.
    fn shown_span(&self, tok: Tok) -> Span {
        match tok.kind {
            Kind::Paren | Kind::Bracket | Kind::Brace => {
                Span::new(tok.span.start as usize, tok.span.start as usize + 1)
            }
            _ => tok.span,
        }
    }

    pub(super) fn describe(&self, tok: Tok) -> String {
        match tok.kind {
            Kind::Paren => "`(`".to_owned(),
            Kind::Bracket => "`[`".to_owned(),
            Kind::Brace => "`{`".to_owned(),
            Kind::Str => "a string".to_owned(),
            _ => format!("`{}`", self.text(tok.span)),
        }
    }

    /// The text of a word, keyword or not.
    pub(super) fn word(&self, tok: Option<&Tok>) -> Option<&str> {
        tok.filter(|t| t.kind == Kind::Ident || t.kind.is_keyword()).map(|t| self.text(t.span))
    }

    fn known_mistake(&self, fault: &Fault, what: What, part: &[Tok], index: usize) -> Option<Known> {
        let first = part.first();
        let found = fault.found;
        let kind = found.map(|t| t.kind);
        let before = index.checked_sub(1).and_then(|i| part.get(i)).map(|t| t.kind);
        let unexpected = codes::UNEXPECTED_TOKEN;
        let first_word = self.word(first).unwrap_or_default();
        if let Some(quote) = self.quote_in_text(fault, part) {
            let found =
                known(unexpected, "the text ends at this quote", "write `\\\"` for a quote inside a text");
            return found.map(|k| k.at(Some(quote)));
        }
        if let Some(word) = self.misplaced_item(fault, what, part) {
            return self.item_in_braces(word, part).map(|k| k.at(first.map(|t| t.span)));
        }
        if index == 0 && what == What::Item {
            return self.no_item(found?);
        }
        if index <= 1 && matches!(what, What::Stmt | What::Member) {
            let written = if index == 0 { self.word(found.as_ref()) } else { Some(first_word) };
            let other = OTHER_STMTS.iter().find(|(word, _)| Some(*word) == written);
            if let Some((word, help)) = other {
                let found = known(unexpected, format!("there is no statement `{word}`"), *help);
                return found.map(|k| k.at(first.map(|t| t.span)));
            }
        }
        if let Some(kind) = kind.filter(|&k| index == 0 && is_sign(k) && what != What::Expr) {
            let message = format!("a line cannot begin with `{}`", kind.text());
            return known(unexpected, message, "write it at the end of the line before");
        }
        if self.is_strange_role(fault, what, part) && self.mistyped_starter(fault, what, part).is_none() {
            let help = match first_word {
                "optional" | "nullable" => "a field that may be left out has a `?`: `name: T?`",
                "required" | "mandatory" => "a field without `?` and without default is required",
                _ => "before the name of a field may stand `key`, `output` or `assigned`",
            };
            let found = known(unexpected, format!("`{first_word}` says nothing of a field"), help);
            return found.map(|k| k.at(first.map(|t| t.span)));
        }
        if index == 0 && kind == Some(Kind::Else) {
            let help = "`else` stands on the line of the `}` before it, or directly below";
            return known(unexpected, "this `else` follows no `if`", help);
        }
        if first.is_some_and(|t| t.kind == Kind::Check) && fault.expects(Kind::Comma) && found.is_none() {
            return known(
                codes::CHECK_WITHOUT_MESSAGE,
                "this check has no message",
                "say what is wrong after a comma: `check c, \"what is wrong\" at field`",
            );
        }
        if kind == Some(Kind::Brace) && before == Some(Kind::Brace) {
            return known(
                codes::BRACE_IN_HEAD,
                "a `{` before this one has opened the block",
                "in the head of `if`, `for`, `match` and `when`, put a value with braces in parentheses",
            );
        }
        if kind == Some(Kind::FatArrow) && what != What::Arm && fault.after_value() {
            let message = "a function value stands only as an argument of a builtin";
            return known(unexpected, message, "declare a function: `fn name(a: T) -> R { … }`");
        }
        if kind == Some(Kind::Assign) && fault.after_value() && !fault.expects(Kind::Assign) {
            return known(unexpected, "`=` is no operator", "write `==` to compare");
        }
        if what == What::Member
            && kind.is_some_and(|k| FIELD_SUFFIXES.contains(&k))
            && fault.expects(Kind::End)
        {
            let message = format!("{} comes too late", self.describe(found?));
            let help = "a field is written `name: T = default  restart  was \"old\"  as \"Data Name\"`, in this order";
            return known(codes::SUFFIX_ORDER, message, help);
        }
        if kind.is_some_and(is_comparison) && fault.expects(Kind::And) && !fault.expects(Kind::Eq) {
            return known(
                codes::CHAINED_COMPARISON,
                "comparisons do not chain",
                "write `a < b and b < c`, or put one of them in parentheses",
            );
        }
        if kind == Some(Kind::Lt) && fault.after_type() {
            let message = "only `list`, `set`, `map`, `ref`, `secret` and `later` take `<…>`";
            return known(unexpected, message, "");
        }
        if what == What::Variant
            && let Some((before, word)) = self.side_by_side(part, index)
        {
            let message = format!("a `,` is missing before `{word}`");
            return known(unexpected, message, format!("write `{before}, {word}`"));
        }
        if before == Some(Kind::Question) && fault.expects(Kind::Bracket) && !fault.after_value() {
            let place = index.checked_sub(1).and_then(|i| part.get(i)).map(|t| t.span);
            let found = known(unexpected, "there is no `c ? x : y`", "write `if c { x } else { y }`");
            return found.map(|k| k.at(place));
        }
        if kind == Some(Kind::Bracket) && fault.wants_type() {
            let of = found.map(|t| self.text(t.span)).unwrap_or_default();
            let of = of.trim_matches(['[', ']']).trim();
            let plain = !of.is_empty() && of.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let list = if plain { of } else { "T" };
            let message = "a type does not begin with `[`";
            return known(unexpected, message, format!("a list is written `list<{list}>`"));
        }
        if kind == Some(Kind::Question) && fault.after_value() {
            return known(
                unexpected,
                "`?` stands after a type or after `T[k]`",
                "write `a?.b` for a field of what may be null, `a ?? b` for a default, `if c { x } else { y }` for a choice",
            );
        }
        if kind == Some(Kind::Minus) && self.joined_name(part, index) {
            let message = "a name has no `-`";
            return known(
                unexpected,
                message,
                "write `_` in its place; `as \"data-name\"` names it in the data",
            );
        }
        None
    }

    /// Two variants with nothing between them; a type after the name of a variant is none.
    fn side_by_side(&self, part: &[Tok], index: usize) -> Option<(&str, &str)> {
        let before = self.word(part.get(index.checked_sub(1)?))?;
        let word = self.word(part.get(index))?;
        let upper = |w: &str| w.starts_with(|c: char| c.is_ascii_uppercase());
        (upper(before) || !upper(word)).then_some((before, word))
    }

    /// Whether a comma between two elements seems to be missing where the fault is.
    pub(super) fn lacks_comma(&self, fault: &Fault, what: What, part: &[Tok]) -> bool {
        let ended = match what {
            What::Variant => {
                let typed = fault.found.is_some_and(|f| f.kind == Kind::Ident || f.kind.is_keyword());
                !typed || self.side_by_side(part, fault.index(part)).is_some()
            }
            What::Param => fault.after_type(),
            _ => fault.after_value(),
        };
        ended
            && fault.index(part) > 0
            && fault.found.is_some_and(|f| begins_value(f.kind))
            && self.quote_in_text(fault, part).is_none()
    }

    /// The quote that ends a text where a word stands right behind it, `"there is "one" hub"`.
    pub(super) fn quote_in_text(&self, fault: &Fault, part: &[Tok]) -> Option<Span> {
        let found = fault.found.filter(|f| begins_value(f.kind))?;
        let text = part.get(fault.index(part).checked_sub(1)?)?;
        let end = text.span.end as usize;
        let glued = text.kind == Kind::Str && end == found.span.start as usize && text.span.len() > 1;
        glued.then(|| Span::new(end - 1, end))
    }

    /// The keyword of an item that a member or a statement seems to begin with.
    pub(super) fn misplaced_item(&self, fault: &Fault, what: What, part: &[Tok]) -> Option<Kind> {
        let first = part.first()?.kind;
        let item = matches!(what, What::Member | What::Stmt)
            && crate::syntax::trees::starts_item(first)
            && !what.starters().contains(&first.text());
        if !item || fault.index(part) > 1 {
            return None;
        }
        // A field of such a name, which lacks its `:`, has a type and little more.
        let kind = |i: usize| part.get(i).map(|t| t.kind);
        let word = self.word(part.get(1)).is_some();
        let braces = || part.iter().any(|t| t.kind == Kind::Brace);
        let clear = match first {
            Kind::Acyclic | Kind::Inverse | Kind::Closure => word,
            Kind::Plain => kind(1) == Some(Kind::Struct),
            Kind::Type | Kind::Const => word && matches!(kind(2), Some(Kind::Assign | Kind::Colon)),
            Kind::Fn => word && kind(2) == Some(Kind::Paren),
            Kind::Use => word && kind(2) == Some(Kind::PathSep),
            Kind::Moved => part.iter().any(|t| t.kind == Kind::To),
            Kind::Migration | Kind::Test => kind(1) == Some(Kind::Str),
            _ => word && braces(),
        };
        clear.then_some(first)
    }

    /// An item within the braces of another.
    fn item_in_braces(&self, word: Kind, part: &[Tok]) -> Option<Known> {
        let field = match part {
            [_, field] => self.word(Some(field)).unwrap_or("field"),
            _ => "field",
        };
        let owner = self.owner.map_or("T", |name| name.as_str());
        let help = match word {
            Kind::Acyclic => format!("write it outside of the braces: `acyclic {owner} by {field}`"),
            Kind::Closure => {
                format!("write it outside of the braces: `closure {owner}.all: set<{owner}> by {field}`")
            }
            Kind::Inverse => "write it outside of the braces: `inverse S.fields: set<T> by field`".to_owned(),
            Kind::Impl => format!("write it outside of the braces: `impl {owner} {{ … }}`"),
            _ => "write it outside of the braces".to_owned(),
        };
        let word = word.text();
        known(codes::UNEXPECTED_TOKEN, format!("`{word}` stands at the top of a module"), help)
    }

    /// `a-b` where a name is declared.
    fn joined_name(&self, part: &[Tok], index: usize) -> bool {
        let near = |i: usize| part.get(i);
        let (Some(a), Some(b)) = (index.checked_sub(1).and_then(near), near(index + 1)) else { return false };
        let Some(minus) = near(index) else { return false };
        self.word(Some(a)).is_some()
            && self.word(Some(b)).is_some()
            && a.span.end == minus.span.start
            && minus.span.end == b.span.start
    }

    /// Something that begins no item.
    fn no_item(&self, found: Tok) -> Option<Known> {
        let unexpected = codes::UNEXPECTED_TOKEN;
        let Some(word) = self.word(Some(&found)) else {
            let message = format!("{} begins no item", self.describe(found));
            let help = "at the top of a module stand `use`, `const`, `type`, `slice`, `struct`, `impl`, `fn` and their like";
            return known(unexpected, message, help);
        };
        if let Some((_, help)) = OTHER_ITEMS.iter().find(|(other, _)| *other == word) {
            return known(unexpected, format!("there is no item `{word}`"), *help);
        }
        if matches!(found.kind, Kind::Unique | Kind::Key | Kind::Output | Kind::Assigned) {
            let message = format!("`{word}` stands within a declaration");
            let help = match found.kind {
                Kind::Unique => "write it between the braces of the type: `unique field`, `unique (a, b)`",
                _ => "it begins a field: write it between the braces of the type",
            };
            return known(unexpected, message, help);
        }
        let help = did_you_mean(word, What::Item.starters().iter().copied());
        let help = help.unwrap_or_else(|| {
            "at the top of a module stand `use`, `const`, `type`, `slice`, `struct`, `impl`, `fn` and their like".to_owned()
        });
        known(unexpected, format!("`{word}` begins no item"), help)
    }

    /// What to write instead.
    fn help(&self, fault: &Fault, what: What, part: &[Tok], index: usize) -> Option<String> {
        let found = fault.found;
        if let Some(word) = self.word(found.as_ref()) {
            let keywords = fault.kinds().filter(|k| k.is_keyword()).map(Kind::text);
            if found.is_some_and(|f| f.kind == Kind::Ident)
                && let Some(help) = did_you_mean(word, keywords)
            {
                return Some(help);
            }
            match word {
                "of" if fault.expects(Kind::In) => return Some("write `for x in xs`".to_owned()),
                "elif" | "elsif" | "elseif" => return Some("write `else if`".to_owned()),
                _ => {}
            }
        }
        if let Some(kind) = self.mistyped_starter(fault, what, part) {
            return Some(format!("did you mean `{}`?", kind.text()));
        }
        let kind = found.map(|t| t.kind);
        let before = index.checked_sub(1).and_then(|i| part.get(i)).map(|t| t.kind);
        Some(
            match (what, kind) {
                (What::Entry, Some(Kind::Assign)) => "a field of a literal is written `name: value`",
                (What::Arm, _) if fault.expects(Kind::FatArrow) => "an arm is written `pattern => value`",
                (What::Variant, Some(Kind::Assign)) => {
                    "a variant has a name, and may have another in the data: `low as \"1\"`"
                }
                (_, Some(Kind::Colon | Kind::Dot | Kind::Slash)) if fault.expects(Kind::PathSep) => {
                    "the parts of a path are joined by `::`"
                }
                (_, Some(Kind::Bracket)) if before.is_some_and(Kind::is_generic) => {
                    "the types that a type is made of stand in `<…>`: `list<int>`"
                }
                (What::Member | What::Param, Some(Kind::Bracket)) if fault.after_type() => {
                    "a list of `T` is written `list<T>`"
                }
                (What::Member | What::Param, Some(Kind::Paren)) if fault.after_type() => {
                    "a condition on a value follows its type: `int where 1..=9`"
                }
                (What::Item, Some(Kind::Assign)) if fault.expects(Kind::Brace) => {
                    "what it is made of stands in `{ }`; only `type` and `const` take `=`"
                }
                (What::Member, _) if fault.expects(Kind::Colon) && index > 0 => {
                    "a field is written `name: T`, with a default `name: T = value`"
                }
                (What::Param, _) => "a parameter is written `name: T`",
                (What::Arg, Some(Kind::Colon)) if fault.after_value() => "a part of a list is `xs[1..2]`",
                (What::Expr, Some(Kind::Comma)) if fault.after_value() => {
                    "several values are a list, `[a, b]`, or a record, `{ a: 1, b: 2 }`"
                }
                (_, Some(Kind::Pipe)) if fault.after_value() => "write `or` between conditions",
                (_, Some(_)) if fault.after_value() && fault.expects(Kind::Brace) => {
                    "the block of `if`, `for` and `match` stands in `{ }`"
                }
                (_, Some(k)) if fault.after_value() && begins_value(k) => separator(what)?,
                (_, Some(k)) if fault.after_type() && begins_value(k) => separator(what)?,
                (_, Some(Kind::Assign)) if fault.expects(Kind::Gt) => {
                    "the `<` of the type is closed with `>`"
                }
                (_, None) if fault.expects(Kind::Brace) && !fault.expects(Kind::Ident) => {
                    "its `{` stands on the same line"
                }
                _ => return None,
            }
            .to_owned(),
        )
    }

    /// The keyword that the first word of the part is likely to mean.
    pub(super) fn mistyped_starter(&self, fault: &Fault, what: What, part: &[Tok]) -> Option<Kind> {
        let index = fault.index(part);
        let first = part.first().filter(|t| t.kind == Kind::Ident)?;
        let word = self.word(Some(first))?;
        // `lett x`, `chek (…)`, `tets "…"`: what follows is none of a field or a value.
        let follows = part.get(1).map(|t| t.kind);
        let odd = follows.is_some_and(|k| k == Kind::Ident || k.is_keyword() || k == Kind::Str);
        if index > 1 || !(odd || index == 0) {
            return None;
        }
        let starters = what.starters().iter().copied().filter(|s| s.bytes().next() == word.bytes().next());
        let text = crate::diag::nearest(word, starters)?;
        Kind::WORDS.iter().copied().find(|k| k.text() == text && text != word)
    }
}

fn separator(what: What) -> Option<&'static str> {
    Some(match what {
        What::Member => "each field stands on a line of its own, or a comma separates them",
        What::Stmt => "each statement stands on a line of its own",
        What::Entry | What::Variant => "a newline or a comma separates them",
        What::Arg | What::Expr | What::Param | What::Name => "an operator or a comma is missing before it",
        What::Item => "each item begins on a line of its own",
        _ => return None,
    })
}

fn begins_value(kind: Kind) -> bool {
    VALUES.contains(&kind) || kind.is_keyword()
}

fn is_comparison(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Eq | Kind::Ne | Kind::Lt | Kind::Le | Kind::Gt | Kind::Ge | Kind::In | Kind::Not | Kind::Is
    )
}

fn is_sign(kind: Kind) -> bool {
    kind.is_fixed() && !kind.is_keyword()
}
