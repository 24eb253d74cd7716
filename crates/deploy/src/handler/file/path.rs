//! What a path may be, by its text alone.

use crate::handler::Problem;

/// The longest path and the longest name that Linux takes.
const LONGEST_PATH: usize = 4095;
const LONGEST_NAME: usize = 255;

/// Says what is wrong with the path of a managed file, each mistake in its own words.
pub(super) fn problem(path: &str) -> Option<Problem> {
    let (message, help) = mistake(path)?;
    Some(Problem { field: "path".into(), message, help: Some(help.to_owned()) })
}

fn mistake(path: &str) -> Option<(String, &'static str)> {
    if path.contains('\0') {
        return Some((format!("the path {path:?} holds a NUL"), "take the NUL out"));
    }
    if path.contains('\n') {
        return Some((format!("the path {path:?} holds a newline"), "take the newline out"));
    }
    if !path.starts_with('/') {
        return Some((format!("the path `{path}` is not absolute"), "start it with `/`"));
    }
    if path == "/" {
        return Some(("the path `/` is the root itself".to_owned(), "name something below it"));
    }
    if path.len() > LONGEST_PATH {
        return Some((format!("the path has {} bytes", path.len()), "Linux takes 4095 at most"));
    }
    path.split('/').skip(1).find_map(|part| match part {
        "" => {
            Some((format!("the path `{path}` has an empty part"), "write each `/` once, and none at the end"))
        }
        "." => Some((format!("the path `{path}` has a part `.`"), "leave the `.` out")),
        ".." => Some((format!("the path `{path}` has a part `..`"), "write the path that it leads to")),
        long if long.len() > LONGEST_NAME => {
            Some((format!("a part of the path has {} bytes", long.len()), "Linux takes 255 at most"))
        }
        _ => None,
    })
}

/// A path as its parent and its last part. The path is one without a [`problem`].
pub(super) fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((parent, name)) => (parent, name),
        None => ("/", path),
    }
}

/// The folders above a path, the nearest first, without the root.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    fn up<'a>(path: &&'a str) -> Option<&'a str> {
        let (parent, _) = split(path);
        (parent != "/").then_some(parent)
    }
    std::iter::successors(Some(path), up).skip(1)
}

/// The part of a path below a folder, without a leading `/`; `None` if it is not below.
pub(super) fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let folder = if folder == "/" { "" } else { folder.trim_end_matches('/') };
    path.strip_prefix(folder)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_its_own_message() {
        let long = format!("/{}", "x".repeat(256));
        let mut messages: Vec<String> =
            ["", "a/b", "/", "/a/../b", "/a/./b", "/a//b", "/a/", "/a\0", "/a\nb", &long, &"/a".repeat(3000)]
                .into_iter()
                .map(|path| problem(path).unwrap_or_else(|| panic!("{path:?} is fine")).message)
                .collect();
        messages.sort();
        let all = messages.len();
        messages.dedup();
        assert_eq!(messages.len(), all);
        for path in ["/a", "/a/b.c", "/…/ä b", "/a/..b", "/.a"] {
            assert_eq!(problem(path), None, "{path}");
        }
    }

    #[test]
    fn paths_come_apart() {
        assert_eq!(split("/a"), ("/", "a"));
        assert_eq!(split("/a/b"), ("/a", "b"));
        assert_eq!(ancestors("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a"]);
        assert_eq!(ancestors("/a").count(), 0);
        assert_eq!(below("/srv/www", "/srv"), Some("www"));
        assert_eq!(below("/srv/www", "/"), Some("srv/www"));
        assert_eq!(below("/srvx/www", "/srv"), None);
        assert_eq!(below("/srv", "/srv"), None);
        assert_eq!(below("/", "/"), None);
    }
}
