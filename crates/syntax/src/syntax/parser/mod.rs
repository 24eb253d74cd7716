//! Token trees to the tree of a module. Each item, member, statement, entry, arm and element is
//! parsed on its own, so that a mistake costs that one and the time is linear; what stands in a
//! group is parsed when the group is reached, and a group is never reached twice: every choice
//! of the grammar is decided by tokens before one.

mod expr;
mod fault;
mod group;
mod item;
mod member;
mod message;
mod primitive;
mod repair;
mod stmt;
mod types;

use chumsky::input::{MappedInput, Stream};
use chumsky::inspector::Inspector;
use chumsky::prelude::*;

use crate::base::{FileId, Name, Span};
use crate::diag::codes::syntax as codes;

use super::ast::*;
use super::lexer::{CommentKind, Lexed};
use super::sink::Sink;
use super::split::{Body, Tok, level, split};
use super::token::Kind;
use fault::Fault;
use message::What;

/// The tokens of one part, by value: parsers that own their input are made once a thread.
type In = MappedInput<'static, Tok, Span, Stream<std::vec::IntoIter<Tok>>>;
type Ex = extra::Full<Fault, Cx, ()>;
/// A finished parser.
type P<O> = Boxed<'static, 'static, In, O, Ex>;

impl chumsky::span::Span for Span {
    type Context = ();
    type Offset = u32;

    fn new((): (), range: std::ops::Range<u32>) -> Self {
        Span { start: range.start, end: range.end }
    }
    fn context(&self) {}
    fn start(&self) -> u32 {
        self.start
    }
    fn end(&self) -> u32 {
        self.end
    }
}

/// How deep groups may nest.
const MAX_DEPTH: u32 = 128;
/// How deep the tree may be: groups, and operators that have an operator as operand. It bounds
/// the stack of whatever walks the tree.
const MAX_HEIGHT: u32 = 400;

/// The text that is parsed, and what is wrong with it.
pub(super) struct Cx {
    text: String,
    lexed: Lexed,
    sink: Sink,
    depth: u32,
    height: u32,
    /// How many more tokens may be read again after a repair: what bounds the time.
    repairs: usize,
    /// How many tokens were read, those that were read again counted again.
    work: u64,
    /// The names of items that could not be read, with what was said.
    lost: Vec<(Name, crate::diag::Diagnostic)>,
    /// What each group holds, for the formatter.
    bodies: Option<Bodies>,
    /// The tokens before which documentation is asked for.
    documented: rustc_hash::FxHashSet<u32>,
    /// The type whose members are read.
    owner: Option<Name>,
    /// What follows a text that ended too early, up to the end of its line: nothing that is said
    /// of it is worth a word.
    garbled: Vec<Span>,
}

/// What the groups hold, by the index of the opening token.
pub(super) type Bodies = rustc_hash::FxHashMap<u32, Body>;

impl Inspector<'static, In> for Cx {
    type Checkpoint = ();
    fn on_token(&mut self, _: &Tok) {
        self.work += 1;
    }
    fn on_save<'parse>(&self, _: &chumsky::input::Cursor<'static, 'parse, In>) {}
    fn on_rewind<'parse>(&mut self, _: &chumsky::input::Checkpoint<'static, 'parse, In, ()>) {}
}

/// The parsers, one for each kind of part.
struct Grammar {
    item: P<ItemParts>,
    member: P<MemberParts>,
    variant: P<Variant>,
    stmt: P<Stmt>,
    step: P<MigrationStep>,
    entry: P<Entry>,
    arm: P<Arm>,
    arg: P<Arg>,
    param: P<Param>,
    use_tree: P<UseTree>,
    expr: P<Expr>,
    ty: P<TypeExpr>,
    name: P<Ident>,
    list_comprehension: P<ExprKind>,
    map_comprehension: P<ExprKind>,
}

/// Chooses a parser.
type Pick<O> = fn(&Grammar) -> &P<O>;
type ItemParts = (Option<StrLit>, ItemKind);
type MemberParts = (Option<StrLit>, MemberKind);

