"""The form of the expectations: what is kept of LangGraph's objects, and how ids are numbered."""

import ast
import json
import re

import langgraph.errors
from langchain_core.messages import AIMessageChunk, BaseMessage, ToolMessage
from langgraph.types import Command, Interrupt, Overwrite, Send, StateSnapshot

ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b")
KEPT = ("langgraph_step", "langgraph_node", "langgraph_triggers", "langgraph_path",
        "langgraph_checkpoint_ns")
NULL_TASK = "00000000-0000-0000-0000-000000000000"


def message(m):
    chunk = isinstance(m, AIMessageChunk)
    shown = {"type": "ai_chunk" if chunk else m.type, "content": m.content}
    if m.id is not None:
        shown["id"] = m.id
    if getattr(m, "name", None):
        shown["name"] = m.name
    if chunk:
        if m.tool_call_chunks:
            keys = ("name", "args", "id", "index")
            shown["tool_call_chunks"] = [{k: c.get(k) for k in keys} for c in m.tool_call_chunks]
        if m.chunk_position:
            shown["chunk_position"] = m.chunk_position
    elif getattr(m, "tool_calls", None):
        shown["tool_calls"] = [{k: c[k] for k in ("name", "args", "id")} for c in m.tool_calls]
    if isinstance(m, ToolMessage):
        shown |= {"tool_call_id": m.tool_call_id, "status": m.status}
    return shown


