//! One walk over a condition: names, functions, nesting and kinds.
//!
//! It objects only to what can never work: an expression passes when some values of the declared
//! kinds would satisfy it. What fails for particular arguments is found when they are judged.

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators as op,
};
use serde_json::{Value, json};

use super::ConditionError;
use super::kinds::{Kinds, Type};

/// What [`super::facts`] puts under `requester`.
const REQUESTER: &[(&str, Kinds)] = &[
    ("person", Kinds::TEXT),
    ("user", Kinds::TEXT),
    ("team", Kinds::TEXT),
    ("enterprise", Kinds::TEXT_OR_NULL),
    ("owner", Kinds::TEXT_OR_NULL),
];

type Checked<'s> = Result<Type<'s>, ConditionError>;

pub(super) struct Checker<'s> {
    /// Names and what they can be; the innermost last.
    names: Vec<(String, Type<'s>)>,
    in_list_function: bool,
}

impl<'s> Checker<'s> {
    /// With the schema of `args`, where there is one.
    pub(super) fn new(schema: Option<&'s Value>) -> Self {
        let names = [
            ("args", schema.map_or(Type::ANY, Type::of_schema)),
            ("tool", Type::of(Kinds::TEXT)),
            ("agent", Type::of(Kinds::TEXT_OR_NULL)),
            ("requester", Type::record(REQUESTER)),
            ("target", Type::of(Kinds::TEXT)),
        ];
        Self::over(names.map(|(name, kind)| (name.to_owned(), kind)).into())
    }