thread_local! {
    static GRAMMAR: Grammar = Grammar::new();
}

impl Grammar {
    fn new() -> Self {
        let mut expr = Recursive::declare();
        let mut head = Recursive::declare();
        let mut bare = Recursive::declare();
        let types = types::types(bare.clone().boxed(), head.clone().boxed());
        let parts = expr::Parts { head: head.clone().boxed(), types: types.clone() };
        expr.define(expr::expr(&parts, expr::Place::Free));
        head.define(expr::expr(&parts, expr::Place::Head));
        bare.define(expr::expr(&parts, expr::Place::Field));
        let all = expr::Exprs {
            expr: expr.boxed(),
            head: head.boxed(),
            bare: bare.boxed(),
            ty: types.full.clone(),
            result: types.result.clone(),
        };
        let check = stmt::check(&all);
        Grammar {
            item: item::item(&all, &check),
            member: member::member(&all, &check),
            variant: member::variant(&all),
            stmt: stmt::stmt(&all, &check),
            step: item::step(&all),
            entry: group::entry(&all),
            arm: group::arm(&all),
            arg: group::arg(&all),
            param: item::param(&all),
            use_tree: item::use_tree(),
            expr: all.expr.clone(),
            ty: types.full,
            name: primitive::name().boxed(),
            list_comprehension: group::list_comprehension(&all),
            map_comprehension: group::map_comprehension(&all),
        }
    }
}

impl Cx {
    pub(super) fn new(text: &str, lexed: Lexed, sink: Sink) -> Self {
        let repairs = 1000 + 4 * lexed.tokens.len();
        Cx {
            text: text.to_owned(),
            lexed,
            sink,
            depth: 0,
            height: 0,
            work: 0,
            lost: Vec::new(),
            repairs,
            bodies: None,
            documented: Default::default(),
            owner: None,
            garbled: Vec::new(),
        }
    }

    /// What parsing took: the number of tokens that were looked at.
    pub(super) fn work(&self) -> u64 {
        self.work
    }

    pub(super) fn finish(mut self) -> Vec<crate::diag::Diagnostic> {
        for span in std::mem::take(&mut self.garbled) {
            self.sink.retract(span);
        }
        self.sink.finish()
    }

    fn text(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn ident(&self, tok: Tok) -> Ident {
        Ident { name: Name::new(self.text(tok.span)), span: tok.span }
    }

    /// Parses one part with one of the parsers, and reports what is wrong with it. `end` is
    /// where it ends, for what is missing.
    fn part<O: 'static>(&mut self, what: What, toks: &[Tok], end: Span, pick: Pick<O>) -> Option<O> {
        match self.try_part(what, toks, end, pick) {
            Ok(found) => Some(found),
            Err(fault) => {
                self.report(fault, what, toks, end);
                None
            }
        }
    }

    fn report(&mut self, fault: Option<Fault>, what: What, toks: &[Tok], end: Span) {
        let Some(fault) = fault else { return };
        let error = self.explain(&fault, what, toks, end);
        if let (Some(found), Some(_)) = (fault.found, self.quote_in_text(&fault, toks)) {
            let start = found.span.start as usize;
            let line = self.text.get(start..).and_then(|rest| rest.find(['\n', '\r']));
            self.garbled.push(Span::new(start, line.map_or(self.text.len(), |l| start + l)));
        }
        if error.code == codes::BRACE_IN_HEAD
            && let Some(taken) = fault.index(toks).checked_sub(1).and_then(|i| toks.get(i))
        {
            // What was read as the block is none.
            self.sink.retract(taken.span);
        }
        self.sink.push(error);
    }

