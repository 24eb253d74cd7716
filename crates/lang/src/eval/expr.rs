//! Expressions.

use std::sync::Arc;

use ecow::EcoString;

use crate::model::hir::{Clause, Part, Pattern, TypeTest};
use crate::model::{Hir, HirKind};
use crate::syntax::ast::UnaryOp;

use super::budget;
use super::convert;
use super::deferred::operation;
use super::machine::{Eval, Machine, Stop};
use super::print;
use super::value::{RangeValue, Value};
use super::{builtins, compare};

/// How many levels go without a look at the stack, and what they need at most.
const STACK_EVERY: u32 = 16;
const STACK_LEFT: usize = 256 << 10;
const STACK_MORE: usize = 4 << 20;

impl<'w> Machine<'w> {
    /// Evaluates an expression.
    pub fn eval(&mut self, hir: &'w Hir) -> Eval {
        self.step(hir)?;
        // Leaves first: they need no more of the stack.
        match &hir.kind {
            HirKind::Null => Ok(Value::Null),
            HirKind::Bool(v) => Ok(Value::Bool(*v)),
            HirKind::Int(v) => Ok(Value::Int(*v)),
            HirKind::Float(v) => Ok(Value::Float(*v)),
            HirKind::Str(v) => Ok(Value::Str(v.clone())),
            HirKind::Duration(v) => Ok(Value::Duration(*v)),
            HirKind::Size(v) => Ok(Value::Size(*v)),
            HirKind::Enum(ty, variant) => Ok(Value::Enum(*ty, *variant)),
            HirKind::Local(local) => match self.stack.get(self.frame.base + *local as usize) {
                Some(Value::Wrong) | None => Err(self.silent(hir)),
                Some(value) => Ok(value.clone()),
            },
            HirKind::SelfValue => self.self_value(hir),
            _ => {
                if self.depth >= budget::DEPTH {
                    return Err(self.too_deep(hir));
                }
                self.depth += 1;
                // Threads have 2 MiB of stack: every few levels more is got where little is left.
                let result = if self.depth.is_multiple_of(STACK_EVERY) {
                    stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.compound(hir))
                } else {
                    self.compound(hir)
                };
                self.depth -= 1;
                result
            }
        }
    }

    /// Expressions with parts. Each arm calls, so that the stack of a deep one stays small.
    #[inline(never)]
    fn compound(&mut self, hir: &'w Hir) -> Eval {
        match &hir.kind {
            HirKind::Field { base, ty, slot } => self.field(hir, base, *ty, *slot),
            HirKind::Interpolate(parts) => self.interpolate(hir, parts),
            HirKind::Construct(construct) => self.construct(hir, construct),
            HirKind::Block { stmts, value } => self.block(stmts, value.as_deref()),
            HirKind::Let { local, value } => self.bind(*local, value),
            HirKind::Binary(op, a, b) => self.binary(hir, *op, a, b),
            HirKind::If { condition, then, otherwise } => self.branch(condition, then, otherwise.as_deref()),
            HirKind::Call { function, args } => self.call(hir, *function, args),
            HirKind::Builtin { builtin, args } => builtins::call(self, hir, *builtin, args),
            HirKind::Ref { ty, keys } => self.reference(hir, *ty, keys),
            HirKind::Struct { ty, fields } => self.make_struct(hir, *ty, fields),
            HirKind::Variant { ty, variant, payload } => {
                self.make_variant(hir, *ty, *variant, payload.as_deref())
            }
            HirKind::Refine(value, ty) => self.refined(hir, value, ty),
            HirKind::Matches { value, regex } => self.matches(hir, value, *regex),
            HirKind::Const(index) => self.constant(hir, *index),
            HirKind::Parent(base) => self.parent(hir, base),
            HirKind::SharedField { base, name } => self.shared_field(hir, base, *name),
            HirKind::Payload(base) => self.payload(hir, base),
            HirKind::Tag(base) => self.tag(hir, base),
            HirKind::Get { base, key } => self.get(hir, base, key),
            HirKind::IfSome { base, local, body } => self.if_some(base, *local, body),
            HirKind::Index { base, index } => self.index(hir, base, index, false),
            HirKind::SliceOf { base, range } => self.slice_of(hir, base, range),
            HirKind::Keyed { base, variant, keys } => self.keyed(hir, base, *variant, keys, false),
            HirKind::OrNull(inner) => match &inner.kind {
                HirKind::Index { base, index } => self.index(inner, base, index, true),
                HirKind::Keyed { base, variant, keys } => self.keyed(inner, base, *variant, keys, true),
                _ => self.eval(inner),
            },
            HirKind::Lookup { ty, keys } => self.lookup(*ty, keys),
            HirKind::All(ty) => Ok(Value::List(self.world.all(*ty))),
            HirKind::Comprehension { clauses, key, value } => {
                self.comprehension(hir, clauses, key.as_deref(), value)
            }
            HirKind::For { locals, over, body } => self.for_each(locals, over, body),
            HirKind::Match { subject, arms } => self.match_arms(hir, subject, arms),
            HirKind::List(items) => self.list(hir, items),
            HirKind::Map(entries) => self.map(hir, entries),
            HirKind::Anon(fields) => self.anon(hir, fields),
            HirKind::Unary(op, value) => self.unary(hir, *op, value),
            HirKind::Range { start, end, inclusive } => {
                self.range(start.as_deref(), end.as_deref(), *inclusive)
            }
            HirKind::Is(value, test) => self.is(hir, value, test),
            HirKind::As(value, ty) => self.cast(hir, value, ty),
            HirKind::ToFloat(value) => self.to_float(hir, value),
            HirKind::ToSet(value) => self.to_set(hir, value),
            HirKind::ToAny(value) => {
                let value = self.eval(value)?;
                let value = convert::to_any(self.program, &value);
                self.made(hir, value)
            }
            HirKind::EnumValues(ty) => Ok(self.enum_values(*ty)),
            HirKind::Env => self.environment(hir),
            HirKind::Check(check) => self.check_in_body(check),
            HirKind::Template { template, args } => self.template(hir, *template, args),
            HirKind::File { path, many, folder } => self.file(hir, path, *many, folder),
            HirKind::History(question, about) => self.history(hir, *question, about),
            HirKind::Expect(_) | HirKind::ExpectError { .. } | HirKind::Given { .. } | HirKind::Before(_) => {
                self.test_statement(hir)
            }
            _ => Err(self.silent(hir)),
        }
    }

    /// Statements go on after one that fails: each problem is said once. What a failed `let`
    /// would have bound is wrong.
    fn block(&mut self, stmts: &'w [Hir], value: Option<&'w Hir>) -> Eval {
        let mut failed = false;
        for stmt in stmts {
            match self.eval(stmt) {
                Ok(_) => {}
                Err(Stop::Value) => failed = true,
                Err(Stop::Run) => return Err(Stop::Run),
            }
        }
        match value {
            Some(value) => self.eval(value),
            None if failed => Err(Stop::Value),
            None => Ok(Value::Null),
        }
    }

    fn bind(&mut self, local: u32, value: &'w Hir) -> Eval {
        match self.eval(value) {
            Ok(value) => {
                self.set_local(local, value);
                Ok(Value::Null)
            }
            Err(stop) => {
                self.set_local(local, Value::Wrong);
                Err(stop)
            }
        }
    }

    /// A condition. The checker saw to it that no mark reaches it.
    pub fn condition(&mut self, hir: &'w Hir) -> Eval<bool> {
        match self.eval(hir)? {
            Value::Bool(holds) => Ok(holds),
            _ => Err(self.unexpected(hir)),
        }
    }

    fn branch(&mut self, condition: &'w Hir, then: &'w Hir, otherwise: Option<&'w Hir>) -> Eval {
        match (self.condition(condition)?, otherwise) {
            (true, _) => self.eval(then),
            (false, Some(otherwise)) => self.eval(otherwise),
            (false, None) => Ok(Value::Null),
        }
    }

    fn if_some(&mut self, base: &'w Hir, local: u32, body: &'w Hir) -> Eval {
        match self.eval(base)? {
            Value::Null => Ok(Value::Null),
            value => {
                self.set_local(local, value);
                self.eval(body)
            }
        }
    }

    fn match_arms(&mut self, hir: &'w Hir, subject: &'w Hir, arms: &'w [(Vec<Pattern>, Hir)]) -> Eval {
        let subject = self.eval(subject)?;
        for (patterns, body) in arms {
            for pattern in patterns {
                if self.fits(hir, &subject, pattern)? {
                    return self.eval(body);
                }
            }
        }
        Err(self.unexpected(hir))
    }

    fn fits(&mut self, hir: &Hir, value: &Value, pattern: &'w Pattern) -> Eval<bool> {
        Ok(match pattern {
            Pattern::Any => true,
            Pattern::Null => matches!(value, Value::Null),
            Pattern::Variant(variant) => {
                matches!(value, Value::Variant(_, v, _) | Value::Enum(_, v) if v == variant)
            }
            Pattern::Literal(literal) => {
                let literal = self.eval(literal)?;
                compare::equal(self.plan, value, &literal)
            }
            Pattern::Type(ty) => self.is_of(hir, value, ty)?,
        })
    }

    fn is(&mut self, hir: &Hir, value: &'w Hir, test: &'w TypeTest) -> Eval {
        let value = self.eval(value)?;
        Ok(Value::Bool(match test {
            TypeTest::Variant(_, variants) => match &value {
                Value::Variant(_, v, _) | Value::Enum(_, v) => variants.contains(v),
                _ => false,
            },
            TypeTest::Type(ty) => self.is_of(hir, &value, ty)?,
        }))
    }

    /// Text and values in turn, in one buffer for all strings of the run.
    fn interpolate(&mut self, hir: &'w Hir, parts: &'w [Part]) -> Eval {
        let start = self.text.len();
        let result = self.write_parts(hir, start, parts);
        self.text.truncate(start);
        result
    }

    fn write_parts(&mut self, whole: &'w Hir, start: usize, parts: &'w [Part]) -> Eval {
        for (at, part) in parts.iter().enumerate() {
            let (hir, indent) = match part {
                Part::Text(text) => {
                    self.text.push_str(text);
                    continue;
                }
                Part::Value { value, indent } => (value, indent),
            };
            let value = self.eval(hir)?;
            let before = self.text.len();
            if !print::text(&mut self.text, self.program, &value) {
                self.text.truncate(before);
                return self.deferred_parts(whole, start, indented(value, indent), &parts[at + 1..]);
            }
            if let Some(indent) = indent {
                indent_lines(&mut self.text, before, indent);
            }
            if self.text.len() - before > 64 {
                self.charge(hir, 0, self.text.len() - before)?;
            }
        }
        let text = EcoString::from(&self.text[start..]);
        self.cost.bytes += text.len() as u64;
        Ok(Value::Str(text))
    }

    /// The rest of a string of which a part is not known, or must not be shown.
    fn deferred_parts(&mut self, hir: &'w Hir, start: usize, first: Value, rest: &'w [Part]) -> Eval {
        if matches!(first, Value::Wrong) {
            return Err(Stop::Value);
        }
        let mut args = Vec::with_capacity(rest.len() + 2);
        if self.text.len() > start {
            args.push(Value::Str(EcoString::from(&self.text[start..])));
        }
        args.push(first);
        for part in rest {
            args.push(match part {
                Part::Text(text) => Value::Str(text.clone()),
                Part::Value { value, indent } => indented(self.eval(value)?, indent),
            });
        }
        self.made(hir, operation("interpolate", args))
    }

    fn matches(&mut self, hir: &'w Hir, value: &'w Hir, regex: u32) -> Eval {
        match self.eval(value)? {
            Value::Str(text) => match self.program.regexes.get(regex as usize) {
                Some(regex) => {
                    self.charge(hir, text.len() / 16, 0)?;
                    Ok(Value::Bool(regex.compiled.is_match(&text)))
                }
                None => Err(self.unexpected(hir)),
            },
            value @ Value::Deferred(_) => match self.program.regexes.get(regex as usize) {
                Some(regex) => {
                    self.made(hir, operation("matches", vec![value, Value::Str(regex.text.clone())]))
                }
                None => Err(self.unexpected(hir)),
            },
            _ => Err(self.unexpected(hir)),
        }
    }

    fn unary(&mut self, hir: &'w Hir, op: UnaryOp, value: &'w Hir) -> Eval {
        match (op, self.eval(value)?) {
            (UnaryOp::Not, Value::Bool(v)) => Ok(Value::Bool(!v)),
            (UnaryOp::Not, value @ Value::Deferred(_)) => self.made(hir, operation("not", vec![value])),
            (UnaryOp::Neg, value @ Value::Deferred(_)) => self.made(hir, operation("neg", vec![value])),
            (UnaryOp::Neg, number) => match super::operators::negate(&number) {
                Ok(value) => Ok(value),
                Err(fault) => Err(self.fault(hir, value, fault)),
            },
            _ => Err(self.unexpected(hir)),
        }
    }

    fn range(&mut self, start: Option<&'w Hir>, end: Option<&'w Hir>, inclusive: bool) -> Eval {
        let start = self.bound(start)?;
        let end = self.bound(end)?;
        Ok(Value::Range(Arc::new(RangeValue { start, end, inclusive })))
    }

    fn bound(&mut self, hir: Option<&'w Hir>) -> Eval<Option<i64>> {
        let Some(hir) = hir else { return Ok(None) };
        match self.eval(hir)? {
            Value::Int(v) | Value::Duration(v) | Value::Size(v) => Ok(Some(v)),
            _ => Err(self.unexpected(hir)),
        }
    }

    fn to_float(&mut self, hir: &'w Hir, value: &'w Hir) -> Eval {
        match self.eval(value)? {
            Value::Int(v) => Ok(Value::Float(v as f64)),
            value @ Value::Deferred(_) => self.made(hir, operation("float", vec![value])),
            other => Ok(other),
        }
    }

    fn anon(&mut self, hir: &'w Hir, fields: &'w [(crate::base::Name, Hir)]) -> Eval {
        let mut made = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            made.push((*name, self.eval(value)?));
        }
        self.made(hir, Value::Anon(made.into()))
    }

    fn enum_values(&self, ty: crate::model::TypeId) -> Value {
        let count = match self.program.types.get(ty.0 as usize) {
            Some(crate::model::TypeDef::Enum(def)) => def.variants.len(),
            _ => 0,
        };
        Value::List((0..count as u16).map(|v| Value::Enum(ty, v)).collect())
    }

    fn environment(&mut self, hir: &Hir) -> Eval {
        match (self.program.environment, self.world.environment()) {
            (Some(ty), Some(variant)) => Ok(Value::Enum(ty, variant)),
            _ => Err(self.unexpected(hir)),
        }
    }

    fn template(&mut self, hir: &'w Hir, template: u32, args: &'w [Hir]) -> Eval {
        let Some(def) = self.program.templates.get(template as usize) else {
            return Err(self.unexpected(hir));
        };
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg)?);
        }
        self.enter(def.body.file, Some(&def.body.root), def.body.locals, super::machine::This::None);
        self.frame.call = Some((hir.node, args));
        for (at, value) in values.into_iter().enumerate() {
            self.set_local(at as u32, value);
        }
        let result = self.eval(&def.body.root);
        self.leave();
        result
    }

    /// Goes through what `for` goes through.
    pub fn each(
        &mut self,
        hir: &'w Hir,
        locals: &[u32],
        f: &mut dyn FnMut(&mut Self) -> Eval<()>,
    ) -> Eval<()> {
        let depth = self.slots.as_ref().map_or(0, |slots| slots.depth());
        let one = |m: &mut Self, value: Value| {
            m.enter_round(depth, &value);
            if let [local] = locals {
                m.set_local(*local, value);
            }
        };
        let two = |m: &mut Self, key: Value, value: Value| {
            m.enter_round(depth, &key);
            if let [k, v] = locals {
                m.set_local(*k, key);
                m.set_local(*v, value);
            } else if let [v] = locals {
                m.set_local(*v, value);
            }
        };
        let over = self.eval(hir)?;
        match over {
            Value::List(items) | Value::Set(items) => {
                for item in items.iter() {
                    one(self, item.clone());
                    f(self)?;
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries.iter() {
                    two(self, key.clone(), value.clone());
                    f(self)?;
                }
            }
            Value::Anon(fields) => {
                for (name, value) in fields.iter() {
                    two(self, Value::Str(name.as_str().into()), value.clone());
                    f(self)?;
                }
            }
            Value::Range(range) => {
                let Some((first, last)) = range.bounds() else { return Err(self.unexpected(hir)) };
                for i in first..=last {
                    self.step(hir)?;
                    one(self, Value::Int(i));
                    f(self)?;
                }
            }
            Value::Null => {}
            _ => return Err(self.unexpected(hir)),
        }
        self.leave_rounds(depth);
        Ok(())
    }

    /// A statement: each round goes on though another one failed.
    fn for_each(&mut self, locals: &'w [u32], over: &'w Hir, body: &'w Hir) -> Eval {
        let mut failed = false;
        self.each(over, locals, &mut |m| match m.eval(body) {
            Ok(_) => Ok(()),
            Err(Stop::Value) => {
                failed = true;
                Ok(())
            }
            Err(Stop::Run) => Err(Stop::Run),
        })?;
        if failed { Err(Stop::Value) } else { Ok(Value::Null) }
    }

    fn comprehension(
        &mut self,
        hir: &'w Hir,
        clauses: &'w [Clause],
        key: Option<&'w Hir>,
        value: &'w Hir,
    ) -> Eval {
        let start = self.stack.len();
        let rounds = self.rounds(clauses, key, value);
        if let Err(stop) = rounds {
            self.stack.truncate(start);
            return Err(stop);
        }
        if key.is_none() {
            let list = Value::List(Arc::from_iter(self.stack.drain(start..)));
            return self.made(hir, list);
        }
        let mut entries = Vec::with_capacity((self.stack.len() - start) / 2);
        let mut drained = self.stack.drain(start..);
        while let (Some(key), Some(value)) = (drained.next(), drained.next()) {
            entries.push((key, value));
        }
        drop(drained);
        self.map_of(hir, entries)
    }

    /// Pushes what each round makes onto the stack.
    fn rounds(&mut self, clauses: &'w [Clause], key: Option<&'w Hir>, value: &'w Hir) -> Eval<()> {
        match clauses.split_first() {
            None => {
                if let Some(key) = key {
                    let (key, value) = self.pair(key, value)?;
                    self.stack.extend([key, value]);
                } else {
                    let value = self.eval(value)?;
                    self.stack.push(value);
                }
                Ok(())
            }
            Some((Clause::If(condition), rest)) => {
                if self.condition(condition)? {
                    self.rounds(rest, key, value)?;
                }
                Ok(())
            }
            Some((Clause::Let { local, value: bound }, rest)) => {
                let bound = self.eval(bound)?;
                self.set_local(*local, bound);
                self.rounds(rest, key, value)
            }
            Some((Clause::For { locals, over }, rest)) => {
                self.each(over, locals, &mut |m| m.round(|m| m.rounds(rest, key, value)).map(drop))
            }
        }
    }
}

/// A part that is marked, indented by whoever knows it.
fn indented(value: Value, indent: &Option<EcoString>) -> Value {
    match (indent, &value) {
        (Some(indent), Value::Deferred(_)) => {
            operation("indent_lines", vec![value, Value::Str(indent.clone())])
        }
        _ => value,
    }
}

/// Indents each further line of what was written from `start` on.
fn indent_lines(text: &mut String, start: usize, indent: &str) {
    if text.as_bytes()[start..].contains(&b'\n') {
        let indented = text[start..].replace('\n', &format!("\n{indent}"));
        text.truncate(start);
        text.push_str(&indented);
    }
}