class Canon:
    """Writes down one case. `scripted` are the errors that its programs raised on purpose."""

    def __init__(self, case):
        self.kinds, self.scripted = {}, set()
        self.given = set(re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(case)))

    def id(self, kind, raw):
        if raw is not None:
            self.kinds.setdefault(str(raw), kind)
        return raw

    def namespace(self, ns):
        for step in ns.split("|"):
            if ":" in step:
                self.id("task", step.split(":", 1)[1])
        return ns

    def value(self, v):
        if isinstance(v, BaseMessage):
            shown = message(v)
            if shown.get("id") not in self.given:
                self.id("msg", shown.get("id"))
            return self.value(shown)
        if isinstance(v, Interrupt):
            shown = {"value": self.value(v.value), "id": self.id("interrupt", v.id)}
            if getattr(v, "response_schema", None) is not None:
                shown["response_schema"] = schema(v.response_schema)
            return shown
        if isinstance(v, BaseException):
            return self.error(v)
        if isinstance(v, Overwrite):
            return {"$overwrite": self.value(v.value)}
        if isinstance(v, Send):
            return {"$send": {"node": v.node, "arg": self.value(v.arg)}}
        if isinstance(v, Command):
            fields = {k: getattr(v, k) for k in ("resume", "update", "goto", "graph")}
            return {"$command": {k: self.value(x) for k, x in fields.items() if x not in (None, ())}}
        if isinstance(v, dict):
            return {str(key): self.value(item) for key, item in v.items()}
        if isinstance(v, (list, tuple)):
            return [self.value(item) for item in v]
        if isinstance(v, set):
            return sorted(self.value(item) for item in v)
        if v is None or isinstance(v, (str, int, float, bool)):
            return v
        raise TypeError(f"a recording cannot hold {type(v).__name__}")

    def error(self, e):
        if isinstance(e, str):
            return self.error_text(e)
        name, text = type(e).__name__, str(e)
        own = type(e).__module__.startswith("langgraph") or name == "CancelledError"
        kind = "scripted" if getattr(e, "scripted", False) else "langgraph" if own else "host"
        shown = {"class": name, "kind": kind, "message": first_line(text)}
        if kind == "langgraph" and (code := re.search(r"errors/([A-Z_]+)", text)):
            shown["code"] = code.group(1)
        if name in ("UnknownInterruptError", "GraphDrained"):
            shown["reason"] = getattr(e, "reason", None) or str(e.args[0])
        if name == "NodeTimeoutError":
            shown |= {"timeout_kind": e.kind, "node": e.node}
        return shown

    def error_text(self, text):
        """A stored error is only its notation: `ValueError('bad value')`."""
        match = re.match(r"^(\w+)\((.*)\)$", text, re.S)
        name, body = match.groups() if match else ("Exception", repr(text))
        try:
            said = ast.literal_eval(body.rstrip(",")) if body else ""
        except (SyntaxError, ValueError):
            said = body
        said = str(said[0] if isinstance(said, tuple) and said else said)
        own = hasattr(langgraph.errors, name) or name == "CancelledError"
        kind = "scripted" if (name, said) in self.scripted else "langgraph" if own else "host"
        return {"class": name, "kind": kind, "message": first_line(said)}

    def config(self, config):
        if config is None:
            return None
        config, shown = config.get("configurable", config), {}
        if config.get("checkpoint_id"):
            shown["checkpoint_id"] = self.id("checkpoint", config["checkpoint_id"])
        if config.get("checkpoint_ns"):
            shown["checkpoint_ns"] = self.namespace(config["checkpoint_ns"])
        return shown

    def metadata(self, metadata):
        if not metadata:
            return None
        shown = {"source": metadata.get("source"), "step": metadata.get("step")}
        if parents := metadata.get("parents"):
            outermost_first = sorted(parents.items(), key=lambda parent: len(parent[0]))
            shown["parents"] = [{"ns": self.namespace(ns), "checkpoint_id": self.id("checkpoint", id)}
                                for ns, id in outermost_first]
        return shown

    def task(self, task, whole=True):
        get = task.get if isinstance(task, dict) else lambda key: getattr(task, key, None)
        shown = {"id": self.id("task", get("id")), "name": get("name")}
        if whole:
            shown["path"] = self.value(get("path"))
        if get("error") is not None:
            shown["error"] = self.error(get("error"))
        if get("interrupts"):
            shown["interrupts"] = self.questions(get("interrupts"))
        if get("result") is not None:
            shown["result"] = self.value(get("result"))
        if isinstance(get("state"), StateSnapshot):
            shown["state"] = self.snapshot(get("state"))
        elif get("state") is not None:
            shown["state"] = {"config": self.config(get("state"))}
        return shown

    def questions(self, questions):
        made = lambda q: Interrupt(**q) if isinstance(q, dict) else q
        return self.value([made(question) for question in questions])

    def snapshot(self, s):
        return {"values": self.value(s.values), "next": list(s.next),
                "config": self.config(s.config), "parent_config": self.config(s.parent_config),
                "metadata": self.metadata(s.metadata), "tasks": [self.task(t) for t in s.tasks],
                "interrupts": self.value(list(s.interrupts))}

    def checkpoint_chunk(self, p):
        return {"config": self.config(p["config"]), "parent_config": self.config(p["parent_config"]),
                "values": self.value(p["values"]), "metadata": self.metadata(p["metadata"]),
                "next": list(p["next"]), "tasks": [self.task(t, whole=False) for t in p["tasks"]]}

    def task_chunk(self, p):
        shown = {"id": self.id("task", p["id"]), "name": p["name"]}
        if "triggers" in p:
            return shown | {"input": self.value(p["input"]), "triggers": list(p["triggers"])}
        error = None if p["error"] is None else self.error(p["error"])
        return shown | {"error": error, "result": self.value(p["result"]),
                        "interrupts": self.questions(p["interrupts"])}

    def kept(self, metadata):
        shown = {key: self.value(metadata[key]) for key in KEPT if key in metadata}
        self.namespace(shown.get("langgraph_checkpoint_ns", ""))
        return shown

    def chunk(self, namespace, mode, tagged):
        shown, data = {"mode": mode}, tagged.chunk
        if mode == "messages":
            said, metadata = data
            shown["data"] = {"message": self.value(said), "metadata": self.kept(metadata)}
            tags = sorted(tag for tag in metadata.get("tags") or () if ":step:" not in tag)
            if tags:
                shown["data"]["metadata"]["tags"] = tags
        elif mode == "tasks":
            shown["data"] = self.task_chunk(data)
        elif mode == "checkpoints":
            shown["data"] = self.checkpoint_chunk(data)
        elif mode == "debug":
            made = self.checkpoint_chunk if data["type"] == "checkpoint" else self.task_chunk
            shown["data"] = {"step": data["step"], "type": data["type"],
                             "payload": made(data["payload"])}
        else:
            shown["data"] = self.value(data)
        if namespace:
            shown["ns"] = [self.namespace(step) for step in namespace]
        if tagged.by:
            shown["by"], shown["step"] = tagged.by
        return shown

    def event(self, e):
        for id in (e["run_id"], *e["parent_ids"]):
            self.id("run", id)
        return {"event": e["event"], "name": e["name"], "run_id": e["run_id"],
                "parent_ids": e["parent_ids"], "tags": sorted(e["tags"]),
                "metadata": self.kept(e["metadata"]), "data": self.value(e["data"])}

    def stored(self, t):
        version = lambda v: int(str(v).split(".")[0])
        versions = lambda channels: {channel: version(v) for channel, v in channels.items()}
        tasks = {}
        for task, channel, value in t.pending_writes:
            shown = self.error(value) if channel == "__error__" else self.value(value)
            tasks.setdefault(task, []).append([channel, shown])
        pending = []
        for task, writes in tasks.items():
            name = "null" if task == NULL_TASK else self.id("task", task)
            pending.append({"task_id": name, "writes": sorted(writes, key=lambda w: w[0])})
        pending.sort(key=lambda p: ID.sub("", json.dumps(p["writes"], sort_keys=True)))
        c = t.checkpoint
        return {"v": c["v"], "channel_values": self.value(c["channel_values"]),
                "channel_versions": versions(c["channel_versions"]),
                "versions_seen": {node: versions(seen) for node, seen in c["versions_seen"].items()},
                "updated_channels": c.get("updated_channels"), "metadata": self.metadata(t.metadata),
                "config": self.config(t.config), "parent_config": self.config(t.parent_config),
                "pending_writes": pending}

    def numbered(self, document):
        """Numbers ids in the order in which they appear when keys are walked sorted."""
        counts, names = {}, {}

        def name(raw):
            kind = self.kinds.get(raw)
            if kind is None or raw in self.given:
                return raw
            if raw not in names:
                counts[kind] = counts.get(kind, 0) + 1
                names[raw] = f"<{kind}:{counts[kind]}>"
            return names[raw]

        def walk(v):
            if isinstance(v, dict):
                return {walk(key): walk(v[key]) for key in sorted(v)}
            if isinstance(v, list):
                return [walk(item) for item in v]
            if isinstance(v, str):
                return name(v) if v in self.kinds else ID.sub(lambda m: name(m.group(0)), v)
            return v

        return walk(document)


def schema(made):
    import pydantic
    return made if isinstance(made, dict) else pydantic.TypeAdapter(made).json_schema()


def first_line(text):
    line = re.sub(r"elapsed: [\d.]+s", "elapsed: <t>s", text.split("\n")[0])
    return re.sub(r"\b[0-9a-f]{32}\b", "<id>", line)


def label(chunk):
    node, _, place = chunk["by"].partition("#")
    return (chunk["step"], node, int(place) if place else -1)


def ordered(chunks):
    """Chunks of parallel tasks sorted by the tasks' labels; the others stand where they are."""
    out, run = [], []
    for chunk in chunks:
        if "by" in chunk:
            run.append(chunk)
        else:
            out += [*sorted(run, key=label), chunk]
            run = []
    return out + sorted(run, key=label)
