//! What a reviewer reads of a change, in each format; and how both sides are compiled.

mod human;
mod json;
mod markdown;
mod sides;

use clap::ValueEnum;

use super::ui::Ui;
use crate::diag::render::{Format, Totals};
use crate::project::guard::Exceeded;
use crate::project::review::{Item, Review, What, Why};

pub(crate) use sides::{compare, find_base};

/// `--format` of a command that shows a change.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReviewFormat {
    /// For a terminal
    Human,
    /// For a comment in a pull request
    Markdown,
    /// One JSON object
    Json,
    /// Diagnostics in one line each: `path:line:column: error[CODE]: message`
    Concise,
    /// Diagnostics in SARIF 2.1.0, for code scanning
    Sarif,
    /// Diagnostics as annotations of GitHub Actions
    Github,
}

impl From<ReviewFormat> for Format {
    fn from(format: ReviewFormat) -> Self {
        match format {
            ReviewFormat::Human | ReviewFormat::Markdown => Format::Human,
            ReviewFormat::Json => Format::Json,
            ReviewFormat::Concise => Format::Concise,
            ReviewFormat::Sarif => Format::Sarif,
            ReviewFormat::Github => Format::Github,
        }
    }
}

/// What is compared, for the head of a report.
pub(crate) struct Subject<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The environment.
    pub env: Option<&'a str>,
    /// The base, as people call it.
    pub base: &'a str,
    /// The full id of its commit.
    pub base_id: Option<&'a str>,
    /// What is not as one would expect: the base has no such project.
    pub note: Option<&'a str>,
}

impl Subject<'_> {
    /// `1a2b3c4d5e6f`
    fn short(&self) -> Option<&str> {
        self.base_id.map(|id| id.get(..12).unwrap_or(id))
    }
}

/// A report.
pub(crate) struct Report<'a> {
    pub subject: Subject<'a>,
    pub review: &'a Review,
    /// If it deletes more than it may.
    pub exceeded: Option<&'a Exceeded>,
    /// What is said of both sides and is no mistake: a line each.
    pub warnings: &'a str,
}

impl Report<'_> {
    pub fn text(&self, format: ReviewFormat, ui: &Ui) -> String {
        match format {
            ReviewFormat::Markdown => markdown::report(self),
            ReviewFormat::Json => json::report(self),
            _ => human::report(self, ui),
        }
    }
}

/// The report of a change that has none, for formats that somebody waits for.
pub(crate) fn without(
    subject: &Subject<'_>,
    why: &str,
    totals: Totals,
    format: ReviewFormat,
) -> Option<String> {
    match format {
        ReviewFormat::Markdown => Some(markdown::without(subject, why, totals)),
        ReviewFormat::Json => Some(json::without(subject, why)),
        _ => None,
    }
}

/// `2 to delete, 1 to create`; `no change` if there is none.
fn totals(review: &Review) -> String {
    let counted = What::ALL.map(|what| (review.count(what), what));
    let mut parts: Vec<String> =
        counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| what.counted(*n)).collect();
    match review.targets.len() {
        0 => {}
        1 => parts.push("1 target changes".to_owned()),
        n => parts.push(format!("{n} targets change")),
    }
    if parts.is_empty() { "no change".to_owned() } else { parts.join(", ") }
}

/// What something transient is there for, in a line; `code` marks an id.
fn until(item: &Item, code: impl Fn(&str) -> String) -> Option<String> {
    let node = item.entry.new.as_ref().filter(|_| item.what == What::Transient)?;
    let short = crate::graph::id::shown;
    let first = code(&short(node.until.first()?));
    Some(match node.until.len() {
        1 => format!("until {first} is done"),
        n => format!("until {first} and {} more are done", n - 1),
    })
}

/// Why something goes, or cannot, in a line; `code` marks an element.
fn why(item: &Item, code: impl Fn(&str) -> String) -> Option<String> {
    if item.what == What::Refuse {
        return Some(
            "it is protected, and would have to be made anew: take `protect` away in a change of its own first"
                .to_owned(),
        );
    }
    if item.what == What::Replace && item.keeps_old {
        return Some(format!("the old one stays where it is: the model says {}", code("keep")));
    }
    let short = crate::graph::id::shown;
    let why = match item.why.as_ref()? {
        Why::Gone(element) => format!("{} is gone", code(&short(element))),
        Why::NotMade(element) => format!("{} does not make it any more", code(&short(element))),
        Why::Model => "the model does not make it any more".to_owned(),
    };
    // Protection comes first: it is not even let go of.
    Some(match item.entry.old.as_ref().filter(|_| item.what == What::Leave) {
        Some(node) if node.protect => {
            format!("{why}, but it is protected: it stays until `gops state unprotect` lets it go")
        }
        Some(_) => format!("{why}; it was to be kept: it stays, and nobody manages it"),
        None => why,
    })
}