    /// With exactly these names.
    pub(super) fn over(names: Vec<(String, Type<'s>)>) -> Self {
        Self { names, in_list_function: false }
    }

    /// What the expression can be.
    pub(super) fn kinds(&mut self, expression: &IdedExpr) -> Result<Kinds, ConditionError> {
        Ok(self.kind(expression)?.kinds)
    }

    pub(super) fn check(&mut self, expression: &IdedExpr) -> Result<(), ConditionError> {
        let answer = self.kind(expression)?;
        if (answer.kinds & Kinds::BOOL).is_none() {
            return Err(ConditionError::NotYesOrNo(answer.kinds.to_string()));
        }
        Ok(())
    }

    fn kind(&mut self, expression: &IdedExpr) -> Checked<'s> {
        match &expression.expr {
            Expr::Literal(literal) => Ok(Type::of(literal_kind(literal))),
            Expr::Ident(name) => {
                let known = self.names.iter().rev().find(|(known, _)| known == name);
                known
                    .map(|(_, kind)| kind.clone())
                    .ok_or_else(|| ConditionError::UnknownName(name.clone()))
            }
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let mut items = Vec::new();
                for element in &list.elements {
                    items.push(self.kind(element)?);
                }
                let item = items.into_iter().reduce(|all, item| all.or(&item));
                Ok(Type::list_of(item.unwrap_or(Type::ANY)))
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.kind(&entry.key)?;
                        self.kind(&entry.value)?;
                    }
                }
                Ok(Type::of(Kinds::MAP))
            }
            Expr::Comprehension(comprehension) => self.list_function(comprehension),
            Expr::Struct(message) => Err(ConditionError::UnknownName(message.type_name.clone())),
            Expr::Unspecified => Err(ConditionError::Parser("found nothing")),
        }
    }

    fn select(&mut self, select: &SelectExpr) -> Checked<'s> {
        let operand = self.kind(&select.operand)?;
        let field = self.field(&operand, &select.operand, &select.field)?;
        Ok(if select.test { Type::of(Kinds::BOOL) } else { field })
    }

    fn field(&self, of: &Type<'s>, operand: &IdedExpr, name: &str) -> Checked<'s> {
        let path = written(operand);
        if (of.kinds & Kinds::MAP).is_none() {
            let text = format!("`{path}` is {}, so it has no `{name}`", of.kinds);
            return Err(ConditionError::NeverFits(text));
        }
        of.field(name).map_err(|missing| ConditionError::UnknownField {
            name: format!("{path}.{name}"),
            known: missing.known,
        })
    }

    fn call(&mut self, call: &CallExpr) -> Checked<'s> {
        let operands: Vec<&IdedExpr> =
            call.target.as_deref().into_iter().chain(&call.args).collect();
        let mut kinds = Vec::new();
        for operand in &operands {
            kinds.push(self.kind(operand)?);
        }
        let name = call.func_name.as_str();
        let result = match (name, call.target.is_some(), kinds.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR, _, [left, right]) => {
                needs(left, Kinds::BOOL, operands[0])?;
                needs(right, Kinds::BOOL, operands[1])?;
                Kinds::BOOL
            }
            (op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE, _, [of]) => {
                needs(of, Kinds::BOOL, operands[0])?;
                Kinds::BOOL
            }
            (op::CONDITIONAL, _, [choice, yes, no]) => {
                needs(choice, Kinds::BOOL, operands[0])?;
                return Ok(yes.or(no));
            }
            (op::EQUALS | op::NOT_EQUALS, _, [left, right]) => {
                equal(left, right, operands[0], operands[1])?;
                Kinds::BOOL
            }
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, _, [left, right]) => {
                let common = left.kinds.widened() & right.kinds.widened() & Kinds::ORDERED;
                together(common, left, right, "put in order")?;
                Kinds::BOOL
            }
            (op::IN, _, [item, list]) => {
                needs(list, Kinds::LIST_OR_MAP, operands[1])?;
                contained(item, list, operands[0], operands[1])?;
                Kinds::BOOL
            }
            (op::ADD, _, [left, right]) => {
                together(left.kinds & right.kinds & Kinds::ADDABLE, left, right, "added")?
            }
            (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, _, [left, right]) => {
                let common = left.kinds & right.kinds & Kinds::NUMBER;
                together(common, left, right, "calculated with")?
            }
            (op::NEGATE, _, [of]) => needs(of, Kinds::NUMBER, operands[0])?,
            (op::INDEX, _, [of, _]) => return self.index(of, operands[0], operands[1]),
            ("size", _, [of]) => {
                needs(of, Kinds::SIZED, operands[0])?;
                Kinds::INT
            }
            ("contains" | "startsWith" | "endsWith" | "matches", true, [text, part]) => {
                needs(text, Kinds::TEXT, operands[0])?;
                needs(part, Kinds::TEXT, operands[1])?;
                if name == "matches" && literal(operands[1]).is_none() {
                    return Err(ConditionError::PatternNotWrittenOut);
                }
                Kinds::BOOL
            }
            ("int", false, [of]) => {
                needs(of, Kinds::NUMBER_OR_TEXT, operands[0])?;
                Kinds::INT
            }
            ("double", false, [of]) => {
                needs(of, Kinds::NUMBER_OR_TEXT, operands[0])?;
                Kinds::DOUBLE
            }
            ("string", false, [of]) => {
                needs(of, Kinds::SCALAR, operands[0])?;
                Kinds::TEXT
            }
            ("bool", false, [of]) => {
                needs(of, Kinds::BOOL_OR_TEXT, operands[0])?;
                Kinds::BOOL
            }
            _ => return Err(ConditionError::UnknownFunction(name.to_owned())),
        };
        Ok(Type::of(result))
    }

    fn index(&self, of: &Type<'s>, operand: &IdedExpr, index: &IdedExpr) -> Checked<'s> {
        needs(of, Kinds::LIST_OR_MAP, operand)?;
        match literal(index) {
            Some(Value::String(name)) => self.field(of, operand, &name),
            Some(_) => Ok(of.item()),
            None => Ok(Type::ANY),
        }
    }

    /// `all`, `exists`, `exists_one`, `filter` and `map`. They may follow one another, but one
    /// inside another multiplies their work.
    fn list_function(&mut self, function: &ComprehensionExpr) -> Checked<'s> {
        if self.in_list_function {
            return Err(ConditionError::NestedComprehension);
        }
        let range = self.kind(&function.iter_range)?;
        needs(&range, Kinds::LIST_OR_MAP, &function.iter_range)?;
        let sum = self.kind(&function.accu_init)?;
        let outer = self.names.len();
        self.names.push((function.iter_var.clone(), range.item()));
        self.names.extend(function.iter_var2.clone().map(|name| (name, Type::ANY)));
        self.names.push((function.accu_var.clone(), sum));
        self.in_list_function = true;
        let judged = self.kind(&function.loop_cond).and_then(|_| self.kind(&function.loop_step));
        self.in_list_function = false;
        let result = judged.and_then(|_| self.kind(&function.result));
        self.names.truncate(outer);
        result
    }
}

