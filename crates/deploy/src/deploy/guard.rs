//! What keeps a deploy from going ahead: more deletions than the project allows, and sources that
//! do not follow the ones deployed last.

use std::path::PathBuf;

use crate::git;
use crate::graph::Allow;
use crate::project::config::Limit;
use crate::state::Generation;

use super::Error;
use super::planning::plan::{Action, Plan};

/// Says whether one revision of the sources follows another.
pub trait Ancestry {
    /// Whether `revision` is `from` or descends from it; `None` if that cannot be said, as in a
    /// shallow clone.
    fn descends(&self, revision: &str, from: &str) -> Option<bool>;
}

/// The repository that a folder is in.
#[derive(Clone, Debug)]
pub struct Repository(pub PathBuf);

impl Ancestry for Repository {
    fn descends(&self, revision: &str, from: &str) -> Option<bool> {
        git::descends(&self.0, revision, from)
    }
}

/// Refuses sources that do not follow those of the last generation that was started: an old
/// commit that waited, or a history that was written anew. `accepted` names the revision whose
/// successor need not follow.
pub(super) fn follows(
    last: Option<&Generation>,
    revision: Option<&str>,
    accepted: Option<&str>,
    ancestry: &dyn Ancestry,
) -> Result<(), Error> {
    let clean = |revision: &str| revision.trim_end_matches('+').to_owned();
    let last = last.map(|generation| clean(&generation.revision)).filter(|last| !last.is_empty());
    // Outside of Git there is nothing to follow.
    let (Some(last), Some(revision)) = (last, revision.map(clean)) else { return Ok(()) };
    if last == revision || accepted.is_some_and(|accepted| accepted.len() >= 7 && last.starts_with(accepted))
    {
        return Ok(());
    }
    match ancestry.descends(&revision, &last) {
        Some(true) => Ok(()),
        known => Err(Error::Rewritten { revision, last, unknown: known.is_none() }),
    }
}

/// How many rows a generation takes away, and may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deletions {
    /// Taken away since it was started, or about to be.
    pub rows: u64,
    /// How many it may take away.
    pub limit: u64,
}

impl Deletions {
    /// Counts those of a plan. `resumed` is the generation that the plan goes on with; `before`
    /// the one that was started last before it; `known` how many rows there are.
    pub(super) fn of(
        plan: &Plan,
        limit: Limit,
        allow: &[Allow],
        resumed: Option<&Generation>,
        before: Option<&Generation>,
        known: u64,
    ) -> Self {
        let goes = |action: &Action| {
            matches!(action, Action::Delete { .. } | Action::Goes { .. } | Action::Replace { .. })
        };
        let planned =
            plan.entries.iter().filter(|entry| entry.blocked.is_none() && goes(&entry.action)).count();
        let rows = resumed.map_or(0, |generation| generation.removed) + planned as u64;
        let known = resumed.map_or(known, |generation| generation.rows);
        let limit = match limit {
            Limit::Count(count) => count,
            Limit::Percent(share) => (known * share).div_ceil(100).max(1),
        };
        let approved = allow.iter().filter(|allow| before.is_some_and(|g| g.desired == allow.base));
        let approved = approved.map(|allow| u64::from(allow.deletions)).max().unwrap_or(0);
        Deletions { rows, limit: limit.max(approved) }
    }

    /// Whether they are too many.
    pub(super) fn too_many(self) -> bool {
        self.rows > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::Timestamp;

    /// Revisions are numbers; one descends from those that it starts with.
    struct Prefix;

    impl Ancestry for Prefix {
        fn descends(&self, revision: &str, from: &str) -> Option<bool> {
            (!revision.contains('?')).then(|| revision.starts_with(from))
        }
    }

    fn generation(revision: &str) -> Generation {
        Generation {
            number: 1,
            revision: revision.into(),
            desired: "sha256:1".into(),
            graph: None,
            started: Timestamp(0),
            finished: None,
            rows: 10,
            removed: 2,
            history: Vec::new(),
            data: Default::default(),
            files: Vec::new(),
            author: Default::default(),
            cause: Default::default(),
        }
    }

    #[test]
    fn only_what_follows_is_deployed() {
        let check = |last: &str, revision: Option<&str>, accepted: Option<&str>| {
            follows(Some(&generation(last)), revision, accepted, &Prefix).is_ok()
        };
        assert!(check("1111111", Some("11111112"), None));
        assert!(check("1111111+", Some("1111111"), None));
        assert!(!check("1111111", Some("2222222"), None));
        assert!(!check("1111111", Some("1111?"), None));
        assert!(check("1111111", Some("2222222"), Some("1111111")));
        assert!(!check("1111111", Some("2222222"), Some("2222222")));
        assert!(!check("1111111", Some("2222222"), Some("1")));
        // Outside of Git, and in a first run.
        assert!(check("", Some("2"), None) && check("1", None, None));
        assert!(follows(None, Some("1"), None, &Prefix).is_ok());
    }

    #[test]
    fn deletions_count_from_the_start_of_the_generation() {
        let plan = Plan::empty(Default::default(), crate::graph::Digest::of(b""));
        let allow = [Allow { base: "sha256:1".into(), deletions: 5 }];
        let last = generation("1");
        let of =
            |limit, allow: &[Allow], resumed| Deletions::of(&plan, limit, allow, resumed, Some(&last), 3);
        assert_eq!(of(Limit::Count(1), &[], Some(&last)), Deletions { rows: 2, limit: 1 });
        assert_eq!(of(Limit::Percent(1), &[], Some(&last)).limit, 1);
        assert_eq!(of(Limit::Percent(11), &[], Some(&last)).limit, 2);
        assert_eq!(of(Limit::Percent(50), &[], None), Deletions { rows: 0, limit: 2 });
        assert_eq!(of(Limit::Count(1), &allow, Some(&last)).limit, 5);
        assert!(of(Limit::Count(1), &[], Some(&last)).too_many());
    }
}
