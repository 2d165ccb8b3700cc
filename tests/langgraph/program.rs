//! Runs the small programs that are the nodes of a case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use countersign::graph::{Ask, Context, Graph, Node, NodeError, State, Update};
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use crate::expression::{Expression, Scope, path, truthy};
use crate::format::{CommandGraph, Op};
use crate::models;
use crate::returned::{self, update};
use crate::world::World;

/// What a program can reach besides its input.
#[derive(Clone)]
pub struct Reach {
    pub world: World,
    pub graphs: Arc<BTreeMap<String, Arc<Graph>>>,
}

/// A node, or a node's error handler, that runs a program.
pub struct Program {
    pub ops: Vec<Op>,
    pub reach: Reach,
}

impl Node for Program {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        let mut scope = Scope {
            input: state.to_value(),
            vars: Map::new(),
            step: Some(ctx.superstep()),
            attempt: Some(ctx.attempt()),
        };
        if let Some(error) = ctx.error() {
            let error = json!({"node": error.node, "class": error.class, "message": error.message});
            scope.vars.insert("error".into(), error);
        }
        Box::pin(async move {
            let mut run = Running::new(ctx, &self.reach, scope);
            update(&run.all(&self.ops).await?.unwrap_or_else(returned::nothing))
        })
    }
}

/// Why a program stops before its end.
enum Stop {
    Returned(Value),
    Failed(NodeError),
}

impl From<NodeError> for Stop {
    fn from(error: NodeError) -> Self {
        Self::Failed(error)
    }
}

pub struct Running<'a> {
    ctx: &'a Context,
    reach: &'a Reach,
    scope: Scope,
    sets: Map<String, Value>,
    commands: Vec<Value>,
}

impl<'a> Running<'a> {
    pub fn new(ctx: &'a Context, reach: &'a Reach, scope: Scope) -> Self {
        Self { ctx, reach, scope, sets: Map::new(), commands: Vec::new() }
    }

    /// Runs the program and gives what it returns; nothing if it neither wrote nor said anything.
    pub async fn all(&mut self, ops: &[Op]) -> Result<Option<Value>, NodeError> {
        match self.ops(ops).await {
            Ok(()) => Ok(self.result()),
            Err(Stop::Returned(value)) => Ok(Some(value)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// The `set`s, merged under the update of the first command if there are commands.
    fn result(&mut self) -> Option<Value> {
        let mut sets = std::mem::take(&mut self.sets);
        let mut commands = std::mem::take(&mut self.commands);
        let Some(first) = commands.first_mut() else {
            return (!sets.is_empty()).then(|| sets.into());
        };
        if !sets.is_empty() {
            let first = &mut first["$command"];
            sets.extend(first["update"].as_object().cloned().unwrap_or_default());
            first["update"] = sets.into();
        }
        Some(if commands.len() == 1 { commands.remove(0) } else { commands.into() })
    }

    /// What the program knows at its end.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    fn ops<'b>(&'b mut self, ops: &'b [Op]) -> BoxFuture<'b, Result<(), Stop>> {
        Box::pin(async move {
            for op in ops {
                self.op(op).await?;
            }
            Ok(())
        })
    }

    async fn op(&mut self, op: &Op) -> Result<(), Stop> {
        let world = &self.reach.world;
        match op {
            Op::Set { key, value } => {
                let value = self.eval(value)?;
                self.sets.insert(key.clone(), value);
            }
            Op::Let { var, value } => {
                let value = self.eval(value)?;
                self.name(Some(var), "", value);
            }
            Op::Emit { value } => self.ctx.emit(&self.eval(value)?),
            Op::Effect { value } => world.effect(self.ctx, self.eval(value)?),
            Op::Interrupt { value, var, response_schema } => {
                let ask = Ask::new(self.eval(value)?);
                let answer = self.ctx.ask(match response_schema {
                    Some(schema) => ask.schema(schema.clone()),
                    None => ask,
                })?;
                if let Some(var) = var {
                    self.scope.vars.insert(var.clone(), answer);
                }
            }
            Op::Fail { key, times, error, message } => world.fail(key, *times, *error, message)?,
            Op::If { cond, then, r#else } => {
                let taken = if truthy(&self.eval(cond)?) { then } else { r#else };
                self.ops(taken).await?;
            }
            Op::Sleep { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Op::Model { replies, messages, var, tags } => {
                let messages = match messages {
                    Some(messages) => self.eval(messages)?,
                    None => path(&self.scope.input, "messages"),
                };
                let reply = models::say(self.ctx, world, replies, messages, tags).await?;
                self.name(var.as_ref(), "reply", reply);
            }
            Op::CallGraph { graph, input, var } => {
                let input = self.eval(input)?;
                let called = self.reach.graphs.get(graph).ok_or_else(|| {
                    NodeError::message(format!("the case has no subgraph {graph}"))
                })?;
                let output = self.ctx.call(called, input).await?.to_value();
                self.name(var.as_ref(), "result", output);
            }
            Op::Command { goto, update, graph } => {
                let mut command = Map::new();
                for (key, value) in [("goto", goto), ("update", update)] {
                    if let Some(value) = value {
                        command.insert(key.into(), self.eval(value)?);
                    }
                }
                if let Some(CommandGraph::Parent) = graph {
                    command.insert("graph".into(), "parent".into());
                }
                self.commands.push(json!({"$command": command}));
            }
            Op::Drain { reason } => self.ctx.drain(reason),
            Op::Return { value } => return Err(Stop::Returned(self.eval(value)?)),
        }
        Ok(())
    }

    fn eval(&self, expression: &Expression) -> Result<Value, NodeError> {
        expression.eval(&self.scope).map_err(|why| NodeError::of_kind("TypeError", why))
    }

    fn name(&mut self, var: Option<&String>, other: &str, value: Value) {
        let var = var.cloned().unwrap_or_else(|| other.to_owned());
        self.scope.vars.insert(var, value);
    }
}
