//! Why something is in the graph: what made it, what it needs, and who needs it.

use super::Graph;
use super::node::{Node, Origin, Target};

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject<'a> {
    /// A resource.
    Node(&'a Node),
    /// A target.
    Target(&'a Target),
}

/// One end of a requirement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link<'a> {
    /// The object at the other end.
    pub id: &'a str,
    /// The reason of the requirement.
    pub why: &'a str,
    /// What made the object at the other end, if it is in the graph.
    pub origin: Option<&'a Origin>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Why<'a> {
    /// What was asked about, with the instance's line, the element and the model's line that
    /// made it ([`Why::origin`]).
    pub subject: Subject<'a>,
    /// Where it is deployed; none for a target and for the machine that deploys.
    pub target: Option<&'a Target>,
    /// Under which id it went before.
    pub moved_from: Option<&'a str>,
    /// What it requires, by id.
    pub requires: Vec<Link<'a>>,
    /// What requires it, by id; of a target, what is deployed on it.
    pub required_by: Vec<Link<'a>>,
}

impl<'a> Why<'a> {
    /// What made it.
    pub fn origin(&self) -> &'a Origin {
        match self.subject {
            Subject::Node(node) => &node.origin,
            Subject::Target(target) => &target.origin,
        }
    }

    /// Its id.
    pub fn id(&self) -> &'a str {
        match self.subject {
            Subject::Node(node) => &node.id,
            Subject::Target(target) => &target.id,
        }
    }
}

/// Why the node or target with this full id is in the graph; none: it is not. See
/// [`Graph::find`] for the ids that people write.
pub fn why<'a>(graph: &'a Graph, id: &str) -> Option<Why<'a>> {
    let moved_from = graph.header.moves.iter().find(|m| m.to == id).map(|m| m.from.as_str());
    if let Some(node) = graph.node(id) {
        let link = |id: &'a str, why| Link { id, why, origin: graph.node(id).map(|n| &n.origin) };
        let requires = node.requires.iter().map(|r| link(&r.id, &r.why)).collect();
        let users = graph.nodes.iter().filter_map(|user| {
            let require = user.requires.iter().find(|r| r.id == id)?;
            Some(Link { id: &user.id, why: &require.why, origin: Some(&user.origin) })
        });
        let required_by = users.collect();
        let target = graph.target(&node.target);
        return Some(Why { subject: Subject::Node(node), target, moved_from, requires, required_by });
    }
    let target = graph.target(id)?;
    let on_it = graph.nodes.iter().filter(|n| n.target == target.id);
    let link = |n: &'a Node| Link { id: &n.id, why: "deployed on it", origin: Some(&n.origin) };
    let required_by = on_it.map(link).collect();
    Some(Why {
        subject: Subject::Target(target),
        target: None,
        moved_from,
        requires: Vec::new(),
        required_by,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bare, header};
    use super::*;
    use crate::graph::GraphValue;

    #[test]
    fn both_ends_are_named() {
        let mut file = bare("m::T[n=1]", &["m::D[n=a]", "m::D[n=gone]"]);
        file.target = "m::H[n=h]".into();
        file.origin.model = "model/a.gops:1:1".into();
        let mut folder = bare("m::D[n=a]", &[]);
        folder.origin.instance = "slices/a.yaml:2:3".into();
        let fields = GraphValue::Map(Vec::new());
        let origin = Origin::default();
        let host = Target { id: "m::H[n=h]".into(), type_: "m::H".into(), fields, origin };
        let graph = Graph::new(header(), vec![host], vec![file, folder]).unwrap();
        let about = why(&graph, "m::T[n=1]").unwrap();
        assert_eq!(about.origin().model, "model/a.gops:1:1");
        assert_eq!(about.target.map(|t| t.id.as_str()), Some("m::H[n=h]"));
        assert_eq!(about.moved_from, Some("m::T[n=100]"));
        let ends: Vec<_> =
            about.requires.iter().map(|l| (l.id, l.why, l.origin.map(|o| o.instance.as_str()))).collect();
        assert_eq!(
            ends,
            [("m::D[n=a]", "after", Some("slices/a.yaml:2:3")), ("m::D[n=gone]", "after", None)]
        );
        let about = why(&graph, "m::D[n=a]").unwrap();
        assert_eq!(about.required_by.iter().map(|l| l.id).collect::<Vec<_>>(), ["m::T[n=1]"]);
        let about = why(&graph, "m::H[n=h]").unwrap();
        assert_eq!((about.id(), about.required_by.len()), ("m::H[n=h]", 1));
        assert_eq!(why(&graph, "T[n=1]"), None);
    }
}