/// The kinds it can have of those it needs; an error when there are none.
fn needs(of: &Type<'_>, wanted: Kinds, operand: &IdedExpr) -> Result<Kinds, ConditionError> {
    let common = of.kinds & wanted;
    if common.is_none() {
        let text = format!("`{}` is {}, but {wanted} is needed", written(operand), of.kinds);
        return Err(ConditionError::NeverFits(text));
    }
    Ok(common)
}

fn together(
    common: Kinds,
    left: &Type<'_>,
    right: &Type<'_>,
    what: &str,
) -> Result<Kinds, ConditionError> {
    if common.is_none() {
        let text = format!("{} and {} can never be {what}", left.kinds, right.kinds);
        return Err(ConditionError::NeverFits(text));
    }
    Ok(common)
}

fn equal(
    left: &Type<'_>,
    right: &Type<'_>,
    left_side: &IdedExpr,
    right_side: &IdedExpr,
) -> Result<(), ConditionError> {
    together(left.kinds.widened() & right.kinds.widened(), left, right, "equal")?;
    may_be(left, left_side, right_side)?;
    may_be(right, right_side, left_side)
}

fn contained(
    item: &Type<'_>,
    list: &Type<'_>,
    item_side: &IdedExpr,
    list_side: &IdedExpr,
) -> Result<(), ConditionError> {
    let items = list.item();
    together(item.kinds.widened() & items.kinds.widened(), item, &items, "equal")?;
    may_be(&items, list_side, item_side)?;
    if let Expr::List(list) = &list_side.expr {
        for element in &list.elements {
            may_be(item, item_side, element)?;
        }
    }
    Ok(())
}

/// A value that is written out must be one that the schema's `enum` allows.
fn may_be(of: &Type<'_>, side: &IdedExpr, other: &IdedExpr) -> Result<(), ConditionError> {
    let (Some(allowed), Some(value)) = (of.allowed(), literal(other)) else {
        return Ok(());
    };
    let same = |one: &Value| *one == value || (one.is_number() && one.as_f64() == value.as_f64());
    if allowed.iter().any(same) {
        return Ok(());
    }
    Err(ConditionError::NeverEqual {
        name: written(side),
        value: value.to_string(),
        allowed: allowed.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
    })
}

fn literal_kind(literal: &LiteralValue) -> Kinds {
    match literal {
        LiteralValue::Boolean(_) => Kinds::BOOL,
        LiteralValue::Bytes(_) => Kinds::BYTES,
        LiteralValue::Double(_) => Kinds::DOUBLE,
        LiteralValue::Int(_) | LiteralValue::UInt(_) => Kinds::INT,
        LiteralValue::Null => Kinds::NULL,
        LiteralValue::String(_) => Kinds::TEXT,
    }
}

/// What is written out, as JSON.
fn literal(expression: &IdedExpr) -> Option<Value> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(json!(text.inner())),
        Expr::Literal(LiteralValue::Int(number)) => Some(json!(number.inner())),
        Expr::Literal(LiteralValue::Double(number)) => Some(json!(number.inner())),
        Expr::Literal(LiteralValue::Boolean(bool)) => Some(json!(bool.inner())),
        Expr::Literal(LiteralValue::Null) => Some(Value::Null),
        _ => None,
    }
}

/// `args.charge.id` for a path of names, and a plain word for anything else.
fn written(expression: &IdedExpr) -> String {
    match &expression.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) => format!("{}.{}", written(&select.operand), select.field),
        Expr::Literal(_) => literal(expression).map_or("it".to_owned(), |value| value.to_string()),
        _ => "it".to_owned(),
    }
}
