//! Paths as text, with `/` between the parts. Nothing is looked up.

use crate::eval::value::Value;

use super::{Args, Cx, Done, wrong};

/// The parts of a path without `.` and doubled slashes; `..` takes away what stands before it.
fn parts(path: &str) -> Vec<&str> {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // There is nothing above the root.
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    parts
}

fn joined(absolute: bool, parts: &[&str]) -> String {
    match (absolute, parts) {
        (true, parts) => format!("/{}", parts.join("/")),
        (false, []) => ".".to_owned(),
        (false, parts) => parts.join("/"),
    }
}

pub(super) fn basename(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let path = args.str(0)?.trim_end_matches('/');
    cx.string(path.rsplit('/').next().unwrap_or_default())
}

pub(super) fn dirname(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let path = args.str(0)?;
    let trimmed = path.trim_end_matches('/');
    cx.string(match trimmed.rsplit_once('/') {
        Some((folder, _)) if !folder.trim_end_matches('/').is_empty() => folder.trim_end_matches('/'),
        Some(_) => "/",
        None if trimmed.is_empty() && path.starts_with('/') => "/",
        None => ".",
    })
}

pub(super) fn extension(_: &mut Cx<'_>, args: Args<'_>) -> Done {
    let name = args.str(0)?.rsplit('/').next().unwrap_or_default();
    Ok(match name.rsplit_once('.') {
        // A dot at the start makes a hidden file, not an extension.
        Some((before, after)) if !before.is_empty() && !after.is_empty() => Value::Str(after.into()),
        _ => Value::Null,
    })
}

pub(super) fn join_path(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (folder, part) = (args.str(0)?, args.str(1)?);
    let whole = if part.starts_with('/') { part.to_string() } else { format!("{folder}/{part}") };
    let absolute = part.starts_with('/') || folder.starts_with('/');
    // An empty folder is where one is, not the root.
    let whole = if absolute { whole.as_str() } else { whole.trim_start_matches('/') };
    cx.string(joined(absolute, &parts(whole)))
}

pub(super) fn relative(cx: &mut Cx<'_>, args: Args<'_>) -> Done {
    let (path, base) = (args.str(0)?, args.str(1)?);
    if path.starts_with('/') != base.starts_with('/') {
        return wrong(format!("there is no way from `{base}` to `{path}`: one of them is absolute"));
    }
    let (to, from) = (parts(path), parts(base));
    let same = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let (to, from) = (to.get(same..).unwrap_or_default(), from.get(same..).unwrap_or_default());
    if from.contains(&"..") {
        return wrong(format!("the way up from `{base}` is not known"));
    }
    let mut way = vec![".."; from.len()];
    way.extend_from_slice(to);
    cx.string(joined(false, &way))
}
