"""The expressions of the cases, evaluated to LangGraph's own types."""

import json

from langchain_core.messages import (
    AIMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage,
)
from langgraph.graph import END
from langgraph.types import Command, Overwrite, Send

from canon import message

MESSAGES = {"human": HumanMessage, "ai": AIMessage, "system": SystemMessage, "tool": ToolMessage}


class Scope:
    """What an expression can see."""

    def __init__(self, input, variables, step=None, attempt=None):
        self.input, self.variables, self.step, self.attempt = input, variables, step, attempt

    def eval(self, expression):
        if isinstance(expression, list):
            return [self.eval(item) for item in expression]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1 and next(iter(expression)).startswith("$"):
            ((operator, argument),) = expression.items()
            return self.apply(operator, argument)
        return as_message({key: self.eval(value) for key, value in expression.items()})

    def apply(self, operator, argument):
        if operator == "$lit":
            return argument
        if operator == "$if":
            return self.eval(argument[1] if self.eval(argument[0]) else argument[2])
        if operator == "$map":
            return [self.inner(argument, *item).eval(argument["do"])
                    for item in enumerate(self.eval(argument["over"]) or [])]
        value = self.eval(argument)
        match operator:
            case "$get": return path(self.input, value)
            case "$var": return path(self.variables, value)
            case "$step": return self.step
            case "$attempt": return self.attempt
            case "$send": return Send(value["node"], value.get("arg"))
            case "$command": return command(value)
            case "$overwrite": return Overwrite(value)
            case "$tools_condition":
                messages = path(self.input, value)
                called = messages and getattr(messages[-1], "tool_calls", None)
                return "tools" if called else END
        return PURE[operator](value)

    def inner(self, argument, index, item):
        scope = Scope(self.input, dict(self.variables), self.step, self.attempt)
        for name, value in (("as", item), ("index", index)):
            if name in argument:
                scope.variables[argument[name]] = value
        return scope


PURE = {
    "$and": all,
    "$or": any,
    "$not": lambda v: not v,
    "$eq": lambda v: plain(v[0]) == plain(v[1]),
    "$ne": lambda v: plain(v[0]) != plain(v[1]),
    "$lt": lambda v: v[0] < v[1],
    "$le": lambda v: v[0] <= v[1],
    "$gt": lambda v: v[0] > v[1],
    "$ge": lambda v: v[0] >= v[1],
    "$in": lambda v: v[0] in (v[1] or []),
    "$add": lambda v: sum(item or 0 for item in v),
    "$mul": lambda v: (v[0] or 0) * (v[1] or 0),
    "$concat": lambda v: concatenated(v),
    "$str": lambda v: text(v),
    "$len": lambda v: len(v or []),
    "$last": lambda v: v[-1] if v else None,
    "$range": lambda v: list(range(v)),
    "$merge": lambda v: {key: value for part in v for key, value in (part or {}).items()},
}


def concatenated(parts):
    if all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    return "".join(map(text, parts))


def path(value, dotted):
    for part in filter(None, dotted.split(".")):
        if isinstance(value, BaseMessage):
            value = message(value).get(part)
        elif isinstance(value, list):
            try:
                value = value[int(part)]
            except (ValueError, IndexError):
                return None
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def text(value):
    if isinstance(value, str):
        return value
    compact = (",", ":")
    return json.dumps(plain(value), sort_keys=True, separators=compact, ensure_ascii=False)


def plain(value):
    if isinstance(value, BaseMessage):
        return message(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def as_message(value):
    kind = value.get("type")
    if kind == "remove":
        return RemoveMessage(id=value["id"])
    if kind not in MESSAGES or not ("content" in value or "tool_calls" in value):
        return value
    fields = {key: item for key, item in value.items() if key != "type"}
    fields.setdefault("content", "")
    if kind == "ai" and fields.get("tool_calls"):
        fields["tool_calls"] = [{"type": "tool_call", **call} for call in fields["tool_calls"]]
    return MESSAGES[kind](**fields)


def command(value):
    fields = {key: value[key] for key in ("goto", "update", "resume") if key in value}
    if value.get("graph") == "parent":
        fields["graph"] = Command.PARENT
    return Command(**fields)


def given(value):
    """A call's input: messages stay plain JSON, sends and overwrites are understood."""
    if isinstance(value, list):
        return [given(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$send"}:
        return Send(value["$send"]["node"], given(value["$send"].get("arg")))
    if set(value) == {"$overwrite"}:
        return Overwrite(given(value["$overwrite"]))
    return {key: given(item) for key, item in value.items()}
