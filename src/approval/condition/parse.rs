//! From text to a program that is safe to recurse over.

use std::thread;

use cel::common::ast::{EntryExpr, Expr};
use cel::{Env, IdedExpr, ParseErrors, Program};

use super::ConditionError;

/// How deep brackets, and then expressions, may stand in each other. Evaluating one level takes up
/// to 35 KiB of stack in a debug build, and threads have 2 MiB.
pub(super) const DEEPEST: usize = 24;
/// The parser takes up to 170 KiB for one pair of brackets and 8 KiB for one `+`, so the longest
/// source needs about 20 MiB. Untouched stack costs nothing.
const PARSER_STACK: usize = 64 * 1024 * 1024;

/// Parses on a thread with a stack that suffices for every source that is short enough: the
/// parser would otherwise end the whole process over a rule that is only too involved.
pub(super) fn parse(env: &Env, source: &str) -> Result<Program, ConditionError> {
    if bracket_depth(source) > DEEPEST {
        return Err(ConditionError::TooDeep);
    }
    let failed = ConditionError::Parser;
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(PARSER_STACK)
            .spawn_scoped(scope, || {
                let program = env.compile(source).map_err(|errors| syntax(&errors))?;
                if depth(program.expression()) > DEEPEST {
                    return Err(ConditionError::TooDeep);
                }
                Ok(program)
            })
            .map_err(|_| failed("could not be started"))?
            .join()
            .unwrap_or_else(|_| Err(failed("gave up")))
    })
}

/// The parser's first complaint; the others usually follow from it.
fn syntax(errors: &ParseErrors) -> ConditionError {
    let Some(error) = errors.errors.first() else {
        return ConditionError::Parser("refused it");
    };
    let words = error.msg.trim_start_matches("Syntax error: ");
    let words = match words.split(" expecting ").next().unwrap_or(words) {
        words if words.contains("<EOF>") => "it ends too early",
        words => words,
    };
    let column = u64::try_from(error.pos.1).unwrap_or(1);
    ConditionError::Syntax { column, words: words.to_owned() }
}

/// Counts brackets in texts too, which at worst refuses a condition that nobody would write.
fn bracket_depth(source: &str) -> usize {
    let mut open = 0_usize;
    let mut deepest = 0;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

fn depth(expression: &IdedExpr) -> usize {
    1 + parts(&expression.expr).into_iter().map(depth).max().unwrap_or(0)
}

/// The direct parts of an expression, with what a list function is expanded to.
pub(super) fn parts(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(message) => {
            message.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect()
        }
        Expr::Comprehension(of) => {
            vec![&of.iter_range, &of.accu_init, &of.loop_cond, &of.loop_step, &of.result]
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
