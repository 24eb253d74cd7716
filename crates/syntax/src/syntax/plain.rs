//! Trees without places: two texts mean the same if these are equal.

use crate::base::Span;

use super::ast::*;

/// The module with every span empty.
pub fn erased(mut module: Module) -> Module {
    module.erase();
    module
}

/// Whatever has places in it.
trait Erase {
    fn erase(&mut self);
}

impl<T: Erase> Erase for Vec<T> {
    fn erase(&mut self) {
        self.iter_mut().for_each(Erase::erase);
    }
}
impl<T: Erase> Erase for Option<T> {
    fn erase(&mut self) {
        self.iter_mut().for_each(Erase::erase);
    }
}
impl<T: Erase> Erase for Box<T> {
    fn erase(&mut self) {
        T::erase(self);
    }
}
impl Erase for Span {
    fn erase(&mut self) {
        *self = Span::default();
    }
}
/// Has no place in it.
macro_rules! plain {
    ($($ty:ty)*) => { $(impl Erase for $ty { fn erase(&mut self) {} })* };
}
plain! { bool String Cost FieldRole RecordKind BinaryOp UnaryOp i64 f64 }

impl Erase for (Cost, Span) {
    fn erase(&mut self) {
        self.1.erase();
    }
}

/// Erases each field that is named.
macro_rules! structs {
    ($($ty:ident { $($field:ident)* })*) => {
        $(impl Erase for $ty {
            fn erase(&mut self) {
                let $ty { $($field),* } = self;
                $($field.erase();)*
            }
        })*
    };
}

structs! {
    Path { parts span }
    StrLit { text span }
    Docs { lines span }
    Module { docs items allows unused_imports lost }
    Item { span docs deprecated kind }
    UseTree { path rename }
    ConstDecl { name ty value }
    AliasDecl { name ty }
    EnumDecl { name variants }
    UnionDecl { name tag variants }
    Variant { docs deprecated name data_name payload span }
    RecordDecl { kind name source handler members }
    SliceSource { path each }
    Member { docs deprecated span kind }
    FieldDecl { role name ty default cost was data_name }
    RelationDecl { closure owner name ty by }
    AcyclicDecl { owner by message }
    Check { span quantifier condition message at }
    Quantifier { names over }
    ImplDecl { ty when body }
    FnDecl { name params result body }
    Param { name ty }
    TestDecl { name body }
    MovedDecl { kind }
    MigrationDecl { name ty when steps }
    Block { span stmts }
    Stmt { span kind }
    TypeExpr { span kind }
    Expr { span kind }
    Arg { name value }
    Arm { span patterns body }
    Pattern { span kind }
    Entry { span kind }
    Modifier { span kind }
}

impl Erase for (crate::base::Name, crate::diag::Diagnostic) {
    fn erase(&mut self) {}
}

impl Erase for Ident {
    fn erase(&mut self) {
        self.span.erase();
    }
}
impl Erase for Allow {
    fn erase(&mut self) {
        self.lint.erase();
        self.line.erase();
    }
}

/// Erases each field of each variant.
macro_rules! enums {
    ($($ty:ident {
        $(tuples: $($tuple:ident($($part:ident)*))*;)?
        $(structs: $($named:ident { $($field:ident)* })*;)?
        $(units: $($unit:ident)*;)?
    })*) => {
        $(impl Erase for $ty {
            fn erase(&mut self) {
                match self {
                    $($($ty::$tuple($($part),*) => { $($part.erase();)* })*)?
                    $($($ty::$named { $($field),* } => { $($field.erase();)* })*)?
                    $($($ty::$unit => {})*)?
                }
            }
        })*
    };
}

enums! {
    ItemKind {
        tuples: Use(a) Const(a) Alias(a) Enum(a) Record(a) Union(a) Relation(a) Acyclic(a) Check(a)
            Impl(a) Fn(a) Test(a) Moved(a) Migration(a);
    }
    MemberKind {
        tuples: Field(a) KeyPath(a) Unique(a) Check(a) Include(a);
        structs: Derived { name ty value } Rest { name ty };
    }
    MovedKind {
        tuples: ;
        structs: Object { from to } Type { from to };
    }
    MigrationStep {
        tuples: ;
        structs: Set { path value span } Drop { path span };
    }
    StmtKind {
        tuples: Expr(a) Check(a) Expect(a) Before(a);
        structs: Let { name ty value } For { names over body } ExpectError { message body }
            Given { target value };
    }
    TypeKind {
        tuples: Str(a) Int(a) Union(a) Optional(a) Where(a b);
        structs: Named { path args };
        units: Null Error;
    }
    ExprKind {
        tuples: Bool(a) Int(a) Float(a) Duration(a) Size(a) Str(a) Name(a) Path(a) Field(a b)
            OptField(a b) Index(a b) Lookup(a) Call(a b) Unary(a b) Binary(a b c d) Is(a b) As(a b)
            List(a) Brace(a) Block(a) Paren(a);
        structs: Method { base optional name args } Range { start end inclusive }
            If { condition then otherwise } Match { subject arms } ListComp { element clauses }
            MapComp { key value clauses } Construct { path variant body_span entries }
            Lambda { params body } Modified { base modifiers };
        units: Null Error;
    }
    StrPart {
        tuples: Text(a);
        structs: Expr { expr indent };
    }
    PatternKind {
        tuples: Name(a) Literal(a);
        structs: ;
        units: Any Null;
    }
    Clause {
        tuples: If(a);
        structs: For { names over };
    }
    EntryKind {
        tuples: Spread(a);
        structs: Field { name value } Quoted { key value } Computed { key value };
    }
    ModifierKind {
        tuples: After(a) Timeout(a) DriftIgnore(a);
        structs: ;
        units: Protect Adopt Keep DriftReport DriftRepair;
    }
}
