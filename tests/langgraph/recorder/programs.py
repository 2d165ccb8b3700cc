"""The programs of nodes and tools, and the scripted model."""

import asyncio
import json
from typing import Annotated, Any

import pydantic
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import InjectedToolCallId, StructuredTool
from langgraph.config import get_stream_writer
from langgraph.runtime import get_runtime
from langgraph.types import Command, interrupt

from expressions import Scope, command, path, plain
from watch import PATH


class Boom(Exception):
    """An unknown class of error."""


ERRORS = {"Boom": Boom, "ValueError": ValueError, "RuntimeError": RuntimeError,
          "ConnectionError": ConnectionError, "TimeoutError": TimeoutError}
TYPES = {"int": int, "str": str, "bool": bool, "list": list, "dict": dict, "any": Any}


class World:
    """What the programs of a case share."""

    def __init__(self, canon):
        self.canon, self.effects, self.failures = canon, [], {}

    def effect(self, value):
        tasks = PATH.get()
        shown = {"by": tasks[-1][0], "step": tasks[-1][1], "value": plain(value)}
        if len(tasks) > 1:
            shown["in"] = [name for name, _ in tasks[:-1]]
        self.effects.append((tasks[0], shown))

    def take_effects(self):
        def key(effect):
            (name, step), _ = effect
            node, _, place = name.partition("#")
            return (step, node, int(place) if place else -1)

        effects, self.effects = sorted(self.effects, key=key), []
        return [shown for _, shown in effects]

    def fail(self, name, times, error, message):
        self.failures[name] = failed = self.failures.get(name, 0) + 1
        if times is None or failed <= times:
            raise self.made(error, message)

    def made(self, error, message):
        self.canon.scripted.add((error, message))
        made = ERRORS[error](message)
        made.scripted = True
        return made


class Returned(Exception):
    def __init__(self, value):
        self.value = value


class Program:
    """Runs `ops` and gives what the node returns."""

    def __init__(self, world, ops, graphs):
        self.world, self.ops, self.graphs = world, ops, graphs

    async def run(self, scope):
        """The value and whether a `return` gave it."""
        sets, commands = {}, []
        try:
            await self.all(self.ops, scope, sets, commands)
        except Returned as returned:
            return returned.value, True
        if not commands:
            return sets, False
        if sets:
            first = commands[0]
            update = {**sets, **(first.update or {})}
            commands[0] = Command(goto=first.goto, update=update, graph=first.graph)
        return (commands[0] if len(commands) == 1 else commands), False

    async def all(self, ops, scope, sets, commands):
        for op in ops:
            match op["op"]:
                case "set": sets[op["key"]] = scope.eval(op["value"])
                case "let": scope.variables[op["var"]] = scope.eval(op["value"])
                case "emit": get_stream_writer()(scope.eval(op["value"]))
                case "effect": self.world.effect(scope.eval(op["value"]))
                case "interrupt":
                    schema = {k: op[k] for k in ("response_schema",) if k in op}
                    answer = interrupt(scope.eval(op["value"]), **schema)
                    if op.get("var"):
                        scope.variables[op["var"]] = answer
                case "fail":
                    self.world.fail(op["key"], op.get("times"), op["error"], op.get("message", ""))
                case "if":
                    taken = op["then"] if scope.eval(op["cond"]) else op.get("else", [])
                    await self.all(taken, scope, sets, commands)
                case "sleep": await asyncio.sleep(op["ms"] / 1000)
                case "model":
                    model = Scripted(replies=op["replies"], world=self.world)
                    own = "messages" in op
                    messages = scope.eval(op["messages"]) if own else path(scope.input, "messages")
                    tags = {"tags": op["tags"]} if op.get("tags") else None
                    reply = await model.ainvoke(messages, config=tags)
                    scope.variables[op.get("var", "reply")] = reply
                case "call_graph":
                    output = await self.graphs[op["graph"]].ainvoke(scope.eval(op["input"]))
                    scope.variables[op.get("var", "result")] = output
                case "command":
                    fields = {key: value for key, value in op.items() if key != "op"}
                    commands.append(command(scope.eval(fields)))
                case "drain": get_runtime().control.request_drain(op["reason"])
                case "return": raise Returned(scope.eval(op["value"]))
                case unknown: raise SystemExit(f"unknown op {unknown}")


class Scripted(BaseChatModel):
    """Picks its reply by the number of turns it has had, and always streams."""

    replies: list
    world: Any = None

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **_):
        return self

    def _generate(self, *args, **named):
        raise NotImplementedError

    async def _agenerate(self, messages, stop=None, run_manager=None, **named):
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **named))

    async def _astream(self, messages, stop=None, run_manager=None, **_):
        turn = sum(isinstance(m, AIMessage) for m in messages)
        reply = self.replies[min(turn, len(self.replies) - 1)]
        for part in parts(reply):
            chunk = ChatGenerationChunk(message=part)
            if run_manager:
                await run_manager.on_llm_new_token(part.content, chunk=chunk)
            yield chunk
            await asyncio.sleep(0)
        if "error" in reply:
            raise self.world.made(reply["error"], reply.get("message", ""))


def parts(reply):
    chunks = reply.get("chunks")
    if chunks is None:
        calls = [{"name": c["name"], "args": json.dumps(c["args"], sort_keys=True), "id": c["id"],
                  "index": i} for i, c in enumerate(reply.get("tool_calls", []))]
        chunks = [{"content": reply.get("content", ""), "tool_call_chunks": calls}]
    for place, chunk in enumerate(chunks):
        chunk = {"content": chunk} if isinstance(chunk, str) else chunk
        fields = {"content": chunk.get("content", ""), "id": reply["id"]}
        empty = {"name": None, "args": None, "id": None, "index": None}
        if calls := chunk.get("tool_call_chunks"):
            fields["tool_call_chunks"] = [{**empty, **c, "type": "tool_call_chunk"} for c in calls]
        if place == len(chunks) - 1 and "error" not in reply:
            fields["chunk_position"] = "last"
        yield AIMessageChunk(**fields)


def tools(world, specs):
    return [tool(world, spec) for spec in specs]


def tool(world, spec):
    fields = {name: (TYPES[kind], ...) for name, kind in spec.get("args", {}).items()}
    if spec.get("wants_call_id"):
        fields["tool_call_id"] = (Annotated[str, InjectedToolCallId], ...)

    async def run(**args):
        scope = Scope(args, args, PATH.get()[-1][1])
        value, returned = await Program(world, spec.get("ops", []), {}).run(scope)
        if returned:
            return value
        return scope.eval(spec["result"]) if "result" in spec else "ok"

    schema = pydantic.create_model(spec["name"], **fields)
    return StructuredTool(name=spec["name"], description=spec["name"], args_schema=schema,
                          coroutine=run)
