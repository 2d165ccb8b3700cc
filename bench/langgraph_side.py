"""LangGraph's side of the bench: the graphs as a LangGraph user writes them, with its own savers.

SQLite: one file, WAL, `synchronous=FULL` (the saver sets WAL; FULL is SQLite's default and said
here so that both sides have it), durability `sync`: each checkpoint is on disk before the next
superstep begins, as on our side; `async`, LangGraph's default, for the one scenario in the
background. After each run, outside the time, its checkpoints are counted.
"""

import asyncio
import itertools
import json
import operator
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Annotated

import aiosqlite
import psycopg
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from typing_extensions import TypedDict

FOLDER = Path(sys.argv[1])
THREADS = 64
number = itertools.count()


class Count(TypedDict):
    count: int
    goal: int


class Log(TypedDict):
    count: int
    goal: int
    log: Annotated[list, operator.add]


class Sum(TypedDict):
    total: Annotated[int, operator.add]


class Asked(TypedDict):
    answer: str


def further(state):
    return "count" if state["count"] < state["goal"] else END


def counter(saver, asynchronous=False):
    def count(state):
        return {"count": state["count"] + 1}

    async def acount(state):
        return {"count": state["count"] + 1}

    graph = StateGraph(Count)
    graph.add_node("count", acount if asynchronous else count)
    graph.add_edge(START, "count")
    graph.add_conditional_edges("count", further)
    return graph.compile(checkpointer=saver)


def logger(saver):
    graph = StateGraph(Log)
    graph.add_node("count", lambda s: {"count": s["count"] + 1, "log": [f"entry {s['count']}"]})
    graph.add_edge(START, "count")
    graph.add_conditional_edges("count", further)
    return graph.compile(checkpointer=saver)


def fan():
    graph = StateGraph(Sum)
    graph.add_node("work", lambda arg: {"total": arg["n"]})
    graph.add_node("done", lambda state: {})
    graph.add_conditional_edges(START, lambda _: [Send("work", {"n": n}) for n in range(100)])
    graph.add_edge("work", "done")
    return graph.compile()


def asker(saver, asynchronous=False):
    def ask(state):
        return {"answer": interrupt({"question": "go on?"})}

    async def aask(state):
        return {"answer": interrupt({"question": "go on?"})}

    graph = StateGraph(Asked)
    graph.add_node("ask", aask if asynchronous else ask)
    graph.add_edge(START, "ask")
    return graph.compile(checkpointer=saver)


def config():
    return {"configurable": {"thread_id": f"thread {next(number)}"}, "recursion_limit": 100_000}


