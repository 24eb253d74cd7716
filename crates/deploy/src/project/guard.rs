//! How many deletions a change may make before it has to say so itself.

use crate::base::FileId;
use crate::diag::codes::project as codes;
use crate::diag::{Diagnostic, Place};

use super::config::{CONFIG_FILE, Guard, Limit};
use super::review::Review;

impl Limit {
    /// How many of so many resources. A share rounds up, and is at least one.
    pub fn of(self, resources: usize) -> usize {
        match self {
            Limit::Count(n) => usize::try_from(n).unwrap_or(usize::MAX),
            Limit::Percent(percent) => {
                let share = (resources as u128 * u128::from(percent)).div_ceil(100);
                usize::try_from(share).unwrap_or(usize::MAX).max(1)
            }
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Limit::Count(n) => write!(f, "{n}"),
            Limit::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A change that deletes more than it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// How many it deletes or replaces.
    pub deletions: usize,
    /// How many it may.
    pub limit: usize,
    /// What to write into gops.toml to approve it.
    pub approval: String,
}

/// Whether a change deletes more than `[guard]` lets it, and says so nowhere. An approval is good
/// for one base alone.
pub fn exceeded(guard: &Guard, review: &Review) -> Option<Exceeded> {
    let limit = guard.max_deletions?.of(review.old.resources);
    let deletions = review.deletions();
    let base = review.old.desired.to_string();
    let approved = guard.allow.iter().any(|(of, n)| *of == base && *n >= deletions as u64);
    if deletions <= limit || approved {
        return None;
    }
    let approval = format!("[[guard.allow]]\nbase = \"{base}\"\ndeletions = {deletions}");
    Some(Exceeded { deletions, limit, approval })
}

impl Exceeded {
    /// As a problem of gops.toml.
    pub fn diagnostic(&self, guard: &Guard) -> Diagnostic {
        let place = Place::span(FileId::new(CONFIG_FILE), guard.limit_span);
        let Exceeded { deletions, limit, approval } = self;
        let s = if *deletions == 1 { "" } else { "s" };
        let message =
            format!("this change deletes or replaces {deletions} resource{s}, and may do so with {limit}");
        Diagnostic::new(codes::TOO_MANY_DELETIONS, place, message)
            .at("the limit")
            .help(format!("if that is meant, write at the end of gops.toml:\n{approval}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_rounds_up() {
        for (percent, resources, limit) in
            [(10, 0, 1), (10, 1, 1), (10, 10, 1), (10, 11, 2), (0, 50, 1), (100, 7, 7)]
        {
            assert_eq!(Limit::Percent(percent).of(resources), limit, "{percent}% of {resources}");
        }
        assert_eq!(Limit::Count(0).of(100), 0);
    }
}
