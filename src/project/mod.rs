//! One call for everybody: a project in, diagnostics and a graph out.