def sqlite_saver():
    connection = sqlite3.connect(FOLDER / f"{next(number)}.db", check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    saver = SqliteSaver(connection)
    saver.setup()
    return saver


def postgres():
    """A database of its own on the server that is to be measured."""
    server = os.environ["COUNTERSIGN_TEST_POSTGRES"]
    name = f"langgraph_{os.getpid()}_{next(number)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rsplit("/", 1)[0] + "/" + name


def postgres_saver():
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    saver = PostgresSaver(psycopg.connect(postgres(), **options))
    saver.setup()
    return saver


def check(saver, checkpoints):
    """Nothing is won by not saving: in SQLite another connection sees what is committed."""
    if isinstance(saver, SqliteSaver):
        kept = in_file(saver.conn.execute("PRAGMA database_list").fetchone()[2])
    elif saver is not None:
        kept = len(list(saver.list(None)))
    else:
        return
    assert kept == checkpoints, f"{kept} checkpoints instead of {checkpoints}"


def in_file(file):
    connection = sqlite3.connect(file)
    (kept,) = connection.execute("SELECT COUNT(*) FROM checkpoints").fetchone()
    connection.close()
    return kept


def loop(graph, supersteps, **more):
    start = time.perf_counter()
    graph.invoke({"count": 0, "goal": supersteps}, config(), **more)
    seconds = time.perf_counter() - start
    check(graph.checkpointer, supersteps + 2)
    return seconds, supersteps


def cycles(graph, cycles):
    start = time.perf_counter()
    for _ in range(cycles):
        thread = config()
        graph.invoke({"answer": ""}, thread, durability="sync")
        assert graph.invoke(Command(resume="yes"), thread, durability="sync")["answer"] == "yes"
    seconds = time.perf_counter() - start
    check(graph.checkpointer, 3 * cycles)
    return seconds, cycles


def history(entries, supersteps):
    graph, thread = logger(sqlite_saver()), config()
    full = {"count": 0, "goal": 1, "log": [f"entry {n}" for n in range(entries)]}
    graph.invoke(full, thread, durability="sync")
    start = time.perf_counter()
    graph.invoke({"count": 0, "goal": supersteps}, thread, durability="sync")
    seconds = time.perf_counter() - start
    check(graph.checkpointer, 3 + supersteps + 2)
    return seconds, supersteps


def fan_out(times):
    graph = fan()
    start = time.perf_counter()
    for _ in range(times):
        assert graph.invoke({"total": 0})["total"] == 4950
    return time.perf_counter() - start, times * 101


async def aloop(graph, supersteps):
    await graph.ainvoke({"count": 0, "goal": supersteps}, config(), durability="sync")


async def acycle(graph):
    thread = config()
    await graph.ainvoke({"answer": ""}, thread, durability="sync")
    end = await graph.ainvoke(Command(resume="yes"), thread, durability="sync")
    assert end["answer"] == "yes"


async def all_at_once(graph, one):
    start = time.perf_counter()
    await asyncio.gather(*(one(graph) for _ in range(THREADS)))
    return time.perf_counter() - start


def threads_sqlite(build, one, units, checkpoints):
    async def go():
        file = FOLDER / f"{next(number)}.db"
        async with aiosqlite.connect(file) as connection:
            await connection.execute("PRAGMA synchronous=FULL")
            saver = AsyncSqliteSaver(connection)
            await saver.setup()
            seconds = await all_at_once(build(saver, asynchronous=True), one)
            kept = in_file(file)
            assert kept == THREADS * checkpoints, f"{kept} checkpoints"
            return seconds

    return asyncio.run(go()), THREADS * units


def threads_postgres(build, one, units, checkpoints):
    async def go():
        options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        async with AsyncConnectionPool(postgres(), max_size=16, kwargs=options) as pool:
            saver = AsyncPostgresSaver(pool)
            await saver.setup()
            seconds = await all_at_once(build(saver, asynchronous=True), one)
            kept = len([kept async for kept in saver.alist(None)])
            assert kept == THREADS * checkpoints, f"{kept} checkpoints"
            return seconds

    return asyncio.run(go()), THREADS * units


SCENARIOS = {
    "supersteps": lambda: loop(counter(None), 500),
    "fan_out": lambda: fan_out(5),
    "supersteps_memory": lambda: loop(counter(InMemorySaver()), 300, durability="sync"),
    "supersteps_sqlite": lambda: loop(counter(sqlite_saver()), 100, durability="sync"),
    "background_sqlite": lambda: loop(counter(sqlite_saver()), 100, durability="async"),
    "resume_memory": lambda: cycles(asker(InMemorySaver()), 50),
    "resume_sqlite": lambda: cycles(asker(sqlite_saver()), 30),
    "resume_threads_sqlite": lambda: threads_sqlite(asker, acycle, 1, 3),
    "threads_sqlite": lambda: threads_sqlite(counter, lambda graph: aloop(graph, 5), 5, 7),
    "supersteps_postgres": lambda: loop(counter(postgres_saver()), 100, durability="sync"),
    "resume_postgres": lambda: cycles(asker(postgres_saver()), 30),
    "threads_postgres": lambda: threads_postgres(counter, lambda graph: aloop(graph, 5), 5, 7),
    "history_10": lambda: history(10, 50),
    "history_10000": lambda: history(10_000, 50),
}

for line in sys.stdin:
    seconds, units = SCENARIOS[line.strip()]()
    print(json.dumps({"seconds": seconds, "units": units}), flush=True)
