//! A project that tests make and change: machines, sites with pages, and what follows from them.

/// What the model says.
pub const MODEL: &str = r#"
use std::files::{Directory, TextFile}
use std::host::Host

enum Tier { dev, prod }

slice Machine in "machines" {
    key name: string
    address: string
    unique address
    let host: Host = Host[name: name]
}

slice Site in "sites" {
    key name: string
    on: ref<Machine>
    port: int where 1..=65535 = 80
    tier: Tier = dev
    pages: list<Page> = []
    link: ref<Site>?
    check port != 22, "port 22 is kept for ssh" at port
    let root: string = "/srv/${name}"
}

struct Page {
    key path: string
    body: string = ""
}

entity Vhost {
    key site: Site
    port: int
}

inverse Machine.sites: set<Site> by on
acyclic Site by link, "sites link to each other"
check m in all(Machine): m.sites.len() <= 4, "${m.name} has too many sites" at m.name

impl Machine {
    Host { name }
    Directory { host, path: "/srv" }
    TextFile { host, path: "/etc/motd", content: "${sites.map(s => s.name).join(" ")}\n${all(Vhost).len()} virtual hosts" }
    TextFile { host, path: "/etc/vhosts.count", content: "${all(Vhost).len()}" }
}

impl Site {
    Directory { host: on.host, path: root }
    TextFile { host: on.host, path: "${root}/conf", content: "port ${port}\npeers ${all(Site).len()}" }
    if tier == prod { Vhost { site: self, port } }
}

impl Page {
    TextFile { host: parent.on.host, path: "${parent.root}${path}", content: body }
}

impl Vhost {
    TextFile { host: site.on.host, path: "/etc/vhosts/${site.name}", content: "${port}" }
}
"#;

/// What gops.toml says.
pub const CONFIG: &str = "name = \"shop\"\nedition = \"2026\"\n";

/// One instance of a site, with everything that a random edit may change.
#[derive(Clone, Debug)]
pub struct Site {
    pub name: usize,
    pub on: usize,
    pub port: i64,
    pub prod: bool,
    pub pages: Vec<usize>,
    pub link: Option<usize>,
    /// Lines of comment before it, which move everything else.
    pub comments: usize,
}

impl Site {
    pub fn text(&self) -> String {
        let mut text = "# a comment\n".repeat(self.comments);
        text += &format!("name: s{}\non: m{}\nport: {}\n", self.name, self.on, self.port);
        if self.prod {
            text += "tier: prod\n";
        }
        if let Some(link) = self.link {
            text += &format!("link: s{link}\n");
        }
        if !self.pages.is_empty() {
            text += "pages:\n";
            for page in &self.pages {
                text += &format!("  - path: /p{page}\n    body: page {page}\n");
            }
        }
        text
    }
}

/// One instance of a machine.
pub fn machine(name: usize, address: usize) -> String {
    format!("name: m{name}\naddress: 192.0.2.{address}\n")
}
