use super::*;

const IDS: [&str; 8] = [
    "std::files::TextFile[host=h1,path=/srv/a]",
    "std::files::TextFile[host=h1,path=/srv/a/b]",
    "std::files::TextFile[host=h2,path=/etc/motd]",
    "std::files::TextFile[host=null,path=\"/with space\"]",
    "std::files::Directory[host=h1,path=/srv]",
    "net::Vlan[id=7]",
    "net::Vlan[id=\"7\"]",
    "net::Port[on={card=1,name=a}]",
];

fn universe() -> Universe {
    Universe::of(&IDS.map(EcoString::from))
}

fn selected(text: &str) -> Vec<usize> {
    let selector = Selector::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    (0..IDS.len()).filter(|at| selector.selects(IDS[*at])).collect()
}

#[test]
fn types_and_conditions() {
    for (text, wanted) in [
        ("TextFile", vec![0, 1, 2, 3]),
        ("std::files::TextFile", vec![0, 1, 2, 3]),
        ("files::*", vec![0, 1, 2, 3, 4]),
        ("Text*", vec![0, 1, 2, 3]),
        ("net::????", vec![5, 6, 7]),
        ("*", (0..8).collect()),
        ("*[host=h1]", vec![0, 1, 4]),
        ("TextFile[host=h1,path~/srv/*]", vec![0]),
        ("TextFile[host=h1, path ~ /srv/**]", vec![0, 1]),
        ("TextFile[path~/{srv,etc}/*]", vec![0, 2]),
        ("TextFile[path~/[a-m]*/*]", vec![2]),
        ("TextFile[path!~/srv/**]", vec![2, 3]),
        ("TextFile[host!=h1]", vec![2, 3]),
        ("TextFile[host=null]", vec![3]),
        ("TextFile[path=\"/with space\"]", vec![3]),
        ("TextFile[path=/with space]", vec![3]),
        // Read as in an id: the one is a number, the other a text.
        ("Vlan[id=7]", vec![5]),
        ("Vlan[id=\"7\"]", vec![6]),
        ("Vlan[id~7]", vec![5, 6]),
        ("Port[on={card=1,name=a}]", vec![7]),
        ("Port[on.name=a]", vec![7]),
        ("Port[on.name=b]", vec![]),
        // What has no such key fits neither the one nor its opposite.
        ("*[id!=8]", vec![5, 6]),
        ("TextFile[]", vec![0, 1, 2, 3]),
        ("File", vec![]),
    ] {
        assert_eq!(selected(text), wanted, "{text}");
    }
}

#[test]
fn an_id_selects_itself() {
    for (at, id) in IDS.iter().enumerate() {
        assert!(selected(id).contains(&at), "{id}");
        assert!(selected(&id::shown(id)).contains(&at), "{id}");
    }
    // A part belongs to its resource.
    assert!(Selector::parse("Vlan[id=7]").unwrap().selects("net::Vlan[id=7]#port"));
}

/// The problem, what is underlined, and the help.
fn wrong(text: &str) -> String {
    let parsed = Selector::parse(text);
    let error = parsed.and_then(|selector| universe().choose(&[selector])).unwrap_err();
    let at = error.at.offset()..error.at.offset() + error.at.len();
    let help = error.help.map(|help| format!(" | {help}")).unwrap_or_default();
    format!("{} | {}{help}", error.problem, &text[at])
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, wanted) in [
        ("", "a selector begins with a type |  | `*` stands for any type: `*[host=h1]`"),
        ("[host=h1]", "a selector begins with a type | [ | `*` stands for any type: `*[host=h1]`"),
        ("TextFlie[host=h1]", "there is no `TextFlie` | TextFlie | did you mean `TextFile`?"),
        ("Gadget", "there is no `Gadget` | Gadget | there are `Directory`, `Port`, `TextFile` and 1 more"),
        ("TextFile[hots=h1]", "`hots` is no key of `TextFile` | hots | did you mean `host`?"),
        ("TextFile[content=x]", "`content` is no key of `TextFile` | content | there is `host`, `path`"),
        (
            "*[nothing=x]",
            "`nothing` is no key of any of these types | nothing | there is `host`, `id`, `on` and 1 more",
        ),
        ("TextFile[host=h3]", "`TextFile[host=h3]` selects nothing | TextFile[host=h3] | did you mean `h1`?"),
        (
            "TextFile[path=/srv/*]",
            "`TextFile[path=/srv/*]` selects nothing | TextFile[path=/srv/*] | patterns stand behind `~`: `path~/srv/*`",
        ),
        (
            "TextFile[path=/elsewhere/x,host=h2]",
            "`TextFile[path=/elsewhere/x,host=h2]` selects nothing | TextFile[path=/elsewhere/x,host=h2] | \
             without `path` there is `TextFile[host=h2,path=/etc/motd]`",
        ),
        ("TextFile[host=h1", "`]` is missing at the end | [ | in a shell, put the selector in single quotes"),
        (
            "TextFile[host=h1]x",
            "the selector goes on after its end | x | several selectors are several options: `--only A --only B`",
        ),
        (
            "TextFile(host)",
            "`[` is expected after the type | ( | conditions stand in brackets: `TextFile[host=h1]`",
        ),
        (
            "TextFile[host]",
            "`=`, `!=`, `~` or `!~` is expected | ] | `=` is equal, `~` is like a pattern with `*`",
        ),
        ("TextFile[host==h1]", "`==` is no operator | == | write `host=…`"),
        (
            "TextFile[host=]",
            "a value is missing |  | `\"\"` is the empty text, `null` is a key that is not given",
        ),
        ("TextFile[host=h1,]", "the name of a key is expected | ] | such as `host=h1`, `path~/srv/**`"),
        ("TextFile[host=\"h1]", "a quote is not closed | \""),
        (
            "TextFile[path~{a]",
            "this pattern cannot be read | {a] | `*` stands for any letters but `/`, `**` for any, `?` for one, `{a,b}` for either",
        ),
        (
            "a:b",
            "this is no path of a type | a:b | write the name alone, or with what stands before it: `TextFile`, `std::files::TextFile`",
        ),
    ] {
        assert_eq!(wrong(text), wanted, "{text}");
    }
}

proptest::proptest! {
    /// Whatever is written, it is read or refused with a place within it.
    #[test]
    fn any_text_is_read_or_refused(text in "[*a-zA-Z:\\[\\]{}=~!,\"\\\\ é/]{0,24}") {
        if let Err(error) = Selector::parse(&text) {
            proptest::prop_assert!(text.get(error.at.offset()..error.at.offset() + error.at.len()).is_some());
        }
    }
}
