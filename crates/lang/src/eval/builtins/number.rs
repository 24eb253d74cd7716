//! Numbers. Nothing whose last bit depends on the machine.

use std::cmp::Ordering;

use crate::eval::compare::compare;
use crate::eval::operators::negate;
use crate::eval::value::Value;

use super::{Args, Cx, Done, Fault, count, overflow, wrong, wrong_help};

pub(super) fn abs(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let value = args.get(0);
    let negative = match value {
        Value::Int(v) | Value::Duration(v) | Value::Size(v) => *v < 0,
        Value::Float(v) => *v < 0.0,
        _ => return Err(Fault::Kinds),
    };
    if !negative {
        return Ok(value.clone());
    }
    negate(value).or_else(|_| overflow("the absolute value does not fit"))
}

pub(super) fn sign(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    match args.get(0) {
        Value::Int(v) | Value::Duration(v) | Value::Size(v) => Ok(Value::Int(v.signum())),
        Value::Float(v) if *v == 0.0 => Ok(Value::Int(0)),
        Value::Float(v) => Ok(Value::Int(if *v > 0.0 { 1 } else { -1 })),
        _ => Err(Fault::Kinds),
    }
}

/// A whole float as an int.
fn whole(value: f64) -> Done {
    // Both limits are floats; 2^63 itself does not fit.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        return Ok(Value::Int(value as i64));
    }
    overflow(format!("{value:e} does not fit into an int"))
}

pub(super) fn floor(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    whole(args.float(0)?.floor())
}

pub(super) fn ceil(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    whole(args.float(0)?.ceil())
}

pub(super) fn round(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    whole(args.float(0)?.round())
}

pub(super) fn float_to_int(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    whole(args.float(0)?.trunc())
}

/// By way of decimal digits, so that 2.675 is what it looks like and not what is stored.
pub(super) fn round_to(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let value = args.float(0)?;
    let digits = args.int(1)?;
    if !(0..=15).contains(&digits) {
        return wrong(format!("a float is rounded to 0 to 15 decimals, not {digits}"));
    }
    let text = decimal(value, digits as usize);
    let rounded: f64 = text.parse().map_err(|_| Fault::Kinds)?;
    Ok(Value::Float(rounded + 0.0))
}

pub(super) fn fixed(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let digits = args.int(1)?;
    if !(0..=100).contains(&digits) {
        return wrong(format!("a float is written with 0 to 100 decimals, not {digits}"));
    }
    let text = decimal(args.float(0)?, digits as usize);
    cx.string(text)
}

/// A float with exactly so many decimals; a half goes away from zero. Rounds the shortest digits
/// that read back as the float.
fn decimal(value: f64, digits: usize) -> String {
    let text = format!("{value}");
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    let mut number: Vec<u8> = before.bytes().chain(after.bytes().take(digits)).collect();
    number.resize(before.len() + digits, b'0');
    if after.as_bytes().get(digits).is_some_and(|next| *next >= b'5') {
        let carried = number.iter_mut().rev().all(|digit| {
            let nine = *digit == b'9';
            *digit = if nine { b'0' } else { *digit + 1 };
            nine
        });
        if carried {
            number.insert(0, b'1');
        }
    }
    let split = number.len() - digits;
    let (before, after) = number.split_at(split);
    let zero = number.iter().all(|d| *d == b'0');
    let mut out = String::from(if zero { "" } else { sign });
    out.push_str(&String::from_utf8_lossy(before));
    if digits > 0 {
        out.push('.');
        out.push_str(&String::from_utf8_lossy(after));
    }
    out
}

pub(super) fn clamp(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (value, low, high) = (args.get(0), args.get(1), args.get(2));
    if compare(cx.plan, low, high).is_gt() {
        return wrong("the minimum is greater than the maximum");
    }
    let best = if compare(cx.plan, value, low).is_lt() { low } else { value };
    Ok(if compare(cx.plan, best, high).is_gt() { high } else { best }.clone())
}

pub(super) fn min(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(match compare(cx.plan, args.get(1), args.get(0)) {
        Ordering::Less => args.get(1),
        _ => args.get(0),
    }
    .clone())
}

pub(super) fn max(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(match compare(cx.plan, args.get(1), args.get(0)) {
        Ordering::Greater => args.get(1),
        _ => args.get(0),
    }
    .clone())
}

