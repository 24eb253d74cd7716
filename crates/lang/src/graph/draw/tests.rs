use proptest::prelude::*;

use super::super::tests::{bare, graph, header};
use super::*;
use crate::graph::{GraphValue, Origin, Target};

fn sample() -> Graph {
    let host = Target {
        id: "std::host::Host[name=h1]".into(),
        type_: "std::host::Host".into(),
        fields: GraphValue::Map(Vec::new()),
        origin: Origin::default(),
    };
    let on = |mut node: crate::graph::Node| {
        node.target = host.id.clone();
        node
    };
    let nodes = vec![
        on(bare("f::Directory[host=h1,path=/srv]", &[])),
        on(bare("f::TextFile[host=h1,path=\"/srv/<a> & b\"]", &["f::Directory[host=h1,path=/srv]"])),
        bare("f::Note[]", &["f::TextFile[host=h1,path=\"/srv/<a> & b\"]"]),
        bare("f::Pair[a=1,b=\"x\\ny\"]", &["f::Note[]", "f::Gone[]"]),
    ];
    Graph::new(header(), vec![host], nodes).unwrap()
}

#[test]
fn keys_are_short() {
    let short = |id: &str| keys(id, "std::host::Host[name=h1]");
    assert_eq!(short("T[host=h1,path=/etc/motd]"), "/etc/motd");
    assert_eq!(short("T[host=h1,path=\"a b\"]"), "a b");
    assert_eq!(short("T[host=h1]"), "h1");
    assert_eq!(short("T[host=h2,path=/x]"), "host=h2,path=/x");
    assert_eq!(short("T[host=h1,name=a,port=5]"), "name=a,port=5");
    assert_eq!(short("T[]"), "");
    assert_eq!(keys("T[host=null,path=/x]", crate::graph::LOCAL), "/x");
    assert_eq!(keys("T[host={a=1,b=2},path=/x]", "H[a=1,b=2]"), "/x");
}

#[test]
fn focus_shows_what_is_near() {
    let graph = sample();
    let shown = |id: &str, depth| {
        let picture = Picture::new(&graph, Some(&Focus { ids: vec![id.into()], depth }));
        picture.nodes.iter().map(|n| n.type_.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown("f::Note[]", 0), "Note");
    assert_eq!(shown("f::Note[]", 1), "Note Pair TextFile");
    assert_eq!(shown("f::Note[]", 2), "Note Pair Directory TextFile");
    assert_eq!(shown("f::Directory[host=h1,path=/srv]", 1), "Directory TextFile");
    assert_eq!(shown("std::host::Host[name=h1]", 0), "Directory TextFile");
    assert_eq!(shown("f::None[]", 9), "");
}

#[test]
fn text_formats() {
    let picture = Picture::new(&sample(), None);
    insta::assert_snapshot!("dot", dot(&picture));
    insta::assert_snapshot!("mermaid", mermaid(&picture));
}

/// The least that an XML reader wants: elements closed in order, no bare `<` or `&`.
fn is_well_formed(svg: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find(['<', '&']) {
        let (_, from) = rest.split_at(at);
        if from.starts_with('&') {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;"].iter().find(|e| from.starts_with(**e));
            rest = &from[known.ok_or("a bare &")?.len()..];
            continue;
        }
        let end = from.find('>').ok_or("a tag that does not end")?;
        let tag = &from[1..end];
        rest = &from[end + 1..];
        if tag.matches('"').count() % 2 == 1 || tag.contains('<') {
            return Err(format!("a broken tag {tag}"));
        }
        match tag.strip_prefix('/') {
            Some(name) if open.pop() == Some(name.to_owned()) => {}
            Some(name) => return Err(format!("{name} closed out of order")),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split([' ', '\n']).next().unwrap_or_default().to_owned()),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("not closed: {open:?}")) }
}

