"""LangGraph's side of the bench: the graphs as a LangGraph user writes them, with its own savers.

SQLite: one file, WAL, `synchronous=FULL` (the saver sets WAL; FULL is SQLite's default and said
here so that both sides have it), durability `sync`: each checkpoint is on disk before the next
superstep begins, as on our side.
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


def asker(saver):
    graph = StateGraph(Asked)
    graph.add_node("ask", lambda state: {"answer": interrupt({"question": "go on?"})})
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


def loop(graph, supersteps, **more):
    start = time.perf_counter()
    graph.invoke({"count": 0, "goal": supersteps}, config(), **more)
    return time.perf_counter() - start, supersteps


def cycles(graph, cycles):
    start = time.perf_counter()
    for _ in range(cycles):
        thread = config()
        graph.invoke({"answer": ""}, thread, durability="sync")
        assert graph.invoke(Command(resume="yes"), thread, durability="sync")["answer"] == "yes"
    return time.perf_counter() - start, cycles


def history(entries, supersteps):
    graph, thread = logger(sqlite_saver()), config()
    full = {"count": 0, "goal": 1, "log": [f"entry {n}" for n in range(entries)]}
    graph.invoke(full, thread, durability="sync")
    start = time.perf_counter()
    graph.invoke({"count": 0, "goal": supersteps}, thread, durability="sync")
    return time.perf_counter() - start, supersteps


def fan_out(times):
    graph = fan()
    start = time.perf_counter()
    for _ in range(times):
        assert graph.invoke({"total": 0})["total"] == 4950
    return time.perf_counter() - start, times * 101


def threads(supersteps):
    async def all_at_once():
        async with aiosqlite.connect(FOLDER / f"{next(number)}.db") as connection:
            await connection.execute("PRAGMA synchronous=FULL")
            saver = AsyncSqliteSaver(connection)
            await saver.setup()
            graph = counter(saver, asynchronous=True)
            start = time.perf_counter()
            await asyncio.gather(*(
                graph.ainvoke({"count": 0, "goal": supersteps}, config(), durability="sync")
                for _ in range(THREADS)
            ))
            return time.perf_counter() - start

    return asyncio.run(all_at_once()), THREADS * supersteps


def threads_postgres(supersteps):
    async def all_at_once():
        options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        async with AsyncConnectionPool(postgres(), max_size=16, kwargs=options) as pool:
            saver = AsyncPostgresSaver(pool)
            await saver.setup()
            graph = counter(saver, asynchronous=True)
            start = time.perf_counter()
            await asyncio.gather(*(
                graph.ainvoke({"count": 0, "goal": supersteps}, config(), durability="sync")
                for _ in range(THREADS)
            ))
            return time.perf_counter() - start

    return asyncio.run(all_at_once()), THREADS * supersteps


SCENARIOS = {
    "supersteps": lambda: loop(counter(None), 500),
    "fan_out": lambda: fan_out(5),
    "supersteps_memory": lambda: loop(counter(InMemorySaver()), 300, durability="sync"),
    "supersteps_sqlite": lambda: loop(counter(sqlite_saver()), 100, durability="sync"),
    "resume_memory": lambda: cycles(asker(InMemorySaver()), 50),
    "resume_sqlite": lambda: cycles(asker(sqlite_saver()), 30),
    "threads_sqlite": lambda: threads(5),
    "supersteps_postgres": lambda: loop(counter(postgres_saver()), 100, durability="sync"),
    "resume_postgres": lambda: cycles(asker(postgres_saver()), 30),
    "threads_postgres": lambda: threads_postgres(5),
    "history_10": lambda: history(10, 50),
    "history_10000": lambda: history(10_000, 50),
}

for line in sys.stdin:
    seconds, units = SCENARIOS[line.strip()]()
    print(json.dumps({"seconds": seconds, "units": units}), flush=True)
