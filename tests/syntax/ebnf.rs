//! Reads `grammar/gops.ebnf`, makes sentences from it, and recognises them.

use std::collections::{HashMap, HashSet};

/// What a rule is made of.
#[derive(Clone, Debug)]
pub enum Term {
    /// `'x'`: the index of its text.
    Word(String),
    /// `NAME`, `STRING`, …
    Class(String),
    /// Another rule.
    Rule(String),
    Sequence(Vec<Term>),
    Choice(Vec<Term>),
    Optional(Box<Term>),
    Repeat(Box<Term>),
    /// A term whose sentences do not begin with this text.
    Except(Box<Term>, String),
}

/// The rules by name.
pub struct Grammar {
    pub rules: HashMap<String, Term>,
}

impl Grammar {
    pub fn read() -> Grammar {
        let text = include_str!("../../grammar/gops.ebnf");
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let len = match c {
                '(' if rest.starts_with("(*") => {
                    rest = &rest[rest.find("*)").unwrap() + 2..];
                    continue;
                }
                c if c.is_whitespace() => {
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
                '\'' => rest[1..].find('\'').unwrap() + 2,
                c if c.is_alphabetic() => rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '<' | '>')))
                    .unwrap_or(rest.len()),
                _ => 1,
            };
            tokens.push(rest[..len].to_owned());
            rest = &rest[len..];
        }
        let mut reader = Reader { tokens, at: 0 };
        let mut rules = HashMap::new();
        while reader.at < reader.tokens.len() {
            let name = reader.next();
            assert_eq!(reader.next(), "=", "after {name}");
            let term = reader.choice();
            assert_eq!(reader.next(), ";", "in {name}");
            match name.strip_suffix("<P>") {
                Some(family) => {
                    for place in ["free", "head", "field"] {
                        rules.insert(format!("{family}<{place}>"), term.placed(place));
                    }
                }
                None => {
                    assert!(rules.insert(name.clone(), term).is_none(), "{name} twice");
                }
            }
        }
        let grammar = Grammar { rules };
        for (name, term) in &grammar.rules {
            term.walk(&mut |t| {
                if let Term::Rule(rule) = t {
                    assert!(grammar.rules.contains_key(rule), "`{rule}` of `{name}` is no rule");
                }
            });
        }
        grammar
    }

    /// The shortest sentence of each rule, in tokens: how a sentence is ended.
    pub fn depths(&self) -> HashMap<String, usize> {
        let mut depths: HashMap<String, usize> = HashMap::new();
        loop {
            let mut changed = false;
            for (name, term) in &self.rules {
                if let Some(depth) = term.depth(&depths)
                    && depths.get(name).is_none_or(|&d| depth < d)
                {
                    depths.insert(name.clone(), depth);
                    changed = true;
                }
            }
            if !changed {
                return depths;
            }
        }
    }
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }
    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }
    fn choice(&mut self) -> Term {
        let mut choices = vec![self.sequence()];
        while self.peek() == "|" {
            self.next();
            choices.push(self.sequence());
        }
        if choices.len() == 1 { choices.remove(0) } else { Term::Choice(choices) }
    }
    fn sequence(&mut self) -> Term {
        let mut terms = Vec::new();
        loop {
            let term = match self.peek() {
                "" | "|" | ")" | "]" | "}" | ";" => break,
                "-" => {
                    self.next();
                    let text = self.next().trim_matches('\'').to_owned();
                    let before = terms.pop().unwrap();
                    terms.push(Term::Except(Box::new(before), text));
                    continue;
                }
                "(" => {
                    self.next();
                    let inner = self.choice();
                    assert_eq!(self.next(), ")");
                    inner
                }
                "[" => {
                    self.next();
                    let inner = self.choice();
                    assert_eq!(self.next(), "]");
                    Term::Optional(Box::new(inner))
                }
                "{" => {
                    self.next();
                    let inner = self.choice();
                    assert_eq!(self.next(), "}");
                    Term::Repeat(Box::new(inner))
                }
                text => {
                    let term = if let Some(word) = text.strip_prefix('\'') {
                        Term::Word(word.trim_end_matches('\'').to_owned())
                    } else if text.chars().all(char::is_uppercase) {
                        Term::Class(text.to_owned())
                    } else {
                        Term::Rule(text.to_owned())
                    };
                    self.next();
                    term
                }
            };
            terms.push(term);
        }
        if terms.len() == 1 { terms.remove(0) } else { Term::Sequence(terms) }
    }
}

