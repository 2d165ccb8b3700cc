"""Plays case files on the real LangGraph and writes what it did. See README.md."""

import asyncio
import json
import logging
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import watch
from canon import Canon, ordered
from expressions import Scope, command, given
from graphs import graph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.runtime import RunControl
from langgraph.types import Command, StateUpdate
from programs import World

RUNS = ("invoke", "stream", "events")
WRITES = ("update_state", "bulk_update_state")


class Player:
    def __init__(self, case):
        self.case, self.canon, self.seen = case, Canon(case), []
        self.world = World(self.canon)
        self.saver = None if case.get("checkpointer") is False else InMemorySaver()
        self.app = graph(self.world, case["graph"], checkpointer=self.saver)

    async def call(self, call):
        step = {"call": call["call"]}
        thread = {"configurable": {"thread_id": call.get("thread", "t1")}}
        try:
            place = await self.find(thread, call["at"]) if "at" in call else thread
            await getattr(self, call["call"])(call, thread, place, step)
        except Exception as error:
            step["error"] = self.canon.error(error)
        if effects := self.world.take_effects():
            step["effects"] = effects
        if self.saver and call["call"] in RUNS + WRITES:
            await self.state_after(thread, step)
        return step

    async def state_after(self, thread, step):
        try:
            whole = bool(self.case.get("state_subgraphs"))
            state = await self.app.aget_state(thread, subgraphs=whole)
            step["state"] = self.canon.snapshot(state)
            known = {question.id for question in self.seen}
            self.seen += [q for q in state.interrupts if q.id not in known]
        except Exception as error:
            step["state_error"] = self.canon.error(error)

    async def find(self, thread, at):
        def fits(s):
            is_it = {"next": list(s.next), **{k: s.metadata.get(k) for k in ("source", "step")}}
            return all(is_it[key] == at[key] for key in is_it if key in at)

        found = [s async for s in self.app.aget_state_history(thread) if fits(s)]
        return found[at.get("index", 0)].config

    async def run(self, call, thread, place):
        config = {"configurable": dict(place["configurable"])}
        if call.get("strict_resume"):
            config["configurable"]["__pregel_strict_resume"] = True
        config |= {key: call[key] for key in ("recursion_limit", "tags", "metadata") if key in call}
        options = {key: call[key] for key in ("interrupt_before", "interrupt_after", "output_keys")
                   if key in call}
        if self.saver:
            options["durability"] = call.get("durability", "sync")
        return await self.input(call.get("input"), thread), config, options | {"control": RunControl()}

    async def input(self, value, thread):
        if not isinstance(value, dict):
            return value
        if "$resume_by" in value:
            open = (await self.app.aget_state(thread)).interrupts
            return self.answers(value["$resume_by"], open)
        if "$resume_seen" in value:
            return self.answers(value["$resume_seen"], self.seen)
        if set(value) == {"$command"}:
            return command(given(value["$command"]))
        return value

    def answers(self, answers, questions):
        asked = lambda where: next(q.id for q in questions if self.canon.value(q.value) == where)
        return Command(resume={asked(answer["where"]): answer["value"] for answer in answers})

    async def invoke(self, call, thread, place, step):
        input, config, options = await self.run(call, thread, place)
        result = self.canon.value(await self.app.ainvoke(input, config, **options))
        if isinstance(result, dict) and "__interrupt__" in result:
            result["__interrupt__"].sort(key=lambda q: json.dumps(q["value"], sort_keys=True))
        step["result"] = result

    async def stream(self, call, thread, place, step):
        modes, subgraphs = call["modes"], call.get("subgraphs", False)
        modes = modes if isinstance(modes, list) else [modes]
        input, config, options = await self.run(call, thread, place)
        chunks = []
        watch.arm()
        try:
            stream = self.app.astream(input, config, stream_mode=modes, subgraphs=subgraphs, **options)
            async for chunk in stream:
                chunks.append(chunk if subgraphs else ((), *chunk))
        finally:
            step["chunks"] = ordered([self.canon.chunk(*chunk) for chunk in chunks])

    async def events(self, call, thread, place, step):
        input, config, options = await self.run(call, thread, place)
        step["events"] = []
        async for event in self.app.astream_events(input, config, version="v2", **options):
            step["events"].append(self.canon.event(event))

    async def get_state(self, call, thread, place, step):
        state = await self.app.aget_state(place, subgraphs=call.get("subgraphs", False))
        step["state"] = self.canon.snapshot(state)

    async def history(self, call, thread, place, step):
        wanted = {key: call[key] for key in ("limit", "filter") if key in call}
        step["history"] = [self.canon.snapshot(s)
                           async for s in self.app.aget_state_history(place, **wanted)]

    async def update_state(self, call, thread, place, step):
        if "in_subgraph" in call:
            tasks = (await self.app.aget_state(place)).tasks
            place = next(task.state for task in tasks if task.name == call["in_subgraph"])
        named = {"as_node": call["as_node"]} if "as_node" in call else {}
        config = await self.app.aupdate_state(place, Scope({}, {}).eval(call["values"]), **named)
        step["config"] = self.canon.config(config)

    async def bulk_update_state(self, call, thread, place, step):
        update = lambda u: StateUpdate(Scope({}, {}).eval(u["values"]), u.get("as_node"))
        supersteps = [[update(u) for u in superstep] for superstep in call["supersteps"]]
        step["config"] = self.canon.config(await self.app.abulk_update_state(place, supersteps))

    async def raw_checkpoint(self, call, thread, place, step):
        step["checkpoint"] = self.canon.stored(await self.saver.aget_tuple(place))


async def play(case):
    try:
        player = Player(case)
    except Exception as error:
        return {"id": case["id"], "build_error": Canon(case).error(error)}
    steps = [await player.call(call) for call in case["script"]]
    return player.canon.numbered({"id": case["id"], "steps": steps})


def main():
    cases, out, *ids = sys.argv[1:]
    Path(out).mkdir(parents=True, exist_ok=True)
    for file in sorted(Path(cases).glob("*.json")):
        if not ids or file.stem in ids:
            document = asyncio.run(play(json.loads(file.read_text())))
            text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False)
            Path(out, file.name).write_text(text + "\n")


if __name__ == "__main__":
    main()
