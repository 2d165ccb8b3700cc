//! What does the work (nodes) and what picks the way (routes): trait objects, with closures as
//! the usual form of both.

use std::marker::PhantomData;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::{Context, Graph, IntoTargets, NodeError, State, Target, Update};

/// One step of a graph.
///
/// A closure `|ctx: Context, state: State| async move { … }` is a node; see also [`typed`].
pub trait Node: Send + Sync {
    /// Does the work of one task. `state` is the state as the superstep began, or the argument
    /// of the [`SendTo`](super::SendTo) that made this task.
    ///
    /// # Errors
    /// A failure, which ends the run; or what [`Context::interrupt`] returned, which suspends it.
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>>;

    /// The graph that this node is, if it is one; what is kept of it can then be read and changed
    /// through the graph that it is a node of.
    fn subgraph(&self) -> Option<&Graph> {
        None
    }
}

impl<F, Work> Node for F
where
    F: Fn(Context, State) -> Work + Send + Sync,
    Work: Future<Output = Result<Update, NodeError>> + Send + 'static,
{
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(self(ctx.clone(), state))
    }
}

/// Makes a node of an async function over a typed view of the state:
/// `typed(|ctx, counter: Counter| async move { … })`. The view may name only some of the keys.
pub fn typed<S, F, Work>(function: F) -> impl Node
where
    S: DeserializeOwned + Send + 'static,
    F: Fn(Context, S) -> Work + Send + Sync,
    Work: Future<Output = Result<Update, NodeError>> + Send + 'static,
{
    Typed { function, view: PhantomData }
}

struct Typed<S, F> {
    function: F,
    view: PhantomData<fn() -> S>,
}

impl<S, F, Work> Node for Typed<S, F>
where
    S: DeserializeOwned + Send + 'static,
    F: Fn(Context, S) -> Work + Send + Sync,
    Work: Future<Output = Result<Update, NodeError>> + Send + 'static,
{
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        match state.read() {
            Ok(view) => Box::pin((self.function)(ctx.clone(), view)),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

/// Picks where to go after a node, or from the start.
///
/// A closure `|state: &State| "tools"` is a route; it may return a name, [`END`](super::END), a
/// [`SendTo`](super::SendTo), a list of these, or a `Result` of them.
pub trait Route: Send + Sync {
    /// The next targets. `state` has the writes of the route's own node applied, and nobody
    /// else's. A route must be pure: it is part of its node's task.
    ///
    /// # Errors
    /// A failure, which counts as its node's.
    fn route(&self, state: &State) -> Result<Vec<Target>, NodeError>;
}

impl<F, R> Route for F
where
    F: Fn(&State) -> R + Send + Sync,
    R: IntoTargets,
{
    fn route(&self, state: &State) -> Result<Vec<Target>, NodeError> {
        self(state).into_targets()
    }
}
