//! `gops graph`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::workspace::Workspace;
use super::{Context, Exit, Failure};
use crate::graph::Graph;
use crate::graph::draw::{Focus, Picture, dot, mermaid, svg};

/// Draw the graph of resources
///
/// An arrow goes from a resource to what it needs; what is deployed on one target stands
/// together.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gops graph -o graph.svg                           open it in a browser
  gops graph --focus /srv/www/a/cert.pem -o a.svg   what is around one resource
  gops graph --format dot | dot -Tpdf > graph.pdf
  gops graph --format mermaid                       for Markdown that GitHub shows
  gops graph --format json                          the graph itself")]
pub(crate) struct Draw {
    /// What to make of it
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    format: Drawing,
    /// Draw only what is around this resource; may be given several times
    #[arg(long, value_name = "ID")]
    focus: Vec<String>,
    /// How many steps around it
    #[arg(long, value_name = "N", default_value_t = 2, requires = "focus")]
    depth: usize,
    /// Where to write it; standard output if left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The environment
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
}

/// `--format`
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Drawing {
    /// The document, in canonical JSON
    Json,
    /// For Graphviz
    Dot,
    /// For Mermaid, which GitHub and GitLab draw in Markdown
    Mermaid,
    /// A picture that a browser shows
    Svg,
}

impl Draw {
    pub fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut workspace = Workspace::open_active(context, self.env.as_deref())?;
        let Some(mut graph) = workspace.graph(context)? else { return Ok(Exit::Errors) };
        if matches!(self.format, Drawing::Json) {
            graph.header.source.revision = workspace.revision(context);
        }
        let text = self.draw(&graph)?;
        match &self.output {
            None => context.ui.result(&text),
            Some(path) => {
                let path = context.path(path);
                std::fs::write(&path, text).map_err(Failure::write(&path))?;
            }
        }
        Ok(Exit::Fine)
    }

    fn draw(&self, graph: &Graph) -> Result<String, Failure> {
        let mut ids = Vec::new();
        for written in &self.focus {
            ids.push(super::why::find(graph, written)?.into());
        }
        let focus = Focus { ids, depth: self.depth };
        let picture = || Picture::new(graph, Some(&focus).filter(|f| !f.ids.is_empty()));
        Ok(match self.format {
            Drawing::Json => String::from_utf8_lossy(&graph.to_canonical_json()).into_owned() + "\n",
            Drawing::Dot => dot(&picture()),
            Drawing::Mermaid => mermaid(&picture()),
            Drawing::Svg => svg(&picture()),
        })
    }
}