impl Term {
    fn placed(&self, place: &str) -> Term {
        let all = |terms: &[Term]| terms.iter().map(|t| t.placed(place)).collect();
        match self {
            Term::Rule(name) => Term::Rule(match name.strip_suffix("<P>") {
                Some(family) => format!("{family}<{place}>"),
                None => name.clone(),
            }),
            Term::Sequence(terms) => Term::Sequence(all(terms)),
            Term::Choice(terms) => Term::Choice(all(terms)),
            Term::Optional(term) => Term::Optional(Box::new(term.placed(place))),
            Term::Repeat(term) => Term::Repeat(Box::new(term.placed(place))),
            Term::Except(term, text) => Term::Except(Box::new(term.placed(place)), text.clone()),
            Term::Word(_) | Term::Class(_) => self.clone(),
        }
    }

    fn walk(&self, see: &mut impl FnMut(&Term)) {
        see(self);
        match self {
            Term::Sequence(terms) | Term::Choice(terms) => terms.iter().for_each(|t| t.walk(see)),
            Term::Optional(term) | Term::Repeat(term) | Term::Except(term, _) => term.walk(see),
            _ => {}
        }
    }

    /// The length of the shortest sentence, if it is known yet.
    pub fn depth(&self, depths: &HashMap<String, usize>) -> Option<usize> {
        match self {
            Term::Word(_) | Term::Class(_) => Some(1),
            Term::Rule(name) => depths.get(name).copied(),
            Term::Sequence(terms) => terms.iter().map(|t| t.depth(depths)).sum(),
            Term::Choice(terms) => terms.iter().filter_map(|t| t.depth(depths)).min(),
            Term::Optional(_) | Term::Repeat(_) => Some(0),
            Term::Except(term, _) => term.depth(depths),
        }
    }
}

/// Makes sentences: every choice is a byte of `entropy`; without bytes the shortest is made.
pub struct Maker<'g> {
    pub grammar: &'g Grammar,
    pub depths: &'g HashMap<String, usize>,
    pub entropy: &'g [u8],
    pub sentence: Vec<String>,
}

impl Maker<'_> {
    fn choose(&mut self) -> u8 {
        let Some((&first, rest)) = self.entropy.split_first() else { return 0 };
        self.entropy = rest;
        first
    }

    pub fn make(&mut self, term: &Term) {
        match term {
            Term::Word(word) => self.sentence.push(word.clone()),
            Term::Class(class) => {
                let choice = self.choose() as usize;
                let texts = texts(class);
                self.sentence.push(texts[choice % texts.len()].to_owned());
            }
            Term::Rule(name) => {
                stacker::maybe_grow(1 << 18, 1 << 22, || self.make(&self.grammar.rules[name]));
            }
            Term::Sequence(terms) => terms.iter().for_each(|t| self.make(t)),
            Term::Choice(terms) => {
                if self.entropy.is_empty() || self.sentence.len() > 400 {
                    let least = terms.iter().min_by_key(|t| t.depth(self.depths).unwrap_or(usize::MAX));
                    return self.make(least.unwrap());
                }
                let choice = self.choose() as usize;
                self.make(&terms[choice % terms.len()]);
            }
            Term::Optional(term) => {
                if self.choose() % 3 == 1 && self.sentence.len() < 400 {
                    self.make(term);
                }
            }
            Term::Repeat(term) => {
                while self.choose() % 4 == 1 && self.sentence.len() < 400 {
                    self.make(term);
                }
            }
            Term::Except(term, text) => {
                let from = self.sentence.len();
                self.make(term);
                if self.sentence.get(from) == Some(text) {
                    self.sentence.truncate(from);
                    self.sentence.push("x".to_owned());
                }
            }
        }
    }
}

/// Texts of a class of tokens.
fn texts(class: &str) -> &'static [&'static str] {
    match class {
        "NAME" | "VALUE" => &["a", "b", "Site", "x1", "a_b"],
        "TYPE" => &["Site", "B"],
        "INT" => &["0", "42", "0o644"],
        "NUMBER" => &["7", "1.5", "1h30m", "20GiB"],
        "STRING" => &["\"s\"", "\"a ${b} c\"", "r\"x\""],
        "PLAIN" => &["\"p\"", "r#\"q\"#"],
        "SEP" => &[","],
        _ => panic!("{class} is no class of tokens"),
    }
}