    /// The same, but what cannot be mended is for the caller to report; without a fault it is
    /// already.
    fn try_part<O: 'static>(
        &mut self,
        what: What,
        toks: &[Tok],
        end: Span,
        pick: Pick<O>,
    ) -> Result<O, Option<Fault>> {
        let mut mended: Option<Vec<Tok>> = None;
        let mut reached = 0;
        loop {
            let part = mended.as_deref().unwrap_or(toks);
            let fault = match self.once(part, end, pick) {
                Ok(found) => return Ok(found),
                Err(fault) => fault.ok_or(None)?,
            };
            let index = fault.index(part);
            let repair = self.repair(&fault, what, part);
            // Each repair must get further than the one before.
            let Some(repair) = repair.filter(|_| mended.is_none() || index > reached) else {
                // What follows from a guess is not worth a word.
                return Err(Some(fault).filter(|_| mended.is_none()));
            };
            if !self.afford(part) {
                return Err(Some(fault));
            }
            let meant = repair.apply(part);
            let error = self.explain(&fault, what, part, end);
            let error = repair.as_fix(part, self.sink.file(), error);
            self.sink.push(error);
            reached = index;
            mended = Some(meant);
        }
    }

    /// Whether a part may be read once more: what bounds the time.
    fn afford(&mut self, part: &[Tok]) -> bool {
        let ends = part.last().zip(part.first());
        let size = ends.map_or(0, |(l, f)| l.at.saturating_sub(f.at) as usize) + 1;
        let left = self.repairs.checked_sub(size);
        self.repairs = left.unwrap_or(self.repairs);
        left.is_some()
    }

    /// Parses a part as it stands. Without a fault, what is wrong is reported.
    fn once<O: 'static>(&mut self, toks: &[Tok], end: Span, pick: Pick<O>) -> Result<O, Option<Fault>> {
        if self.sink.is_full() {
            return Err(None);
        }
        self.work += toks.len() as u64;
        let links = toks.iter().filter(|t| is_link(t.kind)).count() as u32;
        if self.height.saturating_add(links) > MAX_HEIGHT {
            let span = toks.first().map_or(end, |t| t.span);
            let error = self
                .sink
                .at(
                    codes::TOO_DEEP,
                    span,
                    format!("this nests more than {MAX_HEIGHT} operators and brackets"),
                )
                .help("give parts of it a name with `let`");
            self.sink.push(error);
            return Err(None);
        }
        let parser = GRAMMAR.with(|g| pick(g).clone());
        let stream = Stream::from_iter(toks.to_vec());
        let input: In = stream.map(end, |tok: Tok| (tok, tok.span));
        self.height += links;
        let (output, faults) = parser.parse_with_state(input, self).into_output_errors();
        self.height -= links;
        output.ok_or_else(|| faults.into_iter().next())
    }

    /// Reads what a group holds, one level deeper. None if that is too deep.
    fn inside<O>(&mut self, tok: Tok, read: impl FnOnce(&mut Self, Vec<Tok>, Span) -> O) -> Option<O> {
        if self.depth >= MAX_DEPTH || self.height >= MAX_HEIGHT {
            let open = Span::new(tok.span.start as usize, tok.span.start as usize + 1);
            let error = self
                .sink
                .at(codes::TOO_DEEP, open, format!("this is nested more than {MAX_DEPTH} deep"))
                .help("give parts of it a name with `let`");
            self.sink.push(error);
            return None;
        }
        let group = super::split::group_end(&self.lexed.tokens, tok.at);
        let toks = level(&self.lexed.tokens, tok.at as usize + 1, group.inside);
        self.work += toks.len() as u64;
        let start = group.close.start as usize;
        let end = Span::new(start, start + group.close.len().min(1));
        self.depth += 1;
        self.height += 1;
        let read = stack(|| read(self, toks, end));
        self.depth -= 1;
        self.height -= 1;
        Some(read)
    }

    fn note(&mut self, tok: Tok, body: Body) {
        if let Some(bodies) = &mut self.bodies {
            bodies.insert(tok.at, body);
        }
    }

    /// Parses a module for the formatter: with its tokens, and what each group holds.
    pub(super) fn module_with_bodies(mut self) -> (Module, Lexed, Bodies, Vec<crate::diag::Diagnostic>) {
        self.bodies = Some(Bodies::default());
        let module = self.module();
        let (lexed, bodies) = (std::mem::take(&mut self.lexed), self.bodies.take().unwrap_or_default());
        (module, lexed, bodies, self.finish())
    }

    /// Parses each part of a group's contents.
    fn parts<O: 'static>(
        &mut self,
        tok: Tok,
        body: Body,
        mut parse: impl FnMut(&mut Self, &[Tok], Span) -> Option<O>,
    ) -> Vec<O> {
        self.several_parts(tok, body, |cx, part, end, found| found.extend(parse(cx, part, end)))
    }

    /// Parses each element of a group; of one with a mistake those on both sides of a comma that
    /// is missing.
    fn elements_of<O: 'static>(&mut self, tok: Tok, body: Body, what: What, pick: Pick<O>) -> Vec<O> {
        self.several_parts(tok, body, |cx, part, end, found| {
            let fault = match cx.try_part(what, part, end, pick) {
                Ok(one) => return found.push(one),
                Err(fault) => fault,
            };
            cx.report(fault, what, part, end);
            let Some(fault) = fault.filter(|f| cx.lacks_comma(f, what, part)) else { return };
            let mut rest = part;
            let mut at = fault.index(part);
            // What follows is taken apart without a word.
            while at > 0 && at < rest.len() && cx.afford(rest) {
                let (one, other) = rest.split_at(at);
                found.extend(cx.try_part(what, one, end_of(one, end), pick).ok());
                rest = other;
                at = match cx.try_part(what, rest, end, pick) {
                    Ok(last) => return found.push(last),
                    Err(fault) => {
                        fault.filter(|f| cx.lacks_comma(f, what, rest)).map_or(0, |f| f.index(rest))
                    }
                };
            }
        })
    }

    /// The same, where a part with a mistake may turn out to be two.
    fn several_parts<O: 'static>(
        &mut self,
        tok: Tok,
        body: Body,
        mut parse: impl FnMut(&mut Self, &[Tok], Span, &mut Vec<O>),
    ) -> Vec<O> {
        self.note(tok, body);
        self.inside(tok, |cx, toks, end| {
            let mut found = Vec::new();
            let split = split(&toks, body);
            for comma in split.stray {
                cx.stray_comma(comma);
            }
            for part in cx.rejoined(&toks, split.parts, body) {
                parse(cx, part, end_of(part, end), &mut found);
            }
            found
        })
        .unwrap_or_default()
    }

    /// `chek c, "m"`: the comma is that of a check, though the word is not its own.
    fn rejoined<'t>(&self, toks: &'t [Tok], parts: Vec<&'t [Tok]>, body: Body) -> Vec<&'t [Tok]> {
        let is_text =
            |part: &&[Tok]| part.first().is_some_and(|t| matches!(t.kind, Kind::Str | Kind::RawStr));
        if !matches!(body, Body::Members | Body::Stmts) || !parts.iter().any(is_text) {
            return parts;
        }
        let mut found: Vec<&[Tok]> = Vec::with_capacity(parts.len());
        for part in parts {
            let first = found.last().and_then(|f| f.first()).filter(|t| t.kind == Kind::Ident).copied();
            let word = self.word(first.as_ref()).unwrap_or_default();
            let near = is_text(&part) && word != "check" && crate::diag::nearest(word, ["check"]).is_some();
            let joined = first.zip(part.last()).filter(|_| near).and_then(|(first, last)| {
                let start = toks.partition_point(|t| t.at < first.at);
                toks.get(start..toks.partition_point(|t| t.at <= last.at))
            });
            match joined {
                Some(joined) => {
                    found.pop();
                    found.push(joined);
                }
                None => found.push(part),
            }
        }
        found
    }

    fn stray_comma(&mut self, comma: Tok) {
        let place = crate::diag::Place::span(self.sink.file(), comma.span);
        let error = self
            .sink
            .at(codes::UNEXPECTED_TOKEN, comma.span, "nothing stands before this comma")
            .fix("take the comma away", true, place, "");
        self.sink.push(error);
    }

    /// The `///` lines before a token.
    fn docs(&mut self, tok: Tok) -> Docs {
        self.documented.insert(tok.at);
        let comments = &self.lexed.comments;
        let end = comments.partition_point(|c| c.before <= tok.at);
        let start = comments.partition_point(|c| c.before < tok.at);
        let found: Vec<_> = comments
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .filter(|c| c.kind == CommentKind::Doc && c.own_line)
            .collect();
        let lines = found.iter().map(|c| self.doc_line(c.span)).collect();
        let span = match (found.first(), found.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        };
        Docs { lines, span }
    }

    /// A `///` or `//!` line without the marker and one space.
    fn doc_line(&self, span: Span) -> String {
        let text = self.text(span).get(3..).unwrap_or_default();
        text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
    }

    pub(super) fn module(&mut self) -> Module {
        let toks = level(&self.lexed.tokens, 0, self.lexed.tokens.len());
        let end = Span::at(self.text.len());
        let mut items = Vec::new();
        self.items(&split(&toks, Body::Items).parts, end, &mut items);
        self.lost_docs();
        let unused_imports = self.unused_imports(&items);
        let allows = self.allows(&items);
        let lost = std::mem::take(&mut self.lost);
        Module { docs: self.module_docs(), items, allows, unused_imports, lost }
    }

    /// The imports whose name stands nowhere but in its `use`. A field or a variant of the same
    /// name counts as a use: a lint had better miss one than be wrong.
    fn unused_imports(&self, items: &[Item]) -> Vec<Ident> {
        let imports = items.iter().filter_map(|item| match &item.kind {
            ItemKind::Use(trees) => Some((item.span, trees)),
            _ => None,
        });
        let imports: Vec<_> = imports.collect();
        let in_import = |at: Span| imports.iter().any(|(all, _)| all.start <= at.start && at.end <= all.end);
        let words = self.lexed.tokens.iter().filter(|t| t.kind == Kind::Ident || t.kind.is_keyword());
        let said: rustc_hash::FxHashSet<&str> = match imports.is_empty() {
            true => return Vec::new(),
            false => words.filter(|t| !in_import(t.span)).map(|t| self.text(t.span)).collect(),
        };
        let trees = imports.iter().flat_map(|(_, trees)| trees.iter());
        let names = trees.filter_map(|tree| tree.rename.or(tree.path.parts.last().copied()));
        names.filter(|name| !said.contains(name.name.as_str())).collect()
    }

    /// Speaks of documentation that nobody will read. Where something is wrong, what it belongs
    /// to may just not have been understood.
    fn lost_docs(&mut self) {
        if !self.sink.is_empty() {
            return;
        }
        let lost = |c: &&super::lexer::Comment| {
            c.kind == CommentKind::Doc && !(c.own_line && self.documented.contains(&c.before))
        };
        let spans: Vec<Span> = self.lexed.comments.iter().filter(lost).map(|c| c.span).collect();
        for span in spans {
            let error = self
                .sink
                .at(codes::LOST_DOCUMENTATION, span, "this documents nothing")
                .help("put it above an item, a field or a variant, or write `//`");
            self.sink.push(error);
        }
    }

    pub(super) fn whole_expr(&mut self) -> Expr {
        let toks = level(&self.lexed.tokens, 0, self.lexed.tokens.len());
        let end = Span::at(self.text.len());
        self.expr_of(&toks, end)
    }

    fn expr_of(&mut self, toks: &[Tok], end: Span) -> Expr {
        let span = toks.iter().map(|t| t.span).reduce(Span::to).unwrap_or(end);
        self.part(What::Expr, toks, end, |g| &g.expr).unwrap_or(Expr { span, kind: ExprKind::Error })
    }

    fn module_docs(&self) -> Docs {
        let found: Vec<_> = self.lexed.comments.iter().filter(|c| c.kind == CommentKind::Module).collect();
        let lines = found.iter().map(|c| self.doc_line(c.span)).collect();
        let span = match (found.first(), found.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        };
        Docs { lines, span }
    }

    /// The `// gops: allow(…)` comments.
    fn allows(&self, items: &[Item]) -> Vec<Allow> {
        let mut allows = Vec::new();
        for comment in self.lexed.comments.iter().filter(|c| c.kind == CommentKind::Plain) {
            let text = self.text(comment.span);
            let Some(rest) = text.strip_prefix("//").map(str::trim_start) else { continue };
            let Some(rest) = rest.strip_prefix("gops:").map(str::trim_start) else { continue };
            let Some(list) = rest.strip_prefix("allow(").and_then(|r| r.split(')').next()) else { continue };
            let start = comment.span.start as usize + (text.len() - rest.len()) + "allow(".len();
            let first_line = !self.text.get(..comment.span.start as usize).unwrap_or_default().contains('\n');
            let line = (!first_line).then(|| covered(self.line_after(comment.span.end as usize), items));
            let mut at = start;
            for name in list.split(',') {
                let lead = name.len() - name.trim_start().len();
                let word = name.trim();
                let span = Span::new(at + lead, at + lead + word.len());
                at += name.len() + 1;
                if !word.is_empty() {
                    allows.push(Allow { lint: Ident { name: Name::new(word), span }, line });
                }
            }
        }
        allows
    }

    /// The bytes of the line below the one that ends after `offset`.
    fn line_after(&self, offset: usize) -> Span {
        let rest = self.text.get(offset..).unwrap_or_default();
        let start = rest.find('\n').map_or(self.text.len(), |p| offset + p + 1);
        let len = self.text.get(start..).unwrap_or_default().find('\n');
        Span::new(start, len.map_or(self.text.len(), |l| start + l))
    }
}

