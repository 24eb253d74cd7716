//! What runs make and say.

use super::fixture::*;
use crate::base::FileId;
use crate::diag::{DataPart, Diagnostic, Place};
use crate::eval::{Plan, RunOutput, Value, check_instance, run_instance};
use crate::model::hir::{Body, HirKind, Node};
use crate::model::prelude::Builtin;
use crate::model::schema::{AtDef, CheckDef};
use crate::model::{Program, TypeDef};
use crate::syntax::ast::BinaryOp;

fn run(impls: Vec<Body>) -> RunOutput {
    let program = program(impls);
    let plan = Plan::new(&program);
    run_instance(&world(&program, &plan, None), &site("a", 22))
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics.iter().map(|d| d.code.id()).collect()
}

fn data(node: u32, part: DataPart) -> Place {
    Place::Data { file: FileId::new("slices/a.yaml"), node, part }
}

fn file_with(content: HirKind) -> HirKind {
    let path = HirKind::Field { base: boxed(HirKind::SelfValue), ty: SITE, slot: 3 };
    construct(FILE, vec![(0, HirKind::Local(0)), (1, path), (2, content)])
}

fn host_then(value: HirKind) -> Body {
    let host = construct(HOST, vec![(0, this(0))]);
    let bind = hir(HirKind::Let { local: 0, value: boxed(host) });
    body(HirKind::Block { stmts: vec![bind, hir(value)], value: None }, 1)
}

#[test]
fn constructors_take_defaults_and_derived_fields() {
    let out = run(vec![host_then(file_with(interpolated(vec![text("port "), this(1)])))]);
    assert_eq!(out.diagnostics, []);
    assert_eq!(out.stopped, None);
    let [host, file] = out.objects.as_slice() else { panic!("{:?}", out.objects) };
    assert_eq!(host.reference.ty, HOST);
    let fields: Vec<Value> = file.fields.to_vec();
    assert_eq!(fields[0], Value::Ref(host.reference.clone()));
    assert_eq!(fields[1], Value::Str("/srv/a".into()));
    assert_eq!(fields[2], Value::Str("port 22".into()));
    assert_eq!(fields[3], Value::Int(420));
    assert_eq!(fields[4], Value::Null);
    assert_eq!(*file.reference.key, [fields[0].clone(), fields[1].clone()]);
    assert_eq!(file.origin.element.map(|e| e.index), Some(0));
}

#[test]
fn a_mistake_names_the_data_that_it_came_from() {
    let zero = HirKind::Binary(BinaryOp::Sub, boxed(this(1)), boxed(this(1)));
    let divided = HirKind::Binary(BinaryOp::Div, boxed(HirKind::Int(1)), boxed(zero));
    let out = run(vec![host_then(file_with(interpolated(vec![divided])))]);
    assert_eq!(codes(&out.diagnostics), ["G0602"]);
    assert!(out.diagnostics[0].labels.iter().any(|l| l.place == data(2, DataPart::Value)));
    // The host is there all the same.
    assert_eq!(out.objects.len(), 1);
}

#[test]
fn statements_after_a_mistake_still_run() {
    let wrong = HirKind::Index { base: boxed(HirKind::List(Vec::new())), index: boxed(HirKind::Int(0)) };
    let statements = HirKind::Block {
        stmts: vec![
            hir(HirKind::Let { local: 0, value: boxed(wrong.clone()) }),
            hir(file_with(text("x"))),
            hir(wrong),
        ],
        value: None,
    };
    let host = construct(HOST, vec![(0, text("h"))]);
    let out = run(vec![body(statements, 1), body(host, 0)]);
    // The file needs what the first `let` would have bound, and is left out without a word.
    assert_eq!(codes(&out.diagnostics), ["G0603", "G0603"]);
    assert_eq!(out.objects.len(), 1);
}

