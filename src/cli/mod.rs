//! The command line: one file per command; `ui` is the only code that prints.
