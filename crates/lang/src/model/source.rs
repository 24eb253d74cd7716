//! Where the instances of a slice are: `slices/sites`, `vlans.yaml`, `sites/{host}/{name}.yml`.

use ecow::EcoString;

/// The text of `in "…"`, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourcePattern {
    /// The segments of the path.
    pub segments: Vec<Segment>,
}

/// A part of a path between two `/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Segment {
    /// As it stands.
    Text(EcoString),
    /// `{name}` or `{name}.yml`: the key that it binds, and what follows it.
    Key {
        /// What stands between the braces.
        key: EcoString,
        /// What follows: empty, or an extension with its dot.
        suffix: EcoString,
    },
}

/// What a source without placeholders leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceKind {
    /// Every instance file below a folder.
    Folder,
    /// One file.
    File,
    /// What the placeholders match.
    Pattern,
}

/// The extensions of instance files.
pub const EXTENSIONS: [&str; 3] = [".yaml", ".yml", ".json"];

impl SourcePattern {
    /// Reads the text of a source. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<SourcePattern, String> {
        if text.is_empty() {
            return Err("the path of a slice is empty".to_owned());
        }
        if text.starts_with('/') {
            return Err("the path of a slice is relative to the project's root".to_owned());
        }
        if text.contains('\\') {
            return Err("the parts of a path are separated by `/`".to_owned());
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        let segments = text.split('/').map(Segment::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(SourcePattern { segments })
    }

    /// What it leads to.
    pub fn kind(&self) -> SourceKind {
        if self.segments.iter().any(|s| matches!(s, Segment::Key { .. })) {
            return SourceKind::Pattern;
        }
        match self.segments.last() {
            Some(Segment::Text(last)) if EXTENSIONS.iter().any(|e| last.ends_with(e)) => SourceKind::File,
            _ => SourceKind::Folder,
        }
    }

    /// The names between braces, in order.
    pub fn keys(&self) -> impl Iterator<Item = &EcoString> {
        self.segments.iter().filter_map(|s| match s {
            Segment::Key { key, .. } => Some(key),
            Segment::Text(_) => None,
        })
    }

    /// Whether one of two sources lies in the other or is the other. Patterns are left out.
    pub fn overlaps(&self, other: &SourcePattern) -> bool {
        if self.kind() == SourceKind::Pattern || other.kind() == SourceKind::Pattern {
            return false;
        }
        let shared = self.segments.iter().zip(&other.segments);
        shared.into_iter().all(|(a, b)| a == b)
    }

    /// What the keys are if `path` matches, in the order of the placeholders.
    pub fn bind<'a>(&self, path: &'a str) -> Option<Vec<(&EcoString, &'a str)>> {
        let mut parts = path.split('/');
        let mut bound = Vec::new();
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Text(text) if text == part => {}
                Segment::Text(_) => return None,
                Segment::Key { key, suffix } => {
                    let value = part.strip_suffix(suffix.as_str()).filter(|v| !v.is_empty())?;
                    bound.push((key, value));
                }
            }
        }
        parts.next().is_none().then_some(bound)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Segment, String> {
        match text {
            "" => return Err("a part of the path is empty".to_owned()),
            "." | ".." => return Err(format!("`{text}` cannot stand in the path of a slice")),
            _ => {}
        }
        let Some(inner) = text.strip_prefix('{') else {
            return match text.contains(['{', '}']) {
                true => {
                    Err(format!("a placeholder fills a whole part of the path or its stem, unlike `{text}`"))
                }
                false => Ok(Segment::Text(text.into())),
            };
        };
        let Some((key, suffix)) = inner.split_once('}') else {
            return Err(format!("`{text}` lacks its `}}`"));
        };
        if suffix.contains(['{', '}']) || !(suffix.is_empty() || suffix.starts_with('.')) {
            return Err(format!("a placeholder fills a whole part of the path or its stem, unlike `{text}`"));
        }
        if key.is_empty() {
            return Err("a placeholder names a key: `{name}`".to_owned());
        }
        Ok(Segment::Key { key: key.into(), suffix: suffix.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> SourcePattern {
        SourcePattern::parse(text).unwrap()
    }

    #[test]
    fn placeholders_bind_segments_and_stems() {
        let source = pattern("gitops/{host}/{name}/manifest.yml");
        let bound = source.bind("gitops/h1/web/manifest.yml").unwrap();
        assert_eq!(bound, [(&"host".into(), "h1"), (&"name".into(), "web")]);
        assert_eq!(source.bind("gitops/h1/web/manifest.yaml"), None);
        assert_eq!(source.bind("gitops/h1/manifest.yml"), None);
        let stem = pattern("sites/{name}.yaml");
        assert_eq!(stem.bind("sites/a.b.yaml").unwrap(), [(&"name".into(), "a.b")]);
        assert_eq!(stem.bind("sites/.yaml"), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "/a", "a//b", "../a", "a\\b", "a/x{n}", "{}", "a/{n", "{a}{b}", "{a}x"] {
            assert!(SourcePattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_holds_what_is_below_it() {
        assert!(pattern("a").overlaps(&pattern("a/b")));
        assert!(pattern("a/b.yaml").overlaps(&pattern("a")));
        assert!(pattern("a/").overlaps(&pattern("a")));
        assert!(!pattern("a").overlaps(&pattern("ab")));
        assert!(!pattern("a").overlaps(&pattern("a/{name}.yaml")));
        assert_eq!(pattern("a/b.yml").kind(), SourceKind::File);
        assert_eq!(pattern("a/{n}.yml").kind(), SourceKind::Pattern);
    }
}