#[test]
fn svg_says_everything() {
    let picture = Picture::new(&sample(), None);
    let svg = svg(&picture);
    is_well_formed(&svg).unwrap();
    for text in [
        "<tspan class=\"type\">TextFile</tspan> /srv/&lt;a&gt; &amp; b</text>",
        "Host[name=h1]</text>",
        "this machine</text>",
        "f::Note[]\nrequires f::TextFile[host=h1,path=&quot;/srv/&lt;a&gt; &amp; b&quot;]\nafter</title>",
        "4 resources",
        "prefers-color-scheme: dark",
    ] {
        assert!(svg.contains(text), "{text}\n{svg}");
    }
    assert_eq!(svg.matches("class=\"arrow\"").count(), 3);
}

fn overlap(a: &layout::Rect, b: &layout::Rect) -> bool {
    let apart =
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
    !apart
}

proptest! {
    #[test]
    fn every_graph_can_be_drawn(graph in graph()) {
        let picture = Picture::new(&graph, None);
        prop_assert_eq!(picture.len(), graph.nodes.len());
        prop_assert_eq!(is_well_formed(&svg(&picture)), Ok(()));
        prop_assert_eq!(dot(&picture).matches(" -> ").count(), mermaid(&picture).matches(" --> ").count());
        let widths = vec![100.0; picture.len()];
        let layout = layout::layout(&picture, &widths, &vec![50.0; picture.groups.len()]);
        for (at, one) in layout.boxes.iter().enumerate() {
            prop_assert!(layout.boxes[at + 1..].iter().all(|other| !overlap(one, other)));
            let block = layout.blocks[picture.nodes[at].group];
            prop_assert!(one.x >= block.x && one.x + one.width <= block.x + block.width);
            prop_assert!(one.y >= block.y && one.y + one.height <= block.y + block.height);
        }
        for (at, one) in layout.blocks.iter().enumerate() {
            prop_assert!(layout.blocks[at + 1..].iter().all(|other| !overlap(one, other)));
        }
    }
}

/// 200 nodes on 8 machines, for a look at the drawing: `GOPS_DRAW=FILE cargo test --lib draw`.
#[test]
fn two_hundred_nodes() {
    let mut nodes = Vec::new();
    for host in 0..8 {
        let target = format!("std::host::Host[name=web{host}]");
        let mut add = |id: String, requires: Vec<String>| {
            let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
            let mut node = bare(&id, &requires);
            node.target = target.as_str().into();
            node.origin.instance = format!("slices/sites/web{host}.yaml:3:5").into();
            nodes.push(node);
            id
        };
        let file = |kind: &str, path: &str| format!("std::files::{kind}[host=web{host},path={path}]");
        let www = add(file("Directory", "/srv/www"), vec![]);
        let package = add(format!("std::os::Package[host=web{host},name=nginx]"), vec![]);
        let mut needed = vec![package.clone()];
        for site in 0..3 {
            let root = add(file("Directory", &format!("/srv/www/site{site}")), vec![www.clone()]);
            for page in ["index", "about", "contact"] {
                add(file("TextFile", &format!("/srv/www/site{site}/{page}.html")), vec![root.clone()]);
            }
            let tls = add(file("Directory", &format!("/srv/www/site{site}/tls")), vec![root.clone()]);
            let cert = add(file("TextFile", &format!("/srv/www/site{site}/tls/cert.pem")), vec![tls.clone()]);
            let conf = file("TextFile", &format!("/etc/nginx/conf.d/site{site}.conf"));
            needed.push(add(conf, vec![cert, package.clone()]));
        }
        let mut service = vec![www, package];
        service.append(&mut needed);
        service.sort();
        service.dedup();
        if host > 0 {
            service.push("std::os::Service[host=web0,name=nginx]".to_owned());
        }
        add(format!("std::os::Service[host=web{host},name=nginx]"), service);
    }
    let count = nodes.len();
    let graph = Graph::new(header(), Vec::new(), nodes).unwrap();
    let picture = Picture::new(&graph, None);
    assert!((190..=210).contains(&count));
    let svg = svg(&picture);
    is_well_formed(&svg).unwrap();
    if let Ok(file) = std::env::var("GOPS_DRAW") {
        std::fs::write(file, svg).unwrap();
    }
}
