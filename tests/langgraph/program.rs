//! Makes a graph of a case: its nodes are small programs, its routes are expressions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::graph::{
    BuildError, Context, Graph, GraphBuilder, Node, NodeError, Reducer, SendTo, State, Target,
    Update,
};
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use crate::expression::{Scope, eval, truthy};

/// What the programs of one case share: their outside effects, and how often each has failed.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    effects: Vec<Value>,
    failures: BTreeMap<String, u64>,
}

impl World {
    /// The effects since this was last asked, in the order of happening.
    pub fn take_effects(&self) -> Vec<Value> {
        std::mem::take(&mut self.0.lock().expect("no program panics").effects)
    }
}

pub fn graph(case: &Value, world: &World) -> Result<Graph, BuildError> {
    let mut builder = GraphBuilder::new(text(&case["id"]));
    let graph = &case["graph"];
    for (key, spec) in graph["state"].as_object().into_iter().flatten() {
        builder = builder.key(key, reducer(spec));
    }
    for (name, node) in graph["nodes"].as_object().into_iter().flatten() {
        builder = builder.node(name, Program { ops: node["ops"].clone(), world: world.clone() });
    }
    for edge in items(&graph["edges"]) {
        builder = match &edge[0] {
            Value::Array(from) => builder.join(from.iter().map(text), text(&edge[1])),
            from => builder.edge(text(from), text(&edge[1])),
        };
    }
    for edge in items(&graph["conditional_edges"]) {
        let (route, names) = (edge["route"].clone(), edge["map"].clone());
        builder = builder.conditional_edge(text(&edge["from"]), move |state: &State| {
            let scope = Scope { input: state.to_value(), vars: Map::new(), step: 0 };
            targets(&eval(&route, &scope), &names)
        });
    }
    builder.interrupt_before(items(&graph["interrupt_before"]).iter().map(text)).build()
}

fn reducer(spec: &Value) -> Reducer {
    match spec["reducer"].as_str().unwrap_or("last_value") {
        "last_value" => Reducer::LastValue,
        "append" => Reducer::Append,
        "sum" => Reducer::Sum,
        "merge" => Reducer::Merge,
        other => panic!("the reducer {other} is not among those of the cases run here"),
    }
}

/// A name, a send, or a list of these; `names` maps what a route says to nodes.
fn targets(value: &Value, names: &Value) -> Vec<Target> {
    match value {
        Value::Array(several) => several.iter().flat_map(|one| targets(one, names)).collect(),
        Value::Object(send) => {
            let send = &send["$send"];
            vec![SendTo::new(text(&send["node"]), send["arg"].clone()).into()]
        }
        name => vec![text(names.get(text(name)).unwrap_or(name)).into()],
    }
}

struct Program {
    ops: Value,
    world: World,
}

impl Node for Program {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        let scope = Scope { input: state.to_value(), vars: Map::new(), step: ctx.superstep() };
        Box::pin(async move {
            let mut run = Running { ctx, world: &self.world, scope, update: Update::none() };
            run.ops(&self.ops).await?;
            Ok(run.update)
        })
    }
}

struct Running<'a> {
    ctx: &'a Context,
    world: &'a World,
    scope: Scope,
    update: Update,
}

impl Running<'_> {
    fn ops<'b>(&'b mut self, ops: &'b Value) -> BoxFuture<'b, Result<(), NodeError>> {
        Box::pin(async move {
            for op in items(ops) {
                self.op(op).await?;
            }
            Ok(())
        })
    }

    async fn op(&mut self, op: &Value) -> Result<(), NodeError> {
        let value = eval(&op["value"], &self.scope);
        match text(&op["op"]).as_str() {
            "set" => self.set(text(&op["key"]), value),
            "let" => self.name(&op["var"], value),
            "emit" => self.ctx.emit(&value),
            "effect" => {
                let effect =
                    json!({"by": self.ctx.node(), "step": self.scope.step, "value": value});
                self.world.0.lock().expect("no program panics").effects.push(effect);
            }
            "interrupt" => {
                let answer = self.ctx.interrupt(value)?;
                self.name(&op["var"], answer);
            }
            "fail" => self.fail(op)?,
            "if" => {
                let taken = if truthy(&eval(&op["cond"], &self.scope)) { "then" } else { "else" };
                self.ops(&op[taken]).await?;
            }
            "sleep" => {
                let time = op["ms"].as_u64().expect("a time in milliseconds");
                tokio::time::sleep(Duration::from_millis(time)).await;
            }
            "command" => {
                let update = eval(&op["update"], &self.scope);
                for (key, value) in update.as_object().into_iter().flatten() {
                    self.set(key.clone(), value.clone());
                }
                let goto = eval(op.get("goto").unwrap_or(&json!([])), &self.scope);
                for target in targets(&goto, &Value::Null) {
                    self.update = std::mem::take(&mut self.update).goto(target);
                }
            }
            other => panic!("the operation {other} is not among those of the cases run here"),
        }
        Ok(())
    }

    fn set(&mut self, key: String, value: Value) {
        self.update = std::mem::take(&mut self.update).set(key, value);
    }

    fn name(&mut self, var: &Value, value: Value) {
        if let Some(var) = var.as_str() {
            self.scope.vars.insert(var.to_owned(), value);
        }
    }

    fn fail(&self, op: &Value) -> Result<(), NodeError> {
        let mut shared = self.world.0.lock().expect("no program panics");
        let failed = shared.failures.entry(text(&op["key"])).or_default();
        *failed += 1;
        match op["times"].as_u64() {
            Some(times) if *failed > times => Ok(()),
            Some(_) | None => Err(NodeError::message(text(&op["message"]))),
        }
    }
}

pub fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