#[test]
fn a_text_that_doubles_stops() {
    let twice = HirKind::Binary(BinaryOp::Add, boxed(HirKind::Local(1)), boxed(HirKind::Local(1)));
    let f = hir(HirKind::Lambda { params: vec![1, 2], body: boxed(twice) });
    let range = HirKind::Range {
        start: Some(boxed(HirKind::Int(0))),
        end: Some(boxed(HirKind::Int(64))),
        inclusive: false,
    };
    let fold = HirKind::Builtin {
        builtin: Builtin::Fold,
        args: vec![Some(hir(range)), Some(hir(this(0))), Some(f)],
    };
    let mut block = host_then(file_with(fold));
    block.locals = 3;
    let out = run(vec![block]);
    assert_eq!(codes(&out.diagnostics), ["G0611"]);
    assert!(out.diagnostics[0].message.contains("64 MiB"), "{}", out.diagnostics[0].message);
}

#[test]
fn a_check_points_at_the_key_of_its_field() {
    let mut program: Program = program(Vec::new());
    let Some(TypeDef::Record(site_type)) = program.types.get_mut(SITE.0 as usize) else { panic!() };
    let condition = HirKind::Binary(BinaryOp::Ne, boxed(this(1)), boxed(HirKind::Int(22)));
    site_type.checks.push(CheckDef {
        file: model_file(),
        node: Node(3),
        quantifier: None,
        condition: hir(condition),
        message: hir(interpolated(vec![text("not "), this(1)])),
        at: Some(AtDef { base: hir(HirKind::SelfValue), path: vec!["port".into()] }),
        locals: 0,
    });
    let plan = Plan::new(&program);
    let world = world(&program, &plan, None);
    let mut said = Vec::new();
    check_instance(&world, &site("a", 22), &mut said);
    check_instance(&world, &site("a", 80), &mut said);
    assert_eq!(codes(&said), ["G0607"]);
    assert_eq!(said[0].message, "not 22");
    assert_eq!(said[0].labels[0].place, data(2, DataPart::Key));
    assert_eq!(said[0].labels[1].place, Place::Model { file: model_file(), node: 3 });
}

#[test]
fn what_is_known_later_stays_a_tree() {
    let file = HirKind::Let { local: 1, value: boxed(file_with(text("x"))) };
    let digest = HirKind::Field { base: boxed(HirKind::Local(1)), ty: FILE, slot: 7 };
    let second = construct(
        FILE,
        vec![(0, HirKind::Local(0)), (1, text("/b")), (2, interpolated(vec![text("digest "), digest]))],
    );
    let mut block = host_then(HirKind::Block { stmts: vec![hir(file), hir(second)], value: None });
    block.locals = 2;
    let out = run(vec![block]);
    assert_eq!(out.diagnostics, []);
    let Value::Deferred(content) = &out.objects[2].fields[2] else { panic!() };
    assert!(content.later && !content.secret);
    let shown = format!("{:?}", content.expr);
    assert!(shown.starts_with("Operation { name: \"interpolate\""), "{shown}");
}

fn sum_of(depth: usize) -> HirKind {
    let mut deep = this(1);
    for _ in 0..depth {
        deep = HirKind::Binary(BinaryOp::Add, boxed(HirKind::Int(1)), boxed(deep));
    }
    deep
}

#[test]
fn depth_is_bounded() {
    // Making and dropping such a tree recurses too, which no parsed model comes near to.
    let test = || {
        let out = run(vec![host_then(file_with(interpolated(vec![sum_of(2_500)])))]);
        assert_eq!(out.diagnostics, []);
        let out = run(vec![host_then(file_with(interpolated(vec![sum_of(4_000)])))]);
        assert_eq!(codes(&out.diagnostics), ["G0611"]);
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test);
    assert!(thread.is_ok_and(|t| t.join().is_ok()));
}

#[test]
fn the_same_run_takes_the_same() {
    let make = || run(vec![host_then(file_with(interpolated(vec![text("port "), this(1)])))]).cost;
    assert_eq!(make(), make());
    assert_eq!(make().objects, 2);
}