pub(super) fn pow(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (base, exponent) = (args.int(0)?, args.int(1)?);
    // Only 0, 1 and -1 have powers that need more than 32 bits of exponent.
    let small = count(exponent, "the exponent")?.min(64 + exponent as usize % 2) as u32;
    match base.checked_pow(small) {
        Some(power) => Ok(Value::Int(power)),
        None => overflow(format!("{base} to the power of {exponent} does not fit")),
    }
}

pub(super) fn sqrt(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let value = args.float(0)?;
    if value < 0.0 {
        return wrong("a negative number has no square root");
    }
    Ok(Value::Float(value.sqrt()))
}

pub(super) fn modulo(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    match args.int(1)? {
        0 => wrong("the divisor is 0"),
        by => Ok(Value::Int(args.int(0)?.wrapping_rem_euclid(by))),
    }
}

pub(super) fn div_ceil(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (a, b) = (args.int(0)?, args.int(1)?);
    if b == 0 {
        return wrong("the divisor is 0");
    }
    let Some(quotient) = a.checked_div(b) else { return overflow("the quotient does not fit") };
    let up = a % b != 0 && (a < 0) == (b < 0);
    Ok(Value::Int(quotient + i64::from(up)))
}

pub(super) fn bit_and(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(args.int(0)? & args.int(1)?))
}

pub(super) fn bit_or(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(args.int(0)? | args.int(1)?))
}

pub(super) fn bit_xor(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(args.int(0)? ^ args.int(1)?))
}

pub(super) fn shift_left(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let value = args.int(0)?;
    let bits = count(args.int(1)?, "the number of bits")?;
    if value == 0 {
        return Ok(Value::Int(0));
    }
    let shifted =
        u32::try_from(bits).ok().filter(|bits| *bits < 63).and_then(|bits| value.checked_mul(1 << bits));
    shifted.map_or_else(
        || overflow(format!("{value} shifted by {bits} bits does not fit")),
        |v| Ok(Value::Int(v)),
    )
}

pub(super) fn shift_right(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let bits = count(args.int(1)?, "the number of bits")?;
    Ok(Value::Int(args.int(0)? >> bits.min(63)))
}

fn base(args: Args<'_>, at: usize) -> Result<u32, Fault> {
    match args.opt_int(at)? {
        None => Ok(10),
        Some(base @ 2..=36) => Ok(base as u32),
        Some(base) => wrong(format!("the base is from 2 to 36, not {base}")),
    }
}

fn spelled_int(text: &str, base: u32) -> Option<i64> {
    // `+5` is no spelling of an int in a model, nor here.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    plain.then(|| i64::from_str_radix(text, base).ok()).flatten()
}

pub(super) fn string_to_int(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (text, base) = (args.str(0)?, base(args, 1)?);
    match spelled_int(text, base) {
        Some(v) => Ok(Value::Int(v)),
        None => wrong_help(format!("`{text}` is no int in base {base}"), "`.parse_int()` gives null for it"),
    }
}

pub(super) fn parse_int(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(spelled_int(args.str(0)?, base(args, 1)?).map_or(Value::Null, Value::Int))
}

pub(super) fn int_to_float(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    match args.get(0) {
        Value::Int(v) => Ok(Value::Float(*v as f64)),
        value @ Value::Float(_) => Ok(value.clone()),
        _ => Err(Fault::Kinds),
    }
}

fn spelled_float(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let value: f64 = text.parse().ok().filter(|_| plain && starts)?;
    value.is_finite().then_some(value + 0.0)
}

pub(super) fn string_to_float(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match spelled_float(text) {
        Some(v) => Ok(Value::Float(v)),
        None => wrong_help(format!("`{text}` is no float"), "`.parse_float()` gives null for it"),
    }
}

pub(super) fn parse_float(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(spelled_float(args.str(0)?).map_or(Value::Null, Value::Float))
}

fn digits(value: i64, base: u32) -> String {
    let mut rest = value.unsigned_abs();
    let mut out = Vec::new();
    loop {
        out.push(char::from_digit((rest % u64::from(base)) as u32, base).unwrap_or('0'));
        rest /= u64::from(base);
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.iter().rev().collect()
}

pub(super) fn to_base(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let base = base(args, 1)?;
    cx.string(digits(args.int(0)?, base))
}

pub(super) fn hex(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    cx.string(digits(args.int(0)?, 16))
}
