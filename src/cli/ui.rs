//! Everything that the program says to people: the only code that prints.
//!
//! What was asked for goes to standard output, all else to standard error. A reader that
//! closes the pipe (`gops check | head -1`) is no error: the rest of the output is dropped, and
//! the command goes on and ends as it would have.

use std::io::{IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ColorChoice;
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{Exit, Failure};
use crate::diag::render::{Format, Sources, Totals, render};
use crate::diag::{Diagnostic, Severity};

/// Where a text goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Speaks with the user.
#[derive(Debug)]
pub struct Ui {
    out_color: bool,
    err_color: bool,
    quiet: bool,
    verbose: u8,
    progress: bool,
}

impl Ui {
    /// Reads from the terminal and the environment what was left to them.
    pub fn new(color: ColorChoice, quiet: bool, verbose: u8, progress: bool) -> Self {
        let auto = |choice| choice != anstream::ColorChoice::Never;
        let (out_color, err_color) = match color {
            ColorChoice::Always => (true, true),
            ColorChoice::Never => (false, false),
            ColorChoice::Auto => (
                auto(anstream::AutoStream::choice(&std::io::stdout())),
                auto(anstream::AutoStream::choice(&std::io::stderr())),
            ),
        };
        let progress = progress && !quiet && std::io::stderr().is_terminal();
        Ui { out_color, err_color, quiet, verbose, progress }
    }

    /// Whether what goes there is coloured.
    pub fn color(&self, stream: Stream) -> bool {
        match stream {
            Stream::Out => self.out_color,
            Stream::Err => self.err_color,
        }
    }

    /// Whether somebody watches who would like to see progress.
    pub fn progress(&self) -> bool {
        self.progress
    }

    /// Prints what was asked for.
    pub fn result(&self, text: &str) {
        write(Stream::Out, text.as_bytes());
    }

    /// The same for bytes.
    pub fn bytes(&self, bytes: &[u8]) {
        write(Stream::Out, bytes);
    }

    /// Says what was done, in a line on standard error; not with `-q`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            write(Stream::Err, format!("{text}\n").as_bytes());
        }
    }

    /// Says something that only `-v` wants to know.
    pub fn detail(&self, text: &str) {
        if self.verbose > 0 {
            self.note(text);
        }
    }

    /// Shows diagnostics. With `-q`, only errors.
    pub fn diagnostics(&self, format: Format, diagnostics: &[Diagnostic], sources: &dyn Sources, to: Stream) {
        let errors: Vec<Diagnostic>;
        let shown = match self.quiet {
            true => {
                let is_error = |d: &&Diagnostic| d.severity == Severity::Error;
                errors = diagnostics.iter().filter(is_error).cloned().collect();
                &errors
            }
            false => diagnostics,
        };
        write(to, render(format, shown, sources, self.color(to)).as_bytes());
    }

    /// Bold, where there is colour.
    pub fn bold(&self, text: &str, stream: Stream) -> String {
        self.style(text, "1", stream)
    }

    /// Red: what goes, what is wrong.
    pub fn red(&self, text: &str, stream: Stream) -> String {
        self.style(text, "31", stream)
    }

    /// Green: what comes, what is well.
    pub fn green(&self, text: &str, stream: Stream) -> String {
        self.style(text, "32", stream)
    }

    /// Yellow: what changes.
    pub fn yellow(&self, text: &str, stream: Stream) -> String {
        self.style(text, "33", stream)
    }

    /// Faint: what most readers skip.
    pub fn faint(&self, text: &str, stream: Stream) -> String {
        self.style(text, "2", stream)
    }

    /// Whether more is to be said.
    pub fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Replaces the `before` lines above the cursor of the terminal. None is longer than the
    /// terminal is wide, else the next call would not find them.
    pub fn redraw(&self, before: usize, lines: &[String]) {
        let mut text = String::new();
        if before > 0 {
            text += &format!("\x1b[{before}A");
        }
        // Erases to the end of the screen; long lines are cut, not wrapped.
        text += "\x1b[J\x1b[?7l";
        for line in lines {
            text += line;
            text.push('\n');
        }
        text += "\x1b[?7h";
        write(Stream::Err, text.as_bytes());
    }

    /// Asks a question whose answer is no, unless it is yes. None: nobody is there to answer.
    pub fn confirm(&self, question: &str) -> Option<bool> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        write(Stream::Err, format!("{question} [y/N] ").as_bytes());
        let mut answer = String::new();
        stdin.read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    fn style(&self, text: &str, code: &str, stream: Stream) -> String {
        match self.color(stream) {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    /// `2 errors, 1 warning`, red if there are errors.
    pub fn totals(&self, totals: Totals, stream: Stream) -> String {
        let code = match (totals.errors, totals.warnings) {
            (0, 0) => "1;32",
            (0, _) => "1;33",
            _ => "1;31",
        };
        self.style(&totals.to_string(), code, stream)
    }

    /// Says why the command could not do its work.
    pub fn failure(&self, failure: Failure) {
        let theme =
            if self.err_color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100);
        let mut text = String::new();
        if handler.render_report(&mut text, &failure).is_err() {
            text = failure.to_string();
        }
        write(Stream::Err, format!("{}\n", text.trim_matches('\n')).as_bytes());
    }
}

/// Shows what clap has to say: help and the version are wanted, all else is wrong usage.
pub fn usage(error: &clap::Error) -> Exit {
    // clap finds out about colour itself; a closed pipe does not matter.
    let _ = error.print();
    if error.use_stderr() { Exit::Errors } else { Exit::Fine }
}

/// Writes, until nobody reads any more.
fn write(stream: Stream, bytes: &[u8]) {
    static CLOSED: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];
    let closed = &CLOSED[stream as usize];
    if closed.load(Ordering::Relaxed) {
        return;
    }
    let written = match stream {
        Stream::Out => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Stream::Err => std::io::stderr().lock().write_all(bytes),
    };
    if written.is_err() {
        closed.store(true, Ordering::Relaxed);
    }
}
