//! An object by what a person writes.

use ecow::EcoString;

use super::Graph;
use super::id;

/// Why there is no one object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Several are called so.
    #[error("`{text}` is the short form of {} ids", .ids.len())]
    Several {
        /// What was written.
        text: String,
        /// Their full ids.
        ids: Vec<EcoString>,
    },
    /// None is called so.
    #[error("there is no `{text}` in the graph")]
    None {
        /// What was written.
        text: String,
        /// What may be meant, the likeliest first, ten at most.
        similar: Vec<EcoString>,
    },
}

/// How many suggestions there are at most.
const SUGGESTIONS: usize = 10;

impl Graph {
    /// The id of the node or target that `text` names: a full id, or one without the first
    /// parts of its type's path (`TextFile[host=h1,path=/etc/motd]`), or the value of one of its
    /// keys, if no other has it.
    pub fn find(&self, text: &str) -> Result<&EcoString, FindError> {
        let ids = || self.nodes.iter().map(|n| &n.id).chain(self.targets.iter().map(|t| &t.id));
        if let Some(id) = ids().find(|id| *id == text) {
            return Ok(id);
        }
        let is_end = |id: &&EcoString| id.strip_suffix(text).is_some_and(|start| start.ends_with("::"));
        let mut found: Vec<&EcoString> =
            ids().filter(is_end).filter(|id| text.len() >= id::short(id).len()).collect();
        if found.is_empty() {
            let wanted = id::shown(text);
            // A path that is written must be that of the type.
            let path = |id: &str| id::type_path(id).to_owned();
            let is_it = |id: &&EcoString| {
                id::shown(id) == wanted && (!path(text).contains("::") || path(text) == path(id))
            };
            found = ids().filter(is_it).collect();
        }
        if found.is_empty() {
            found = ids().filter(|id| id::has_key(id, text)).collect();
        }
        found.sort();
        found.dedup();
        match found.as_slice() {
            [id] => Ok(id),
            [] => Err(FindError::None { text: text.to_owned(), similar: similar(text, ids()) }),
            several => {
                let ids = several.iter().map(|id| (*id).clone()).collect();
                Err(FindError::Several { text: text.to_owned(), ids })
            }
        }
    }
}

/// Ids that hold the text, or else the one that looks most like it.
fn similar<'a>(text: &str, ids: impl Iterator<Item = &'a EcoString>) -> Vec<EcoString> {
    let ids: Vec<&EcoString> = ids.collect();
    let mut holding: Vec<EcoString> =
        ids.iter().filter(|id| id.contains(text)).map(|id| (*id).clone()).collect();
    if !holding.is_empty() {
        holding.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        holding.dedup();
        holding.truncate(SUGGESTIONS);
        return holding;
    }
    let nearest = crate::diag::nearest(text, ids.iter().map(|id| id::short(id)));
    let nearest = nearest.or_else(|| crate::diag::nearest(text, ids.iter().map(|id| id.as_str())));
    let is_it = |id: &&&EcoString| nearest.is_some_and(|n| id.as_str() == n || id::short(id) == n);
    ids.iter().filter(is_it).take(1).map(|id| (*id).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::bare;
    use super::*;

    #[test]
    fn people_write_less() {
        let ids = ["a::T[n=1]", "b::T[n=1]", "b::T[n=2]", "c::d::U[x=\"a::b[\"]", "c::V[host=null,path=/x]"];
        let graph = Graph::new(Default::default(), Vec::new(), ids.map(|id| bare(id, &[])).to_vec()).unwrap();
        let found = |text: &str| graph.find(text).map(EcoString::as_str);
        assert_eq!(found("b::T[n=1]"), Ok("b::T[n=1]"));
        assert_eq!(found("T[n=2]"), Ok("b::T[n=2]"));
        assert_eq!(found("d::U[x=\"a::b[\"]"), Ok("c::d::U[x=\"a::b[\"]"));
        assert_eq!(found("U[x=\"a::b[\"]"), Ok("c::d::U[x=\"a::b[\"]"));
        assert_eq!(found("V[path=/x]"), Ok("c::V[host=null,path=/x]"));
        let several = found("T[n=1]").unwrap_err();
        assert_eq!(several.to_string(), "`T[n=1]` is the short form of 2 ids");
        let similar = |text: &str| match found(text) {
            Err(FindError::None { similar, .. }) => similar.join(" "),
            other => format!("{other:?}"),
        };
        assert_eq!(similar("n=1"), "a::T[n=1] b::T[n=1]");
        assert_eq!(similar("t[m=2]"), "b::T[n=2]");
        assert_eq!(similar("b[\"]"), "c::d::U[x=\"a::b[\"]");
        assert_eq!(similar("something else"), "");
    }
}
