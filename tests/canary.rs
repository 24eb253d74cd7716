//! A secret that stands in plain in a data file is shown in no format, whatever is wrong with it
//! or around it.

use gops::diag::render::{Format, render};

use crate::harness::checking::Project;
use crate::harness::literate::File;

const CANARY: &str = "canary";

const MODEL: &str = r#"
enum Level { low, high }

slice Site in "slices/sites" {
    key name: string
    password: secret<(string where len(self) >= 20)>?
    pin: secret<int>?
    level: secret<Level>?
    wait: secret<duration>?
    login: Login?
    probe: Probe?
    logins: list<Login> = []
    tokens: map<string, secret<string>> = {}
    codes: list<secret<string>> = []
    either: (secret<int> | list<string>)?
    spec: any
    port: int = 80
    let checked: Checked? = if spec != null { spec as Checked } else { null }
}

slice Vlan in "vlans.yaml" each { key id: int, psk: secret<string> }

struct Login { key user: string, key_file: string = "", passphrase: secret<string> was "phrase" }
plain struct Checked { token: secret<int>, deeper: list<secret<int>> = [] }
union Probe by type { http: Http, none }
struct Http { header: secret<string>, status: int = 200 }

entity Made { key name: string, checked: bool }
impl Site { Made { name, checked: checked != null } }
"#;

/// Documents of a site with a mistake each, and the secret in it.
const SITES: &[&str] = &[
    "pin: canary",
    "pin: \"canary\"",
    "pin: [canary, 1]",
    "pin: { a: canary }",
    "password: canary",
    "password: [canary]",
    "password: canary\npassword: canary2",
    "password: \"canary\npassword: canary\"",
    "password: canary: canary",
    "password: @canary",
    "password: !canary x",
    "password: !!int canary",
    "password: *canary",
    "password: &canary [x",
    "password: 'canary",
    "password: \"canary \\q\"",
    "password: [canary",
    "password: {canary",
    "password: |\n  canary\n canary\n",
    "password: |\n  canary\n\tcanary\nport: x",
    "password:\n  canary\n  canary: canary",
    "password: \"canary\n  canary\n  canary\"\nport: x",
    "pasword: canary",
    "Password: canary",
    "level: canary",
    "level: [canary]",
    "wait: canary",
    "wait: 5canary",
    "wait: 30 # all of it\nprot: 1\npassword: canary",
    "login: { user: a, passphrase: canary, prt: 1 }",
    "login: { user: a, passphrase: canary, key_file: 5 }",
    "login: { user: a, passphrse: canary }",
    "login: { user: a, phrase: canary, prt: 1 }",
    "login: { user: a, passphrase: [canary] }",
    "login: { user: a, passphrase: canary, passphrase: canary }",
    "login: { user: a, passphrase: canary, port ]",
    "lgin: { user: a, passphrase: canary }",
    "nothing: { like: { passphrase: canary } }",
    "login: [{ user: a, passphrase: canary }]",
    "logins: { user: a, passphrase: canary }",
    "logins: [{ user: a, passphrase: canary }, { user: a, passphrase: canary }]",
    "logins: [{ user: a, passphrase: 5, key_file: x }]\nlogin: { user: 5, passphrase: canary }",
    "probe: { type: http, header: canary, status: x }",
    "probe: { type: htp, header: canary }",
    "probe: { typ: http, header: canary }",
    "probe: { type: none, header: canary }",
    "tokens: { a: canary, b: 5 }",
    "tokens: [canary]",
    "tokens: canary",
    "codes: [canary, 5]",
    "codes: canary",
    "either: canary",
    "spec: { token: canary }",
    "spec: { token: 5, deeper: [canary] }",
    "spec: { token: canary, other: 5 }",
    "{ name: b, password: canary, port: x }",
    "\"password\": canary\nport: [",
    "? password\n: canary\nport: x",
    "port: ]\npassword: canary",
];

const JSONS: &[&str] = &[
    r#"{ "name": "a", "pin": "canary" }"#,
    r#"{ "name": "a", "password": "canary", "port": }"#,
    r#"{ "name": "a", "password": "canary" "port": 1 }"#,
    r#"{ "name": "a", "password": canary }"#,
    r#"{ "name": "a", "password": 'canary' }"#,
    r#"{ "name": "a", "password": "canary }"#,
    r#"{ "name": "a", "password": "canary\q" }"#,
    r#"{ "name": "a", "password": 1e999, "pin": "canary" }"#,
    r#"{ "name": "a", "password": "canary", "password": "canary" }"#,
    "{\n  \"name\": \"a\",\n  \"password\": [\n    \"canary\"\n  ],\n  \"port\": {\n}",
];

fn file(path: &str, text: &str) -> File {
    File { path: path.into(), bytes: text.as_bytes().to_vec() }
}

fn assert_hidden(files: &[File], what: &str) {
    let mut project = Project::new(files, None);
    let found = project.check();
    assert!(!found.is_empty(), "nothing is wrong with {what}");
    for format in [Format::Human, Format::Concise, Format::Json, Format::Sarif, Format::Github] {
        for color in [false, true] {
            let shown = render(format, &found, &project, color);
            assert!(!shown.contains(CANARY), "{what}, as {format:?}:\n{shown}");
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    for text in SITES {
        let named = match text.starts_with('{') {
            true => (*text).to_owned(),
            false => format!("name: a\n{text}\n"),
        };
        let files = [file("model/main.gops", MODEL), file("slices/sites/a.yaml", &named)];
        assert_hidden(&files, &named);
    }
    for text in JSONS {
        let files = [file("model/main.gops", MODEL), file("slices/sites/a.json", text)];
        assert_hidden(&files, text);
    }
}

#[test]
fn secrets_of_lists_and_overlays_are_not_shown() {
    let config = file(
        "gops.toml",
        "name = \"x\"\nedition = \"2026\"\n[environments]\nprod = { overlay = \"prod\" }\n",
    );
    let model = || file("model/main.gops", MODEL);
    for text in [
        "- { id: 1, psk: canary, x: 1 }\n",
        "- id: a\n  psk: canary\n- id: 2\n  psk: [canary]\n",
        "- { id: 1, psk: canary\n",
    ] {
        assert_hidden(&[model(), file("vlans.yaml", text)], text);
    }
    for text in ["pin: canary\n", "login: { passphrase: canary, x: 1 }\n", "password: \"canary\n"] {
        let base = file("slices/sites/a.yaml", "name: a\nlogin: { user: a, passphrase: b }\n");
        let files = [config.clone(), model(), base, file("slices/sites/a.prod.yaml", text)];
        assert_hidden(&files, text);
    }
    let beside = [model(), file("slices/sites/a.yaml", "name: a\npassword: canary-canary-canary-canary\n")];
    let twice = file("slices/sites/a.sops.yaml", "password: canary-canary-canary\n");
    assert_hidden(&[&beside[..], &[twice]].concat(), "a file for sops beside");
}
