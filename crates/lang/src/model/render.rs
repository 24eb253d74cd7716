//! Expressions as text, for messages: what a refinement says. Made from the tree, so that layout
//! does not matter, and short: what does not fit in a line is left out.

use crate::base::quantity;
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind, StrPart, UnaryOp};

/// An expression in one line.
pub fn render(expr: &Expr) -> String {
    let mut out = String::new();
    write(&mut out, expr, 0);
    out
}

/// How tightly an operator binds; larger is tighter.
fn binding(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Coalesce => 1,
        BinaryOp::Or => 2,
        BinaryOp::And => 3,
        BinaryOp::Eq
        | BinaryOp::Ne
        | BinaryOp::Lt
        | BinaryOp::Le
        | BinaryOp::Gt
        | BinaryOp::Ge
        | BinaryOp::In
        | BinaryOp::NotIn => 4,
        BinaryOp::Add | BinaryOp::Sub => 6,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => 7,
    }
}

fn write(out: &mut String, expr: &Expr, outer: u8) {
    match &expr.kind {
        ExprKind::Null => out.push_str("null"),
        ExprKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        ExprKind::Int(value) => out.push_str(&value.to_string()),
        ExprKind::Float(value) => out.push_str(&format!("{value:?}")),
        ExprKind::Str(parts) => string(out, parts),
        ExprKind::Name(name) => out.push_str(name.name.as_str()),
        ExprKind::Path(path) => {
            let parts: Vec<&str> = path.parts.iter().map(|p| p.name.as_str()).collect();
            out.push_str(&parts.join("::"));
        }
        ExprKind::Field(base, name) => {
            write(out, base, 10);
            out.push('.');
            out.push_str(name.name.as_str());
        }
        ExprKind::Call(function, args) => {
            write(out, function, 10);
            match (&function.kind, args.as_slice()) {
                (ExprKind::Name(name), [arg]) if name.name.as_str() == "matches" => pattern(out, arg),
                _ => arguments(out, args),
            }
        }
        ExprKind::Method { base, optional, name, args } => {
            write(out, base, 10);
            out.push_str(if *optional { "?." } else { "." });
            out.push_str(name.name.as_str());
            arguments(out, args);
        }
        ExprKind::Unary(UnaryOp::Not, inner) => wrapped(out, outer > 4, |out| {
            out.push_str("not ");
            write(out, inner, 4);
        }),
        ExprKind::Unary(UnaryOp::Neg, inner) => {
            out.push('-');
            write(out, inner, 8);
        }
        ExprKind::Binary(op, _, left, right) => {
            let own = binding(*op);
            wrapped(out, own < outer, |out| {
                write(out, left, own);
                out.push(' ');
                out.push_str(op.symbol());
                out.push(' ');
                write(out, right, own + 1);
            });
        }
        ExprKind::Range { start, end, inclusive } => wrapped(out, outer > 5, |out| {
            if let Some(start) = start {
                write(out, start, 6);
            }
            out.push_str(if *inclusive { "..=" } else { ".." });
            if let Some(end) = end {
                write(out, end, 6);
            }
        }),
        ExprKind::List(items) => {
            out.push('[');
            separated(out, items, |out, item| write(out, item, 0));
            out.push(']');
        }
        ExprKind::Paren(inner) => write(out, inner, outer),
        ExprKind::Duration(_) | ExprKind::Size(_) => quantity(out, &expr.kind),
        _ => out.push('…'),
    }
}

fn wrapped(out: &mut String, parenthesised: bool, inner: impl FnOnce(&mut String)) {
    if parenthesised {
        out.push('(');
    }
    inner(out);
    if parenthesised {
        out.push(')');
    }
}

fn arguments(out: &mut String, args: &[Arg]) {
    out.push('(');
    separated(out, args, |out, arg| {
        if let Some(name) = &arg.name {
            let parts: Vec<&str> = name.iter().map(|n| n.name.as_str()).collect();
            out.push_str(&parts.join("."));
            out.push_str(": ");
        }
        write(out, &arg.value, 0);
    });
    out.push(')');
}

fn separated<T>(out: &mut String, items: &[T], mut each: impl FnMut(&mut String, &T)) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        each(out, item);
    }
}

/// A regular expression: raw, as it nearly always is.
fn pattern(out: &mut String, arg: &Arg) {
    match &arg.value.kind {
        ExprKind::Str(parts) if !parts.iter().any(|p| matches!(p, StrPart::Text(t) if t.contains('"'))) => {
            out.push_str("(r\"");
            parts.iter().for_each(|p| {
                if let StrPart::Text(text) = p {
                    out.push_str(text);
                }
            });
            out.push_str("\")");
        }
        _ => arguments(out, std::slice::from_ref(arg)),
    }
}

/// A string: raw where that spares escapes, as a regular expression would be written.
fn string(out: &mut String, parts: &[StrPart]) {
    if let [StrPart::Text(text)] = parts
        && text.contains('\\')
        && !text.contains('"')
    {
        out.push_str("r\"");
        out.push_str(text);
        out.push('"');
        return;
    }
    out.push('"');
    for part in parts {
        match part {
            StrPart::Text(text) => out.extend(text.chars().flat_map(char::escape_debug)),
            StrPart::Expr { expr, .. } => {
                out.push_str("${");
                write(out, expr, 0);
                out.push('}');
            }
        }
    }
    out.push('"');
}

fn quantity(out: &mut String, kind: &ExprKind) {
    match kind {
        ExprKind::Duration(value) => out.push_str(&quantity::show_duration(*value)),
        ExprKind::Size(value) => out.push_str(&quantity::show_size(*value)),
        _ => {}
    }
}
