//! Where a space stands between two tokens.

use crate::syntax::split::Tok;
use crate::syntax::token::Kind;

/// What has been written of a part, as far as spaces depend on it.
#[derive(Clone, Copy, Default)]
pub struct Spacing {
    last: Option<Kind>,
    /// Whether the last token ends a value or a name: then `(` is a call and `-` an operator.
    operand: bool,
    /// Open `<` of types.
    angles: u32,
    /// Whether the last token is the sign of a number, or opens or closes the `<…>` of a type.
    tight: bool,
}

impl Spacing {
    /// Whether a space stands before the token; takes note of the token.
    pub fn before(&mut self, tok: &Tok) -> bool {
        let space = self.last.is_some_and(|last| self.space(last, tok.kind));
        self.see(tok.kind);
        space
    }

    fn space(&self, last: Kind, kind: Kind) -> bool {
        use Kind::*;
        // `?` and `.` are not `?.`.
        let question = matches!(kind, Dot | OptDot | Range | RangeInclusive | Coalesce | Question);
        if last == Question && question {
            return true;
        }
        match kind {
            Comma | Colon | PathSep | Dot | OptDot | Question => return false,
            Range | RangeInclusive if self.operand => return false,
            Paren | Bracket if self.operand => return false,
            Lt if last.is_generic() => return false,
            Gt if self.angles > 0 => return false,
            _ => {}
        }
        match last {
            PathSep | Dot | OptDot | Ellipsis => false,
            Range | RangeInclusive => !begins_bound(kind),
            Lt | Minus if self.tight => false,
            _ => true,
        }
    }

    fn see(&mut self, kind: Kind) {
        use Kind::*;
        let was_operand = self.operand;
        let last = self.last;
        self.tight = false;
        match kind {
            Lt if last.is_some_and(Kind::is_generic) => {
                self.angles += 1;
                self.tight = true;
            }
            Minus => self.tight = !was_operand,
            _ => {}
        }
        let closes = kind == Gt && self.angles > 0;
        if closes {
            self.angles -= 1;
        }
        self.operand = match kind {
            Ident | Number | Str | RawStr | Paren | Bracket | Brace | Question => true,
            _ if closes => true,
            _ if kind.is_keyword() => matches!(last, Some(Dot | OptDot | PathSep)) || !takes_operand(kind),
            _ => false,
        };
        self.last = Some(kind);
    }
}

/// What may be the end of a range.
fn begins_bound(kind: Kind) -> bool {
    use Kind::*;
    matches!(kind, Ident | Number | Str | RawStr | Paren | Bracket | Brace | Minus) || kind.is_generic()
}

/// Words after which a value or a type begins.
fn takes_operand(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        And | Or
            | Not
            | In
            | Is
            | As
            | Where
            | If
            | Match
            | For
            | Else
            | When
            | After
            | Timeout
            | Ignore
            | At
            | Check
            | Expect
            | Unique
            | Given
            | Let
            | By
            | To
            | Moved
            | Before
            | Set
            | Drop
    )
}