/// Words that mean something before or between values.
const RESERVED: &[&str] =
    &["if", "else", "match", "for", "let", "and", "or", "not", "in", "is", "as", "where", "when"];
const CONSTANTS: &[&str] = &["true", "false", "null"];

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic()) && !text.contains('"')
}

/// Whether the token at `at` is of the class.
fn is_in(class: &str, sentence: &[String], at: usize) -> bool {
    let Some(text) = sentence.get(at).map(String::as_str) else { return false };
    let next = sentence.get(at + 1).map_or("}", String::as_str);
    let number = text.starts_with(|c: char| c.is_ascii_digit());
    match class {
        "NAME" => is_word(text),
        "TYPE" => text.starts_with(|c: char| c.is_ascii_uppercase()) && is_word(text),
        "VALUE" => {
            let ends = matches!(next, "," | ")" | "]" | "}");
            is_word(text)
                && !CONSTANTS.contains(&text)
                && (!RESERVED.contains(&text) || ends || is_only_name(sentence, at))
        }
        "INT" => number && !text.contains(['.', 'h', 'G']),
        "NUMBER" => number,
        "STRING" => text.contains('"'),
        "PLAIN" => text.contains('"') && !text.contains('$'),
        "SEP" => text == ",",
        _ => false,
    }
}

/// Whether a keyword can be nothing but a name where it stands.
fn is_only_name(sentence: &[String], at: usize) -> bool {
    let text = sentence[at].as_str();
    let before = at.checked_sub(1).map_or("", |i| sentence[i].as_str());
    let next = sentence.get(at + 1).map_or("", String::as_str);
    is_word(text) && !CONSTANTS.contains(&text) && (next == ":" || matches!(before, "." | "?."))
}

/// Recognises sentences: for each rule and place, where it can end.
pub struct Recogniser<'g> {
    grammar: &'g Grammar,
    sentence: &'g [String],
    known: HashMap<(&'g str, usize), HashSet<usize>>,
}

impl<'g> Recogniser<'g> {
    pub fn accepts(grammar: &'g Grammar, rule: &'g str, sentence: &'g [String]) -> bool {
        let mut recogniser = Recogniser { grammar, sentence, known: HashMap::new() };
        recogniser.rule(rule, 0).contains(&sentence.len())
    }

    fn rule(&mut self, name: &'g str, at: usize) -> HashSet<usize> {
        if let Some(known) = self.known.get(&(name, at)) {
            return known.clone();
        }
        // No rule is left-recursive.
        let term = &self.grammar.rules[name];
        let ends = stacker::maybe_grow(1 << 18, 1 << 22, || self.term(term, at));
        self.known.insert((name, at), ends.clone());
        ends
    }

    fn term(&mut self, term: &'g Term, at: usize) -> HashSet<usize> {
        let here = self.sentence.get(at);
        match term {
            Term::Word(word) => {
                let found = here.is_some_and(|t| t == word) && !is_only_name(self.sentence, at);
                found.then_some(at + 1).into_iter().collect()
            }
            Term::Class(class) => is_in(class, self.sentence, at).then_some(at + 1).into_iter().collect(),
            Term::Rule(name) => self.rule(name, at),
            Term::Sequence(terms) => {
                let mut ends = HashSet::from([at]);
                for term in terms {
                    ends = ends.into_iter().flat_map(|end| self.term(term, end)).collect();
                }
                ends
            }
            Term::Choice(terms) => terms.iter().flat_map(|t| self.term(t, at)).collect(),
            Term::Optional(term) => {
                let mut ends = self.term(term, at);
                ends.insert(at);
                ends
            }
            Term::Repeat(term) => {
                let mut ends = HashSet::from([at]);
                let mut new = vec![at];
                while let Some(from) = new.pop() {
                    for end in self.term(term, from) {
                        if ends.insert(end) {
                            new.push(end);
                        }
                    }
                }
                ends
            }
            Term::Except(term, text) => {
                if here == Some(text) {
                    HashSet::new()
                } else {
                    self.term(term, at)
                }
            }
        }
    }
}
