"""LangGraph's graph of a case's."""

import operator
from typing import Annotated, Any

from langgraph.channels import AnyValue, EphemeralValue, Topic, UntrackedValue
from langgraph.config import get_config
from langgraph.errors import NodeError
from langgraph.graph import StateGraph, add_messages
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy, TimeoutPolicy
from typing_extensions import TypedDict

from canon import first_line
from expressions import Scope
from programs import ERRORS, Program, Scripted, tools

KEYS = {
    "last_value": Any,
    "append": Annotated[list, operator.add],
    "sum": Annotated[int, operator.add],
    "merge": Annotated[dict, operator.or_],
    "add_messages": Annotated[list, add_messages],
    "any_value": Annotated[Any, AnyValue(Any)],
    "ephemeral": Annotated[Any, EphemeralValue(Any)],
    "untracked": Annotated[Any, UntrackedValue(Any)],
    "topic": Annotated[list, Topic(Any)],
    "remaining_steps": RemainingSteps,
    "is_last_step": IsLastStep,
}


def graph(world, form, **compiled):
    if form.get("prebuilt") == "agent":
        return agent(world, form, **compiled)
    graphs = {}
    for name, sub in form.get("subgraphs", {}).items():
        own = {key: sub[key] for key in ("checkpointer",) if key in sub}
        graphs[name] = graph(world, sub, **own)
    keys = {key: KEYS[spec.get("reducer", "last_value")] for key, spec in form["state"].items()}
    schemas = {f"{side}_schema": TypedDict(side, {key: keys[key] for key in form[side]})
               for side in ("input", "output") if side in form}
    builder = StateGraph(TypedDict("State", keys), **schemas)
    for name, node in form["nodes"].items():
        builder.add_node(name, body(world, node, name, graphs), **options(world, node, graphs))
    for start, end in form.get("edges", []):
        builder.add_edge(start, end)
    for place, edge in enumerate(form.get("conditional_edges", [])):
        builder.add_conditional_edges(edge["from"], route(edge, place), edge.get("map"))
    pauses = {key: form[key] for key in ("interrupt_before", "interrupt_after") if key in form}
    return builder.compile(**pauses, **compiled)


def body(world, node, name, graphs):
    if "subgraph" in node:
        return graphs[node["subgraph"]]
    if node.get("kind") == "tools":
        handled = {"handle_tool_errors": node["handle_errors"]} if "handle_errors" in node else {}
        return ToolNode(tools(world, node["tools"]), name=name, **handled)

    async def run(state, runtime: Runtime):
        attempt = runtime.execution_info.node_attempt
        scope = Scope(state, {}, get_config()["metadata"]["langgraph_step"], attempt)
        return (await Program(world, node["ops"], graphs).run(scope))[0]

    return run


def options(world, node, graphs):
    found = {}
    if node.get("defer"):
        found["defer"] = True
    if retry := node.get("retry"):
        several = isinstance(retry, list)
        found["retry_policy"] = [policy(p) for p in retry] if several else policy(retry)
    if timeout := node.get("timeout"):
        limits = {f"{kind}_timeout": timeout[f"{kind}_ms"] / 1000
                  for kind in ("run", "idle") if f"{kind}_ms" in timeout}
        found["timeout"] = TimeoutPolicy(**limits)
    if handler := node.get("error_handler"):
        async def handle(state, error: NodeError):
            told = {"node": error.node, "class": type(error.error).__name__,
                    "message": first_line(str(error.error))}
            scope = Scope(state, {"error": told}, get_config()["metadata"]["langgraph_step"], 1)
            return (await Program(world, handler["ops"], graphs).run(scope))[0]

        found["error_handler"] = handle
    return found


def policy(form):
    retry_on = form.get("retry_on", "default")
    chosen = {} if retry_on == "default" else {"retry_on": tuple(ERRORS[e] for e in retry_on)}
    return RetryPolicy(max_attempts=form.get("max_attempts", 3),
                       initial_interval=form.get("initial_interval_ms", 1) / 1000,
                       backoff_factor=form.get("backoff_factor", 2),
                       max_interval=form.get("max_interval_ms", 1000) / 1000,
                       jitter=False, **chosen)


def route(edge, place):
    def pick(state):
        step = get_config().get("metadata", {}).get("langgraph_step")
        return Scope(state, {}, step).eval(edge["route"])

    pick.__name__ = f"route_{place}"
    return pick


def agent(world, form, **compiled):
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware

    middleware = []
    if form.get("interrupt_on") is not None:
        keys = ("interrupt_on", "interrupt_mode", "edit_notice")
        middleware = [HumanInTheLoopMiddleware(**{key: form[key] for key in keys if key in form})]
    model = Scripted(replies=form["replies"], world=world)
    return create_agent(model, tools(world, form["tools"]), system_prompt=form.get("system_prompt"),
                        middleware=middleware, **compiled)