/// Where a part ends: just after its last token, or at the end of what holds it.
fn end_of(part: &[Tok], end: Span) -> Span {
    part.last().map_or(end, |t| Span::at(t.span.end as usize))
}

/// Tokens that make a tree higher by one: operators, and what follows a value.
fn is_link(kind: Kind) -> bool {
    use Kind::*;
    matches!(
        kind,
        Dot | OptDot
            | Coalesce
            | Question
            | FatArrow
            | Lt
            | Plus
            | Minus
            | Star
            | Slash
            | Percent
            | And
            | Or
            | Not
            | As
            | Is
            | If
            | Else
            | Match
            | Paren
            | Bracket
    )
}

/// Runs what recurses once for each level of groups. The levels are limited, but a level takes
/// much of a thread's stack in a debug build.
fn stack<O>(run: impl FnOnce() -> O) -> O {
    stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, run)
}

/// Reads a whole text with a context.
pub(super) fn context(file: FileId, text: &str) -> Cx {
    let mut sink = Sink::new(file);
    let mut lexed = super::lexer::lex(text, &mut sink);
    super::trees::match_delimiters(text, &mut lexed.tokens, &mut sink);
    Cx::new(text, lexed, sink)
}

/// The same for the text of a template.
pub(super) fn template_context(file: FileId, text: &str) -> Cx {
    let mut sink = Sink::new(file);
    let mut lexed = super::lexer::lex_template(text, &mut sink);
    super::trees::match_delimiters(text, &mut lexed.tokens, &mut sink);
    Cx::new(text, lexed, sink)
}

/// A line, with all of the item or member that starts on it.
fn covered(line: Span, items: &[Item]) -> Span {
    let starts_here = |docs: &Docs, span: Span| {
        let start = if docs.lines.is_empty() { span.start } else { docs.span.start.min(span.start) };
        line.start <= start && start < line.end
    };
    for item in items {
        if starts_here(&item.docs, item.span) {
            return Span { start: line.start, end: line.end.max(item.span.end) };
        }
        let ItemKind::Record(record) = &item.kind else { continue };
        if let Some(member) = record.members.iter().find(|m| starts_here(&m.docs, m.span)) {
            return Span { start: line.start, end: line.end.max(member.span.end) };
        }
    }
    line
}
