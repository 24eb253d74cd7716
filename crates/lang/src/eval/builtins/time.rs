//! Durations and sizes.

use crate::base::quantity::{parse_duration, parse_size};
use crate::eval::value::Value;

use super::{Args, Cx, Done, Fault, wrong_help};

pub(super) fn duration(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match parse_duration(text) {
        Ok(nanoseconds) => Ok(Value::Duration(nanoseconds)),
        Err(error) => wrong_help(format!("`{text}` is no duration: {error}"), "write `30s`, `5m`, `1h30m`"),
    }
}

pub(super) fn size(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let text = args.str(0)?;
    match parse_size(text) {
        Ok(bytes) => Ok(Value::Size(bytes)),
        Err(error) => wrong_help(format!("`{text}` is no size: {error}"), "write `512B`, `20GiB`, `3GB`"),
    }
}

fn nanoseconds(args: Args<'_>) -> Result<i64, Fault> {
    match args.get(0) {
        Value::Duration(nanoseconds) => Ok(*nanoseconds),
        _ => Err(Fault::Kinds),
    }
}

pub(super) fn seconds(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(nanoseconds(args)? / 1_000_000_000))
}

pub(super) fn milliseconds(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    Ok(Value::Int(nanoseconds(args)? / 1_000_000))
}

pub(super) fn bytes(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    match args.get(0) {
        Value::Size(bytes) => Ok(Value::Int(*bytes)),
        _ => Err(Fault::Kinds),
    }
}
